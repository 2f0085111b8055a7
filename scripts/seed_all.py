"""`baton seed_all`: everything that seeding makes, in the right order; with --flush, after emptying every service."""

from __future__ import annotations

from typing import Any

import click
from peewee import sort_models  # type: ignore[attr-defined]

from baton.models import migrate
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.pipelines.messages import CATALOGUE
from baton.scripts.ticket_commands import prepare

#: Tables that --flush keeps: keys that running services trust, and the signs of life of running processes.
KEPT = ("SigningKey", "Heartbeat")


@click.command()
@click.option("--flush", is_flag=True, help="First delete all rows of all services, and all messages waiting for them.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.pass_context
def seed_all(ctx: click.Context, flush: bool, yes: bool) -> None:
    """Seed systems, roles, people, workflows and sample tickets, in the right order. Safe to repeat; needs no worker."""
    prepare(*SERVICES)
    if flush:
        if not yes:
            click.confirm("Delete every ticket, task, person and message of all services?", abort=True)
        flush_everything()
    for name, command in _commands().items():
        click.echo(f"- {name}")
        ctx.invoke(command)


def flush_everything() -> None:
    """Every service's tables but those KEPT are empty, and so are the queues and dead letters of every message."""
    for service in SERVICES:
        models = [model for model in migrate.service_models(service) if model.__name__ not in KEPT]
        with write_tx(service):
            deleted = sum(model.delete().execute() for model in reversed(sort_models(models)))
        click.echo(f"{service}: {deleted} rows deleted")
    click.echo(f"queues: {_empty_queues()} emptied")


def _empty_queues() -> int:
    """A message about a deleted ticket must not bring it back: its number may be given out again."""
    import dramatiq

    import baton.actors  # noqa: F401 - sets the broker

    broker: Any = dramatiq.get_broker()
    queues = sorted({message.queue for message in CATALOGUE.values()})
    for queue in queues:
        broker.declare_queue(queue)
        broker.flush(queue)
        broker.purge_dead_letters(queue)
    return len(queues)


def _commands() -> dict[str, click.Command]:
    from baton.scripts import seed_auth, seed_tickets, seed_workflow

    return {
        "seed_systems": seed_auth.seed_systems,
        "seed_hdts": seed_auth.seed_hdts,
        "seed_employees": seed_auth.seed_employees,
        "seed_role": seed_workflow.seed_role,
        "seed_workflows": seed_workflow.seed_workflows,
        "seed_tts": seed_auth.seed_tts,
        "seed_tickets": seed_tickets.seed_tickets,
        "seed_tickets_open": seed_tickets.seed_tickets_open,
    }
