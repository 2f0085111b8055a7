"""`baton dead-letters` on every broker: an operator sees what was given up on, and retries or deletes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.actors.broker import make_broker, use_broker
from baton.actors.broker_api import WireMessage
from baton.models.settings import get_settings
from baton.pipelines.messages import SendTicketStatus

QUEUE = SendTicketStatus.queue
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
    import dramatiq

    if kind != "embedded":
        url = "stub://" if kind == "stub" else request.getfixturevalue("rabbitmq_url")
        monkeypatch.setenv("BATON_BROKER_URL", url)
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
def baton(broker: Any) -> Callable[..., Result]:
    from baton.scripts.dead_letters import dead_letters

    return lambda *arguments, **options: CliRunner().invoke(dead_letters, arguments, **options)


def die(broker: Any, number: int = 1, reason: str = "no such ticket", traceback: str = "") -> None:
    envelope = {"message_id": f"m{number}", "trace_id": "t", "ticket_number": f"HD-{number:08d}", "attempt": 4}
    body = {
        "queue_name": QUEUE,
        "actor_name": SendTicketStatus.name,
        "args": [],
        "kwargs": {"ticket_id": "HD-00000001", "new_status": "Résolu"},
        "options": {"envelope": envelope},
        "message_id": f"m{number}",
        "message_timestamp": 1,
    }
    encoded = json.dumps(body, ensure_ascii=False).encode()
    broker.dead_letter(WireMessage(queue=QUEUE, body=encoded, message_id=f"m{number}"), reason, 4, traceback)


def listed(baton: Callable[..., Result], *arguments: str) -> list[dict[str, Any]]:
    return json.loads(baton("list", *arguments, "--json").stdout)


def test_an_empty_list_says_so(baton: Callable[..., Result]) -> None:
    result = baton("list")
    assert (result.exit_code, result.stdout) == (0, "No dead letters.\n")
    assert listed(baton, QUEUE) == []


@pytest.mark.parametrize(
    "arguments", [("list",), ("list", "--json"), ("show", "1"), ("requeue", "--all"), ("purge", "--all", "--yes")]
)
def test_a_queue_that_there_is_not_is_refused_with_those_there_are(
    broker: Any, baton: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    command, *rest = arguments
    result = baton(command, "NOSUCHQUEUE", *rest)
    assert result.exit_code == 2 and "there is no queue 'NOSUCHQUEUE'" in result.stderr and QUEUE in result.stderr


def test_the_list_shows_queue_id_reason_actor_ticket_attempts_and_age(broker: Any, baton: Callable[..., Result]) -> None:
    die(broker, 7)
    [letter] = listed(baton)
    assert (letter["queue"], letter["actor"], letter["ticket"]) == (QUEUE, SendTicketStatus.name, "HD-00000007")
    assert (letter["reason"], letter["attempts"]) == ("no such ticket", 4)
    line = baton("list").stdout.splitlines()[1]
    for cell in (QUEUE, str(letter["id"]), SendTicketStatus.name, "HD-00000007", "4", " s ", "no such ticket"):
        assert cell in line


def test_show_has_the_traceback_and_the_body_as_it_came(broker: Any, baton: Callable[..., Result]) -> None:
    die(broker, traceback="Traceback:\nValueError: nine")
    [letter] = listed(baton)
    shown = baton("show", QUEUE, str(letter["id"])).stdout
    assert "ValueError: nine" in shown
    assert "Résolu" in shown
    assert json.loads(baton("show", QUEUE, str(letter["id"]), "--json").stdout) == letter


def test_a_body_that_is_not_text_can_be_shown(broker: Any, baton: Callable[..., Result]) -> None:
    broker.dead_letter(WireMessage(queue=QUEUE, body=b"\xff\x00\xfe", message_id=""), "unreadable", 0)
    [letter] = listed(baton)
    assert letter["body_base64"] == "/wD+"
    assert baton("show", QUEUE, str(letter["id"])).exit_code == 0


def test_requeue_by_id_moves_that_one_and_leaves_the_others(broker: Any, baton: Callable[..., Result]) -> None:
    for number in (1, 2, 3):
        die(broker, number)
    ids = {letter["ticket"]: str(letter["id"]) for letter in listed(baton)}
    result = baton("requeue", QUEUE, ids["HD-00000002"])
    assert (result.exit_code, result.stdout) == (0, f"1 requeued on {QUEUE}.\n")
    assert [letter["ticket"] for letter in listed(baton)] == ["HD-00000001", "HD-00000003"]
    assert broker.queue_states([QUEUE])[0].ready == 1


def test_requeue_all_and_purge_all(broker: Any, baton: Callable[..., Result]) -> None:
    for number in (1, 2):
        die(broker, number)
    assert baton("requeue", QUEUE, "--all").stdout == f"2 requeued on {QUEUE}.\n"
    die(broker, 3)
    assert baton("purge", QUEUE, "--all", "--yes").stdout == f"1 deleted from {QUEUE}.\n"
    assert listed(baton) == []


def test_an_unknown_id_changes_nothing_and_names_the_remedy(broker: Any, baton: Callable[..., Result]) -> None:
    die(broker)
    [letter] = listed(baton)
    for arguments in (
        ("show", QUEUE, "nope"),
        ("requeue", QUEUE, str(letter["id"]), "nope"),
        ("purge", QUEUE, str(letter["id"]), "nope", "--yes"),
    ):
        result = baton(*arguments)
        assert result.exit_code == 1
        assert "nope" in result.output and "baton dead-letters list" in result.output
    assert listed(baton) == [letter]


def test_ids_or_all_but_not_both_and_not_neither(baton: Callable[..., Result]) -> None:
    assert baton("requeue", QUEUE).exit_code == 2
    assert baton("purge", QUEUE, "1", "--all").exit_code == 2


def test_purge_asks_first(broker: Any, baton: Callable[..., Result]) -> None:
    die(broker)
    assert baton("purge", QUEUE, "--all", input="n\n").exit_code == 1
    assert len(listed(baton)) == 1
