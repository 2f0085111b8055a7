"""
A ticket's way from end to end, through every process, on both kinds of run: filed over HTTP, assigned, its status back.

A report of something wrong goes the same way, from a program or another service, and ends as an issue.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from baton.http.issue_client import IssueClient
from baton.models import database
from baton.models.settings import SERVICES
from baton.models.transaction import write_tx
from baton.pipelines.messages import RecordIssue
from baton.scripts.experiments import counting
from baton.scripts.experiments.load import Clients
from baton.scripts.stack import Stack
from tests.factories import ticket_body

pytestmark = pytest.mark.usefixtures("alone")
KINDS = ["embedded", pytest.param("distributed", marks=pytest.mark.distributed)]
EMPLOYEE = {"id": "101", "name": "Eve Employee", "email": "eve@example.com"}


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A running stack of each kind, seeded, with the models of this process bound to its databases."""
    if request.param == "embedded":
        made = Stack.embedded()
    else:
        postgres, rabbitmq = (request.getfixturevalue(f"{name}_server") for name in ("postgres", "rabbitmq"))
        database_url, broker_url = postgres.fresh_url(), rabbitmq.fresh_url()
        request.addfinalizer(lambda: postgres.forget(database_url))
        request.addfinalizer(lambda: rabbitmq.forget(broker_url))
        # Small pools: this server has a limit of connections, and others may be using it.
        made = Stack.distributed(database_url, broker_url, BATON_POOL_SIZE="3")
    with made:
        yield made


@pytest.fixture(autouse=True)
def _bound(stack: Stack) -> Iterator[None]:
    database.configure(stack.settings)
    yield
    for service in SERVICES:
        database.close(service)


@pytest.fixture
def headers(stack: Stack) -> dict[str, str]:
    """Headers that sign a call as a service."""
    return {"Authorization": f"Bearer {stack.service_token('test')}"}


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 90.0) -> Any:
    """Return what `look` sees once it is as wanted; fail with what it saw last."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds:.0f} s"
        time.sleep(0.05)
    return seen


def test_a_ticket_filed_at_the_help_desk_is_assigned_and_its_status_comes_back(stack: Stack, headers: dict[str, str]) -> None:
    url = f"{stack.url('helpdesk')}/api/v1/tickets"

    answer = httpx.post(url, json=ticket_body(employee=EMPLOYEE), headers=headers)

    assert answer.status_code == 201, answer.text
    number = answer.json()["ticket_number"]
    assert answer.json()["status"] == "Open"
    ticket = eventually(lambda: httpx.get(f"{url}/{number}", headers=headers).json(), lambda seen: seen["status"] == "Assigned")
    assert ticket["ticket_number"] == number


def test_a_ticket_from_another_system_comes_through_the_gateway(stack: Stack, headers: dict[str, str]) -> None:
    body = ticket_body(employee=EMPLOYEE, source_service="facilities")

    answer = httpx.post(f"{stack.url('tickets')}/send/", json=body, headers=headers)

    assert answer.status_code in (201, 202), answer.text
    number = answer.json()["ticket_number"]
    assert number.startswith("GW-")
    eventually(lambda: _gateway_status(number), lambda status: status == "Assigned")


def test_a_ticket_that_matches_no_workflow_is_seen_in_triage(stack: Stack, headers: dict[str, str]) -> None:
    body = ticket_body(employee=EMPLOYEE, category="Gardening", department="Grounds")
    url = f"{stack.url('helpdesk')}/api/v1/tickets"

    number = httpx.post(url, json=body, headers=headers).json()["ticket_number"]

    eventually(lambda: httpx.get(f"{url}/{number}", headers=headers).json()["status"], lambda seen: seen == "In Triage")


def test_many_tickets_at_once_keep_every_promise(stack: Stack) -> None:
    before = counting.known()
    urls = {service: stack.url(service) for service in ("helpdesk", "tickets")}
    clients = Clients(urls, stack.service_token, seed=5, count=200, seconds=1.0)

    clients.start()
    clients.join(60)

    assert clients.done
    assert len(clients.filed.numbers) == 200
    eventually(lambda: counting.unfinished(clients.filed), lambda left: left == 0, 120)
    eventually(lambda: counting.waiting(stack.settings), lambda left: left == {}, 120)
    assert clients.filed.refusals == []
    stock = counting.take_stock(stack.settings, clients.filed, before)
    assert stock.violations == []


def test_a_program_reports_comments_and_closes_without_waiting(stack: Stack, headers: dict[str, str]) -> None:
    issues = IssueClient(stack.settings, "import", limit=10.0)
    reference = issues.log_issue("The nightly import stops", "It says nothing.", tags=["import"], component="import")
    assert reference is not None
    assert issues.add_comment(reference, "It went on by itself.")
    assert issues.update_issue_status(reference, "resolved")

    eventually(lambda: _issue(stack, headers, reference)["status"], lambda status: status == "resolved")
    page = eventually(lambda: _issue(stack, headers, reference, "/comments")["items"], lambda items: len(items) == 2)
    assert [item["kind"] for item in page] == ["comment", "status"]


def test_what_another_service_announces_is_one_issue_with_a_count(stack: Stack, headers: dict[str, str]) -> None:
    references = [f"temp-{uuid.uuid4()}" for _ in range(3)]
    for reference in references:
        with write_tx("tickets") as tx:
            fingerprint = "fault:" + "e" * 32
            tx.announce(RecordIssue(temporary_id=reference, title="It fails", fingerprint=fingerprint, component="tickets"))

    found = [
        eventually(lambda reference=reference: _issue(stack, headers, reference), lambda seen: seen.get("count", 0) == 3)
        for reference in references
    ]
    assert len({issue["id"] for issue in found}) == 1


def _issue(stack: Stack, headers: dict[str, str], reference: str, part: str = "") -> Any:
    return httpx.get(f"{stack.url('issues')}/api/v1/issues/{reference}{part}", headers=headers, timeout=60).json()


def _gateway_status(number: str) -> str | None:
    from baton.models.tickets import Receipt, row_id_of

    with database.read_tx("tickets"):
        receipt = Receipt.get_or_none(Receipt.id == row_id_of(number))
    return None if receipt is None else receipt.status
