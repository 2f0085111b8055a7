"""The calls at the end of tasks over HTTP: who sees them, making one again, settling one, and what health says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.models.settings import get_settings
from baton.pipelines.permissions import Principal
from tests.ended import ended_ticket, messages
from tests.factories import ADMIN, BACKENDS, COORDINATOR, TECHNICIAN, bearer

AMS = "AMS_WORKFLOW_QUEUE"
pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def front(databases: Any, stub_broker: Any, client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The workflow front of an installation with a RabbitMQ (nothing is sent: messages stay in the outbox)."""
    from dataclasses import replace

    from falcon.testing import TestClient

    import baton.http.workflow as workflow
    from baton.http.tokens import key_source

    monkeypatch.setenv("BATON_BROKER_URL", "stub://")
    get_settings.cache_clear()
    settings = replace(databases, broker_url="stub://")
    return TestClient(workflow.create_app(settings, key_source(settings)))


def get(front: Any, path: str, who: Principal = COORDINATOR, **params: Any) -> Any:
    return front.simulate_get(f"/api/v1/hooks{path}", headers=bearer(who), params=params)


def post(front: Any, path: str, body: Any = None, who: Principal = ADMIN, key: str | None = None) -> Any:
    headers = bearer(who) | ({"Idempotency-Key": key} if key else {})
    return front.simulate_post(f"/api/v1/hooks{path}", headers=headers, json=body or {})


def test_calls_are_listed_newest_first_by_state_and_ticket(front: Any) -> None:
    sent, given_up = ended_ticket(), ended_ticket(category="Asset Check In")
    assert [hook["id"] for hook in get(front, "").json["items"]] == [given_up.id, sent.id]
    assert [hook["id"] for hook in get(front, "", state="sent").json["items"]] == [sent.id]
    assert [hook["id"] for hook in get(front, "", ticket=given_up.ticket_number).json["items"]] == [given_up.id]
    assert get(front, "", state="lost").status_code == 422
    first = get(front, "", limit=1).json
    assert [hook["id"] for hook in get(front, "", cursor=first["next"]).json["items"]] == [sent.id]


def test_a_call_is_shown_with_its_payload_key_and_attempts(front: Any) -> None:
    hook = ended_ticket()
    shown = get(front, f"/{hook.id}").json
    assert (shown["state"], shown["hook"], shown["queue"], shown["attempts"]) == ("sent", "asset", AMS, 1)
    assert shown["idempotency_key"] == hook.message_id == messages(AMS)[0][1]
    assert shown["payload"]["serial_number"] == "SN-1"
    assert [(attempt["actor"], attempt["outcome"]) for attempt in shown["history"]] == [("system", "sent")]
    assert get(front, "/999").status_code == 404


def test_a_call_that_was_sent_is_sent_again_word_for_word_under_its_id(front: Any) -> None:
    hook = ended_ticket()
    again = post(front, f"/{hook.id}/replay").json
    assert (again["state"], again["attempts"], again["history"][-1]["actor"]) == ("sent", 2, ADMIN.subject)
    first, second = messages(AMS)
    assert first == second
    assert post(front, f"/{hook.id}/replay", {"serial_number": "SN-2"}).status_code == 409


def test_a_double_click_is_one_replay(front: Any) -> None:
    hook = ended_ticket()
    answers = [post(front, f"/{hook.id}/replay", key="once").json for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(messages(AMS)) == 2


def test_a_call_that_was_given_up_is_made_with_what_the_ticket_lacks(front: Any) -> None:
    hook = ended_ticket(category="Asset Check In", asset_name="ThinkPad")
    assert front.simulate_get("/health").json["checks"]["hooks"] == {"status": "degraded", "pending": 0, "gave_up": 1}
    assert post(front, f"/{hook.id}/replay").json["state"] == "gave up"
    assert post(front, f"/{hook.id}/replay", {"requested_budget": "1.00"}).status_code == 422
    assert post(front, f"/{hook.id}/replay", {"serial_number": "\x00"}).status_code == 422
    made = post(front, f"/{hook.id}/replay", {"serial_number": "SN-9"}).json
    assert (made["state"], made["corrections"], made["attempts"]) == ("sent", {"serial_number": "SN-9"}, 3)
    [(kwargs, message_id)] = messages(AMS)
    assert (kwargs["serial_number"], message_id) == ("SN-9", hook.message_id)
    assert front.simulate_get("/health").json["checks"]["hooks"]["status"] == "ok"


def test_what_cannot_be_made_is_settled_with_a_reason(front: Any) -> None:
    hook, sent = ended_ticket(category="Asset Check In"), ended_ticket()
    assert post(front, f"/{hook.id}/settle").status_code == 422
    done = post(front, f"/{hook.id}/settle", {"reason": "told by telephone"}).json
    assert (done["state"], done["detail"]) == ("done", "settled by hand: told by telephone")
    assert post(front, f"/{sent.id}/settle", {"reason": "no"}).status_code == 409
    assert post(front, f"/{hook.id}/settle", {"reason": "twice"}).status_code == 409
    assert front.simulate_get("/health").json["checks"]["hooks"]["gave_up"] == 0


def test_only_admins_replay_and_only_coordinators_and_admins_look(front: Any) -> None:
    hook = ended_ticket()
    assert get(front, "", TECHNICIAN).status_code == 403
    assert get(front, "", ADMIN).status_code == 200
    for path in (f"/{hook.id}/replay", f"/{hook.id}/settle"):
        assert post(front, path, {}, COORDINATOR).status_code == 403
    assert len(messages(AMS)) == 1
