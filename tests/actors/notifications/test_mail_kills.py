"""The sender is killed with SIGKILL in the middle of a conversation: one mail each at the end, or a visible question."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from baton.models.notifications import failure_store
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def kill_a_sender(desk: Any, action: str, address: str) -> None:
    """Have a sender's process killed by the mail server when it comes to this action."""
    process: list[subprocess.Popen[bytes]] = []
    desk.mail.on_kept = lambda: (os.kill(process[0].pid, signal.SIGKILL), process[0].wait())
    desk.mail.script[address] = [action]
    process.append(subprocess.Popen([sys.executable, "-m", "tests.actors.notifications.send_once"]))
    assert process[0].wait(60) == -signal.SIGKILL


def test_n3_killed_after_the_server_took_the_mail_there_is_no_second_one_and_a_person_sees_it(desk: Any) -> None:
    killed, other = desk.mail_to("ann@example.com"), desk.mail_to("bob@example.com")
    kill_a_sender(desk, "hook", "ann@example.com")
    for _ in range(20):
        desk.later(60)
        desk.send()
    assert [len(desk.mail.to(address)) for address in ("ann@example.com", "bob@example.com")] == [1, 1]
    assert (desk.row(killed).state, desk.row(other).state) == ("uncertain", "sent")
    failure = desk.failure(killed)
    assert (failure.given_up, failure.resolved) == (True, False)
    assert "most likely arrived" in failure.error


def test_an_uncertain_mail_sent_again_by_hand_bears_the_same_message_id(desk: Any) -> None:
    killed = desk.mail_to("ann@example.com")
    kill_a_sender(desk, "hook", "ann@example.com")
    desk.later(400)
    desk.send()
    with write_tx("notifications") as tx:
        assert failure_store.send_again(tx, [killed]) == [killed]
    desk.send()
    first, second = desk.mail.to("ann@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    assert (desk.row(killed).state, desk.failure(killed).resolved) == ("sent", True)


def test_killed_before_the_server_had_the_mail_it_is_sent_once(desk: Any) -> None:
    killed = desk.mail_to("ann@example.com")
    kill_a_sender(desk, "rcpt hook", "ann@example.com")
    assert desk.row(killed).state == "sending"
    desk.send()
    assert desk.mail.kept == []
    desk.later(121)
    desk.send()
    assert len(desk.mail.to("ann@example.com")) == 1
    assert (desk.row(killed).state, desk.failure(killed)) == ("sent", None)
