"""What the old services send: Celery's bytes, by name and by position, with what they leave out and what they add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from baton.actors.broker_api import WireMessage
from baton.actors.delivery import WrongFieldsError, read_delivery
from baton.actors.wire import decode
from baton.models import database
from baton.models.transaction import write_tx
from tests.factories import BACKENDS
from tests.told import HANDLERS, mails, shown, types_shown

QUEUE = "INAPP_NOTIFICATION_QUEUE"
NAMES = sorted(message.name for message in HANDLERS)
#: The contract's fields, in its order.
FIELDS = {
    "user_id": 7,
    "subject": "Yours",
    "message": "HD-1 is yours",
    "notification_type": "task_assignment",
    "related_task_item_id": 3,
    "related_ticket_number": "HD-1",
    "metadata": {"workflow_name": "IT Support", "step_name": "Triage"},
}


@pytest.fixture(autouse=True)
def _service(databases: Any, stub_broker: Any) -> Iterator[None]:
    with database.connection("notifications"):
        yield


def receive(name: str, args: list[Any], kwargs: dict[str, Any], task: str = "c-1") -> None:
    body = json.dumps([args, kwargs, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()
    raw = decode(WireMessage(QUEUE, body, "", {"lang": "py", "task": name, "id": task}))
    (message_type,) = [each for each in HANDLERS if each.name == name]
    with write_tx("notifications") as tx:
        HANDLERS[message_type].handle(tx, [read_delivery(message_type, raw)])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_read_by_name_and_by_position_and_a_repeated_task_tells_once(name: str) -> None:
    receive(name, [], FIELDS)
    receive(name, list(FIELDS.values()), {}, "c-2")
    receive(name, list(FIELDS.values())[:2], dict(list(FIELDS.items())[2:]), "c-2")
    rows = shown("user:7")
    assert [(row.subject, row.ticket_number, row.task_item_id) for row in rows] == [("Yours", "HD-1", 3)] * 2
    assert json.loads(rows[0].detail) == FIELDS["metadata"]


def test_what_is_optional_may_be_missing_and_what_is_unknown_is_ignored() -> None:
    needed = {key: FIELDS[key] for key in ("user_id", "subject", "message", "notification_type")}
    receive(NAMES[0], [], {**needed, "user_id": "7", "colour": "red"})
    assert types_shown("user:7") == ["task_assignment"]


@pytest.mark.parametrize(
    ("kind", "why", "mailed"),
    [
        ("task_assignment", "assignee", True),
        ("task_transfer_in", "assignee", True),
        ("task_transfer_out", "former_assignee", False),
        ("task_escalation", "escalation_role", True),
        ("task_completed", "owner", False),
        ("sla_warning", "", True),
        ("sla_breach", "", True),
        ("comment_added", "", False),
        ("made_up", "", False),
    ],
)
def test_what_old_services_tell_without_a_reason_is_mailed_where_every_reason_of_its_type_is(
    kind: str, why: str, mailed: bool
) -> None:
    receive(NAMES[0], [], {**FIELDS, "notification_type": kind})
    assert [row.reason for row in shown("user:7")] == [why]
    assert [mail.type for mail in mails("user:7")] == [kind] * mailed


@pytest.mark.parametrize("wrong", [{"user_id": None}, {"subject": 5}, {"metadata": []}, {"related_task_item_id": "3"}])
def test_wrong_fields_are_no_message(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongFieldsError):
        receive(NAMES[0], [], {**FIELDS, **wrong})
    assert shown("user:7") == []
