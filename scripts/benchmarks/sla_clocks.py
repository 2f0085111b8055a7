"""Open tickets with a clock each, written by the set: for measuring what firing costs, and for killing it at its work."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from baton.models import database
from baton.models.transaction import write_tx

#: Clocks written by one statement.
CHUNK = 100_000
_CALENDAR = {"time_zone": "UTC", "windows": "always"}
_TARGET = timedelta(hours=8)
_POLICY = {"name": "Bench", "calendar": "Bench", "targets": {"resolution": "8h"}, "warnings": [{"percent": 75}]}
_TABLES = ("ticket_snapshot", "task", "task_item", "sla_clock", "sla_event")


def terms() -> tuple[int, int, int, int]:
    """Store a policy, a calendar and a workflow; return the ids of the versions of these, in this order, and of a step."""
    from baton.models.workflow import SlaCalendarVersion, SlaPolicyVersion, Step, Workflow, WorkflowVersion

    with write_tx("workflow") as tx:
        known = SlaPolicyVersion.get_or_none(SlaPolicyVersion.policy == 0)
        if known is None:
            known = SlaPolicyVersion.create(policy=0, number=1, definition=json.dumps(_POLICY), created_at=tx.now)
            SlaCalendarVersion.create(calendar=0, number=1, definition=json.dumps(_CALENDAR), created_at=tx.now)
            workflow = Workflow.create(name="Bench", created_at=tx.now)
            version = WorkflowVersion.create(workflow=workflow.id, number=1, definition="{}", rules="[]", created_at=tx.now)
            Step.create(version=version.id, position=1, name="Work", role=1, sla_share=1.0)
        calendar = SlaCalendarVersion.get(SlaCalendarVersion.calendar == 0)
        bench = Workflow.get(Workflow.name == "Bench")
        version = WorkflowVersion.get(WorkflowVersion.workflow == bench.id)
        step = Step.get(Step.version == version.id)
        return int(known.id), int(calendar.id), int(version.id), int(step.id)


def add(first: int, last: int, due_at: datetime | None) -> None:
    """
    Store the tickets number `first` to `last` - 1, each with its task, its open item and a running clock.

    The clocks are due within the second from `due_at` on, in their order, have warned and will be breached; None: each is due a
    minute after the one before, far ahead.
    """
    policy, calendar, version, step = terms()
    if due_at is not None:  # clocks are exact to the millisecond
        due_at = due_at.replace(microsecond=due_at.microsecond // 1000 * 1000)
    with database.connection("workflow") as connection:
        sqlite = database.is_sqlite(connection)
        for start in range(first, last, CHUNK):
            # At once: a scheduler that is running must not find clocks without what belongs to them.
            with connection.atomic():
                for sql in _statements(sqlite, start, min(start + CHUNK, last), due_at, (policy, calendar, version, step)):
                    connection.execute_sql(sql)
        for table in _TABLES:
            connection.execute_sql(f"analyze {table}")
    if due_at is not None:
        with database.connection("messaging") as connection:
            connection.execute_sql(_rooms(database.is_sqlite(connection), first, last))


def _rooms(sqlite: bool, first: int, end: int) -> str:
    """Return the statement that has the conversation service know the tickets: it is told of what fires."""
    columns = {
        "ticket_number": "'SLA-' || cast(10000000 + n as text)", "version": 1, "subject": "'Stored'", "status": "'Assigned'",
        "participants": "'[]'", "assignees": "'[]'", "roles": "'[]'", "last_number": 0,
        "updated_at": _instant(datetime(2026, 1, 1, tzinfo=UTC), sqlite),
    }  # fmt: skip
    values = ", ".join(map(str, columns.values()))
    return f"insert into room ({', '.join(columns)}) select {values} from {_series(sqlite, first, end)}"


def _series(sqlite: bool, first: int, end: int) -> str:
    if sqlite:
        return f"(with recursive s(n) as (select {first} union all select n + 1 from s where n < {end - 1}) select n from s)"
    return f"generate_series({first}, {end - 1}) as s(n)"


def _statements(sqlite: bool, first: int, end: int, due_at: datetime | None, ids: tuple[int, int, int, int]) -> list[str]:
    policy, calendar, version, step = ids
    series = _series(sqlite, first, end)
    number, task = "'SLA-' || cast(10000000 + n as text)", "10000000 + n"
    shift = f"(n - {first}) * 1000 / {end - first}"
    due = _far_ahead(sqlite) if due_at is None else _instant(due_at, sqlite, shift)
    now = _instant(datetime(2026, 1, 1, tzinfo=UTC), sqlite) if due_at is None else _instant(due_at - _TARGET, sqlite, shift)
    rows: dict[str, dict[str, Any]] = {
        "ticket_snapshot": {
            "ticket_number": number, "ticket_data": "'{}'", "subject": "'Stored'", "priority": "'Medium'", "status": "'Assigned'",
            "through_gateway": "false", "status_version": "1", "received_at": now,
        },
        "task": {
            "id": task, "ticket_number": number, "workflow_version": version, "owner_user_id": "cast(n - n / 20 * 20 as text)",
            "status": "'open'", "version": 1, "created_at": now,
        },
        "task_item": {
            "id": task, "task": task, "step": step, "visit": 1, "ticket_number": number, "role": 1, "version": 1,
            "assignee": "cast(n - n / 50 * 50 as text)", "state": "'new'", "created_at": now,
        },
        "sla_clock": {
            "ticket_number": number, "metric": "'resolution'", "item": 0, "cycle": 1, "policy_version": policy,
            "calendar_version": calendar, "target_seconds": 28800, "started_at": now, "counted_from": now, "due_at": due,
            "state": "'running'", "attached_at": now, "on_attach": "false", "match_reason": "'stored'", "next_fire_at": due,
            "next_fire_kind": "'breach'", "next_level": 0, "round": 0, "version": 1, "updated_at": now,
        },
        "sla_event": {
            "clock": f"(select id from sla_clock c where c.ticket_number = {number})", "ticket_number": number, "round": 0,
            "kind": "'warning'", "level": 1, "due_at": now, "fired_at": now, "late": "false", "on_attach": "false",
            "verdict": "'running'", "note": "''", "detail": "'{}'",
        },
    }  # fmt: skip
    if due_at is None:
        del rows["sla_event"]
    return [
        f"insert into {table} ({', '.join(columns)}) select {', '.join(map(str, columns.values()))} from {series}"
        for table, columns in rows.items()
    ]


def _far_ahead(sqlite: bool) -> str:
    if sqlite:
        return "strftime('%Y-%m-%d %H:%M:%S', '2030-01-01', '+' || n || ' minutes') || '.000000'"
    return "timestamp '2030-01-01' + n * interval '1 minute'"


def _instant(instant: datetime, sqlite: bool, shift_ms: str = "0") -> str:
    """Return the SQL of an instant, so many milliseconds later."""
    text = instant.replace(tzinfo=None).isoformat(" ", "milliseconds")
    if sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%f', '{text}', '+' || (({shift_ms}) / 1000.0) || ' seconds') || '000'"
    return f"(timestamp '{text}' + ({shift_ms}) * interval '1 millisecond')"
