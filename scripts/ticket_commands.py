"""`baton create_test_ticket`, `update_ticket_status`, `get_ticket_status`: help desk tickets from the command line."""

from __future__ import annotations

import json
from typing import Any

import click

from baton.http.helpdesk.filing import file_ticket, set_status
from baton.models import database, migrate
from baton.models.helpdesk import tickets
from baton.models.helpdesk.tables import Ticket
from baton.models.logs import configure_logs
from baton.models.settings import get_settings
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.filing import DEFAULT_PRIORITY, PRIORITIES, Draft, FilingError, Person
from baton.pipelines.statuses import OPEN, TICKET_STATUSES

#: The source under which test tickets are filed; their source id is the test id in capitals.
TEST_SOURCE = "test"
OPERATOR = "operator"
_REQUESTER = Person(id="0", name="Integration Test", email="integration.test@example.com")


def prepare(*services: str) -> None:
    """Bind the services' models to their databases; exits 1 when a schema is not up to date."""
    settings = get_settings()
    configure_logs(settings, "command")
    database.configure(settings, services)
    behind = [service for service in services if migrate.pending(service)]
    if behind:
        fail(f"the tables of {', '.join(behind)} are not up to date: run `baton migrate` first")


def fail(reason: str) -> Any:
    """Say why on standard error and exit 1."""
    click.echo(reason, err=True)
    raise SystemExit(1)


@click.command()
@click.option("--test-id", required=True, help="The ticket's name in tests, such as INT-1A2B3C4D; case does not matter.")
@click.option("--status", default=OPEN, show_default=True, help="The status the ticket shall show.")
@click.option("--category", default="IT Support", show_default=True)
@click.option("--department", default="IT Department", show_default=True)
@click.option(
    "--priority", type=click.Choice(PRIORITIES, case_sensitive=False), default=DEFAULT_PRIORITY, show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def create_test_ticket(
    test_id: str, status: str, category: str, department: str, priority: str, as_json: bool
) -> None:
    """File a ticket under a test id and queue it for the workflow side. The same test id again changes nothing."""
    prepare("helpdesk")
    wanted = status_named(status)
    draft = Draft(
        subject=f"Integration test {test_id}",
        description=f"A ticket that the integration test {test_id} follows from filing to its end.",
        category=category,
        department=department,
        priority=priority,
        employee=_REQUESTER,
        extras=test_ticket_extras(category, test_id),
        source=TEST_SOURCE,
        source_id=test_id.upper(),
    )
    try:
        with write_tx("helpdesk") as tx:
            filed = file_ticket(tx, draft, filed_by=OPERATOR)
            if filed.created and wanted != OPEN:
                set_status(tx, filed.ticket, wanted, actor=OPERATOR, reason="created for a test")
    except FilingError as error:
        fail(str(error))
    _tell(filed.ticket, as_json, f"{'created' if filed.created else 'exists'} ", created=filed.created)


@click.command()
@click.argument("ticket")
@click.argument("status")
@click.option("--reason", default="", help="Why, for the ticket's history.")
def update_ticket_status(ticket: str, status: str, reason: str) -> None:
    """
    Set the STATUS of the help desk's TICKET (its number or test id) by hand.

    The workflow side is not told; its next news about the ticket replace what was set.
    """
    prepare("helpdesk")
    wanted = status_named(status)
    with write_tx("helpdesk") as tx:
        found = _locked(tx, ticket)
        before, pending = found.status, found.pending_request
        if before != wanted or pending:
            set_status(tx, found, wanted, actor=OPERATOR, reason=reason or "set by operator")
    change = f"{before} -> {wanted}" if before != wanted else f"already {wanted}"
    click.echo(f"{found.number} {change}")


@click.command()
@click.argument("ticket")
@click.option("--json", "as_json", is_flag=True, help="Print the ticket's state as JSON.")
def get_ticket_status(ticket: str, as_json: bool) -> None:
    """Print the status of the help desk's TICKET (its number or test id)."""
    prepare("helpdesk")
    with database.read_tx("helpdesk"):
        found = _find(ticket)
    _tell(found, as_json)


def status_named(text: str) -> str:
    """Return the ticket status of this name, in whatever case; exits 1 when there is none."""
    for status in TICKET_STATUSES:
        if status.lower() == text.strip().lower():
            return status
    return str(fail(f"{text!r} is no ticket status; there are: {', '.join(TICKET_STATUSES)}"))


def _find(text: str) -> Ticket:
    text = text.strip()
    found = tickets.find(text) or tickets.find_by_source(TEST_SOURCE, text.upper())
    if found is None:
        fail(f"{text}: the help desk has no ticket of this number or test id")
    assert found is not None
    return found


def _locked(tx: Transaction, text: str) -> Ticket:
    row_id = _find(text).id
    return tickets.lock([row_id])[row_id]


def _tell(ticket: Ticket, as_json: bool, prefix: str = "", **more: Any) -> None:
    test_id = ticket.source_id if ticket.source == TEST_SOURCE else None
    if not as_json:
        named = f" (test id {test_id})" if test_id else ""
        click.echo(f"{prefix}{ticket.number}{named} {ticket.status}")
        return
    facts = {
        "ticket_number": ticket.number,
        "test_id": test_id,
        "status": ticket.status,
        "status_version": ticket.status_version,
        "pending_request": ticket.pending_request,
        "category": ticket.category,
        "department": ticket.department,
        "priority": ticket.priority,
        "submitted_at": ticket.submitted_at.isoformat(),
        "updated_at": ticket.updated_at.isoformat(),
    }
    click.echo(json.dumps({**facts, **more}, indent=2))


def test_ticket_extras(category: str, test_id: str) -> dict[str, Any]:
    """Return what the other departments' systems need of a ticket of this category."""
    if "asset" in category.lower():
        return {"asset_name": "Test laptop", "serial_number": f"SN-{test_id}"}
    if "budget" in category.lower():
        return {"requested_budget": "1000.00", "cost_items": {"Test equipment": "1000.00"}}
    return {}
