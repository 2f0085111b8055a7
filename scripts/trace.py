"""`baton trace`: a ticket's journey through every service, in the order of time, and its messages that have not arrived yet."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from baton.actors.broker import make_broker
from baton.actors.broker_api import BrokerUnavailableError
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, get_settings
from baton.pipelines.messages import CATALOGUE

#: How many dead letters of a queue are looked through for the ticket's.
MOST_DEAD_LETTERS = 10_000


@click.command()
@click.argument("ticket")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def trace(ticket: str, as_json: bool) -> None:
    """
    Print the journey of TICKET (HD-... or GW-...) across the services.

    Exit code 1 when no service knows the ticket.
    """
    db.configure(get_settings())
    number = ticket.strip().upper()
    events, silent = _journey(number)
    # A database that is away is not asked again: each answer that does not come takes seconds.
    asked = [service for service in SERVICES if not isinstance(silent.get(service), db.DatabaseUnavailableError)]
    found = (*_in_outboxes(number, asked), *_deferred(number, asked), *_dead(number))
    under_way = sorted(found, key=lambda entry: str(entry["at"]))
    if as_json:
        unreachable = [f"{service}: {_reason(error)}" for service, error in silent.items()]
        document = {"ticket": number, "events": events, "under_way": under_way, "unreachable": unreachable}
        click.echo(json.dumps(document, indent=2, default=_plain, ensure_ascii=False))
    else:
        _print(number, events, under_way, silent)
    if not events and not under_way:
        raise SystemExit(1)


def _journey(number: str) -> tuple[list[dict[str, Any]], dict[str, Exception]]:
    """Return what happened to the ticket, and the services that could not be asked with the reason."""
    events: list[dict[str, Any]] = []
    silent: dict[str, Exception] = {}
    for service in SERVICES:
        try:
            with db.connection(service):
                events += importlib.import_module(f"baton.models.{service}").journey(number)
        except Exception as error:
            # A service that cannot tell its part must not hide what the others know.
            silent[service] = error
    return sorted(events, key=lambda event: event["at"]), silent


def _in_outboxes(number: str, services: Sequence[str]) -> Iterator[dict[str, Any]]:
    for service in services:
        table = runtime_tables(service).Outbox
        for row in _rows(service, table, number):
            yield _entry(row.created_at, service, "waits in the outbox", row, "the relay will publish it")


def _deferred(number: str, services: Sequence[str]) -> Iterator[dict[str, Any]]:
    for service in services:
        table = runtime_tables(service).DeferredMessage
        for row in _rows(service, table, number):
            detail = f"attempt {row.attempt}, due {row.due_at:%Y-%m-%d %H:%M:%S}Z: {row.reason}"
            yield _entry(row.due_at, service, "is tried again later", row, detail)


def _rows(service: str, table: Any, number: str) -> list[Any]:
    # The envelope is compact JSON of our own making, so the number can be looked for as text.
    mark = f'"ticket_number":{json.dumps(number)}'
    try:
        with db.read_tx(service):
            return list(table.select().where(table.envelope.contains(mark)).order_by(table.id))
    except Exception:
        # A database that cannot be reached or lacks its tables is named by the journey already.
        return []


def _dead(number: str) -> Iterator[dict[str, Any]]:
    broker = make_broker(get_settings())
    try:
        for queue in sorted({message.queue for message in CATALOGUE.values()}):
            for letter in broker.dead_letters(queue, MOST_DEAD_LETTERS):
                if letter.ticket_number == number:
                    remedy = f"baton dead-letters show {queue} {letter.id}"
                    detail = f"{letter.actor_name} after {letter.attempts} attempts: {letter.reason} (`{remedy}`)"
                    yield {"at": letter.died_at, "service": queue, "event": "was given up on", "detail": detail}
    except BrokerUnavailableError as error:
        click.echo(f"the broker cannot be asked for dead letters: {error}", err=True)
    finally:
        broker.close()


def _entry(at: datetime, service: str, event: str, row: Any, detail: str) -> dict[str, Any]:
    return {"at": at, "service": service, "event": event, "detail": f"{row.name}, {detail}"}


def _print(number: str, events: list[dict[str, Any]], under_way: list[dict[str, Any]], silent: dict[str, Exception]) -> None:
    for event in events:
        click.echo(f"{event['at']:%Y-%m-%d %H:%M:%S.%f}Z  {event['service']:9} {event['event']}: {_line(event['detail'])}")
    if under_way:
        click.echo("\nmessages about it that have not arrived:")
        for entry in under_way:
            at = f"{entry['at']:%Y-%m-%d %H:%M:%S}Z" if isinstance(entry["at"], datetime) else entry["at"]
            click.echo(f"  {at}  {entry['service']}  {entry['event']}: {_line(entry['detail'])}")
    for service, error in silent.items():
        click.echo(f"could not be asked: {service}: {_reason(error)} (see `baton doctor`)", err=True)
    if not events and not under_way:
        click.echo(f"no service knows a ticket {number}", err=True)


def _reason(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _line(text: Any) -> str:
    # What people wrote may steer a terminal; a trace is one line per event.
    return "".join(character if character.isprintable() else " " for character in str(text))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
