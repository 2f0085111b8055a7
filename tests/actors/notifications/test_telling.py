"""Telling people: each event once per person, for the strongest reason, with one mail at most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.models import database
from baton.models.notifications import EmailDelivery, Notification, recipients
from baton.models.transaction import write_tx
from tests.factories import BACKENDS
from tests.told import KINDS, handle, in_mail, mails, retract, shown, told, types_shown, unread, wants

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
#: A Wednesday, in working hours.
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _service(databases: Any, stub_broker: Any) -> Iterator[None]:
    with database.connection("notifications"):
        yield


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_type_is_shown_with_its_reason_and_mailed_where_the_table_says_so(kind: str) -> None:
    handle(told(kind))
    (row,) = shown("user:7")
    assert (row.type, row.reason, row.ticket_number, row.task_item_id, row.unread) == (kind, KINDS[kind][1], "HD-1", 1, True)
    mailed = kind not in ("task_transfer_out", "task_completed")
    assert [mail.type for mail in mails("user:7")] == [kind] * mailed
    assert unread("user:7") == 1


def test_a_message_that_comes_twice_tells_once() -> None:
    delivery = told("task_assignment")
    handle(delivery)
    handle(delivery, delivery)
    assert len(shown("user:7")) == len(mails("user:7")) == unread("user:7") == 1


def test_n1_whoever_is_told_for_several_reasons_is_told_once_with_the_strongest() -> None:
    handle(
        told("comment_added", reason="participant", event="comment:5"),
        told("comment_added", reason="owner", event="comment:5"),
        told("mention", event="comment:5"),
        told("comment_added", reason="assignee", event="comment:5"),
        told("comment_added", reason="participant", event="comment:5"),
    )
    (row,) = shown("user:7")
    assert (row.type, row.reason) == ("comment_added", "assignee")
    assert [in_mail(mail) for mail in mails("user:7")] == [["comment_added"]]
    assert unread("user:7") == 1


def test_n1_in_whatever_order_and_batches_the_reasons_come() -> None:
    handle(told("comment_added", reason="participant", event="comment:5"))
    assert mails("user:7") == []
    handle(told("mention", event="comment:5"))
    handle(told("comment_added", reason="owner", event="comment:5"))
    (row,) = shown("user:7")
    assert (row.type, row.reason) == ("mention", "mentioned")
    assert [in_mail(mail) for mail in mails("user:7")] == [["mention"]]


def test_n4_two_reminders_on_one_day_are_both_told_and_the_same_one_once() -> None:
    for event in ("clock:1:75", "clock:1:90", "clock:1:75"):
        handle(told("sla_warning", event=event))
    assert types_shown("user:7") == ["sla_warning", "sla_warning"]
    assert len(mails("user:7")) == 2


def test_n5_a_breach_at_night_is_shown_at_once_and_mailed_in_the_morning_unless_let_through() -> None:
    friday_night = datetime(2026, 6, 12, 21, tzinfo=UTC)
    wants("user:8", friday_night, quiet_start=18 * 60, quiet_end=8 * 60, quiet_days="56", breaches_through=True)
    handle(told("sla_breach", 7, event="clock:1"), told("sla_breach", 8, event="clock:1"), now=friday_night)
    assert types_shown("user:7") == types_shown("user:8") == ["sla_breach"]
    assert [mail.send_after for mail in mails("user:7")] == [datetime(2026, 6, 15, 8, tzinfo=UTC)]
    assert [mail.send_after for mail in mails("user:8")] == [friday_night + timedelta(seconds=10)]


def test_a_requester_is_never_told_what_is_meant_for_staff() -> None:
    for kind in sorted(KINDS):
        delivery = told(kind, "employee:3")
        handle(delivery)
        assert (delivery.refusal is None) == (kind in ("reply", "status_changed", "resolution"))
    assert {row.type for row in Notification.select()} == {"reply", "status_changed", "resolution"}
    assert {mail.type for mail in EmailDelivery.select()} <= {"reply", "status_changed", "resolution"}


def test_a_recipient_without_a_name_is_refused_and_the_rest_of_the_batch_is_told() -> None:
    nobody = told("task_assignment", " ")
    handle(nobody, told("task_assignment"))
    assert nobody.refusal == "user_id names nobody"
    assert types_shown("user:7") == ["task_assignment"]


def test_a_crash_before_the_commit_leaves_nothing() -> None:
    from tests.told import HANDLERS

    delivery = told("task_assignment")
    with pytest.raises(RuntimeError), write_tx("notifications") as tx:
        HANDLERS[type(delivery.message)].handle(tx, [delivery])
        raise RuntimeError("killed")
    assert shown("user:7") == mails("user:7") == []
    assert unread("user:7") == 0
    handle(delivery)
    assert unread("user:7") == 1


def test_a_digest_gathers_what_is_told_until_it_is_due() -> None:
    wants("user:7", NOON, digest="hourly")
    handle(told("task_assignment"), told("task_escalation"), now=NOON)
    handle(told("sla_warning"), now=NOON + timedelta(minutes=20))
    handle(told("approval_waiting"), now=NOON + timedelta(minutes=61))
    first, second = mails("user:7")
    assert (first.send_after, in_mail(first)) == (
        NOON + timedelta(hours=1),
        ["task_assignment", "task_escalation", "sla_warning"],
    )
    assert (second.send_after, in_mail(second)) == (NOON + timedelta(hours=2), ["approval_waiting"])


def test_a_digest_that_is_on_its_way_takes_nothing_more() -> None:
    wants("user:7", NOON, digest="hourly")
    handle(told("task_assignment"), now=NOON)
    EmailDelivery.update(state="sending").execute()
    handle(told("task_escalation"), now=NOON + timedelta(minutes=1))
    assert [in_mail(mail) for mail in mails("user:7", "sending")] == [["task_assignment"]]
    assert [in_mail(mail) for mail in mails("user:7")] == [["task_escalation"]]


def test_what_was_chosen_goes_before_what_the_table_says() -> None:
    choices = {("task_assignment", "email"): False, ("task_completed", "email"): True, ("mention", "in_app"): False}
    with write_tx("notifications"):
        recipients.store_choices("user:7", choices)
    handle(told("task_assignment"), told("task_completed"), told("mention"))
    assert types_shown("user:7") == ["task_assignment", "task_completed"]
    assert [mail.type for mail in mails("user:7")] == ["task_completed", "mention"]


def test_a_muted_ticket_is_silent_but_for_what_gives_work() -> None:
    with write_tx("notifications"):
        recipients.mute("user:7", "HD-1", NOON)
    handle(told("comment_added"), told("mention"), told("task_assignment"), told("comment_added", ticket="HD-2"))
    assert [(row.type, row.ticket_number) for row in shown("user:7")] == [("task_assignment", "HD-1"), ("comment_added", "HD-2")]
    assert [mail.ticket_number for mail in mails("user:7")] == ["HD-1", "HD-2"]


def test_work_that_is_taken_away_within_the_undo_window_is_never_mailed() -> None:
    handle(told("task_transfer_in", item=4))
    handle(told("task_transfer_out", item=4))
    assert types_shown("user:7") == ["task_transfer_in", "task_transfer_out"]
    assert mails("user:7") == []
    assert [mail.error for mail in mails("user:7", "skipped")] == ["undone before it was sent"]


def test_a_status_that_changes_back_within_the_undo_window_is_never_mailed() -> None:
    steps = (("In Progress", "On Hold"), ("On Hold", "Waiting"), ("Waiting", "In Progress"))
    changes = [told("status_changed", "employee:3", **{"from": before, "to": after}) for before, after in steps]
    handle(*changes)
    assert len(shown("employee:3")) == 3
    assert mails("employee:3") == []
    handle(told("status_changed", "employee:3", **{"from": "In Progress", "to": "On Hold"}))
    handle(told("resolution", "employee:3", **{"from": "On Hold", "to": "Resolved"}))
    assert [in_mail(mail) for mail in mails("employee:3")] == [["resolution"]]


def test_what_is_retracted_leaves_lists_and_mails_and_stays_away_when_it_comes_late() -> None:
    handle(told("mention", event="comment:5"), told("mention", 8, event="comment:5"), told("mention", event="comment:6"))
    retract("comment:5", "comment:7")
    retract("comment:5")
    handle(told("mention", event="comment:7"), told("mention", 9, event="comment:5"))
    assert [row.event_key for row in shown("user:7")] == ["comment:6"]
    assert shown("user:8") == shown("user:9") == []
    assert [in_mail(mail) for mail in mails("user:7")] == [["mention"]]
    assert mails("user:8") == mails("user:9") == []
    assert (unread("user:7"), unread("user:8")) == (1, 0)


def test_the_number_of_statements_does_not_depend_on_how_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = database.service_database("notifications").obj
    run, statements = real.execute_sql, []

    def counted(sql: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(sql)
        return run(sql, *arguments, **options)

    def tell(count: int) -> int:
        statements.clear()
        handle(*(told("task_assignment", user, event=f"given:{user}:{count}") for user in range(count)))
        return len(statements)

    monkeypatch.setattr(real, "execute_sql", counted)
    assert tell(2) == tell(40)
