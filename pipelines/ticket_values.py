"""
What the fields of a ticket may hold: texts, and the extra fields that asset and budget tickets carry.

Each check yields what is wrong; nothing is converted or cleaned.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

#: Longest text of an extra field, in characters.
MAX_EXTRA = 1_000
#: A cost sheet is a small table, not a document: bounds that keep every receiver's JSON parser comfortable.
MAX_COST_ITEMS = 20_000
MAX_COST_DEPTH = 6

#: Extra field -> what it holds: `text`, `date` (YYYY-MM-DD), `instant` (RFC 3339), `money` (a decimal as a string) or `object`.
ASSET_FIELDS = {
    "asset_name": "text",
    "serial_number": "text",
    "asset_category": "text",
    "location": "text",
    "issue_type": "text",
    "expected_return_date": "date",
}
BUDGET_FIELDS = {
    "requested_budget": "money",
    "cost_items": "object",
    "fiscal_year": "text",
    "performance_start_date": "date",
    "performance_end_date": "date",
}
#: A ticket that comes from another system (an import) was reported there earlier than it was filed here.
ORIGIN_FIELDS = {"reported_at": "instant"}
EXTRA_FIELDS = ASSET_FIELDS | BUDGET_FIELDS | ORIGIN_FIELDS

#: Money travels as text, because binary fractions are not money: up to 15 digits before the point, up to 4 after it.
MONEY_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,4})?$"
_MONEY = re.compile(MONEY_PATTERN.rstrip("$") + r"\Z")

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of a ticket; `field` is a dotted path such as `employee.id`."""

    field: str
    reason: str


def check_text(name: str, value: Any, longest: int, *, required: bool = False) -> Iterator[FieldProblem]:
    """Yield what is wrong with a text of at most `longest` characters; a required one shows something."""
    if not isinstance(value, str):
        yield FieldProblem(name, "must be text")
    elif required and not value.strip():
        yield FieldProblem(name, "must not be empty")
    elif len(value) > longest:
        yield FieldProblem(name, f"must have at most {longest} characters, not {len(value)}")
    elif _UNSTORABLE.search(value):
        yield FieldProblem(name, "must not contain NUL or lone surrogates")


def check_extras(extras: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Yield what is wrong with the extra fields of a ticket; empty ones count as not given."""
    for name, value in extras.items():
        kind = EXTRA_FIELDS.get(name)
        if kind is None:
            yield FieldProblem(name, "is not a field of a ticket")
        elif value is not None and value != "":
            yield from _CHECKS[kind](name, value)


def _extra_text(name: str, value: Any) -> Iterator[FieldProblem]:
    yield from check_text(name, value, MAX_EXTRA)


def _extra_date(name: str, value: Any) -> Iterator[FieldProblem]:
    try:
        valid = isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        valid = False
    if not valid:
        yield FieldProblem(name, "must be a date, YYYY-MM-DD")


def _extra_instant(name: str, value: Any) -> Iterator[FieldProblem]:
    try:
        valid = isinstance(value, str) and len(value) <= 40 and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        valid = False
    if not valid:
        yield FieldProblem(name, "must be an instant with its offset, such as 2024-01-31T09:30:00Z")


def _extra_money(name: str, value: Any) -> Iterator[FieldProblem]:
    if not isinstance(value, str) or not _MONEY.match(value):
        yield FieldProblem(name, 'must be an amount as text, such as "1250.00"')


def _extra_object(name: str, value: Any) -> Iterator[FieldProblem]:
    if not isinstance(value, Mapping):
        yield FieldProblem(name, "must be an object")
    elif not _plain(value, MAX_COST_DEPTH):
        yield FieldProblem(name, f"must be plain JSON, at most {MAX_COST_DEPTH} levels deep, without NUL or lone surrogates")
    elif len(json.dumps(value, ensure_ascii=False)) > MAX_COST_ITEMS:
        yield FieldProblem(name, f"must have at most {MAX_COST_ITEMS} characters as JSON")


def _plain(value: Any, levels: int) -> bool:
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) < 2**63
    if levels == 0:
        return False
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _plain(key, 0) and _plain(item, levels - 1) for key, item in value.items())
    return isinstance(value, list | tuple) and all(_plain(item, levels - 1) for item in value)


_CHECKS = {"text": _extra_text, "date": _extra_date, "instant": _extra_instant, "money": _extra_money, "object": _extra_object}
