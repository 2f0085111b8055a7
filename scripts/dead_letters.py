"""`baton dead-letters`: see, retry and delete the messages that were given up on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from baton.actors.broker_api import BatonBroker, BrokerUnavailableError, DeadLetter
from baton.models.logs import configure_logs
from baton.models.settings import get_settings

T = TypeVar("T")
#: How much of a reason fits into a line of the list; `show` has all of it.
REASON_CHARACTERS = 70
_COLUMNS = ("QUEUE", "ID", "ACTOR", "TICKET", "ATTEMPTS", "AGE", "REASON")


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages given up on: list, show, requeue, purge."""
    configure_logs(replace(get_settings(), log_level="WARNING"), "dead-letters")


@dead_letters.command("list")
@click.argument("queue", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON list, for programs.")
def list_(queue: str | None, as_json: bool) -> None:
    """List the dead letters of QUEUE, or of every queue, oldest first."""
    from baton.actors import dead_letters as letters

    broker = _broker()
    if queue is not None:
        _refuse_unknown(queue, letters.queues())
    counts = _reached(lambda: letters.counts(broker, queue))
    found = _reached(lambda: [letter for name, count in counts.items() if count for letter in letters.find(broker, name)])
    if as_json:
        click.echo(json.dumps([_facts(letter) for letter in found], indent=2))
    elif not found:
        click.echo(f"No dead letters on {queue}." if queue else "No dead letters.")
    else:
        _print_table([_line(letter) for letter in found])


@dead_letters.command()
@click.argument("queue")
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def show(queue: str, letter_id: str, as_json: bool) -> None:
    """Show everything about one dead letter: reason, traceback, body."""
    from baton.actors import dead_letters as letters

    _refuse_unknown(queue, letters.queues())
    letter = _known(lambda: letters.find_one(_broker(), queue, letter_id))
    facts = _facts(letter)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        if key not in ("traceback", "body", "body_base64"):
            click.echo(f"{key:14} {'' if value is None else value}")
    click.echo(f"\n{letter.traceback.rstrip()}" if letter.traceback else "\nNo traceback: it was refused, not broken.")
    click.echo("\nbody" + ("" if "body" in facts else " (base64: it is not text)"))
    click.echo(facts.get("body", facts.get("body_base64")))


@dead_letters.command()
@click.argument("queue")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead letter of the queue.")
def requeue(queue: str, ids: tuple[str, ...], everything: bool) -> None:
    """Put dead letters back on their QUEUE, with a fresh count of attempts."""
    from baton.actors import dead_letters as letters

    _refuse_unknown(queue, letters.queues())
    chosen = _chosen(ids, everything)
    moved = _known(lambda: letters.requeue(_broker(), queue, chosen))
    click.echo(f"{moved} requeued on {queue}.")


@dead_letters.command()
@click.argument("queue")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead letter of the queue.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(queue: str, ids: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Delete dead letters of QUEUE for good."""
    from baton.actors import dead_letters as letters

    _refuse_unknown(queue, letters.queues())
    chosen = _chosen(ids, everything)
    if not yes:
        click.confirm(f"Delete {'every dead letter' if chosen is None else f'{len(chosen)}'} of {queue} for good?", abort=True)
    gone = _known(lambda: letters.purge(_broker(), queue, chosen))
    click.echo(f"{gone} deleted from {queue}.")


def _broker() -> BatonBroker:
    import dramatiq

    import baton.actors  # noqa: F401  sets the broker that the settings name

    broker: Any = dramatiq.get_broker()
    return broker


def _refuse_unknown(queue: str, known: list[str]) -> None:
    """Exit 2 and name the queues there are, unless this is one of them."""
    if queue not in known:
        raise click.UsageError(f"there is no queue {queue!r}; there are:\n  " + "\n  ".join(sorted(known)))


def _chosen(ids: tuple[str, ...], everything: bool) -> list[str] | None:
    if bool(ids) == everything:
        raise click.UsageError("name one or more ids, or say --all")
    return None if everything else list(dict.fromkeys(ids))


def _reached(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except BrokerUnavailableError as error:
        raise click.ClickException(f"{error}. Nothing was changed. Try `baton doctor`.") from None


def _known(ask: Callable[[], T]) -> T:
    from baton.actors.dead_letters import UnknownDeadLetterError

    try:
        return _reached(ask)
    except UnknownDeadLetterError as error:
        raise click.ClickException(f"{error}. Nothing was changed. `baton dead-letters list` shows the ids there are.") from None


def _facts(letter: DeadLetter) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "queue": letter.queue,
        "id": letter.id,
        "reason": letter.reason,
        "actor": letter.actor_name,
        "ticket": letter.ticket_number,
        "attempts": letter.attempts,
        "died_at": letter.died_at,
        "message_id": letter.wire.message_id,
        "traceback": letter.traceback,
    }
    try:
        facts["body"] = letter.wire.body.decode("utf-8")
    except UnicodeDecodeError:
        facts["body_base64"] = base64.b64encode(letter.wire.body).decode()
    return facts


def _line(letter: DeadLetter) -> tuple[str, ...]:
    reason = " ".join(letter.reason.split())
    if len(reason) > REASON_CHARACTERS:
        reason = reason[: REASON_CHARACTERS - 1] + "…"
    return (
        letter.queue,
        letter.id,
        letter.actor_name or "-",
        letter.ticket_number or "-",
        str(letter.attempts),
        _age(letter.died_at),
        reason,
    )


def _age(died_at: str) -> str:
    try:
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(died_at)).total_seconds())
    except (ValueError, TypeError):
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in (_COLUMNS, *lines)) for column in range(len(_COLUMNS))]
    for line in (_COLUMNS, *lines):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
