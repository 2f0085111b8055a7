"""Mails that are asked for by message, ours and those of old services, and what is in the mails that leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dramatiq
import pytest

from baton.actors.handling import delivery_of
from baton.actors.notifications.email_requests import send_email
from baton.models import database
from baton.models.notifications import EmailDelivery, Notification, recipients
from baton.models.transaction import write_tx
from baton.pipelines.messages import DeliverEmail
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def handle(*deliveries: Any) -> list[str | None]:
    with write_tx("notifications") as tx:
        send_email.handle(tx, deliveries)
    return [delivery.refusal for delivery in deliveries]


def asked(**changes: Any) -> Any:
    return delivery_of(DeliverEmail(**{"user_id": 7, "subject": "Stock take", "message": "On <Friday>.", **changes}))


def rows() -> list[EmailDelivery]:
    with database.read_tx("notifications"):
        return list(EmailDelivery.select().order_by(EmailDelivery.id))


def test_a_text_is_mailed_as_it_is_and_the_message_again_mails_nothing_more(desk: Any) -> None:
    desk.auth.add("user:7", "ann@example.com")
    delivery = asked()
    assert handle(delivery, delivery) == [None, None]
    desk.send()
    handle(delivery)
    desk.send()
    (mail,) = desk.mail.to("ann@example.com")
    assert mail["Subject"] == "Stock take"
    assert "On <Friday>." in mail.get_body(("plain",)).get_content()
    assert [row.state for row in rows()] == ["sent"]


def test_a_mail_of_ours_is_due_at_once_and_one_that_was_sent_stays_so(desk: Any) -> None:
    waiting, sent = desk.mail_to("ann@example.com"), desk.mail_to("bob@example.com", state="sent")
    desk.later(-3600)
    assert handle(asked(delivery_id=waiting), asked(delivery_id=sent)) == [None, None]
    desk.send()
    assert [recipient for recipient, _ in desk.mail.kept] == ["ann@example.com"]


def test_what_cannot_be_mailed_is_refused_and_the_rest_is_not(desk: Any) -> None:
    refusals = handle(
        asked(delivery_id=999), asked(subject=" ", message=""), asked(message="a\x00b"), asked(subject="x" * 5_001), asked()
    )
    assert [refusal is not None for refusal in refusals] == [True, True, True, True, False]
    assert refusals[0] == "delivery_id: there is no mail 999"
    assert len(rows()) == 1


def test_a_crash_before_the_commit_leaves_nothing(desk: Any) -> None:
    with pytest.raises(RuntimeError), write_tx("notifications") as tx:
        send_email.handle(tx, [asked()])
        raise RuntimeError
    assert rows() == []


def test_a_message_through_a_broker_with_a_field_we_do_not_know_is_mailed(desk: Any, stub_broker: Any) -> None:
    desk.auth.add("user:7", "ann@example.com")
    send_email.send(user_id="7", subject="Stock take", message="On Friday.", priority_of_theirs=3)
    worker = dramatiq.Worker(stub_broker, worker_threads=1, worker_timeout=50)
    worker.start()
    stub_broker.join(send_email.queue_name)
    worker.join()
    worker.stop()
    desk.send()
    assert len(desk.mail.to("ann@example.com")) == 1


def test_a_digest_is_one_mail_with_every_notification(desk: Any) -> None:
    row = desk.mail_to("ann@example.com", "user:7", type=None, digest_key="hourly:1")
    with write_tx("notifications") as tx:
        for number in (901, 902):
            Notification.create(
                recipient="user:7", number=number, event_key=f"event {number}", type="sla_warning", reason="owner",
                subject=f"HD-{number}: SLA at risk", message="Two hours left.", ticket_number=f"HD-{number}", in_app=True,
                unread=True, email=row, created_at=tx.now,
            )  # fmt: skip
    desk.send()
    (mail,) = desk.mail.to("ann@example.com")
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "3 notifications"
    assert [f"HD-{number}: SLA at risk" in text for number in (901, 902)] == [True, True]


def test_a_recipients_own_language_is_used(desk: Any) -> None:
    desk.mail_to("ann@example.com", "user:7")
    settings = {
        "time_zone": "Europe/Berlin", "language": "de", "digest": "immediately", "digest_minute": 480, "quiet_start": 0,
        "quiet_end": 0, "quiet_days": "", "breaches_through": False,
    }  # fmt: skip
    with write_tx("notifications") as tx:
        recipients.store_settings("user:7", settings, tx.now)
    desk.send()
    (mail,) = desk.mail.to("ann@example.com")
    assert mail["Subject"] == "HD-1: Triage gehört Ihnen"


def test_whoever_lost_access_or_switched_such_mails_off_meanwhile_gets_none(desk: Any) -> None:
    lost, off = desk.mail_to("ann@example.com", "user:7"), desk.mail_to("bob@example.com", "user:8")
    with write_tx("notifications"):
        Notification.update(roles='["tts:IT Manager"]').where(Notification.recipient == "user:7").execute()
        recipients.store_choices("user:8", {("task_assignment", "email"): False})
    desk.send()
    assert desk.mail.kept == []
    assert {desk.row(row).state for row in (lost, off)} == {"skipped"}


def test_mails_that_are_not_due_cost_a_tick_two_reads(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        desk.mail_to("ann@example.com", f"user:{number + 1}")
    desk.later(-timedelta(hours=1).total_seconds())
    real = database.service_database("notifications").obj
    run, statements = real.execute_sql, []

    def counted(sql: str, *arguments: Any) -> Any:
        statements.append(sql)
        return run(sql, *arguments)

    monkeypatch.setattr(real, "execute_sql", counted)
    assert desk.send() == 0
    assert len([sql for sql in statements if sql.lower().startswith("select")]) == 2
