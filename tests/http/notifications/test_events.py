"""What people do to tickets, and who is told of it: through the fronts and handlers, every message delivered twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models import database
from baton.models.notifications import Notification
from baton.models.workflow import TicketSnapshot
from baton.pipelines.audience import AUDIENCES
from tests.actors.workflow.conftest import Desk
from tests.factories import BACKENDS
from tests.http.work.conftest import office as office
from tests.told import handle, mails, unread

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
CARRY = Desk._carry
EMPLOYEE = "employee:101"


class News:
    """What the people of an office are told: each look shows what is new since the last one."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, *, of: str = "") -> set[tuple[str, str, str]]:
        """Return who was told what and why since the last look; `of` "requester" or "staff" leaves the others out."""
        rows = list(Notification.select().where(Notification.id > self.seen).order_by(Notification.id))
        self.seen = max([self.seen, *(row.id for row in rows)])
        found = [(row.recipient, row.type, row.reason) for row in rows if row.in_app]
        assert len(found) == len(set(found)), "somebody was told something twice"
        requesters = {each for each in found if each[0].startswith("employee:")}
        return requesters if of == "requester" else set(found) - requesters if of == "staff" else set(found)


@pytest.fixture
def news(office: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[News]:
    """An office whose notifications are delivered, twice each."""

    def carry(desk: Any, message: Any, kwargs: dict[str, Any], envelope: dict[str, Any]) -> None:
        if message.receiver != "notifications":
            CARRY(desk, message, kwargs, envelope)
            return
        for _ in range(2):
            delivery = delivery_of(message(**kwargs), message_id=envelope["message_id"])
            handle(delivery)
            assert delivery.refusal is None

    monkeypatch.setattr(Desk, "_carry", carry)
    with database.connection("notifications"):
        yield News()


def test_whoever_is_given_a_step_is_told_and_the_requester_hears_of_the_status(office: Any, news: News) -> None:
    (number,) = office.file()
    first = office.item(number)
    assert news(of="staff") == {(f"user:{first.assignee}", "task_assignment", "assignee")}
    office.act(first.assignee, first.id, "start")
    assert news() == {(EMPLOYEE, "status_changed", "requester")}
    office.act(first.assignee, first.id, "complete")
    assert news(of="staff") == {(f"user:{office.item(number).assignee}", "task_assignment", "assignee")}


def test_a_transfer_tells_both_sides_but_not_whoever_did_it(office: Any, news: News) -> None:
    _, item = office.at_step_two()
    news()
    office.act(21, item.id, "transfer", to_user="32", reason="knows printers")
    assert news() == {("user:32", "task_transfer_in", "assignee"), ("user:31", "task_transfer_out", "former_assignee")}
    office.act(32, item.id, "transfer", to_user="33")
    assert news() == {("user:33", "task_transfer_in", "assignee")}
    assert [mail.type for mail in mails("user:33")] == ["task_transfer_in"]


def test_an_escalation_tells_the_members_of_the_role_and_its_next_assignee(office: Any, news: News) -> None:
    number, item = office.at_step_two()
    office.escalates_to("1")
    news()
    office.act(31, item.id, "escalate", reason="too hot")
    told = {(f"user:{user}", "task_escalation", "escalation_role") for user in (11, 12, 13)}
    assert news() == told | {(f"user:{office.item(number).assignee}", "task_assignment", "assignee")}


def test_the_end_is_told_to_the_owner_and_the_requester_each_once(office: Any, news: News) -> None:
    number, item = office.at_step_two()
    office.act(31, item.id, "complete")
    last = office.item(number)
    news()
    office.act(last.assignee, last.id, "complete")
    assert news() == {("user:21", "task_completed", "owner"), (EMPLOYEE, "resolution", "requester")}


def test_n6_nobody_is_told_of_what_they_did_themselves(office: Any, news: News) -> None:
    number, item = office.at_step_two()
    office.act(31, item.id, "complete")
    last = office.item(number)
    news()
    office.act(21, last.id, "complete")
    assert news() == {(EMPLOYEE, "resolution", "requester")}


def test_a_requester_hears_nothing_of_their_own_withdrawal(office: Any, news: News) -> None:
    from baton.pipelines.messages import WithdrawTicket

    (number,) = office.file()
    news()
    payload = {"ticket_number": number, "employee": {"id": "101"}}
    office.send(WithdrawTicket(payload=payload, request_id="w-1"), version=2)
    office.run()
    assert office.status(number) == "Withdrawn"
    assert news() == set()


def test_a_step_that_asks_for_approval_tells_those_who_may_give_it(office: Any, news: News) -> None:
    office.need_approvals(2)
    _, item = office.at_step_two()
    told = {("user:32", "approval_waiting", "approver"), ("user:33", "approval_waiting", "approver")}
    assert {each for each in news(of="staff") if each[1] == "approval_waiting"} == told
    office.act(21, item.id, "transfer", to_user="32")
    assert {each for each in news(of="staff") if each[1] == "approval_waiting"} == set()


def test_n11_an_absence_offers_open_work_once_and_an_absence_that_is_over_does_not(office: Any, news: News) -> None:
    office.at_step_two()
    office.post(31, "/members/31/substitute", {"substitute": "32"}, method="PUT")
    news()
    over = {"away_from": "2020-01-01T00:00:00Z", "away_to": "2020-02-01T00:00:00Z"}
    office.post(31, "/members/31/availability", over, method="PUT")
    assert news() == set()
    for _ in range(2):
        office.post(31, "/members/31/availability", {"away_from": "2020-01-01T00:00:00Z", "away_to": None}, method="PUT")
    assert news() == {("user:32", "handover_offer", "substitute"), ("user:21", "handover_offer", "owner")}


def test_a_9_a_substitute_named_after_the_absence_was_noted_is_offered_the_work_once(office: Any, news: News) -> None:
    office.at_step_two()
    news()
    away = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}
    office.post(31, "/members/31/availability", away, method="PUT")
    assert news() == {("user:21", "handover_offer", "owner")}
    for _ in range(2):
        assert office.post(31, "/members/31/substitute", {"substitute": "32"}, method="PUT").status_code == 200
    assert news() == {("user:32", "handover_offer", "substitute")}
    for substitute in (None, "33", "32"):
        office.post(31, "/members/31/substitute", {"substitute": substitute}, method="PUT")
    assert news() == {("user:33", "handover_offer", "substitute")}


