"""Seeding the workflow side: `seed_role`, and `seed_workflows` with the service levels. What exists is left as people made it."""

from __future__ import annotations

from collections.abc import Mapping

import click

import baton.actors  # noqa: F401 - sets the broker that the seeder's module declares its actor on
from baton.actors.workflow import seeding, service_levels
from baton.models.transaction import write_tx
from baton.scripts.ticket_commands import fail, prepare


@click.command()
def seed_role() -> None:
    """Make the roles that the workflows need, without waiting for auth to tell of them. Safe to repeat."""
    prepare("workflow")
    with write_tx("workflow") as tx:
        made = seeding.seed_roles(tx)
    _report("role", made)


@click.command()
def seed_workflows() -> None:
    """
    Make the five workflows, the office calendar and a service level policy for every priority of each. Safe to repeat.

    The workflows are deployed; tickets in triage that match are allocated. The calendar is in the time zone BATON_TIME_ZONE.
    """
    prepare("workflow")
    try:
        with write_tx("workflow") as tx:
            calendars, policies = service_levels.seed_calendars(tx), service_levels.seed_policies(tx)
            made = seeding.seed_workflows(tx)
    except seeding.MissingRolesError as error:
        fail(f"{error}: run `baton seed_role` first")
    else:
        _report("workflow", made)
        _report("calendar", calendars)
        _report("policy", policies, "policies")


def _report(kind: str, made: Mapping[str, bool], kinds: str | None = None) -> None:
    for name, is_new in made.items():
        click.echo(f"{kind} {name}: {'created' if is_new else 'left'}")
    created = sum(made.values())
    click.echo(f"{kinds or f'{kind}s'}: created {created}, changed 0, left {len(made) - created}")
