"""Noting what became of an attempt to send a mail: its row, its failure if it failed, and the breaker, in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter

from baton.actors.notifications import breakers
from baton.actors.notifications.breakers import Permit
from baton.models.database import DatabaseUnavailableError
from baton.models.notifications import EmailDelivery, failure_store, sending_store
from baton.models.notifications.email_tables import FAILED, SKIPPED
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.emails.attempts import SENT, Outcome, judge

#: How long the database is waited for when a mail went out and that cannot be noted, in seconds: within the claim.
PATIENCE_SECONDS = 50.0
NOBODY = "auth knows nobody with the recipient's id"
#: Requesters of other systems, and of what was imported, are in nobody's register: there is nothing to see to.
NOT_REGISTERED = "the requester is not in auth's register"
MAILS = Counter("baton_mails_total", "Attempts to send a mail, by outcome", ["outcome"])
log = structlog.get_logger("baton.mail")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed mail in its sender's hands: the row as it was claimed, and the sender's token."""

    delivery: EmailDelivery
    token: str


def note_outcome(attempt: Attempt, outcome: Outcome, permit: Permit | None = None) -> None:
    """
    The attempt ended like this; `permit` is the breaker's leave that it used, if it got so far.

    Raises:
        DatabaseUnavailableError: it could not be noted. A mail that was handed over is uncertain then.
    """
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with write_tx("notifications") as tx:
                _note(tx, attempt, outcome, permit)
            break
        except DatabaseUnavailableError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(1.0)
    MAILS.labels(outcome.kind).inc()
    log.info("mail", delivery=attempt.delivery.id, outcome=outcome.kind, attempt=attempt.delivery.attempts + 1)


def give_up(attempt: Attempt, reason: str) -> None:
    """The mail cannot be sent, for this reason, and somebody should see to it."""
    with write_tx("notifications") as tx:
        if _settle(tx, attempt, {"state": FAILED, "error": reason}):
            delivery = attempt.delivery
            failure_store.note(tx, delivery, reason, next_retry=None, retries=delivery.retries)
    MAILS.labels("refused").inc()


def skip(attempt: Attempt, reason: str) -> None:
    """The mail is not wanted any more, for this reason."""
    with write_tx("notifications") as tx:
        if _settle(tx, attempt, {"state": SKIPPED, "error": reason}):
            failure_store.resolve(tx, [attempt.delivery.id], f"not sent: {reason}")
    MAILS.labels("skipped").inc()


def _note(tx: Transaction, attempt: Attempt, outcome: Outcome, permit: Permit | None) -> None:
    delivery = attempt.delivery
    if permit is not None:
        breakers.note(tx, permit, answered=outcome.answered, error=outcome.detail)
    verdict = judge(outcome, delivery.retries, tx.now, trial=permit is not None and permit.trial)
    values: dict[str, Any] = {"state": verdict.state, "error": verdict.error, "retries": verdict.retries}
    if permit is not None:
        values |= {"attempts": delivery.attempts + 1, "last_tried_at": tx.now, "reference": outcome.reference}
    if verdict.state == SENT:
        values["sent_at"] = tx.now
    if verdict.due_at is not None:
        # What was once tried is complete: nothing joins it, so that every copy of a mail says the same.
        values |= {"send_after": verdict.due_at, "digest_key": None}
    if not _settle(tx, attempt, values):
        log.warning("mail_claim_lost", delivery=delivery.id, outcome=outcome.kind)
    elif verdict.state == SENT:
        failure_store.resolve(tx, [delivery.id], "delivered")
    elif verdict.counts:
        failure_store.note(tx, delivery, verdict.error, next_retry=verdict.due_at, retries=delivery.retries)


def _settle(tx: Transaction, attempt: Attempt, values: dict[str, Any]) -> bool:
    return sending_store.settle(tx, attempt.delivery.id, attempt.token, values)
