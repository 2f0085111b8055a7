"""
The fields of a ticket as callers send and see them, the same at the help desk and at the submission gateway.

The types say what a field may hold; what makes a valid ticket is decided in `pipelines.filing`, whose findings become the same
kind of answer (`invalid`).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from baton.http.problems import Invalid
from baton.http.types import BIGGEST_INTEGER, Body, Text, View, storable
from baton.pipelines.filing import (
    DEFAULT_PRIORITY,
    MAX_NAME,
    MAX_SUBJECT,
    Draft,
    FilingError,
    Person,
)
from baton.pipelines.statuses import TICKET_STATUSES
from baton.pipelines.ticket_values import EXTRA_FIELDS, MAX_EXTRA, MONEY_PATTERN

Subject = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_SUBJECT, pattern=r"\S"), AfterValidator(storable)
]
Word = Annotated[str, StringConstraints(max_length=MAX_NAME), AfterValidator(storable)]
RequiredWord = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"\S"), AfterValidator(storable)
]
ExtraText = Annotated[str, StringConstraints(max_length=MAX_EXTRA), AfterValidator(storable)]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), Field(json_schema_extra={"format": "date"})]
Moment = Annotated[str, StringConstraints(max_length=40), Field(json_schema_extra={"format": "date-time"})]
Money = Annotated[str, StringConstraints(pattern=MONEY_PATTERN), Field(examples=["1250.00"])]
PersonId = Annotated[int, Field(ge=0, le=BIGGEST_INTEGER)] | RequiredWord
#: "Urgent", which other systems send, is taken as Critical.
Priority = Literal["Low", "Medium", "High", "Critical", "Urgent"]


def _known_status(status: str) -> str:
    if status not in TICKET_STATUSES:
        raise PydanticCustomError("unknown_status", "must be a ticket status: {known}", {"known": ", ".join(TICKET_STATUSES)})
    return status


Status = Annotated[str, AfterValidator(_known_status), Field(json_schema_extra={"enum": list(TICKET_STATUSES)})]


class EmployeeFields(Body):
    """For whom a ticket is filed."""

    id: PersonId
    name: Word = ""
    email: Annotated[str, StringConstraints(max_length=320), AfterValidator(storable)] = ""

    def person(self) -> Person:
        """Return the person."""
        return Person(id=str(self.id), name=self.name, email=self.email)


class TicketFields(Body):
    """What a ticket says; the asset fields go to AMS and the budget fields to BMS when the work ends."""

    subject: Subject
    description: Text = ""
    category: RequiredWord
    subcategory: Word = ""
    department: Word = ""
    priority: Priority = DEFAULT_PRIORITY  # type: ignore[assignment]
    asset_name: ExtraText | None = None
    serial_number: ExtraText | None = None
    asset_category: ExtraText | None = None
    location: ExtraText | None = None
    issue_type: ExtraText | None = None
    expected_return_date: Day | None = None
    requested_budget: Money | None = None
    cost_items: dict[str, Any] | None = None
    fiscal_year: ExtraText | None = None
    performance_start_date: Day | None = None
    performance_end_date: Day | None = None
    reported_at: Moment | None = None

    def draft(self, employee: Person, **more: Any) -> Draft:
        """Return the ticket as asked for; `more` are fields of `Draft` that the caller does not choose."""
        return Draft(
            subject=self.subject,
            description=self.description,
            category=self.category,
            subcategory=self.subcategory,
            department=self.department,
            priority=self.priority,
            employee=employee,
            extras={name: value for name in EXTRA_FIELDS if (value := getattr(self, name)) is not None},
            **more,
        )


class EmployeeView(View):
    """For whom a ticket was filed."""

    id: str
    name: str
    email: str


class OutlineView(View):
    """What a list tells of a ticket: no description, of which a page may hold megabytes."""

    subject: str
    category: str
    subcategory: str
    department: str
    priority: str
    employee: EmployeeView
    source_service: str


class ContentView(OutlineView):
    """All that a ticket says, as stored. `extras` holds the asset and budget fields that were given."""

    description: str
    extras: dict[str, Any]


#: Columns of a ticket or receipt that lists do not read.
UNLISTED = ("description", "extras")


def outline_of(row: Any) -> dict[str, Any]:
    """Return the fields of `OutlineView` of a ticket's or receipt's row."""
    return {
        "subject": row.subject,
        "category": row.category,
        "subcategory": row.subcategory,
        "department": row.department,
        "priority": row.priority,
        "employee": EmployeeView(id=row.employee_id, name=row.employee_name, email=row.employee_email),
        "source_service": row.source_service,
    }


def content_of(row: Any) -> dict[str, Any]:
    """Return the fields of `ContentView` of a ticket's or receipt's row."""
    return {**outline_of(row), "description": row.description, "extras": json.loads(row.extras)}


def columns_of(draft: Draft) -> dict[str, Any]:
    """Return the columns that a ticket and a receipt have in common, filled from an accepted draft."""
    return {
        "subject": draft.subject,
        "description": draft.description,
        "category": draft.category,
        "subcategory": draft.subcategory,
        "department": draft.department,
        "priority": draft.priority,
        "employee_id": draft.employee.id,
        "employee_name": draft.employee.name,
        "employee_email": draft.employee.email,
        "source_service": draft.source_service,
        "extras": json.dumps(dict(draft.extras), separators=(",", ":")) if draft.extras else "{}",
    }


def invalid(error: FilingError) -> Invalid:
    """Return the answer to a draft that is not a valid ticket."""
    return Invalid([{"field": problem.field, "message": problem.reason, "type": "value_error"} for problem in error.problems])
