"""Mails through a real SMTP conversation: refused, put off, broken off, and one each at the end."""

from __future__ import annotations

from typing import Any

import pytest

from baton.actors.notifications import mailing
from baton.models import database
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def test_a_due_mail_reaches_its_recipient_once(desk: Any) -> None:
    row = desk.mail_to("ann@example.com")
    assert desk.send() == 1
    assert desk.send() == 0
    (mail,) = desk.mail.to("ann@example.com")
    assert mail["Subject"] == "HD-1: Triage is yours"
    assert mail["Message-ID"] == f"<{desk.row(row).message_id}@example.com>"
    assert mail["References"] == mail["In-Reply-To"] == "<ticket.HD-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert desk.mail.senders == ["desk@example.com"]
    assert (desk.row(row).state, desk.row(row).reference) == ("sent", "2.0.0 queued as Q1")
    assert desk.failure(row) is None


def test_a_mail_is_not_sent_before_its_time(desk: Any) -> None:
    row = desk.mail_to("ann@example.com")
    desk.later(-30)
    assert desk.send() == 0
    desk.later(31)
    assert desk.send() == 1
    assert desk.row(row).state == "sent"


def test_n2_a_refused_address_harms_no_other_and_is_not_tried_again(desk: Any) -> None:
    desk.mail.script["bad@example.com"] = ["rcpt 550"]
    rows = [desk.mail_to(f"{name}@example.com") for name in ("a", "bad", "b")]
    desk.send()
    desk.eventually(lambda: True)
    for _ in range(5):
        desk.later(600)
        desk.send()
    assert [recipient for recipient, _ in desk.mail.kept] == ["a@example.com", "b@example.com"]
    assert desk.mail.attempts.count("bad@example.com") == 1
    failure = desk.failure(rows[1])
    assert (failure.given_up, failure.resolved, failure.retry_count, failure.task_item_id) == (True, False, 0, 5)
    assert "RCPT TO: 550 5.1.1 no thanks" in failure.error
    assert desk.breaker("smtp") == "closed"


def test_a_requester_whom_nobody_registered_gets_no_mail_and_is_no_failure(desk: Any) -> None:
    stranger, lost = (desk.mail_to("x@example.com", recipient) for recipient in ("employee:Caller 7", "user:999999"))
    desk.auth.people.clear()
    desk.send()
    assert desk.mail.kept == []
    assert desk.row(stranger).state == "skipped"
    assert desk.failure(stranger) is None
    assert desk.row(lost).state == "failed"
    assert desk.failure(lost).given_up


@pytest.mark.parametrize("action", ["rcpt 451", "data 452", "drop"])
def test_a_mail_that_is_put_off_or_broken_off_arrives_at_a_retry_once(desk: Any, action: str) -> None:
    desk.mail.script["ann@example.com"] = [action]
    row, other = desk.mail_to("ann@example.com"), desk.mail_to("bob@example.com")
    desk.send()
    failure = desk.failure(row)
    assert (failure.given_up, failure.resolved, failure.retry_count, failure.last_retry) == (False, False, 0, None)
    desk.eventually(lambda: desk.row(row).state == "sent")
    desk.eventually(lambda: desk.row(other).state == "sent")
    assert len(desk.mail.to("ann@example.com")) == len(desk.mail.to("bob@example.com")) == 1
    failure = desk.failure(row)
    assert (failure.resolved, failure.resolved_by) == (True, "delivered")


