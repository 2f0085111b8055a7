"""`scripts/bench latency`: filed to assigned, at a tenth of the rate that the pipeline reaches."""

from __future__ import annotations

import time

import click

from baton.models import database
from baton.scripts.benchmarks import setting


@click.command("latency")
@click.option("--tickets", type=int, default=1_000, show_default=True)
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(tickets: int, kind: str) -> None:
    """Median and 99th percentile of filed (committed) to assigned (committed) at one tenth of the pipeline's rate."""
    click.echo(f"latency: {tickets} tickets, each its own commit, evenly spaced; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            setting.rate(stack, 500)
            per_second = setting.rate(stack, 2_000) / 10
            delays = _delays(tickets, per_second)
            setting.await_rest(stack)
            click.echo(
                f"  {one}: at {per_second:.0f} tickets/s median {setting.percentile(delays, 0.5) * 1000:.1f} ms, "
                f"99th percentile {setting.percentile(delays, 0.99) * 1000:.1f} ms, longest {max(delays) * 1000:.0f} ms"
            )


def _delays(tickets: int, per_second: float) -> list[float]:
    """
    File evenly and return the seconds from each filing to the assignment of its ticket.

    Both instants are those of the transactions that wrote them, by the same clock. A transaction's instant is its beginning; the
    filing's commit comes a millisecond later, so the figures err towards too long.
    """
    from baton.models.helpdesk.tables import Ticket
    from baton.models.workflow import TaskItem

    since = setting.last_item()
    with database.read_tx("helpdesk"):
        newest = int(Ticket.select(Ticket.id).order_by(Ticket.id.desc()).limit(1).scalar() or 0)
    started = time.monotonic()
    for position in range(tickets):
        time.sleep(max(0.0, started + position / per_second - time.monotonic()))
        setting.file_tickets(1)
    setting.await_assigned(tickets, since)
    with database.read_tx("helpdesk"):
        filed = {ticket.number: ticket.submitted_at for ticket in Ticket.select().where(Ticket.id > newest)}
    with database.read_tx("workflow"):
        items = list(TaskItem.select().where(TaskItem.id > since))
    return [(item.assigned_at - filed[item.ticket_number]).total_seconds() for item in items if item.ticket_number in filed]
