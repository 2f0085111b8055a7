"""`baton seed_tickets` and `seed_tickets_open`: sample tickets, filed through the front door and repeatable."""

from __future__ import annotations

import click

from baton.http.helpdesk.filing import file_ticket
from baton.models import auth, database
from baton.models.helpdesk.tables import Employee
from baton.models.transaction import write_tx
from baton.pipelines.filing import Person
from baton.scripts.sample_tickets import draft_of
from baton.scripts.ticket_commands import fail, prepare

#: Tickets filed in one transaction: few enough that nobody waits for the seeder.
BATCH = 50
SEEDER = "seeder"


@click.command()
@click.option("--count", type=click.IntRange(0, 100_000), default=50, show_default=True, help="How many there shall be.")
def seed_tickets(count: int) -> None:
    """File sample tickets in all five categories. Those that are there already stay as they are."""
    _seed("tickets", count)


@click.command()
@click.option("--count", type=click.IntRange(0, 100_000), default=20, show_default=True, help="How many there shall be.")
def seed_tickets_open(count: int) -> None:
    """File a further series of sample tickets, all open. Those that are there already stay as they are."""
    _seed("open", count)


def _seed(series: str, count: int) -> None:
    prepare("auth", "helpdesk")
    employees = known_employees()
    if not employees:
        fail("no employees to file tickets for: run `baton seed_employees` first")
    created = 0
    for start in range(1, count + 1, BATCH):
        with write_tx("helpdesk") as tx:
            for number in range(start, min(start + BATCH, count + 1)):
                created += file_ticket(tx, draft_of(number, series, employees), filed_by=SEEDER).created
    click.echo(f"sample tickets ({series}): {created} created, {count - created} left as they were")


def known_employees(limit: int = 200) -> list[Person]:
    """Return active employees as the help desk knows them; as auth does, while they have not been synced yet."""
    with database.read_tx("helpdesk"):
        rows = list(_people(Employee, limit))
    if not rows:
        with database.read_tx("auth"):
            rows = list(_people(auth.Employee, limit))
    return [Person(id=str(row.id), name=row.full_name, email=row.email) for row in rows]


def _people(table: type[Employee] | type[auth.Employee], limit: int) -> list[Employee | auth.Employee]:
    return list(table.select().where(table.is_active).order_by(table.email).limit(limit))

