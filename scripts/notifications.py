"""`baton notifications`: mails that could not be delivered, and whether mail works at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from baton.actors.notifications.letters import people_url, unsubscribe_url
from baton.actors.notifications.transports import open_transport
from baton.models import database as db
from baton.models.notifications import failure_store, sending_store
from baton.models.notifications.email_tables import FailedNotification
from baton.models.settings import get_settings
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.emails.bounces import read_bounce
from baton.pipelines.emails.identity import message_id
from baton.pipelines.emails.recipients import Recipient, why_not
from baton.pipelines.emails.writing import Item, Letter, write
from baton.scripts.ticket_commands import OPERATOR, fail, prepare

#: Failures that one `failed` shows at most, unless it is asked for more; and that `retry --all` takes in one transaction.
MOST_SHOWN, BATCH = 100, 200
#: Largest bounce that is read, in bytes.
_LARGEST_BOUNCE = 10_000_000


@click.group()
def notifications() -> None:
    """Mails that could not be delivered: list, send again, set aside; a test mail; bounces."""
    prepare("notifications")


@notifications.command()
@click.option("--resolved", is_flag=True, help="Those that are resolved instead.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=MOST_SHOWN, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list, for programs.")
def failed(resolved: bool, limit: int, as_json: bool) -> None:
    """List mails that failed, newest first."""
    f = FailedNotification
    with db.read_tx("notifications"):
        query: Any = f.select().where(f.resolved == resolved).order_by(f.id.desc()).limit(limit).dicts()
        found = list(query)
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
    elif not found:
        click.echo("No failed notifications.")
    for row in () if as_json else found:
        when = f"next at {row['next_retry']:%Y-%m-%d %H:%M:%S} UTC" if row["next_retry"] else "given up"
        state = f"resolved: {row['resolved_by']}" if row["resolved"] else when
        about = f"{row['recipient']}  {row['type']}  {row['ticket_number'] or '-'}"
        click.echo(f"{row['id']}  {about}  {row['retry_count']} retries, {state}  {row['error']}")


@notifications.command()
@click.argument("failures", metavar="[ID]...", type=int, nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every mail that was given up.")
def retry(failures: tuple[int, ...], all_: bool) -> None:
    """Send mails that failed again: they are due at once, with all their retries before them."""
    if bool(failures) == all_:
        raise click.UsageError("name one or more ids, or say --all")
    ids = list(failures) if failures else [failure.id for failure in _given_up()]
    for failure_id in ids:
        _act(failure_id, _retry)
    if not ids:
        click.echo("No mail was given up.")


@notifications.command()
@click.argument("failure", metavar="ID", type=int)
@click.option("--reason", required=True, help="How it was seen to, for whoever asks later.")
def resolve(failure: int, reason: str) -> None:
    """Set a failure aside: its mail is not sent any more."""
    if not reason.strip():
        fail("--reason must say something")

    def settle(tx: Transaction, found: FailedNotification) -> str:
        failure_store.give_up(tx, found.delivery, reason)
        failure_store.resolve(tx, [found.delivery], f"{OPERATOR}: {reason}")
        return "set aside"

    _act(failure, settle)


@notifications.command("test-mail")
@click.argument("address")
@click.option("--language", default="en", show_default=True, help="The language to write it in.")
def test_mail(address: str, language: str) -> None:
    """Send a mail to ADDRESS now, the way the settings say, and tell how it went. Exit code 1 when it was not taken."""
    settings, now = get_settings(), db.now("notifications")
    recipient = Recipient(user_id="user:0", address=address, language=language)
    if reason := why_not(recipient, frozenset({settings.mail.address.lower()})):
        fail(f"{address}: {reason[0]}")
    letter = Letter(
        message_id=message_id(f"test.{now:%Y%m%d%H%M%S%f}", settings.mail.domain),
        kind="test",
        items=[Item(type="test", subject="A test mail", message="Mail from this help desk arrives.", detail={})],
        sender=settings.mail.sender,
        domain=settings.mail.domain,
        public_url=people_url(settings, "user:0"),
        unsubscribe_url=unsubscribe_url(settings, "user:0", "test"),
    )
    transport = open_transport(settings)
    try:
        outcome = transport.deliver(write(letter, recipient), 0, now, lambda: None)
    finally:
        transport.close()
    click.echo(f"{settings.mail.transport}: {outcome.kind} {outcome.detail or outcome.reference}".rstrip())
    if outcome.kind != "taken":
        raise SystemExit(1)


@notifications.command()
@click.argument("file", type=click.File("rb"), default="-")
def bounce(file: Any) -> None:
    """
    Record a mail that came back, from FILE or standard input: for a mail server's alias or filter to pipe into.

    What is no delivery report about a mail of ours is passed over, with exit code 0: there is nobody to bounce a bounce to.
    """
    found = read_bounce(file.read(_LARGEST_BOUNCE))
    if found is None:
        click.echo("not a report that a mail of ours failed", err=True)
        return
    with write_tx("notifications") as tx:
        recorded = failure_store.note_bounce(tx, found.key, found.reason)
    click.echo(f"{found.key}: {found.reason}" if recorded else f"{found.key}: known already, or no mail that was sent")


def _given_up() -> Iterator[FailedNotification]:
    after = 0
    while True:
        with db.read_tx("notifications"):
            batch = failure_store.given_up(after, BATCH)
        yield from batch
        if len(batch) < BATCH:
            return
        after = batch[-1].id


def _retry(tx: Transaction, failure: FailedNotification) -> str:
    if not failure_store.send_again(tx, [failure.delivery]):
        sending_store.make_due(tx, [failure.delivery])
    return "is sent again"


def _act(failure_id: int, act: Callable[[Transaction, FailedNotification], str]) -> None:
    with write_tx("notifications") as tx:
        failure = failure_store.lock(tx, failure_id)
        if failure is None:
            fail(f"there is no failure {failure_id}")
        assert failure is not None
        if failure.resolved:
            click.echo(f"{failure_id}: is resolved already", err=True)
            sys.exit(1)
        said = act(tx, failure)
    click.echo(f"{failure_id} {failure.recipient} {failure.type}: {said}")
