"""Dead letters over HTTP, on every broker: admins see what was given up on, put it back, delete it; nobody else does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dramatiq
import pytest
import structlog
from falcon.testing import TestClient

from baton.actors.broker import make_broker, use_broker
from baton.actors.broker_api import BrokerUnavailableError, WireMessage
from baton.models.settings import get_settings
from baton.pipelines.messages import SendTicketStatus
from baton.pipelines.permissions import Principal
from tests.factories import ADMIN, COORDINATOR, EMPLOYEE, SERVICE, bearer

QUEUE = SendTicketStatus.queue
PATH = "/api/v1/dead-letters"
BROKERS = ["embedded", "stub", pytest.param("rabbitmq", marks=pytest.mark.distributed)]
pytestmark = pytest.mark.parametrize("kind", BROKERS)


@pytest.fixture(scope="module")
def rabbitmq_url(rabbitmq_server: Any) -> Iterator[str]:
    """One virtual host for all tests of this module: making one takes seconds. Each test leaves its queues empty."""
    url: str = rabbitmq_server.fresh_url()
    yield url
    rabbitmq_server.forget(url)


@pytest.fixture
def broker(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if kind != "embedded":
        monkeypatch.setenv("BATON_BROKER_URL", "stub://" if kind == "stub" else request.getfixturevalue("rabbitmq_url"))
    get_settings.cache_clear()
    before = dramatiq.get_broker()
    broker = make_broker(get_settings())
    use_broker(broker)
    yield broker
    if kind == "rabbitmq":
        broker.flush(QUEUE)
    broker.close()
    use_broker(before)


@pytest.fixture
def front(broker: Any, databases: Any, client: Callable[[str], TestClient]) -> TestClient:
    return client("issues")


def die(broker: Any, number: int = 1, traceback: str = "") -> None:
    envelope = {"message_id": f"m{number}", "trace_id": "t", "ticket_number": f"HD-{number:08d}", "attempt": 4}
    body = {
        "queue_name": QUEUE,
        "actor_name": SendTicketStatus.name,
        "args": [],
        "kwargs": {"ticket_id": f"HD-{number:08d}", "new_status": "Résolu"},
        "options": {"envelope": envelope},
        "message_id": f"m{number}",
        "message_timestamp": 1,
    }
    wire = WireMessage(queue=QUEUE, body=json.dumps(body, ensure_ascii=False).encode(), message_id=f"m{number}")
    broker.dead_letter(wire, "no such ticket", 4, traceback)


def get(front: TestClient, path: str = "", who: Principal = ADMIN, **params: Any) -> Any:
    return front.simulate_get(PATH + path, headers=bearer(who), params=params)


def post(front: TestClient, act: str, body: Any, who: Principal = ADMIN, queue: str = QUEUE) -> Any:
    return front.simulate_post(f"{PATH}/{queue}/{act}", headers=bearer(who), json=body)


def ids(front: TestClient) -> list[str]:
    return [letter["id"] for letter in get(front).json["items"]]


def test_the_list_says_what_died_of_what_and_how_many_there_are(front: TestClient, broker: Any) -> None:
    assert (get(front).json["items"], get(front).json["dead"]) == ([], 0)
    for number in (1, 2, 3):
        die(broker, number)
    found = get(front, queue=QUEUE, limit=2).json
    assert [letter["ticket_number"] for letter in found["items"]] == ["HD-00000001", "HD-00000002"]
    assert found["dead"] == 3
    first = found["items"][0]
    assert (first["queue"], first["actor"], first["attempts"]) == (QUEUE, SendTicketStatus.name, 4)
    assert first["reason"] == "no such ticket"
    assert "Résolu" not in json.dumps(found, ensure_ascii=False), "fields are for the page of the one"


def test_one_is_shown_with_its_traceback_fields_and_envelope_and_stays(front: TestClient, broker: Any) -> None:
    die(broker, traceback="Traceback:\nValueError: nine")
    [letter_id] = ids(front)
    shown = get(front, f"/{QUEUE}/{letter_id}").json
    assert "ValueError: nine" in shown["traceback"]
    assert shown["fields"] == {"ticket_id": "HD-00000001", "new_status": "Résolu"}
    assert (shown["envelope"]["attempt"], shown["message_id"], shown["encoding"]) == (4, "m1", "text")
    assert ids(front) == [letter_id]


def test_one_that_cannot_be_read_is_shown_as_it_came(front: TestClient, broker: Any) -> None:
    broker.dead_letter(WireMessage(queue=QUEUE, body=b"\xff\x00\xfe", message_id=""), "unreadable", 0)
    [letter_id] = ids(front)
    shown = get(front, f"/{QUEUE}/{letter_id}").json
    assert (shown["body"], shown["encoding"], shown["fields"], shown["envelope"]) == ("/wD+", "base64", None, None)


def test_the_chosen_go_back_once_however_often_one_asks(front: TestClient, broker: Any) -> None:
    for number in (1, 2):
        die(broker, number)
    chosen = ids(front)[:1]
    assert post(front, "requeue", {"ids": chosen}).json == {"queue": QUEUE, "done": 1}
    assert post(front, "requeue", {"ids": chosen}).json == {"queue": QUEUE, "done": 0}
    assert post(front, "purge", {"ids": chosen}).json["done"] == 0
    assert len(ids(front)) == 1
    assert broker.queue_states([QUEUE])[0].ready == 1


def test_all_means_those_that_had_died_when_one_looked(front: TestClient, broker: Any) -> None:
    for number in (1, 2):
        die(broker, number)
    at = get(front).json["at"]
    later = (datetime.fromisoformat(at) - timedelta(hours=1)).isoformat()
    assert post(front, "purge", {"died_before": later}).json["done"] == 0
    assert post(front, "purge", {"died_before": at}).json["done"] == 2
    die(broker, 3)
    assert post(front, "purge", {"died_before": at}).json["done"] == 0
    assert len(ids(front)) == 1


def test_a_decision_is_logged_with_who_took_it_and_without_the_message(front: TestClient, broker: Any) -> None:
    die(broker)
    [letter_id] = ids(front)
    with structlog.testing.capture_logs() as logs:
        post(front, "purge", {"ids": [letter_id]})
    [entry] = [each for each in logs if each["event"] == "dead_letters_purged"]
    assert (entry["by"], entry["ids"], entry["done"], entry["queue"]) == (ADMIN.subject, [letter_id], 1, QUEUE)
    assert "Résolu" not in str(logs)


def test_only_admins_read_and_services_may_count_and_decide(front: TestClient, broker: Any) -> None:
    die(broker)
    [letter_id] = ids(front)
    for who in (COORDINATOR, EMPLOYEE, SERVICE):
        assert get(front, who=who).status_code == 403
        assert get(front, f"/{QUEUE}/{letter_id}", who).status_code == 403
    for who in (COORDINATOR, EMPLOYEE):
        assert get(front, "/queues", who).status_code == 403
        assert post(front, "purge", {"ids": [letter_id]}, who).status_code == 403
    [state] = [each for each in get(front, "/queues", SERVICE).json["items"] if each["queue"] == QUEUE]
    assert (state["dead"], state["receiver"]) == (1, "helpdesk")
    assert ids(front) == [letter_id]
    assert front.simulate_get(PATH).status_code == 401


def test_what_there_is_not_and_what_makes_no_sense_changes_nothing(front: TestClient, broker: Any) -> None:
    die(broker)
    now = datetime.now(UTC).isoformat()
    assert get(front, "/NOSUCH/1").status_code == 404
    for unknown in ("nope", "99", "9" * 40, "%C2%B2"):
        assert get(front, f"/{QUEUE}/{unknown}").status_code == 404
    assert get(front, queue="NOSUCH").status_code == 404
    assert post(front, "purge", {"ids": ["1"]}, queue="NOSUCH").status_code == 404
    for body in ({}, {"ids": []}, {"ids": [1]}, {"ids": ["1"], "died_before": now}, {"died_before": "x"}, {"ids": ["\x00"]}):
        assert post(front, "purge", body).status_code == 422
    assert len(ids(front)) == 1


def test_a_broker_that_is_away_is_said(front: TestClient, broker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise BrokerUnavailableError("RabbitMQ cannot be reached")

    for name in ("queue_states", "find_dead_letter", "purge_dead_letters"):
        monkeypatch.setattr(broker, name, away)
    for answer in (get(front), get(front, "/queues"), get(front, f"/{QUEUE}/1"), post(front, "purge", {"ids": ["1"]})):
        assert (answer.status_code, answer.json["type"]) == (503, "urn:baton:problem:broker-unavailable")
