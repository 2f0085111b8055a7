"""`baton resolve_ticket`: walks a ticket's active item through the steps, over the workflow API."""

from __future__ import annotations

import click

from baton.http.clients import ServiceClient
from baton.models.settings import get_settings
from baton.pipelines.statuses import RESOLVED
from baton.pipelines.walking import TARGETS, Act, next_act
from baton.scripts.ticket_commands import fail
from baton.scripts.walk import Pace, TaskFront, WalkError, walk

#: The name under which operators' commands sign in as a service; `pipelines.work` lets it act on items.
PRINCIPAL = "operator"


@click.command()
@click.argument("ticket")
@click.option("--target-status", type=click.Choice(TARGETS, case_sensitive=False), default=RESOLVED, show_default=True)
@click.option("--wait-timeout", type=click.FloatRange(min=0), default=30, show_default=True, help="Seconds each wait may take.")
@click.option("--dry-run", is_flag=True, help="Say what would be done next, and change nothing.")
def resolve_ticket(ticket: str, target_status: str, wait_timeout: float, dry_run: bool) -> None:
    """
    Start and complete the open item of TICKET (its number), and those that follow, until the ticket has the target status.

    It acts in the place of whoever has the items; the history names it `service:operator`. Steps that want approvals end it.
    """
    settings = get_settings()
    number = ticket.strip()
    try:
        with ServiceClient(settings, PRINCIPAL, patience=0) as client:
            front = TaskFront(client, settings.url("workflow"))
            document = front.read(number)
            if document is None:
                fail(f"{number}: the workflow side has no ticket of this number (yet)")
            if dry_run:
                following = next_act(document, target_status)
                what = f"{following.action} step {following.step}" if isinstance(following, Act) else following
                click.echo(f"{number} {document['status'] if document else ''}; next: {what}")
                return
            status = walk(front, number, target_status, Pace(wait_timeout, 0.2), "resolve_ticket", click.echo)
    except WalkError as error:
        fail(f"{number}: {error}")
    else:
        click.echo(f"{number} {status}")
