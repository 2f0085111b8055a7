"""
Import: a row of a CSV becomes a ticket to file, or named reasons why not.

1. Where rows are events of one case, keep the first of each case (`csv_rows.first_rows`).
2. Work out the row's name at its source: source and source id, under which it is filed once, however often it is
   imported.
3. Work out the ticket's fields by the mapping (`import_mapping`).
4. Judge them by the rules for every ticket (`filing`). A row that can be no ticket is refused, naming each field and
   the reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from baton.pipelines.csv_rows import Fault, Row
from baton.pipelines.filing import Draft, FilingError, Person, accept
from baton.pipelines.import_mapping import FieldRule, TicketMapping
from baton.pipelines.ticket_values import EXTRA_FIELDS

_PERSON = {"requester_id": "id", "requester_name": "name", "requester_email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A row on its way to becoming a ticket: `body` is what is sent. With `faults` it must not be filed."""

    number: int
    line: int
    source: str
    source_id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def ticket_of(row: Row, mapping: TicketMapping, file_name: str) -> Filing:
    """Return the ticket that a row stands for; when it can be none, its `faults` say why, every field at once."""
    source_id, faults, body = "", row.faults, {}
    if not faults:
        values = {**row.values, "#row": str(row.number), "#file": file_name}
        if "#hash" in mapping.source_id.names:
            values["#hash"] = content_hash(row.values)
        source_id, faults = _source_id(values, mapping)
        fields, wrong = _fields(values, mapping)
        body = _body(mapping.source, source_id, fields)
        faults += wrong + _judge(body, {fault.field for fault in (*faults, *wrong)})
    return Filing(number=row.number, line=row.line, source=mapping.source, source_id=source_id, body=body, faults=faults)


def content_hash(values: Mapping[str, str]) -> str:
    """Return 16 hex digits that depend on every text of a row and on their order, and on nothing else."""
    return _digest(*values.values())[:16]


def idempotency_key(filing: Filing) -> str:
    """
    Return the key under which a row is filed: the same source, source id and content always give the same one.

    The content is part of it because a row that changed at its source is another request; it finds its ticket by source
    and source id.
    """
    content = json.dumps(filing.body, sort_keys=True)
    return "import-" + _digest(filing.source, filing.source_id, content)


def _source_id(values: Mapping[str, str], mapping: TicketMapping) -> tuple[str, tuple[Fault, ...]]:
    blank = [name for name in mapping.source_id.names if _is_empty(values[name], mapping)]
    faults = tuple(Fault("source_id", f"{name} is empty, but names the row at its source") for name in blank)
    return mapping.source_id.fill(values), faults


def _fields(values: dict[str, str], mapping: TicketMapping) -> tuple[dict[str, str], tuple[Fault, ...]]:
    fields: dict[str, str] = {}
    faults: list[Fault] = []
    for name, rule in mapping.fields.items():
        text, wrong = _field(values, rule, mapping)
        values[f"ticket.{name}"] = fields[name] = text
        if wrong:
            faults.append(Fault(name, wrong))
    return fields, tuple(faults)


def _body(source: str, source_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    person = {key: fields[name] for name, key in _PERSON.items() if fields.get(name)}
    plain = {name: text for name, text in fields.items() if text and name not in _PERSON}
    return {**plain, "employee": person, "source": source, "source_id": source_id}


def _judge(body: Mapping[str, Any], known: set[str]) -> tuple[Fault, ...]:
    plain = {name: value for name, value in body.items() if name not in EXTRA_FIELDS}
    extras = {name: value for name, value in body.items() if name in EXTRA_FIELDS}
    person = Person(**{"id": "", **body["employee"]})
    try:
        accept(Draft(**{"subject": "", "category": "", **plain, "employee": person}, extras=extras))
    except FilingError as error:
        return tuple(Fault(problem.field, problem.reason) for problem in error.problems if problem.field not in known)
    return ()


def _field(values: Mapping[str, str], rule: FieldRule, mapping: TicketMapping) -> tuple[str, str]:
    filled = [
        template.fill(values)
        for template in rule.templates
        if not any(_is_empty(values[name], mapping) for name in template.names)
    ]
    if not filled:
        return rule.default, ""
    text = "\n".join(filled) if rule.joined else filled[0]
    if rule.values is not None:
        if text in rule.values:
            return rule.values[text], ""
        if rule.strict:
            return "", f"{text!r} is not among the values of the mapping"
        if rule.otherwise is not None:
            return rule.otherwise.fill(values), ""
    return _instant(text, rule) if rule.date else (text, "")


def _is_empty(text: str, mapping: TicketMapping) -> bool:
    return not text or text in mapping.empty or text.isspace()


def _instant(text: str, rule: FieldRule) -> tuple[str, str]:
    try:
        at = datetime.fromisoformat(text) if rule.date == "iso" else datetime.strptime(text, rule.date or "")  # noqa: DTZ007
        at = at if at.tzinfo else at.replace(tzinfo=rule.zone or UTC)
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z"), ""
    except (ValueError, OverflowError):
        return "", f"{text!r} is not a time of the form {rule.date}"


def _digest(*texts: str) -> str:
    # Each text is preceded by its length, so that no two lists of texts run together into the same bytes.
    return hashlib.sha256(b"".join(b"%d:%s" % (len(data), data) for data in map(str.encode, texts))).hexdigest()
