"""`baton keys`: the keys that access tokens are signed with."""

from __future__ import annotations

import click

from baton.models import database
from baton.models.auth import SigningKey
from baton.models.auth import keys as signing_keys
from baton.models.settings import Settings, get_settings
from baton.scripts.ticket_commands import prepare


@click.group()
def keys() -> None:
    """List and rotate the keys that access tokens are signed with."""


@keys.command(name="list")
def list_keys() -> None:
    """List every key: the one in use, the next one, and those retired. Private halves are never shown."""
    settings = _settings()
    with database.read_tx("auth"):
        rows = list(SigningKey.select().order_by(SigningKey.id))
        published = {key.id for key in signing_keys.published(database.now("auth"))}
    click.echo(f"tokens are signed with {settings.token_algorithm}")
    if settings.token_algorithm == "HS256":
        click.echo("HS256 uses the shared secret BATON_TOKEN_SECRET; the keys below are not in use.")
    for key in rows:
        until = f"  verifies until {key.expires_at:%Y-%m-%d %H:%M:%S} UTC" if key.expires_at else ""
        shown = "published" if key.id in published else "withdrawn"
        click.echo(f"{key.kid}  {key.algorithm:6} {key.state:8} {shown}  made {key.created_at:%Y-%m-%d %H:%M:%S} UTC{until}")
    if not rows:
        click.echo("no key yet: the first is made when auth starts to sign")


@keys.command()
def rotate() -> None:
    """
    Put the next key in use and retire the present one. Nobody is signed out.

    Services have had the next key for a while; the retired one verifies until its last token has expired. After a theft of
    the database rotate twice: the next key was in it too.
    """
    settings = _settings()
    if settings.token_algorithm == "HS256":
        raise click.ClickException("HS256 has no keys to rotate: change BATON_TOKEN_SECRET everywhere, or use EdDSA")
    active = signing_keys.rotate(settings.token_algorithm, settings.access_token_seconds)
    click.echo(f"in use now: {active.kid} ({active.algorithm})")


def _settings() -> Settings:
    prepare("auth")
    return get_settings()
