"""Failed mails as coordinators see them: the list, sending one again, setting one aside; and what health says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.models import database
from baton.models.notifications import EmailDelivery, failure_store
from baton.models.notifications.email_tables import CircuitBreaker, FailedNotification
from baton.models.transaction import write_tx
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN, bearer

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
PATH = "/api/v1/notifications/failed"


@pytest.fixture
def front(client: Callable[[str], Any]) -> Any:
    return client("notifications")


def failed(key: str, *, state: str = "failed", given_up: bool = True, **changes: Any) -> int:
    """Have a mail that failed; return its failure."""
    with write_tx("notifications") as tx:
        row = {"recipient": "user:7", "ticket_number": "HD-1", "type": "task_assignment", "task_item_id": 5, "message_id": key}
        delivery = EmailDelivery.create(**{**row, "send_after": tx.now, "created_at": tx.now, "state": state, **changes})
        later = None if given_up else tx.now + timedelta(seconds=60)
        failure_store.note(tx, delivery, "RCPT TO: 550 no such user", next_retry=later, retries=3)
        return int(FailedNotification.get(FailedNotification.delivery == delivery.id).id)


def mail_of(failure: int) -> EmailDelivery:
    with database.read_tx("notifications"):
        return EmailDelivery.get_by_id(FailedNotification.get_by_id(failure).delivery)


def get(front: Any, path: str = PATH, who: Any = COORDINATOR, **params: Any) -> Any:
    return front.simulate_get(path, params=params, headers=bearer(who))


def post(front: Any, path: str, who: Any = COORDINATOR, body: Any = None) -> Any:
    return front.simulate_post(path, headers=bearer(who), **({"json": body} if body is not None else {}))


def test_a_failure_is_shown_with_what_the_contract_names(front: Any) -> None:
    failure = failed("a")
    (item,) = get(front).json["items"]
    assert (item["id"], item["task_item_id"], item["type"], item["retry_count"]) == (failure, 5, "task_assignment", 3)
    assert (item["error"], item["resolved"], item["given_up"]) == ("RCPT TO: 550 no such user", False, True)
    assert item["last_retry"] is not None
    assert get(front, f"{PATH}/{failure}").json == item


def test_the_list_is_filtered_and_paged(front: Any) -> None:
    ids = [failed(f"k{number}", ticket_number=f"HD-{number % 2}") for number in range(5)]
    first = get(front, limit=2).json
    assert [item["id"] for item in first["items"]] == [ids[4], ids[3]]
    assert [item["id"] for item in get(front, limit=2, cursor=first["next"]).json["items"]] == [ids[2], ids[1]]
    assert len(get(front, ticket="HD-0").json["items"]) == 3
    assert get(front, recipient="user:8").json["items"] == []
    assert get(front, resolved="true").json["items"] == []


def test_a_given_up_mail_sent_again_by_hand_is_due_with_all_its_retries(front: Any) -> None:
    failure = failed("a", retries=3, send_after=database.now("notifications") - timedelta(days=2))
    answer = post(front, f"{PATH}/{failure}/retry")
    assert (answer.status_code, answer.json["given_up"], answer.json["resolved"]) == (200, False, False)
    mail = mail_of(failure)
    assert (mail.state, mail.retries) == ("pending", 0)
    assert mail.send_after > database.now("notifications") - timedelta(minutes=1)


def test_a_mail_that_waits_for_its_retry_is_due_now(front: Any) -> None:
    failure = failed("a", state="pending", given_up=False, send_after=database.now("notifications") + timedelta(hours=1))
    assert post(front, f"{PATH}/{failure}/retry").status_code == 200
    assert mail_of(failure).send_after <= database.now("notifications")


def test_a_failure_set_aside_is_resolved_and_its_mail_is_not_sent(front: Any) -> None:
    failure = failed("a")
    answer = post(front, f"{PATH}/{failure}/resolve", body={"reason": "told them in person"})
    assert (answer.status_code, answer.json["resolved"]) == (200, True)
    assert answer.json["resolved_by"] == "user:2: told them in person"
    assert mail_of(failure).state == "skipped"
    assert get(front).json["items"] == []
    assert post(front, f"{PATH}/{failure}/retry").status_code == 409


def test_others_see_no_failures_and_send_nothing_again(front: Any) -> None:
    failure = failed("a")
    for who in (EMPLOYEE, TECHNICIAN):
        assert get(front, who=who).status_code == 403
        assert post(front, f"{PATH}/{failure}/retry", who).status_code == 403
    assert front.simulate_get(PATH).status_code == 401
    assert post(front, f"{PATH}/999/retry").status_code == 404
    assert mail_of(failure).state == "failed"


def test_health_is_degraded_while_somebody_should_look_and_fails_when_mails_do_not_leave(front: Any) -> None:
    def mail() -> dict[str, Any]:
        checks: dict[str, Any] = front.simulate_get("/health").json["checks"]
        return checks["mail"]

    assert mail()["status"] == "ok"
    failed("a")
    assert (mail()["status"], mail()["failed"]) == ("degraded", 1)
    failed("late", state="pending", given_up=False, send_after=database.now("notifications") - timedelta(minutes=11))
    assert mail()["status"] == "failing"
    assert front.simulate_get("/health", params={"strict": 1}).status_code == 503


def test_health_and_metrics_tell_the_state_of_the_breakers(front: Any) -> None:
    assert front.simulate_get("/health").json["checks"]["breakers"] == {
        "status": "ok", "breakers": {name: {"state": "closed", "failures": 0} for name in ("auth", "folder")},
    }  # fmt: skip
    with write_tx("notifications") as tx:
        CircuitBreaker.create(name="smtp", failures=5, opened_at=tx.now, error="ConnectionRefusedError", changed_at=tx.now)
        CircuitBreaker.create(name="auth", failures=1, changed_at=tx.now)
    check = front.simulate_get("/health").json["checks"]["breakers"]
    states = {name: facts["state"] for name, facts in check["breakers"].items()}
    assert (check["status"], states) == ("degraded", {"auth": "closed", "folder": "closed", "smtp": "open"})
    metrics = front.simulate_get("/metrics").text
    assert 'baton_breaker_state{name="smtp"} 2.0' in metrics
    assert 'baton_breaker_state{name="auth"} 0.0' in metrics
    assert "baton_mail_failed 0.0" in metrics
