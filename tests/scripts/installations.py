"""Rows that make an installation well, or broken in one way, as `baton doctor` and `baton trace` find it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.scripts import doctor
from baton.scripts.checks.finding import Finding

NUMBER = "HD-00000001"


def examined(**options: Any) -> dict[str, Finding]:
    found = list(doctor.examine(options.get("full", True), options.get("older_than", 0.0)))
    return {finding.check: finding for finding in found}


def beat(service: str, kind: str, seconds_ago: float = 0.0) -> None:
    with write_tx(service) as tx:
        seen_at = tx.now - timedelta(seconds=seconds_ago)
        runtime_tables(service).Heartbeat.insert(kind=kind, instance=f"{kind}:1", seen_at=seen_at).execute()


def file_ticket(*, status: str = "Open", version: int = 0, workflow_status: str | None = None) -> None:
    from baton.models.helpdesk.tables import Ticket

    texts = dict.fromkeys(
        ("subject", "description", "category", "subcategory", "department", "employee_id", "employee_name", "employee_email"), "x"
    )
    with write_tx("helpdesk") as tx:
        Ticket.insert(
            id=1, **texts, priority="Low", status=status, workflow_status=workflow_status, status_version=version,
            source_service="hdts", filed_by="service:test", submitted_at=tx.now, updated_at=tx.now,
        ).execute()  # fmt: skip


def take_in(*, status: str = "In Triage", version: int = 1, parked: bool = True) -> None:
    from baton.models.workflow import TicketSnapshot, TriageEntry

    with write_tx("workflow") as tx:
        TicketSnapshot.insert(
            ticket_number=NUMBER, ticket_data="{}", status=status, status_version=version, received_at=tx.now
        ).execute()
        if parked:
            TriageEntry.insert(ticket_number=NUMBER, category_key="", department_key="", reason="", since=tx.now).execute()


def give_task(*, items: int = 1, assignee: str | None = "7", waiting: bool = False) -> None:
    from baton.models.workflow import Task, TaskItem, WaitingEntry

    with write_tx("workflow") as tx:
        long_ago = tx.now - timedelta(hours=1)
        Task.insert(id=1, ticket_number=NUMBER, workflow_version=1, created_at=long_ago).execute()
        for number in range(items):
            item = {"id": number + 1, "task": 1, "step": number, "ticket_number": NUMBER, "role": 1, "assignee": assignee}
            TaskItem.insert(**item, created_at=long_ago).execute()
        if waiting:
            entry = {"kind": "item", "subject_id": 1, "role": 1, "ticket_number": NUMBER, "reason": "", "since": long_ago}
            WaitingEntry.insert(**entry).execute()


def add_member(*, active: bool = True, last_turn: int = 0, turn: int = 0) -> None:
    from baton.models.workflow import Member, Role

    with write_tx("workflow"):
        Role.insert(id=1, role_id="1", system="tts", name="Admin", turn=turn).execute()
        Member.insert(role=1, user_id="7", name="Ada", is_active=active, last_turn=last_turn).execute()