def test_a_mail_that_was_kept_though_the_line_dropped_comes_again_under_the_same_message_id(desk: Any) -> None:
    desk.mail.script["ann@example.com"] = ["keep and drop"]
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert desk.row(row).state == "pending"
    desk.eventually(lambda: desk.row(row).state == "sent")
    first, second = desk.mail.to("ann@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()


def test_a_mail_refused_for_its_content_is_given_up_at_once(desk: Any) -> None:
    desk.mail.script["ann@example.com"] = ["data 554"]
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert (desk.row(row).state, desk.failure(row).given_up) == ("failed", True)


def test_three_retries_60_120_and_180_seconds_apart_then_it_stays_visible(desk: Any) -> None:
    desk.mail.script["ann@example.com"] = ["rcpt 451"] * 9
    row = desk.mail_to("ann@example.com")
    desk.send()
    for retry, seconds in enumerate((60, 120, 180), start=1):
        assert desk.failure(row).retry_count == retry - 1
        desk.later(seconds - 5)
        desk.send()
        assert len(desk.mail.attempts) == retry
        desk.later(6)
        desk.send()
        assert len(desk.mail.attempts) == retry + 1
    failure = desk.failure(row)
    assert (failure.retry_count, failure.given_up, failure.next_retry, desk.row(row).state) == (3, True, None, "failed")
    assert failure.last_retry is not None
    desk.later(100_000)
    desk.send()
    assert len(desk.mail.attempts) == 4


def test_mails_share_a_connection_and_each_costs_the_same_few_statements(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = database.service_database("notifications").obj
    run, statements = real.execute_sql, []

    def counted(sql: str, *arguments: Any) -> Any:
        statements.append(sql)
        return run(sql, *arguments)

    monkeypatch.setattr(real, "execute_sql", counted)
    costs = []
    for mails in (10, 20, 60):
        for name in range(mails):
            desk.mail_to(f"p{name}@example.com", f"user:{name + 1}")
        statements.clear()
        assert desk.send() == mails
        costs.append(len(statements) / mails)
    assert max(costs) < 25
    assert costs[2] <= costs[0]
    assert len(desk.mail.sessions) == 3


def test_an_outcome_that_cannot_be_noted_at_all_leaves_the_mail_uncertain_and_sends_no_second_one(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baton.actors.notifications import sent
    from baton.models.database import DatabaseUnavailableError

    def away(*_: Any) -> None:
        raise DatabaseUnavailableError("gone")

    row, other = desk.mail_to("ann@example.com"), desk.mail_to("bob@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(sent, "_note", away)
        patch.setattr(sent, "PATIENCE_SECONDS", 0.0)
        with pytest.raises(DatabaseUnavailableError):
            desk.send()
    for _ in range(10):
        desk.later(60)
        desk.send()
    assert (desk.row(row).state, desk.row(other).state) == ("uncertain", "sent")
    assert [len(desk.mail.to(address)) for address in ("ann@example.com", "bob@example.com")] == [1, 1]


def test_a_mail_that_cannot_be_written_harms_no_other_and_is_seen(desk: Any) -> None:
    from baton.models.notifications import Notification

    broken = desk.mail_to("ann@example.com")
    with write_tx("notifications"):
        Notification.update(detail="no JSON").execute()
    other = desk.mail_to("bob@example.com")
    desk.send()
    assert desk.row(other).state == "sent"
    assert "a fault of the sender: JSONDecodeError" in desk.failure(broken).error
    desk.eventually(lambda: desk.row(broken).state == "failed")


def test_two_senders_at_once_send_each_mail_once(desk: Any) -> None:
    import threading

    rows = [desk.mail_to(f"p{name}@example.com") for name in range(30)]
    senders = [threading.Thread(target=desk.send) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    desk.send()
    assert sorted(recipient for recipient, _ in desk.mail.kept) == sorted(f"p{name}@example.com" for name in range(30))
    assert {desk.row(row).state for row in rows} == {"sent"}


def test_a_claim_that_was_lost_hands_nothing_over(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    row = desk.mail_to("ann@example.com")
    hand_over = mailing._hand_over

    def stolen(delivery: Any, token: str) -> None:
        from baton.models.notifications import EmailDelivery

        with write_tx("notifications"):
            EmailDelivery.update(claim="somebody else").execute()
        hand_over(delivery, token)

    monkeypatch.setattr(mailing, "_hand_over", stolen)
    desk.send()
    assert desk.mail.kept == []
    assert desk.row(row).state == "sending"


def test_an_outcome_that_cannot_be_noted_at_once_is_noted_when_the_database_is_back(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from baton.actors.notifications import sent
    from baton.models.database import DatabaseUnavailableError

    row, away, note = desk.mail_to("ann@example.com"), [1], sent._note

    def sometimes(*arguments: Any) -> None:
        if away:
            away.pop()
            raise DatabaseUnavailableError("gone")
        note(*arguments)

    monkeypatch.setattr(sent, "_note", sometimes)
    desk.send()
    assert desk.row(row).state == "sent"
    assert len(desk.mail.kept) == 1
