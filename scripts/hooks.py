"""`baton hooks`: the calls at the end of tasks; see them, make one again, or mark it as seen to in another way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from baton.http.workflow.hooks import again
from baton.models import database as db
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import Hook, hook_store
from baton.pipelines.ending import (
    DONE,
    GAVE_UP,
    HOOK_STATES,
    PENDING,
    SENT,
    CorrectionError,
    check_corrections,
    settle,
)
from baton.scripts.ticket_commands import OPERATOR, fail, prepare

#: Calls that one `list` shows at most, unless it is asked for more.
MOST_SHOWN = 100
_COLUMNS = ("ID", "TICKET", "CALL", "STATE", "ATTEMPTS", "WHY")


@click.group()
def hooks() -> None:
    """Calls at the end of tasks (AMS, BMS, notifications): list, show, replay, settle."""
    prepare("workflow")


@hooks.command("list")
@click.option("--state", type=click.Choice(HOOK_STATES), help="Only calls in this state.")
@click.option("--ticket", help="Only calls of this ticket number.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=MOST_SHOWN, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list, for programs.")
def list_(state: str | None, ticket: str | None, limit: int, as_json: bool) -> None:
    """List calls, newest first."""
    query = Hook.select()
    if state:
        query = query.where(Hook.state == state)
    if ticket:
        query = query.where(Hook.ticket_number == ticket)
    with db.read_tx("workflow"):
        found = list(query.order_by(Hook.id.desc()).limit(limit))
    if as_json:
        click.echo(json.dumps([_facts(hook) for hook in found], indent=2, default=str))
    elif not found:
        click.echo("No calls.")
    else:
        _print_table([_line(hook) for hook in found])


@hooks.command()
@click.argument("hook_id", metavar="ID", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def show(hook_id: int, as_json: bool) -> None:
    """Show everything about a call: what was sent, every attempt."""
    with db.read_tx("workflow"):
        hook = _known(Hook.get_or_none(Hook.id == hook_id), hook_id)
        attempts = hook_store.attempts_of(hook.id)
    facts = _facts(hook) | {"history": [[each.at, each.actor, each.outcome, each.detail] for each in attempts]}
    if as_json:
        click.echo(json.dumps(facts, indent=2, default=str))
        return
    for key, value in facts.items():
        if key != "history":
            click.echo(f"{key:16} {'' if value is None else value}")
    for at, actor, outcome, detail in facts["history"]:
        click.echo(f"  {at:%Y-%m-%d %H:%M:%S} {outcome} by {actor}: {detail}")


@hooks.command()
@click.argument("hook_ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--gave-up", "given_up", is_flag=True, help="Every call that was given up.")
@click.option("--set", "given", multiple=True, metavar="FIELD=VALUE", help="What the ticket lacks, such as serial_number=SN-1.")
def replay(hook_ids: tuple[int, ...], given_up: bool, given: tuple[str, ...]) -> None:
    """
    Make calls again, under the ids they have: what was sent is sent word for word, the rest from the ticket as it is now.

    Exit code 1 when any of them was given up again.
    """
    if bool(hook_ids) == given_up:
        raise click.UsageError("name one or more ids, or say --gave-up")
    if given and len(hook_ids) != 1:
        raise click.UsageError("--set is about one call: name its id")
    corrections = _corrections(given)
    outcomes = [_replay(hook_id, corrections) for hook_id in hook_ids or _given_up()]
    if not outcomes:
        click.echo("No call was given up.")
    if GAVE_UP in outcomes:
        raise SystemExit(1)


@hooks.command("settle")
@click.argument("hook_id", metavar="ID", type=int)
@click.option("--reason", required=True, help="How it was seen to, for whoever asks later.")
def settle_(hook_id: int, reason: str) -> None:
    """Mark a call as done with: somebody saw to it in another way."""
    if not reason.strip():
        fail("--reason must say something")
    with write_tx("workflow") as tx:
        hook = _known(hook_store.lock_hook(tx, hook_id), hook_id)
        if hook.state in (SENT, DONE):
            fail(f"call {hook_id} is {hook.state}: there is nothing to settle")
        hook_store.try_again(tx, hook, settle(reason), OPERATOR)
    click.echo(f"{hook.id} {hook.ticket_number} {hook.hook}: {hook.state}, {hook.detail}")


def _replay(hook_id: int, corrections: dict[str, Any]) -> str:
    with write_tx("workflow") as tx:
        hook = _known(hook_store.lock_hook(tx, hook_id), hook_id)
        if corrections and hook.kwargs is not None:
            fail(f"call {hook_id} was sent, and a repeat under the same id must have the same content")
        try:
            check_corrections(hook.hook, corrections)
        except CorrectionError as error:
            fail(f"--set: {error}. Nothing was changed.")
        known = {**json.loads(hook.corrections), **corrections}
        hook_store.try_again(tx, hook, again(get_settings(), hook, known), OPERATOR, known)
    click.echo(f"{hook.id} {hook.ticket_number} {hook.hook}: {hook.state}, {hook.detail}")
    if hook.state == PENDING:
        click.echo("  it is made by itself as soon as it can be", err=True)
    return hook.state


def _given_up() -> list[int]:
    with db.read_tx("workflow"):
        return [hook.id for hook in Hook.select(Hook.id).where(Hook.state == GAVE_UP).order_by(Hook.id)]


def _corrections(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes FIELD=VALUE, not {each!r}")
        found[name] = value
    if "cost_items" in found:
        try:
            found["cost_items"] = json.loads(found["cost_items"])
        except ValueError:
            raise click.UsageError('--set cost_items takes a JSON object, such as \'{"Chairs": "100.00"}\'') from None
    return found


def _known(hook: Hook | None, hook_id: int) -> Hook:
    if hook is None:
        fail(f"there is no call {hook_id}. Nothing was changed. `baton hooks list` shows the ids there are.")
    assert hook is not None
    return hook


def _facts(hook: Hook) -> dict[str, Any]:
    names = (
        "id",
        "ticket_number",
        "hook",
        "state",
        "detail",
        "queue",
        "name",
        "attempts",
        "created_at",
        "sent_at",
        "next_try_at",
    )
    return {
        **{name: getattr(hook, name) for name in names},
        "idempotency_key": hook.message_id,
        "payload": None if hook.kwargs is None else json.loads(hook.kwargs),
        "corrections": json.loads(hook.corrections),
    }


def _line(hook: Hook) -> tuple[str, ...]:
    return (str(hook.id), hook.ticket_number, hook.hook, hook.state, str(hook.attempts), " ".join(hook.detail.split()))


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in (_COLUMNS, *lines)) for column in range(len(_COLUMNS))]
    for line in (_COLUMNS, *lines):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
