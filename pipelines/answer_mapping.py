"""
Mappings of answers: how a row of a foreign CSV becomes a comment on an imported ticket, written in a small TOML language.

    source = "support-forum"              # where the rows come from: the `source` under which their tickets were imported
    columns = ["id", "question_id", ...]  # columns that must be there
    encoding = "utf-8"                    # and delimiter = ","

    [fields]                              # templates, as in the mappings of tickets
    id = "{id}"                           # names the answer at its source, for ever
    ticket = "{question_id}"              # the source id of the ticket it belongs to
    author = "{creator}"                  # compared with the ticket's requester: they answer on their own side, others on staff's
    author_name = "{creator}"
    html = "{content}"                    # or body, for Markdown
    written_at = "{created}"              # ISO 8601; without an offset it is UTC
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from baton.pipelines.conversation import REQUESTER, STAFF
from baton.pipelines.csv_rows import Fault, Row
from baton.pipelines.import_mapping import MappingError, Template, parse_template

_REQUIRED = ("id", "ticket", "author", "written_at")
_FIELDS = (*_REQUIRED, "author_name", "html", "body")
_KEYS = {"source", "columns", "encoding", "delimiter", "fields"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMapping:
    """A mapping ready for use."""

    name: str
    source: str
    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    fields: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A row on its way to becoming a comment. With `faults` it must not be sent."""

    number: int
    line: int
    source_id: str = ""
    ticket_source_id: str = ""
    author: str = ""
    author_name: str = ""
    text: Mapping[str, str] | None = None
    written_at: str = ""
    faults: tuple[Fault, ...] = ()


def parse_answer_mapping(name: str, document: Mapping[str, Any]) -> AnswerMapping:
    """Return the mapping that a TOML document describes; raises MappingError naming the key that is wrong."""
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise MappingError(f"unknown key {', '.join(unknown)}")
    columns = document.get("columns")
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise MappingError("columns must be a list of texts")
    fields = _fields(document.get("fields"))
    for field, template in fields.items():
        missing = sorted(set(template.names) - set(columns))
        if missing:
            raise MappingError(f"{field}: {{{missing[0]}}} is not among the columns")
    return AnswerMapping(
        name=name,
        source=_text(document.get("source"), "source"),
        columns=tuple(columns),
        encoding=_text(document.get("encoding", "utf-8"), "encoding"),
        delimiter=_text(document.get("delimiter", ","), "delimiter"),
        fields=fields,
    )


def answer_of(row: Row, mapping: AnswerMapping) -> Answer:
    """Return the answer that a row stands for; when it can be none, its `faults` say why."""
    if row.faults:
        return Answer(number=row.number, line=row.line, faults=row.faults)
    values = {name: template.fill(row.values) for name, template in mapping.fields.items()}
    faults = tuple(Fault(name, "is empty") for name in _REQUIRED if not values[name].strip())
    written_at = _instant(values["written_at"])
    if written_at is None and values["written_at"].strip():
        faults += (Fault("written_at", f"{values['written_at']!r} is no ISO 8601 time"),)
    kind = "html" if "html" in values else "body"
    return Answer(
        number=row.number,
        line=row.line,
        source_id=values["id"],
        ticket_source_id=values["ticket"],
        author=values["author"],
        author_name=values.get("author_name", ""),
        text={kind: values[kind]},
        written_at=written_at or "",
        faults=faults,
    )


def comment_of(answer: Answer, mapping: AnswerMapping, ticket_number: str, requester_id: str) -> dict[str, Any]:
    """Return the answer as the conversation service takes it over, on the ticket of this number and requester."""
    return {
        "ticket_number": ticket_number,
        "source": mapping.source,
        "client_id": answer.source_id,
        "author": answer.author,
        "author_name": answer.author_name,
        "side": REQUESTER if answer.author == requester_id else STAFF,
        "written_at": answer.written_at,
        **(answer.text or {}),
    }


def _fields(value: Any) -> dict[str, Template]:
    if not isinstance(value, dict):
        raise MappingError("[fields] is missing")
    unknown = sorted(set(value) - set(_FIELDS))
    missing = [name for name in _REQUIRED if name not in value]
    if unknown or missing:
        raise MappingError(f"[fields]: unknown {', '.join(unknown)}" if unknown else f"[fields] lacks {', '.join(missing)}")
    if ("html" in value) == ("body" in value):
        raise MappingError("[fields] needs either html or body")
    return {name: parse_template(_text(text, name)) for name, text in value.items()}


def _instant(text: str) -> str | None:
    try:
        at = datetime.fromisoformat(text.strip())
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise MappingError(f"{name} must be a text")
    return value
