"""
Mappings: how a row of a foreign CSV becomes a ticket, written in a small TOML language.

    source = "acme"                       # where the rows come from; with the source id it names a ticket for ever
    source_id = "{id}"                    # a template; {#row} number of the row, {#hash} of its content, {#file} name of the file
    columns = ["id", "title", "opened"]   # columns that must be there; by them the mapping is guessed from a header
    empty = ["?"]                         # texts that mean "not known", beside the empty text
    first_per = "id"                      # only the first of consecutive rows with the same value is a ticket
    encoding = "utf-8"                    # and delimiter = ","

    [fields]                              # a ticket's field = where its text comes from, one of:
    department = "Facilities"             #   a constant
    subject = ["{title}", "No subject"]   #   templates: the first of which every column is filled
    description = { lines = ["{text}", "Place: {place}"] }            # the lines of which every column is filled
    category = { from = "{kind}", values = { "IT Support" = ["pc", "mail"] }, otherwise = "{kind}" }
    priority = { from = "{prio}", values = { High = ["1", "2"] }, default = "Medium" }
    reported_at = { from = "{opened}", date = "%d/%m/%Y %H:%M", zone = "Europe/Berlin" }

`{ticket.category}` stands for a field of the ticket worked out above it. `values` lists, for each text a ticket may
have, the texts that become it; what is not listed passes as it is, becomes `otherwise`, or with `strict = true` is
refused. `date` is a strptime format or `iso`; a time without an offset is taken to be in `zone` (UTC when absent).
Braces are doubled to be meant literally. Nothing is stripped or changed: `"{title}"` is the column's text, character
for character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: What a mapping may fill, in the order in which fields are worked out.
TICKET_FIELDS = (
    "subject",
    "description",
    "category",
    "subcategory",
    "department",
    "priority",
    "requester_id",
    "requester_name",
    "requester_email",
    "reported_at",
)
REQUIRED_FIELDS = ("subject", "category", "requester_id")
_VARIABLES = ("#row", "#hash", "#file")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_TOP_KEYS = {"name", "source", "source_id", "columns", "empty", "first_per", "encoding", "delimiter", "fields"}
_FIELD_KEYS = {"from", "lines", "values", "otherwise", "strict", "default", "date", "zone"}


class MappingError(Exception):
    """A mapping cannot be used; the message names the key and what is wrong with it. Correct the file."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with columns in it: literal pieces and column names in turn, `pieces[1::2]` being the names."""

    pieces: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns and variables the template needs."""
        return self.pieces[1::2]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text, the columns' texts inserted unchanged."""
        if len(self.pieces) == 3 and not self.pieces[0] and not self.pieces[2]:
            return values[self.pieces[1]]
        return "".join(values[piece] if index % 2 else piece for index, piece in enumerate(self.pieces))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """Where one field of a ticket comes from; see the module's text for the meaning of each part."""

    templates: tuple[Template, ...]
    joined: bool = False
    values: Mapping[str, str] | None = None
    otherwise: Template | None = None
    strict: bool = False
    default: str = ""
    date: str | None = None
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMapping:
    """A mapping ready for use."""

    name: str
    source: str
    source_id: Template
    columns: tuple[str, ...]
    empty: tuple[str, ...]
    first_per: str | None
    encoding: str
    delimiter: str
    fields: Mapping[str, FieldRule]


def parse_mapping(name: str, document: Mapping[str, Any]) -> TicketMapping:
    """
    Return the mapping that a TOML document describes.

    Raises:
        MappingError: an unknown key, a missing one, a value of the wrong kind, or a column that `columns` does not name.
    """
    _known(document, _TOP_KEYS, "the mapping")
    columns = tuple(_texts(document.get("columns"), "columns"))
    mapping = TicketMapping(
        name=_text(document.get("name", name), "name"),
        source=_text(document.get("source"), "source"),
        source_id=_template(document.get("source_id"), "source_id"),
        columns=columns,
        empty=tuple(_texts(document.get("empty", []), "empty")),
        first_per=document.get("first_per"),
        encoding=_text(document.get("encoding", "utf-8"), "encoding"),
        delimiter=_text(document.get("delimiter", ","), "delimiter"),
        fields=_fields(document.get("fields")),
    )
    _check_names(mapping)
    return mapping


