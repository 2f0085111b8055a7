"""
Writing notifications. A recipient's mailbox row is locked first and orders everything about them: numbers, the unread count,
what is kept once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import peewee as pw

from baton.models import database as db
from baton.models.notifications.tables import Mailbox, Notification, Retraction
from baton.models.transaction import Transaction


class Kept(NamedTuple):
    """A notification that is there already."""

    id: int
    reason: str
    email: int | None


def topic_of(recipient: str) -> str:
    """Return the topic of the signals about a recipient's notifications."""
    return f"notifications:{recipient}"


def lock_events(tx: Transaction, event_keys: Iterable[str]) -> None:
    """Keep others from telling of these events, or taking them back, until the commit. Before any other lock."""
    names = sorted(set(event_keys))
    if names and not db.is_sqlite(tx.database):  # SQLite has one writer at a time
        tx.database.execute_sql(
            "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(name, 0) as key"
            " from unnest(%s::text[]) as event(name) order by key) as keys",
            (names,),
        )


def lock_mailboxes(tx: Transaction, recipients: Iterable[str]) -> dict[str, int]:
    """Return the newest number of each of these recipients, their mailboxes locked and made if need be."""
    # In one order everywhere, so that no two transactions wait for each other.
    names = sorted(set(recipients))
    if not names:
        return {}
    Mailbox.insert_many([{"recipient": name} for name in names]).on_conflict_ignore().execute()
    query: Any = Mailbox.select(Mailbox.recipient, Mailbox.newest).where(Mailbox.recipient.in_(names))
    query = query.order_by(Mailbox.recipient)
    if not db.is_sqlite(tx.database):
        query = query.for_update()
    return dict(query.tuples())


def read_kept(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Kept]:
    """Return, by event key and recipient, those notifications of these keys that there are."""
    wanted = set(keys)
    n = Notification
    events, people = sorted({event for event, _ in wanted}), sorted({recipient for _, recipient in wanted})
    query: Any = n.select(n.event_key, n.recipient, n.id, n.reason, n.email)
    rows = query.where(n.event_key.in_(events), n.recipient.in_(people)).tuples()
    return {(event, recipient): Kept(*rest) for event, recipient, *rest in rows if (event, recipient) in wanted}


def read_retracted(event_keys: Iterable[str]) -> frozenset[str]:
    """Return which of these events were retracted."""
    query: Any = Retraction.select(Retraction.event_key).where(Retraction.event_key.in_(sorted(set(event_keys))))
    return frozenset(key for (key,) in query.tuples())


def add_notifications(tx: Transaction, rows: Sequence[Mapping[str, Any]], newest: Mapping[str, int]) -> None:
    """
    Add notifications, in this order; each row has the columns but id, number, unread and the times. Lock the mailboxes first.
    """
    numbers = dict(newest)
    unread: Counter[str] = Counter()
    complete = []
    for row in rows:
        recipient = row["recipient"]
        numbers[recipient] += 1
        unread[recipient] += row["in_app"]
        complete.append({**row, "number": numbers[recipient], "unread": row["in_app"], "created_at": tx.now})
    if not complete:
        return
    Notification.insert_many(complete).execute()
    for recipient in sorted(unread):
        tx.signal(topic_of(recipient), up_to=numbers[recipient])
    _count(unread, {recipient: numbers[recipient] for recipient in unread})


def replace_notifications(changes: Mapping[int, Mapping[str, Any]]) -> None:
    """These notifications say something else now, by row; unread ones stay so. Lock the mailboxes first."""
    for row, values in sorted(changes.items()):
        Notification.update(values).where(Notification.id == row).execute()


def detail_text(detail: Mapping[str, Any]) -> str:
    """Return metadata as it is stored."""
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":"), default=str)


def count_read(recipient: str, fewer: int) -> None:
    """So many of the recipient's shown notifications are not unread any more; negative: are unread again."""
    if fewer:
        Mailbox.update(unread=Mailbox.unread - fewer).where(Mailbox.recipient == recipient).execute()


def _count(unread: Mapping[str, int], newest: Mapping[str, int]) -> None:
    rows = [{"recipient": name, "newest": number, "unread": unread[name]} for name, number in sorted(newest.items())]
    statement = Mailbox.insert_many(rows)
    more = {Mailbox.newest: pw.EXCLUDED.newest, Mailbox.unread: Mailbox.unread + pw.EXCLUDED.unread}
    statement.on_conflict(conflict_target=[Mailbox.recipient], update=more).execute()