def test_a_9_whoever_comes_next_in_a_chain_that_changes_is_offered_the_work_of_the_absent(office: Any, news: News) -> None:
    office.at_step_two()
    away = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}
    office.post(31, "/members/31/substitute", {"substitute": "32"}, method="PUT")
    office.post(31, "/members/31/availability", away, method="PUT")
    assert ("user:32", "handover_offer", "substitute") in news()
    office.post(32, "/members/32/availability", away, method="PUT")
    assert news() == set()
    office.post(32, "/members/32/substitute", {"substitute": "33"}, method="PUT")
    assert news() == {("user:33", "handover_offer", "substitute")}
    office.post(33, "/members/33/substitute", {"substitute": "11"}, method="PUT")
    office.post(33, "/members/33/availability", away, method="PUT")
    assert news() == {("user:11", "handover_offer", "substitute")}


def test_a_substitute_of_somebody_who_is_present_or_back_is_offered_nothing(office: Any, news: News) -> None:
    office.at_step_two()
    news()
    office.post(31, "/members/31/substitute", {"substitute": "32"}, method="PUT")
    over = {"away_from": "2020-01-01T00:00:00Z", "away_to": "2020-02-01T00:00:00Z"}
    office.post(31, "/members/31/availability", over, method="PUT")
    office.post(31, "/members/31/substitute", {"substitute": "33"}, method="PUT")
    assert news() == set()


def test_n8_bringing_followers_up_to_date_again_tells_nobody(office: Any, news: News) -> None:
    from baton.pipelines.messages import TellFollowers

    number, _ = office.at_step_two()
    news()
    changed = [row.status for row in TicketSnapshot.select()]
    for _ in range(3):
        office.send(TellFollowers(ticket_numbers=[number]))
        office.run()
    assert news() == set()
    assert [row.status for row in TicketSnapshot.select()] == changed


def test_everything_that_is_told_is_in_the_table_and_every_count_is_right(office: Any, news: News) -> None:
    office.escalates_to("1")
    _, item = office.at_step_two()
    actions: list[tuple[int, str, dict[str, str]]] = [
        (21, "transfer", {"to_user": "32"}),
        (32, "hold", {"reason": "waits for parts"}),
        (32, "resume", {}),
        (32, "escalate", {"reason": "x"}),
    ]
    for user, action, body in actions:
        assert office.act(user, item.id, action, **body).status_code == 200
    rows = list(Notification.select())
    assert len(rows) >= 9
    for row in rows:
        assert row.reason in AUDIENCES[row.type].mailed
        unread(row.recipient)
