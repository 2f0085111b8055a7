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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from baton.pipelines.ticket_values import FieldProblem, check_extras, check_text

#: Lengths in characters. Longer subjects belong in the description; the description's bound only keeps one row readable.
MAX_SUBJECT = 500
MAX_DESCRIPTION = 500_000
MAX_NAME = 255

PRIORITIES = ("Low", "Medium", "High", "Critical")
DEFAULT_PRIORITY = "Medium"
_PRIORITY_OF = {name.lower(): name for name in PRIORITIES} | {"urgent": "Critical"}

#: The categories of the five seeded workflows and of the sample tickets. Others are welcome.
KNOWN_CATEGORIES = ("IT Support", "Asset Check In", "Asset Check Out", "Budget Proposal", "Others")


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
    problems = (*_texts(draft), *_people(draft), *_priority(draft), *_reference(draft), *check_extras(draft.extras))
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
    yield from check_text("subject", draft.subject, MAX_SUBJECT, required=True)
    yield from check_text("description", draft.description, MAX_DESCRIPTION)
    yield from check_text("category", draft.category, MAX_NAME, required=True)
    yield from check_text("subcategory", draft.subcategory, MAX_NAME)
    yield from check_text("department", draft.department, MAX_NAME)
    yield from check_text("source_service", draft.source_service, MAX_NAME, required=True)


def _people(draft: Draft) -> Iterator[FieldProblem]:
    yield from check_text("employee.id", draft.employee.id, MAX_NAME, required=True)
    yield from check_text("employee.name", draft.employee.name, MAX_NAME)
    yield from check_text("employee.email", draft.employee.email, 320)


def _priority(draft: Draft) -> Iterator[FieldProblem]:
    if draft.priority.lower() not in _PRIORITY_OF:
        yield FieldProblem("priority", f"must be one of {', '.join(PRIORITIES)} (Urgent is taken as Critical)")


def _reference(draft: Draft) -> Iterator[FieldProblem]:
    if (draft.source is None) != (draft.source_id is None):
        yield FieldProblem("source_id" if draft.source_id is None else "source", "source and source_id go together")
    for name, value in (("source", draft.source), ("source_id", draft.source_id)):
        if value is not None:
            yield from check_text(name, value, MAX_NAME, required=True)
