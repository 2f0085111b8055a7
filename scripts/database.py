"""`baton migrate` and `baton makemigration`: the databases' schemas."""

from __future__ import annotations

import click

from baton.models import database
from baton.models import migrate as migrations
from baton.models.logs import configure_logs
from baton.models.settings import SERVICES, get_settings


@click.command()
@click.argument("services", nargs=-1, type=click.Choice(SERVICES))
@click.option("--check", is_flag=True, help="Only say what is pending; exit 1 when something is.")
def migrate(services: tuple[str, ...], check: bool) -> None:
    """Bring every service's database (or those named) to the newest schema. Forward only; safe to repeat."""
    settings = get_settings()
    configure_logs(settings, "migrate")
    database.configure(settings)
    waiting = False
    for service in services or SERVICES:
        names = migrations.pending(service) if check else migrations.migrate(service)
        waiting = waiting or (check and bool(names))
        state = f"pending: {', '.join(names)}" if check and names else f"applied {', '.join(names)}" if names else "up to date"
        click.echo(f"{service:10} {state}")
    if waiting:
        click.echo("Run `baton migrate`.", err=True)
        raise SystemExit(1)


@click.command()
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("name")
def makemigration(service: str, name: str) -> None:
    """Write the migration that brings SERVICE's newest schema to the models in the code (for developers)."""
    settings = get_settings()
    configure_logs(settings, "makemigration")
    database.configure(settings)
    path = migrations.write_migration(service, name)
    click.echo(f"wrote {path}" if path else "the models match the newest migration: nothing to write")
