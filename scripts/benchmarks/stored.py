"""Tickets that are there already, with their tasks and reasons, written by the set: a million in a minute or two."""

from __future__ import annotations

from typing import Any

import peewee as pw

from baton.models import database

#: Rows written by one statement.
CHUNK = 100_000
_NOW = "'2026-01-01 08:00:00.000000'"


def add(first: int, last: int) -> None:
    """Store the tickets number `first` to `last` - 1 on both sides, one in ten of them still open."""
    from baton.models import helpdesk, workflow

    tables: dict[str, list[type[pw.Model]]] = {
        "helpdesk": [model for model in helpdesk.TABLES if model.__name__ == "Ticket"],
        "workflow": [
            workflow.TicketSnapshot,
            workflow.Task,
            workflow.TaskItem,
            workflow.TaskItemHistory,
            workflow.Allocation,
            workflow.AssignmentPick,
        ],
    }
    for service, models in tables.items():
        with database.connection(service) as connection:
            for model in models:
                for start in range(first, last, CHUNK):
                    connection.execute_sql(_insert(model, start, min(start + CHUNK, last)))
                connection.execute_sql(f"analyze {_table(model)}")


def _insert(model: type[pw.Model], first: int, end: int) -> str:
    fields = [field for field in model._meta.sorted_fields if not isinstance(field, pw.AutoField)]
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    values = ", ".join(_value(field) for field in fields)
    if database.is_sqlite(model._meta.database):
        series = f"with recursive s(n) as (select {first} union all select n + 1 from s where n < {end - 1})"
        return f"insert into {_table(model)} ({columns}) {series} select {values} from s"
    return f"insert into {_table(model)} ({columns}) select {values} from generate_series({first}, {end - 1}) as s(n)"


def _table(model: type[pw.Model]) -> str:
    return f'"{model._meta.table_name}"'


def _value(field: Any) -> str:
    """Return the SQL expression of a column for row n (without `%`, which is a parameter's mark to one of the drivers)."""
    by_name = {
        "ticket_number": "'ST-' || cast(10000000 + n as text)",
        "task": "10000000 + n",
        "item": "10000000 + n",
        "subject_id": "10000000 + n",
        "visit": "1",
        "turn": "null",
        "status": f"case when n / 10 * 10 = n then {_words(field)[0]} else {_words(field)[1]} end",
        "state": "case when n / 10 * 10 = n then 'in progress' else 'completed' end",
        "closed_at": f"case when n / 10 * 10 = n then null else {_timestamp(field)} end",
        "ticket_data": '\'{"subject": "Stored", "description": "' + "stored text " * 20 + "\"}'",
        "extras": "'{}'",
        "considered": "'[]'",
        "assignee": "cast(n - n / 50 * 50 as text)",
        "employee_id": "cast(n - n / 150 * 150 as text)",
        "source": "null",
        "source_id": "null",
    }
    if field.name in by_name:
        return by_name[field.name]
    if isinstance(field, database.InstantField):
        return _timestamp(field)
    if isinstance(field, pw.BooleanField):
        return "false"
    if isinstance(field, pw.IntegerField):
        return "1"
    return "null" if field.null else "'stored'"


def _words(field: Any) -> tuple[str, str]:
    return ("'open'", "'completed'") if field.model.__name__ == "Task" else ("'Assigned'", "'Closed'")


def _timestamp(field: Any) -> str:
    return _NOW if database.is_sqlite(field.model._meta.database) else f"timestamp {_NOW}"
