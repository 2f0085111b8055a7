"""Keeping what people are told: one notification per event and person, and the mail that goes with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from baton.actors.handling import Delivery
from baton.models.notifications import mailboxes, pending_mails, recipients
from baton.models.notifications.mailboxes import detail_text
from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.pipelines.notifying import Person, Verdict
from baton.pipelines.telling import Background, Known, News, Plan, fault_of, news_of, plan
from baton.pipelines.undoing import UNDOING, Mailing
from baton.pipelines.work_messages import TaskNotification


def tell(tx: Transaction, deliveries: Sequence[Delivery[Any]]) -> None:
    """Keep these messages' notifications, each event once per person, and what is to be mailed of them."""
    news = [each for delivery in deliveries if (each := _news(delivery)) is not None]
    if not news:
        return
    mailboxes.lock_events(tx, [each.event_key for each in news if each.may_be_retracted])
    newest = mailboxes.lock_mailboxes(tx, [each.recipient for each in news])
    planned = plan(news, _background(tx, news))
    pending_mails.take_out(tx, planned.unmailed, "undone before it was sent")
    mails = _mails(tx, planned)
    rows = [_row(tx, each, verdict, mails) for each, verdict in planned.fresh]
    mailboxes.add_notifications(tx, rows, newest)
    mailboxes.replace_notifications({row: _changes(each, verdict, mails) for row, (each, verdict) in planned.stronger.items()})


def _news(delivery: Delivery[TaskNotification]) -> News | None:
    news = news_of(delivery.message, delivery.envelope.message_id)
    fault = fault_of(news)
    if fault is not None:
        delivery.refuse(fault)
        return None
    return news


def _background(tx: Transaction, news: Sequence[News]) -> Background:
    people = sorted({each.recipient for each in news})
    tickets = {each.ticket_number for each in news if each.ticket_number is not None}
    settings = get_settings()
    stored, choices = recipients.read_settings(people), recipients.read_choices(people)
    kept = mailboxes.read_kept(each.key for each in news)
    return Background(
        now=tx.now,
        undo_seconds=settings.notification_undo_seconds,
        people={who: Person.of(who, stored.get(who), choices.get(who, {}), settings.time_zone) for who in people},
        known={key: Known(id=row.id, reason=row.reason, mailed=row.email is not None) for key, row in kept.items()},
        retracted=mailboxes.read_retracted(each.event_key for each in news if each.may_be_retracted),
        muted=recipients.read_mutes(people, tickets),
        waiting=_waiting(tx, [each for each in news if each.type in UNDOING]),
    )


def _waiting(tx: Transaction, news: Sequence[News]) -> list[Mailing]:
    tickets = [each.ticket_number for each in news if each.ticket_number is not None]
    return [
        Mailing(
            key=row.id,
            recipient=row.recipient,
            type=row.type,
            ticket_number=row.ticket_number,
            task_item_id=row.task_item_id,
            detail=json.loads(row.detail),
        )
        for row in pending_mails.lock_waiting(tx, [each.recipient for each in news], tickets)
    ]


def _mails(tx: Transaction, planned: Plan) -> dict[tuple[str, str], int]:
    """Write the mails that these notifications need; return the mail of each by event and recipient."""
    mailed = [(each, verdict) for each, verdict in (*planned.fresh, *planned.stronger.values()) if verdict.email]
    digests = [(each.recipient, verdict.digest_key) for each, verdict in mailed if verdict.digest_key is not None]
    gathering: dict[tuple[str, str], int | str] = dict(pending_mails.open_digests(tx, digests))
    rows: list[dict[str, Any]] = []
    found: dict[tuple[str, str], int | str] = {}
    for each, verdict in mailed:
        digest = None if verdict.digest_key is None else (each.recipient, verdict.digest_key)
        if digest is not None and digest in gathering:
            found[each.key] = gathering[digest]
            continue
        rows.append(_mail(each, verdict))
        found[each.key] = rows[-1]["message_id"]
        if digest is not None:
            gathering[digest] = found[each.key]
    made = pending_mails.add_mails(tx, rows)
    return {key: made[mail] if isinstance(mail, str) else mail for key, mail in found.items()}


def _mail(news: News, verdict: Verdict) -> dict[str, Any]:
    digest = verdict.digest_key
    return {
        "recipient": news.recipient,
        "digest_key": digest,
        "ticket_number": news.ticket_number if digest is None else None,
        "type": news.type if digest is None else None,
        "task_item_id": news.task_item_id if digest is None else None,
        "message_id": pending_mails.message_key(*news.key),
        "send_after": verdict.send_after,
    }


def _row(tx: Transaction, news: News, verdict: Verdict, mails: dict[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "recipient": news.recipient,
        "event_key": news.event_key,
        "ticket_number": news.ticket_number,
        "task_item_id": news.task_item_id,
        "in_app": verdict.in_app,
        "email": mails.get(news.key),
        **_content(news),
    }


def _changes(news: News, verdict: Verdict, mails: dict[tuple[str, str], int]) -> dict[str, Any]:
    """Return what a notification says now that it is told for a stronger reason; what was shown stays shown."""
    return {**_content(news), **({"email": mails[news.key]} if verdict.email else {})}


def _content(news: News) -> dict[str, Any]:
    return {
        "type": news.type,
        "reason": news.reason,
        "subject": news.subject,
        "message": news.message,
        "detail": detail_text(news.detail),
        "roles": json.dumps(news.roles),
    }
