"""`scripts/bench sla`: how long it takes to fire many clocks that are due at once, and what a tick costs when none is."""

from __future__ import annotations

import statistics
import time
from datetime import datetime, timedelta
from typing import Any

import click

from baton.models import database
from baton.scripts.benchmarks import setting, sla_clocks, sla_floor
from baton.scripts.stack import Stack

#: Numbers of the tickets whose clocks fall due start here, above those that are stored.
_DUE = 50_000_000
#: Ticks measured at each size.
_TICKS = 300
#: What ours announces for each breach: to two people, and to whoever follows the ticket.
_MESSAGES = 3


@click.command("sla")
@click.option("--open", "opened", type=int, default=100_000, show_default=True, help="Open clocks that are not due.")
@click.option("--due", type=int, default=10_000, show_default=True, help="Clocks that are due within the same second.")
@click.option("--sizes", default="1000,1000000", show_default=True, help="Open clocks for the cost of an idle tick.")
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(opened: int, due: int, sizes: str, kind: str) -> None:
    """Seconds until clocks due in one second have all fired, in order and once; the cost of a tick as open clocks grow."""
    click.echo(f"sla: {opened} open clocks, {due} more due in the same second; a breach tells two people and the ticket's")
    click.echo(f"  followers; every process runs meanwhile; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            _fire(stack, one, opened, due)
        with setting.stack_of(one) as stack:
            _tick(stack, one, [int(size) for size in sizes.split(",")])


def _fire(stack: Stack, kind: str, opened: int, due: int) -> None:
    from baton.actors.workflow.firing import BATCH
    from baton.models.workflow import SlaClock, SlaEvent

    sla_clocks.add(0, opened, None)
    # Far enough ahead for them to be stored before they are due.
    due_at = database.now("workflow") + timedelta(seconds=10 + due / 1_000)
    sla_clocks.add(_DUE, _DUE + due, due_at)
    stored = database.now("workflow")
    if stored >= due_at:
        raise click.ClickException("storing the clocks took longer than they had; try again with fewer")
    breaches = SlaEvent.select().where(SlaEvent.kind == "breach")
    while (fired := _count(breaches)) < due:
        if (database.now("workflow") - due_at).total_seconds() > 600:
            raise click.ClickException(f"only {fired} of {due} fired within ten minutes")
        time.sleep(0.1)
    seconds = (database.now("workflow") - due_at).total_seconds()
    time.sleep(6)  # another tick, which must find nothing
    rows: list[tuple[int, datetime, datetime, bool]] = _rows(
        breaches.select(SlaEvent.clock, SlaEvent.due_at, SlaEvent.fired_at, SlaEvent.late).order_by(SlaEvent.id)
    )
    order = "in order" if [row[1] for row in rows] == sorted(row[1] for row in rows) else "NOT IN ORDER"
    once = "each once" if len({row[0] for row in rows}) == len(rows) == due else "NOT EACH ONCE"
    lags = [(fired_at - due_at).total_seconds() for _, due_at, fired_at, _ in rows]
    click.echo(
        f"  {kind}: {due} fired in {seconds:.1f} s, {order}, {once};"
        f" half within {statistics.median(lags):.1f} s of their due time, all within {max(lags):.1f} s;"
        f" {sum(row[3] for row in rows)} late"
    )
    left = _count(SlaClock.select().where(SlaClock.next_fire_at.is_null(False)))
    click.echo(f"    {left} of {opened} open clocks still to come, as they should be")
    if kind == "distributed":
        _silence(stack)
        bare = sla_floor.measure(stack.settings, due, BATCH, _MESSAGES)
        alone = _alone(due)
        click.echo(f"    floor, bare SQL in batches of {BATCH}: {bare:.1f} s; ours with nothing else at work {alone:.1f} s,")
        click.echo(f"    {alone / bare:.1f} times that; with every process at work {seconds / bare:.1f} times")


def _silence(stack: Stack) -> None:
    """Kill every process of the stack, for what is measured by itself; its servers stay."""
    stack.keep = False
    for name in stack.pids():
        stack.kill(name)


def _alone(due: int) -> float:
    """Return the seconds in which this process fires as many clocks, nothing else being at work."""
    import baton.actors  # noqa: F401 - sets the broker that the handlers are declared on
    from baton.actors.workflow import firing

    sla_clocks.add(2 * _DUE, 2 * _DUE + due, database.now("workflow") - timedelta(seconds=1))
    started, fired = time.monotonic(), 0
    while fired < due and time.monotonic() - started < 600:
        fired += firing.fire_clocks("workflow")
    return time.monotonic() - started


def _tick(stack: Stack, kind: str, sizes: list[int]) -> None:
    import baton.actors  # noqa: F401 - sets the broker that the handlers are declared on
    from baton.actors.workflow import firing

    stored, costs = 0, []
    for size in sizes:
        sla_clocks.add(stored, size, None)
        stored = size
        firing.fire_clocks("workflow")
        taken = []
        for _ in range(_TICKS):
            started = time.perf_counter()
            firing.fire_clocks("workflow")
            firing.store.next_due("workflow")
            taken.append(time.perf_counter() - started)
        # The fastest tenth: what the tick costs by itself, however busy the machine is.
        costs.append(setting.percentile(taken, 0.1))
        bare = ""
        if kind == "distributed":
            floor = setting.percentile(sla_floor.tick(stack.settings, _TICKS), 0.1)
            bare = f"; the floor, one bare look: {floor * 1000:.2f} ms"
        click.echo(
            f"  {kind}, {size} open and none due: a tick takes {costs[-1] * 1000:.2f} ms (fastest tenth of {_TICKS}){bare}"
        )
    click.echo(f"    {sizes[-1]} cost {costs[-1] / costs[0]:.2f} times what {sizes[0]} do")


def _count(query: Any) -> int:
    with database.read_tx("workflow"):
        return int(query.count())


def _rows(query: Any) -> list[Any]:
    with database.read_tx("workflow"):
        return list(query.tuples())
