"""What lists and reports of service levels read: by indexes over time, never a whole table that grows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.models import database as db
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, TicketSnapshot, TriageEntry, reading, sla_change_store, sla_reading
from baton.models.workflow import report_store as store
from tests.factories import BACKENDS

START = datetime(2026, 6, 1, tzinfo=UTC)
SPANS = [(START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(3)]
#: Tables that grow with the tickets ever filed.
GROWING = ("sla_clock", "task", "task_item", "assignment_pick", "ticket_snapshot")


def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the plans of all statements of the lists and reports, each with its statement."""
    found: list[str] = []
    with db.connection("workflow") as database:
        sqlite = db.is_sqlite(database)
        target: Any = getattr(database, "obj", None) or database
        plain = target.execute_sql
        if not sqlite:
            # The tables are empty, so that a scan would be cheapest: is there another way at all?
            plain("set enable_seqscan = off")

        def explained(sql: str, params: Any = None, *rest: Any, **more: Any) -> Any:
            if " from " in sql.lower():
                rows = plain(("explain query plan " if sqlite else "explain ") + sql, params).fetchall()
                found.append("\n".join(str(row[-1]) for row in rows) + f"\n-- {sql}")
            return plain(sql, params, *rest, **more)

        with monkeypatch.context() as patched:
            patched.setattr(target, "execute_sql", explained)
            everything(database)
        if not sqlite:
            plain("reset enable_seqscan")
    return found


def everything(database: Any) -> None:
    for group in ("policy", "category", "step", "week"):
        store.levels(database, SPANS, group, "")
        store.late_open(database, SPANS, group, "resolution", START)
    for read in (store.turns, store.considered, store.late_steps):
        read(database, SPANS, [1, 2])
    store.late_now(database, [1], START)
    store.flow(database, SPANS, "created_at")
    store.flow(database, SPANS, "closed_at")
    store.step_times(database, SPANS[0])
    store.open_tasks()
    sla_change_store.open_tickets("HD-1", 10)
    sla_change_store.count_open()
    list(sla_reading.due_clocks(None, START, START).order_by(SlaClock.due_at, SlaClock.id).limit(10))


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_list_and_no_report_reads_a_whole_table_that_grows(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(monkeypatch)
    assert len(found) >= 20
    scans = [
        plan
        for plan in found
        for line in plan.splitlines()
        for table in GROWING
        if f"Seq Scan on {table} " in line or line.strip().startswith(f"SCAN {table}") or _reads_all(line)
    ]
    assert scans == []


def _reads_all(line: str) -> bool:
    """
    Whether SQLite scans a table, which it names by its alias (a bucket, a JSON list or what was made on the way is none), or
    searches for all that is in a state.
    """
    words = line.split()
    scans = words[:1] == ["SCAN"] and words[1] in ("c", "t", "i", "k", "t1", "t2", "t3", "t4") and "USING" not in line
    return scans or line.endswith("(state=?)")


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_due_comes_in_the_order_of_an_index(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    due = [plan for plan in plans(monkeypatch) if "due_at" in plan and "limit" in plan.lower() and "sla_clock" in plan]
    assert due and not any("TEMP B-TREE FOR ORDER BY" in plan for plan in due)
    # A person's name is looked up among their few memberships, row by row (SubPlan): what is sorted there does not grow.
    heads = [plan.partition("SubPlan")[0] for plan in due]
    assert not any(
        line.strip().removeprefix("->").strip().startswith(("Sort", "Incremental Sort"))
        for plan in heads
        for line in plan.splitlines()
    )


def test_the_triage_queue_is_walked_and_its_tickets_looked_up(databases: Any) -> None:
    with write_tx("workflow") as tx:
        tickets = [{"ticket_number": f"HD-{n}", "ticket_data": "{}", "received_at": tx.now} for n in range(2_000)]
        TicketSnapshot.insert_many(tickets).execute()
        keys = {"category_key": "", "department_key": "", "reason": "", "since": tx.now}
        TriageEntry.insert_many([{"ticket_number": f"HD-{n}", **keys} for n in range(5)]).execute()
    with db.connection("workflow") as database:
        database.execute_sql("analyze ticket_snapshot")
        sql, values = reading.triage().order_by(TriageEntry.id).limit(50).sql()
        steps = [row[-1] for row in database.execute_sql(f"explain query plan {sql}", values).fetchall()]
    assert [step.split()[:2] for step in steps] == [["SCAN", "t1"], ["SEARCH", "t2"]], steps
