"""Who fires what is due: every service has a leading scheduler, no job fails, each clock fires each level once and in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.workflow import SlaClock, SlaEvent, SlaSetback, Task, firing_store
from baton.models.workflow.sla_facts import read_book, read_facts
from baton.pipelines.sla_matching import choose
from baton.pipelines.sla_rows import book_of, facts_of
from baton.scripts.checks.finding import Finding, fail, ok, some, warn
from baton.scripts.checks.walk import tuples, walk

#: A clock that is due for so long, in seconds, is overdue: it should fire within ten.
OVERDUE_SECONDS = 60.0
#: Events that are looked at for how late they were.
LATEST = 1_000
_MOST_COUNTED = 10_000
#: Tickets without clocks that are matched, of each batch.
_MOST_MATCHED = 200
_START = "start the scheduler (baton scheduler; scripts/server has one); see baton schedule"


def check_schedule(services: Sequence[str]) -> Iterator[Finding]:
    """Whether a scheduler leads each of these services, and how its jobs last ran."""
    without, failed = [], []
    for service in services:
        tables = runtime_tables(service)
        with db.read_tx(service):
            lease = tables.Lease.get_or_none()
            runs = list(tables.JobRun.select().where(tables.JobRun.error != ""))
            if lease is None or lease.expires_at <= db.now(service):
                without.append(service)
        failed += [f"{run.name} of {service} ({run.error.splitlines()[0][:100]})" for run in runs]
    if without:
        yield fail("schedule", f"nobody leads {', '.join(without)}: its jobs do not run", _START)
    else:
        yield ok("schedule", f"a scheduler leads {', '.join(services)}")
    if failed:
        yield warn(
            "jobs", f"{len(failed)} jobs failed when they last ran: {some(failed)}", "baton schedule; read the scheduler's log"
        )


def check_clocks(full: bool, older_than: float) -> Iterator[Finding]:
    """Whether clocks fire in time, each level once, and no open clock is past due unnoticed; the newest ones, or all."""
    with db.read_tx("workflow"):
        found = firing_store.overdue("workflow", _MOST_COUNTED)
        failing = list(SlaSetback.select().order_by(SlaSetback.since).limit(_MOST_COUNTED))
    if found["oldest_seconds"] > OVERDUE_SECONDS:
        detail = f"{found['overdue']:,} clocks are due and have not fired, the first for {found['oldest_seconds']:.0f} s"
        yield fail("clocks fire", detail, _START)
    else:
        yield ok("clocks fire", "none is overdue")
    if failing:
        named = some(f"{each.ticket_number} ({each.attempts} times: {each.error.splitlines()[0][:100]})" for each in failing)
        remedy = "mend what the error names; each is tried again within ten minutes"
        yield fail("clocks fire", f"{len(failing):,} clocks cannot be fired: {named}", remedy)
    yield _breaches(full, older_than)
    yield _promised(full, older_than)
    yield _once()
    yield _lateness()


def _breaches(full: bool, older_than: float) -> Finding:
    """Look for open clocks that are past due without a breach."""
    silent: list[str] = []
    seen = 0
    columns = [SlaClock.id, SlaClock.ticket_number, SlaClock.due_at]
    is_open = SlaClock.state.in_(["running", "paused"])
    for batch in walk("workflow", SlaClock, columns, SlaClock.started_at, older_than, full, is_open):
        seen += len(batch)
        limit = db.now("workflow") - timedelta(seconds=OVERDUE_SECONDS)
        past = {row["id"]: row["ticket_number"] for row in batch if row["due_at"] is not None and row["due_at"] < limit}
        told = SlaEvent.select(SlaEvent.clock).where(SlaEvent.clock.in_(list(past)), SlaEvent.kind == "breach")
        with db.read_tx("workflow"):
            noticed = {row[0] for row in tuples(told.where(SlaEvent.retracted_at.is_null()))}
        silent += [number for clock, number in past.items() if clock not in noticed]
    if silent:
        detail = f"{len(silent):,} open clocks are past due without a breach: {some(silent)}"
        return fail("breaches are noticed", detail, f"{_START}; baton trace {silent[0]}")
    return ok("breaches are noticed", f"of {seen:,} open clocks, each that is past due has its breach")


def _promised(full: bool, older_than: float) -> Finding:
    """Look for open tickets that no policy holds for, though one would match them now."""
    without: list[str] = []
    seen = 0
    for batch in walk(
        "workflow", Task, [Task.id, Task.ticket_number], Task.created_at, older_than, full, Task.closed_at.is_null()
    ):
        numbers = [row["ticket_number"] for row in batch]
        seen += len(numbers)
        with db.read_tx("workflow"):
            ticking = SlaClock.select(SlaClock.ticket_number).where(
                SlaClock.ticket_number.in_(numbers), SlaClock.stopped_at.is_null()
            )
            left = sorted({*numbers} - {row[0] for row in tuples(ticking.distinct())})
            without += _could_have_one(left[:_MOST_MATCHED])
    if without:
        detail = f"{len(without):,} open tickets came before the policies that match them, and have no clocks: {some(without)}"
        return warn("tickets have clocks", detail, "apply these policies: POST /api/v1/sla/changes of the workflow front (/docs)")
    return ok("tickets have clocks", f"of {seen:,} open tickets, each that a policy matches")


def _could_have_one(numbers: Sequence[str]) -> list[str]:
    facts = read_facts(None, numbers)
    book = book_of(read_book(facts))
    found = []
    for number in facts.tickets:
        ticket = facts_of(facts, number)
        held = bool(ticket.matches) and ticket.matches[-1].version is not None
        if not held and choose(book.offered, ticket.names)[0] is not None:
            found.append(number)
    return found


def _once() -> Finding:
    newest = SlaEvent.select(SlaEvent.id).order_by(SlaEvent.id.desc()).limit(_MOST_COUNTED)
    holds = SlaEvent.select(SlaEvent.clock, SlaEvent.kind, SlaEvent.level, SlaEvent.ticket_number)
    holds = holds.where(SlaEvent.id.in_(newest), SlaEvent.retracted_at.is_null())
    with db.read_tx("workflow"):
        rows = tuples(holds)
    twice = [row for row, count in Counter(rows).items() if count > 1]
    if twice:
        detail = f"fired more than once: {some(f'{number} {kind} {level}' for _, kind, level, number in sorted(twice))}"
        return fail("levels fire once", detail, "report it: two schedulers fired the same level")
    return ok("levels fire once", f"each of the newest {len(rows):,} that fired")


def _lateness() -> Finding:
    with db.read_tx("workflow"):
        lately = SlaEvent.fired_at >= db.now("workflow") - timedelta(hours=1)
        newest = SlaEvent.select(SlaEvent.late, SlaEvent.on_attach).order_by(SlaEvent.id.desc()).limit(LATEST)
        rows = tuples(newest.where(lately))
    late = sum(1 for is_late, on_attach in rows if is_late and not on_attach)
    if late:
        detail = f"{late:,} of {len(rows):,} levels that fired in the last hour were more than 10 s late"
        return warn(
            "clocks fire in time", detail, "was the scheduler away? baton schedule; scripts/bench sla shows what it can do"
        )
    return ok("clocks fire in time", f"{len(rows):,} levels fired in the last hour, none late")
