"""
The submission gateway's tables: a receipt for every ticket that another system submitted, and its status for that system.

A receipt's number is its row id (`GW-` and at least eight digits). `sender` is the subject of whoever submitted it: nobody else
sees it. `status` follows the workflow's, `status_version` orders what is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw

from baton.models.database import InstantField, is_sqlite, service_database

_NUMBER = re.compile(r"GW-([0-9]{8,18})\Z", re.IGNORECASE)


class Receipt(pw.Model):
    """A submitted ticket, as it came. `extras` is a JSON object."""

    id = pw.BigAutoField()
    sender = pw.TextField()
    source_service = pw.TextField()
    subject = pw.TextField()
    description = pw.TextField()
    category = pw.TextField()
    subcategory = pw.TextField()
    department = pw.TextField()
    priority = pw.TextField()
    employee_id = pw.TextField()
    employee_name = pw.TextField()
    employee_email = pw.TextField()
    extras = pw.TextField(default="{}")
    status = pw.TextField()
    status_version = pw.BigIntegerField(default=0)
    submitted_at = InstantField()
    updated_at = InstantField()

    class Meta:
        database = service_database("tickets")
        legacy_table_names = False
        indexes = ((("sender", "id"), False), (("sender", "status", "id"), False))

    @property
    def number(self) -> str:
        """The ticket number, as everybody outside knows it."""
        return number_of(self.id)


TABLES: list[type[pw.Model]] = [Receipt]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """The status columns of one receipt."""

    id: int
    status: str
    status_version: int


def number_of(row_id: int) -> str:
    """Return the ticket number of a receipt's row."""
    return f"GW-{row_id:08d}"


def row_id_of(number: str) -> int | None:
    """Return the row id that a ticket number names; None when it is no number of this service."""
    match = _NUMBER.match(number)
    row_id = int(match[1]) if match else 0
    return row_id if row_id and number_of(row_id) == number.upper() else None


def add_receipt(values: Mapping[str, Any]) -> int:
    """Insert a receipt and return its row id; `values` are its columns but for `id`."""
    rows = list(Receipt.insert(dict(values)).returning(Receipt.id).tuples().execute())
    row_id: int = rows[0][0]
    return row_id


def find(number: str) -> Receipt | None:
    """Return the receipt of this number, None when there is none."""
    row_id = row_id_of(number)
    return None if row_id is None else Receipt.get_or_none(Receipt.id == row_id)


def lock_states(row_ids: Iterable[int]) -> dict[int, StatusRow]:
    """Return the status columns of these receipts, their rows locked in order of id."""
    columns = (Receipt.id, Receipt.status, Receipt.status_version)
    query: Any = Receipt.select(*columns).where(Receipt.id.in_(sorted(set(row_ids)))).order_by(Receipt.id)
    if not is_sqlite(Receipt._meta.database):
        query = query.for_update()
    return {row["id"]: StatusRow(**row) for row in query.dicts()}


def store_states(rows: Sequence[StatusRow], now: datetime) -> None:
    """Write the status columns of these receipts in one statement."""
    if not rows:
        return
    values = pw.ValuesList([(row.id, row.status, row.status_version) for row in rows]).alias("news")
    (
        Receipt.update(
            {
                Receipt.status: pw.SQL("news.column2"),
                Receipt.status_version: pw.SQL("news.column3"),
                Receipt.updated_at: now,
            }
        )
        .from_(values)
        .where(Receipt.id == pw.SQL("news.column1"))
        .execute()
    )


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return the receipt's events, oldest first: `at`, `service`, `event`, `detail` (one line)."""
    receipt = find(ticket_number)
    if receipt is None:
        return []
    sender = " ".join(f"by {receipt.sender} for {receipt.source_service}".split())
    events = [{"at": receipt.submitted_at, "service": "tickets", "event": "submitted", "detail": sender}]
    if receipt.updated_at > receipt.submitted_at:
        version = f" (version {receipt.status_version})" if receipt.status_version else ""
        detail = f"{receipt.status}{version}"
        events.append({"at": receipt.updated_at, "service": "tickets", "event": "status", "detail": detail})
    return events
