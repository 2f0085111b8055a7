"""
Filing: what somebody asks for becomes a ticket that every later stage can rely on.

1. The text is taken as it came: subject and description are never trimmed, folded or cleaned (what people wrote is
   evidence).
2. A ticket names what it is about (subject, category) and for whom (employee); description, subcategory and
   department may be empty.
3. The priority is one of four; "Urgent", which other systems send, means Critical.
4. Asset and budget tickets carry extra fields, which AMS and BMS receive when the work ends: what is given must be
   usable there.
5. What is wrong is reported for every field at once.

Categories are free text: imported tickets bring their own, and a ticket that no workflow matches waits in triage, it
is not refused. For the same reason extra fields are accepted, and never demanded, whatever the category says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

#: Lengths in characters. Longer subjects belong in the description; the description's bound only keeps one row readable.
MAX_SUBJECT = 500
MAX_DESCRIPTION = 500_000
MAX_NAME = 255
MAX_EXTRA = 1_000
#: A cost sheet is a small table, not a document: bounds that keep every receiver's JSON parser comfortable.
MAX_COST_ITEMS = 20_000
MAX_COST_DEPTH = 6

PRIORITIES = ("Low", "Medium", "High", "Critical")
DEFAULT_PRIORITY = "Medium"
_PRIORITY_OF = {name.lower(): name for name in PRIORITIES} | {"urgent": "Critical"}

#: The categories of the five seeded workflows and of the sample tickets. Others are welcome.
KNOWN_CATEGORIES = ("IT Support", "Asset Check In", "Asset Check Out", "Budget Proposal", "Others")

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


class FilingError(Exception):
    """A draft is not a valid ticket; `problems` lists every offending field. The caller corrects them and files again."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.reason}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """For whom a ticket is filed, as known when it was filed."""

    id: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    A ticket as asked for.

    `source` and `source_id` together name the same thing in another system; filing it again finds the ticket already there.
    """

    subject: str
    category: str
    employee: Person
    description: str = ""
    subcategory: str = ""
    department: str = ""
    priority: str = DEFAULT_PRIORITY
    source_service: str = "hdts"
    extras: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    source_id: str | None = None


def accept(draft: Draft) -> Draft:
    """
    Return the draft as it will be filed: its priority in the canonical spelling, empty extra fields left out.

    Raises:
        FilingError: the draft is not a valid ticket.
    """
    problems = (*_texts(draft), *_people(draft), *_priority(draft), *_reference(draft), *_extras(draft))
    if problems:
        raise FilingError(problems)
    extras = {name: value for name, value in draft.extras.items() if value is not None and value != ""}
    return replace(draft, priority=_PRIORITY_OF[draft.priority.lower()], extras=extras)


def payload(number: str, draft: Draft, *, status: str, submitted_at: datetime, gateway: bool = False) -> dict[str, Any]:
    """Return the ticket as it travels to the workflow side: the `payload` of ReceiveTicket, extra fields beside the others."""
    ticket: dict[str, Any] = {
        "ticket_number": number,
        "subject": draft.subject,
        "description": draft.description,
        "category": draft.category,
        "subcategory": draft.subcategory,
        "department": draft.department,
        "priority": draft.priority,
        "status": status,
        "employee": {"id": draft.employee.id, "name": draft.employee.name, "email": draft.employee.email},
        "source_service": draft.source_service,
        "submitted_at": submitted_at.isoformat(),
        **draft.extras,
    }
    if gateway:
        ticket["gateway"] = True
    return {"ticket": ticket}


def _texts(draft: Draft) -> Iterator[FieldProblem]:
    yield from _text("subject", draft.subject, MAX_SUBJECT, required=True)
    yield from _text("description", draft.description, MAX_DESCRIPTION)
    yield from _text("category", draft.category, MAX_NAME, required=True)
    yield from _text("subcategory", draft.subcategory, MAX_NAME)
    yield from _text("department", draft.department, MAX_NAME)
    yield from _text("source_service", draft.source_service, MAX_NAME, required=True)


def _people(draft: Draft) -> Iterator[FieldProblem]:
    yield from _text("employee.id", draft.employee.id, MAX_NAME, required=True)
    yield from _text("employee.name", draft.employee.name, MAX_NAME)
    yield from _text("employee.email", draft.employee.email, 320)


def _priority(draft: Draft) -> Iterator[FieldProblem]:
    if draft.priority.lower() not in _PRIORITY_OF:
        yield FieldProblem("priority", f"must be one of {', '.join(PRIORITIES)} (Urgent is taken as Critical)")


def _reference(draft: Draft) -> Iterator[FieldProblem]:
    if (draft.source is None) != (draft.source_id is None):
        yield FieldProblem("source_id" if draft.source_id is None else "source", "source and source_id go together")
    for name, value in (("source", draft.source), ("source_id", draft.source_id)):
        if value is not None:
            yield from _text(name, value, MAX_NAME, required=True)


def _extras(draft: Draft) -> Iterator[FieldProblem]:
    for name, value in draft.extras.items():
        kind = EXTRA_FIELDS.get(name)
        if kind is None:
            yield FieldProblem(name, "is not a field of a ticket")
        elif value is not None and value != "":
            yield from _CHECKS[kind](name, value)


def _text(name: str, value: Any, longest: int, *, required: bool = False) -> Iterator[FieldProblem]:
    if not isinstance(value, str):
        yield FieldProblem(name, "must be text")
    elif required and not value.strip():
        yield FieldProblem(name, "must not be empty")
    elif len(value) > longest:
        yield FieldProblem(name, f"must have at most {longest} characters, not {len(value)}")
    elif _UNSTORABLE.search(value):
        yield FieldProblem(name, "must not contain NUL or lone surrogates")


def _extra_text(name: str, value: Any) -> Iterator[FieldProblem]:
    yield from _text(name, value, MAX_EXTRA)


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
