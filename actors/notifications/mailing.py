"""
Sending the mails that are due. It happens outside any transaction, in these steps:

1. Claim some that are due, for a while, and commit. Nobody else touches them meanwhile.
2. Ask auth who the recipients are, through its breaker. Auth away: the mails wait.
3. Hand each over, through the breaker of the way out. Right before the server may take it, note that it is being handed over, and
   commit; if the claim was lost by then, hand over nothing.
4. Note what became of it, and commit.

A sender that dies before step 3's note: the claim runs out and the mail is sent. After it: nobody knows, see `attempts` rule 6.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from baton.actors.notifications import breakers
from baton.actors.notifications.directory import BREAKER, Directory, DirectoryUnavailableError
from baton.actors.notifications.letters import Contents, compose, read_contents
from baton.actors.notifications.sent import NOBODY, NOT_REGISTERED, Attempt, give_up, note_outcome, skip
from baton.actors.notifications.smtp import FINAL_SECONDS
from baton.actors.notifications.transports import Transport, open_transport
from baton.actors.scheduler import every
from baton.models import database as db
from baton.models.database import DatabaseUnavailableError
from baton.models.notifications import EmailDelivery, failure_store, sending_store
from baton.models.settings import Settings, get_settings
from baton.models.transaction import write_tx
from baton.pipelines.emails.attempts import UNCERTAIN_TEXT, Outcome
from baton.pipelines.emails.recipients import why_not
from baton.pipelines.notifying import is_requester

#: Mails claimed at once. More: fewer transactions; more mails wait for a claim to run out when their sender dies.
BATCH = 20
#: How long a batch is claimed for, and how long its sender goes on taking the next mail of it, in seconds.
LEASE_SECONDS, BATCH_SECONDS = 120.0, 60.0
#: How long a mail that is being handed over is claimed for: the wait for the server's answer, and time to note it, in seconds.
HANDING_OVER_SECONDS = FINAL_SECONDS + 60.0
LOST = Counter("baton_mail_senders_lost_total", "Mails whose sender died: sent again, or uncertain", ["outcome"])
log = structlog.get_logger("baton.mail")
_directories: dict[int, tuple[Settings, Directory]] = {}


class ClaimLostError(Exception):
    """Somebody else has taken the mail over. It must not be handed over here."""


def _next_due(service: str) -> datetime | None:
    """Return when mails can next be sent, None when none waits."""
    with db.read_tx(service):
        due = sending_store.next_due()
    held = _held_back_until(get_settings())
    return max(due, held) if due is not None and held is not None else due


@every(5, "notifications", next_due=_next_due)
def send_mails(service: str) -> int:
    """Send the mails that are due, and look after those whose sender died."""
    with db.read_tx(service):
        if not sending_store.is_due(db.now(service)):
            return 0
    settings = get_settings()
    changed = take_lost()
    if _held_back_until(settings) is not None:
        return changed
    transport = open_transport(settings)
    try:
        while (sent := send_batch(settings, transport, directory(settings))) > 0:
            changed += sent
    finally:
        transport.close()
    return changed


def _held_back_until(settings: Settings) -> datetime | None:
    """Return until when no mail can be sent because a breaker is open, None when mails can be sent."""
    until = [breakers.held_back_until(name) for name in (settings.mail.transport, BREAKER)]
    return max(filter(None, until), default=None)


def directory(settings: Settings) -> Directory:
    """Return this process's view of auth's register: one per settings, for it remembers."""
    known = _directories.get(id(settings))
    if known is None:
        known = _directories[id(settings)] = settings, Directory(settings)
    return known[1]


def take_lost() -> int:
    """Mails whose sender died are sent again, or, where the server may have them, uncertain; return how many there were."""
    with write_tx("notifications") as tx:
        again, uncertain = sending_store.take_lost(tx)
        for delivery in uncertain:
            failure_store.note(tx, delivery, UNCERTAIN_TEXT, next_retry=None, retries=delivery.retries)
    LOST.labels("sent again").inc(again)
    LOST.labels("uncertain").inc(len(uncertain))
    if again or uncertain:
        log.warning("mail_sender_lost", sent_again=again, uncertain=[delivery.id for delivery in uncertain])
    return again + len(uncertain)


def send_batch(settings: Settings, transport: Transport, people: Directory) -> int:
    """Claim some mails that are due and send them; return how many are done with, 0 when there is no point in going on."""
    token, started = uuid.uuid4().hex, time.monotonic()
    with write_tx("notifications") as tx:
        claimed = sending_store.claim(tx, token, tx.now + timedelta(seconds=LEASE_SECONDS), BATCH)
    if not claimed:
        return 0
    done = 0
    goes_on = True
    try:
        contents = read_contents(claimed)
        for delivery in claimed:
            if time.monotonic() - started > BATCH_SECONDS:
                break
            goes_on = _try(Attempt(delivery, token), settings, transport, people, contents)
            if not goes_on:
                break
            done += 1
    finally:
        with write_tx("notifications") as tx:
            sending_store.release(tx, token)
    return done if goes_on else 0


def _try(attempt: Attempt, settings: Settings, transport: Transport, people: Directory, contents: Contents) -> bool:
    """Send one mail; a fault of ours fails this mail and no other. Returns as `_send` does."""
    try:
        return _send(attempt, settings, transport, people, contents)
    except DatabaseUnavailableError:
        raise
    except Exception as error:
        log.exception("mail_fault", delivery=attempt.delivery.id)
        note_outcome(attempt, Outcome(kind="put off", detail=f"a fault of the sender: {type(error).__name__}: {error}"))
        return True


def _send(attempt: Attempt, settings: Settings, transport: Transport, people: Directory, contents: Contents) -> bool:
    """Send one mail, whatever becomes of it; return whether there is a point in going on to the next."""
    delivery = attempt.delivery
    try:
        recipient = people.look_up(delivery.recipient)
    except breakers.HeldBackError:
        return False
    except DirectoryUnavailableError as error:
        note_outcome(attempt, Outcome(kind="not asked", detail=str(error)))
        return True
    if recipient is None:
        if is_requester(delivery.recipient):
            skip(attempt, NOT_REGISTERED)
        else:
            give_up(attempt, NOBODY)
        return True
    reason = why_not(recipient, frozenset({settings.mail.address.lower()}))
    if reason is not None:
        (give_up if reason[1] else skip)(attempt, reason[0])
        return True
    mail = compose(delivery, recipient, contents, settings)
    if mail is None:
        skip(attempt, "nothing in it is for the recipient any more")
        return True
    try:
        permit = breakers.permit(transport.name)
    except breakers.HeldBackError:
        return False
    try:
        outcome = transport.deliver(mail, delivery.id, db.now("notifications"), lambda: _hand_over(delivery, attempt.token))
    except ClaimLostError:
        log.warning("mail_claim_lost", delivery=delivery.id)
        return True
    note_outcome(attempt, outcome, permit)
    return outcome.kind != "unreachable"


def _hand_over(delivery: EmailDelivery, token: str) -> None:
    with write_tx("notifications") as tx:
        until = tx.now + timedelta(seconds=HANDING_OVER_SECONDS)
        if not sending_store.hold(tx, delivery.id, token, until, handed_over=True):
            raise ClaimLostError


__all__ = ["directory", "send_batch", "send_mails", "take_lost"]
