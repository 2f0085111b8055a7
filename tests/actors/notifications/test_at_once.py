"""Several workers tell the same people at once, take back, and are killed: each event stays told once, counts stay right."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from baton.models import database
from baton.models.notifications import Notification
from baton.models.notifications.tables import Mailbox
from baton.models.transaction import write_tx
from tests.factories import BACKENDS
from tests.told import HANDLERS, mails, retract, told, unread

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
PEOPLE = tuple(range(1, 7))


class KilledError(Exception):
    """A worker dies before its commit."""


def test_redelivered_batches_in_any_order_with_kills_tell_each_event_once(databases: Any, stub_broker: Any) -> None:
    kinds = ("task_assignment", "comment_added", "mention", "task_transfer_in", "task_transfer_out")
    deliveries = [told(kind, user, item=user, event=f"{kind}:{n}") for kind in kinds for user in PEOPLE for n in range(4)]
    retracted = {f"mention:{n}" for n in range(2)}
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        mine = rng.sample(deliveries, len(deliveries))
        try:
            with database.connection("notifications"):
                for start in range(0, len(mine), 8):
                    batch = mine[start : start + 8]
                    if rng.random() < 0.3:
                        _handle(batch, killed=True)
                    _handle(batch)
                    if rng.random() < 0.3:
                        retract(rng.choice(sorted(retracted)))
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert errors == []
    with database.connection("notifications"):
        retract(*sorted(retracted))
        _check(len(kinds) * 4, retracted)


def _handle(batch: list[Any], *, killed: bool = False) -> None:
    """Handle a batch as a worker would, or until it is killed just before the commit."""
    try:
        with write_tx("notifications") as tx:
            # The rule is the same for every kind: one handler takes them all, as one batch.
            next(iter(HANDLERS.values())).handle(tx, batch)
            if killed:
                raise KilledError
    except KilledError:
        pass


def _check(expected: int, retracted: set[str]) -> None:
    for user in PEOPLE:
        recipient = f"user:{user}"
        rows = list(Notification.select().where(Notification.recipient == recipient).order_by(Notification.number))
        keys = [row.event_key for row in rows]
        assert len(keys) == len(set(keys)) and set(keys) | retracted >= set(keys)
        assert len(set(keys) | retracted) == expected
        assert {row.event_key for row in rows if row.in_app} == set(keys) - retracted
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert Mailbox.get(Mailbox.recipient == recipient).newest == len(rows)
        unread(recipient)
        mailed = [row.email for row in rows if row.email is not None]
        assert len(mailed) == len(set(mailed)) and {mail.id for mail in mails(recipient)} == set(mailed)
        assert not [row for row in rows if row.event_key in retracted and row.email is not None]
