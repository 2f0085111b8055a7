"""What `baton server` says once it runs: where everything is, and who may look around."""

from __future__ import annotations

import click

from baton.models.settings import SERVICES, Settings

#: Who may sign in to look around: front, address, what they see. Outside production only.
_DEMO_SIGN_INS = (
    ("portal", "adaeze.abara@example.com", "employee: files tickets, follows them, rates them"),
    ("console", "kenji.tanaka@example.com", "IT manager: works what is theirs"),
    ("console", "nadia.haddad@example.com", "coordinator: triage, the waiting list, every task"),
    ("console", "Admintts@example.com", "administrator: workflows, service levels"),
)


def print_welcome(settings: Settings, seeded: bool) -> None:
    """Say that everything runs and where; the two links that people open come last, each with who may sign in there."""
    click.echo("\nBaton is running. Press Ctrl-C to stop.\n")
    for service in SERVICES:
        click.echo(f"  {service:13} {settings.url(service):28} documentation at {settings.url(service)}/docs")
    if seeded:
        click.echo("\n  The demo organisation was created; its people are filing and working their first tickets now.")
    click.echo("\n  Is everything well? .venv/bin/baton doctor")
    if not settings.production:
        click.echo("  Demo sign-ins (password Password123) stand under each address.")
    print_links(settings)


def print_links(settings: Settings) -> None:
    """Say where the pages for people are, and outside production who may sign in there."""
    for front, whom in (("portal", "For employees"), ("console", "For staff")):
        click.echo(f"\n  {whom + ':':15} {settings.url(front)}")
        for where, address, what in () if settings.production else _DEMO_SIGN_INS:
            if where == front:
                click.echo(f"    {address:28} {what}")
    click.echo("")
