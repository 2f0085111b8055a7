"""The eight types of the contract, from the real events: one ticket's life, and exactly who is told of what."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.actors.workflow import firing
from baton.models import database
from baton.models.notifications import EmailDelivery, Notification
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.audience import CONTRACT_TYPES
from baton.pipelines.messages import CATALOGUE
from tests.actors.workflow.conftest import Desk
from tests.actors.workflow.passing_time import pass_time, promise
from tests.factories import BACKENDS, bearer
from tests.http.work.conftest import office as office
from tests.told import unread

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
EVE = "employee:101"
HOUR = 3600


class Town:
    """An office, the conversation and the notifications; every message between them is delivered twice."""

    def __init__(self, office: Any, messaging: Any) -> None:
        self.office, self.messaging = office, messaging
        self.seen = 0

    def deliver(self, message: Any, kwargs: dict[str, Any], envelope: dict[str, Any]) -> None:
        """Hand a message to its handler, twice."""
        facts = {name: envelope[name] for name in ("message_id", "version", "trace_id", "sent_at")}
        for _ in range(2):
            with write_tx(message.receiver) as tx:
                delivery = delivery_of(message(**kwargs), **facts)
                self.office.actors[message.name].handle(tx, [delivery])
                assert delivery.refusal is None

    def comment(self, number: str, user: int, text: str, **body: Any) -> None:
        """Have a user comment on a ticket, and carry what that announces."""
        path = f"/api/v1/tickets/{number}/comments"
        answer = self.messaging.simulate_post(path, headers=bearer(self.office.who(user)), json={"body": text, **body})
        assert answer.status_code == 201, answer.text
        self.carry()

    def carry(self) -> None:
        """Carry what the conversation announced."""
        outbox = runtime_tables("messaging").Outbox
        with database.connection("messaging"):
            rows = list(outbox.select().order_by(outbox.id))
            outbox.delete().execute()
        for row in rows:
            self.office._carry(CATALOGUE[row.name], json.loads(row.kwargs), json.loads(row.envelope))
        self.office.run()

    def news(self) -> set[tuple[str, str, str]]:
        """Return who was told what and why since the last look, each once."""
        rows = list(Notification.select().where(Notification.id > self.seen, Notification.in_app).order_by(Notification.id))
        self.seen = max([self.seen, *(row.id for row in rows)])
        found = [(row.recipient, row.type, row.reason) for row in rows]
        assert len(found) == len(set(found)), "somebody was told something twice"
        return set(found)


@pytest.fixture
def town(office: Any, client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    found = Town(office, client("messaging"))
    carry = Desk._carry

    def carried(desk: Any, message: Any, kwargs: dict[str, Any], envelope: dict[str, Any]) -> None:
        if message.receiver in ("notifications", "messaging"):
            found.deliver(message, kwargs, envelope)
        else:
            carry(desk, message, kwargs, envelope)

    monkeypatch.setattr(Desk, "_carry", carried)
    with database.connection("notifications"):
        yield found


def test_one_tickets_life_tells_exactly_those_whom_the_contract_names(town: Town) -> None:
    office = town.office
    promise(escalations=[])
    office.escalates_to("2")
    (number,) = office.file(submitted_at=None)
    first = office.item(number)
    office.act(first.assignee, first.id, "complete")
    item = office.item(number)
    told = town.news()
    assert {each for each in told if each[0] != EVE} == {
        ("user:11", "task_assignment", "assignee"),
        ("user:31", "task_assignment", "assignee"),
    }

    office.act(21, item.id, "transfer", to_user="32")
    assert town.news() == {("user:32", "task_transfer_in", "assignee"), ("user:31", "task_transfer_out", "former_assignee")}

    town.comment(number, 21, "Is there any news?")
    # Whoever had the ticket's work stays one of its participants: by a step that is done, or by a transfer.
    participants = {("user:11", "comment_added", "participant"), ("user:31", "comment_added", "participant")}
    assert town.news() == {("user:32", "comment_added", "assignee"), (EVE, "reply", "requester")} | participants
    town.comment(number, 32, "The customer is rude.", visibility="internal")
    assert town.news() == {("user:21", "comment_added", "owner")} | participants

    pass_time(6 * HOUR + 1)
    firing.fire_clocks("workflow")
    office.run()
    assert town.news() == {("user:32", "sla_warning", "assignee"), ("user:21", "sla_warning", "owner")}
    pass_time(2 * HOUR)
    firing.fire_clocks("workflow")
    office.run()
    managers = {(f"user:{user}", "sla_breach", "manager") for user in (21, 22, 23)}
    assert town.news() == {("user:32", "sla_breach", "assignee")} | managers

    office.act(32, item.id, "escalate", reason="too hot")
    heir = office.item(number).assignee
    escalated = {(f"user:{user}", "task_escalation", "escalation_role") for user in (21, 22, 23)}
    assert town.news() == escalated | {(f"user:{heir}", "task_assignment", "assignee")}

    office.act(11, item.id, "complete")
    last = office.item(number)
    town.news()
    office.act(last.assignee, last.id, "complete")
    assert town.news() == {("user:21", "task_completed", "owner"), (EVE, "resolution", "requester")}

    assert {row.type for row in Notification.select()} >= set(CONTRACT_TYPES)
    secret = "The customer is rude."
    assert not [row for row in Notification.select() if row.recipient == EVE and secret in row.message + row.subject + row.detail]
    assert {row.type for row in EmailDelivery.select().where(EmailDelivery.recipient == EVE)} <= {
        "status_changed",
        "reply",
        "resolution",
        None,
    }
    for recipient in {row.recipient for row in Notification.select()}:
        unread(recipient)


def test_a_deleted_comment_leaves_the_lists_and_the_mails_that_have_not_left(town: Town) -> None:
    (number,) = town.office.file()
    town.news()
    town.comment(number, 21, "The password is swordfish.")
    assert (EVE, "reply", "requester") in town.news()
    entries = town.messaging.simulate_get(f"/api/v1/tickets/{number}/comments", headers=bearer(town.office.who(21))).json["items"]
    comment = next(entry["number"] for entry in entries if entry["kind"] == "comment")
    path = f"/api/v1/tickets/{number}/comments/{comment}"
    assert town.messaging.simulate_delete(path, headers=bearer(town.office.who(21))).status_code == 200
    town.carry()
    shown = [row for row in Notification.select().where(Notification.in_app) if "swordfish" in row.message]
    mailed = [row for row in Notification.select() if "swordfish" in row.message and row.email is not None]
    assert (shown, mailed) == ([], [])
    unread(EVE)