def guess_mapping(header: Sequence[str], mappings: Iterable[TicketMapping]) -> TicketMapping | None:
    """Return the mapping whose columns are all in the header, the one naming most of them; None when there is none or a tie."""
    fitting = [mapping for mapping in mappings if set(mapping.columns) <= set(header)]
    most = max((len(mapping.columns) for mapping in fitting), default=0)
    best = [mapping for mapping in fitting if len(mapping.columns) == most]
    return best[0] if len(best) == 1 else None


def missing_columns(header: Sequence[str], mapping: TicketMapping) -> list[str]:
    """Return the columns that the mapping needs and the header lacks, in the mapping's order."""
    return [column for column in mapping.columns if column not in header]


def parse_template(text: str) -> Template:
    """
    Return the template that a text describes; `{{` and `}}` are literal braces.

    Raises:
        MappingError: a single brace, or `{}` without a name.
    """
    pieces, literal, position = [], "", 0
    for match in _PIECE.finditer(text):
        literal += text[position : match.start()]
        position = match.end()
        if match.group() in ("{{", "}}"):
            literal += match.group()[0]
        elif match.group(1):
            pieces += [literal, match.group(1)]
            literal = ""
        else:
            raise MappingError(f"{text!r}: write {{{{ and }}}} for braces, {{name}} for a column")
    return Template((*pieces, literal + text[position:]))


def _fields(value: Any) -> dict[str, FieldRule]:
    if not isinstance(value, dict):
        raise MappingError("[fields] is missing")
    _known(value, set(TICKET_FIELDS), "[fields]")
    missing = [name for name in REQUIRED_FIELDS if name not in value]
    if missing:
        raise MappingError(f"[fields] must say where {', '.join(missing)} come from")
    return {name: _rule(name, value[name]) for name in TICKET_FIELDS if name in value}


def _rule(name: str, value: Any) -> FieldRule:
    if not isinstance(value, dict):
        return FieldRule(templates=_templates(value, name))
    _known(value, _FIELD_KEYS, name)
    if ("from" in value) == ("lines" in value):
        raise MappingError(f"{name}: needs either `from` or `lines`")
    if "zone" in value and "date" not in value:
        raise MappingError(f"{name}: `zone` needs `date`")
    return FieldRule(
        templates=_templates(value.get("from", value.get("lines")), name),
        joined="lines" in value,
        values=_values(value["values"], name) if "values" in value else None,
        otherwise=_template(value["otherwise"], name) if "otherwise" in value else None,
        strict=value.get("strict") is True,
        default=_text(value.get("default", ""), f"{name}.default", may_be_empty=True),
        date=_text(value["date"], f"{name}.date") if "date" in value else None,
        zone=_zone(value.get("zone", "UTC"), name) if "date" in value else None,
    )


def _values(value: Any, name: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise MappingError(f"{name}.values must be a table")
    return {given: wanted for wanted, texts in value.items() for given in _texts(texts, f"{name}.values.{wanted}")}


def _zone(value: Any, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value, f"{name}.zone"))
    except (ZoneInfoNotFoundError, ValueError):
        raise MappingError(f"{name}.zone: {value!r} is not a time zone of this machine's tz database") from None


def _check_names(mapping: TicketMapping) -> None:
    known = {*mapping.columns, *_VARIABLES}
    if mapping.first_per is not None and mapping.first_per not in mapping.columns:
        raise MappingError(f"first_per: {mapping.first_per!r} is not among the columns")
    places: list[tuple[str, tuple[Template, ...]]] = [("source_id", (mapping.source_id,))]
    for name, rule in mapping.fields.items():
        places.append((name, rule.templates + ((rule.otherwise,) if rule.otherwise else ())))
    done: set[str] = set()
    for place, templates in places:
        for unknown in {used for template in templates for used in template.names} - known - done:
            raise MappingError(f"{place}: {{{unknown}}} is not among the columns, nor a field worked out before it")
        done.add(f"ticket.{place}")


def _templates(value: Any, name: str) -> tuple[Template, ...]:
    return tuple(_template(text, name) for text in ([value] if isinstance(value, str) else _texts(value, name)))


def _template(value: Any, name: str) -> Template:
    return parse_template(_text(value, name))


def _text(value: Any, name: str, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or may_be_empty):
        raise MappingError(f"{name} must be a text")
    return value


def _texts(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise MappingError(f"{name} must be a list of texts")
    return value


def _known(table: Mapping[str, Any], keys: set[str], place: str) -> None:
    unknown = sorted(set(table) - keys)
    if unknown:
        raise MappingError(f"{place}: unknown key {', '.join(unknown)}")
