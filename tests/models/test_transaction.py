"""Rows and messages commit together or not at all, and writers never see a locked database."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import peewee as pw
import pytest

from baton.models import database as db
from baton.models.rows import dicts
from baton.models.runtime import runtime_tables
from baton.models.settings import load_settings
from baton.models.transaction import write_tx
from baton.models.wake import subscribe, unsubscribe
from baton.pipelines.messages import SendTicketStatus
from tests.factories import BACKENDS

TABLES = runtime_tables("helpdesk")


@pytest.fixture
def helpdesk(tmp_path: Path) -> Path:
    settings = load_settings({"BATON_DATA_DIR": str(tmp_path)})
    db.configure(settings)
    with db.connection("helpdesk") as connection:
        connection.create_tables(TABLES.all)
    return tmp_path


def _outbox() -> list[dict[str, object]]:
    with db.read_tx("helpdesk"):
        return list(TABLES.Outbox.select().order_by(TABLES.Outbox.id).dicts())


def test_an_announced_message_is_in_the_outbox_after_the_commit_with_its_envelope(helpdesk: Path) -> None:
    with write_tx("helpdesk") as tx:
        message_id = tx.announce(SendTicketStatus(ticket_id="HD-1", new_status="Open"), ticket_number="HD-1", version=3)
    (row,) = _outbox()
    envelope = json.loads(str(row["envelope"]))
    assert row["queue"] == "ticket_status-default"
    assert json.loads(str(row["kwargs"])) == {"ticket_id": "HD-1", "new_status": "Open"}
    assert (envelope["message_id"], envelope["ticket_number"], envelope["version"]) == (message_id, "HD-1", 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_query_outside_of_a_connection_is_refused_instead_of_keeping_one_for_good(databases: Any) -> None:
    with pytest.raises(pw.InterfaceError, match="not opened"):
        dicts(TABLES.Outbox.select())
    assert db.service_database("helpdesk").is_closed()


def test_an_exception_leaves_neither_row_nor_message(helpdesk: Path) -> None:
    with pytest.raises(RuntimeError), write_tx("helpdesk") as tx:
        TABLES.Inbox.insert(receiver="r", message_id="m", handled_at=tx.now).execute()
        tx.announce(SendTicketStatus(ticket_id="HD-1", new_status="Open"))
        raise RuntimeError("the process meets a fault")
    with db.read_tx("helpdesk"):
        assert TABLES.Inbox.select().count() == 0
    assert _outbox() == []


def test_a_commit_with_messages_wakes_the_relay_and_one_without_does_not(helpdesk: Path) -> None:
    woken = subscribe("outbox:helpdesk")
    try:
        with write_tx("helpdesk"):
            pass
        assert not woken.is_set()
        with write_tx("helpdesk") as tx:
            tx.announce(SendTicketStatus(ticket_id="HD-1", new_status="Open"))
        assert woken.is_set()
    finally:
        unsubscribe(woken)


#: A process that reads a number and writes the next one, over and over: the pattern that fails in deferred transactions.
READ_THEN_WRITE = """
import sys
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.models.settings import load_settings
from baton.models.transaction import write_tx

db.configure(load_settings({"BATON_DATA_DIR": sys.argv[1], "BATON_SQLITE_SYNCHRONOUS": "NORMAL"}))
row_of = runtime_tables("helpdesk").Heartbeat
for _ in range(int(sys.argv[2])):
    with write_tx("helpdesk"):
        row_of.update(detail=str(int(row_of.get().detail) + 1)).execute()
"""


def test_processes_and_threads_that_read_then_write_lose_no_update_and_never_see_a_locked_database(helpdesk: Path) -> None:
    with write_tx("helpdesk") as tx:
        TABLES.Heartbeat.insert(kind="count", instance="1", detail="0", seen_at=tx.now).execute()
    db.close("helpdesk")
    command = [sys.executable, "-c", READ_THEN_WRITE, str(helpdesk), "100"]
    processes = [subprocess.Popen(command) for _ in range(3)]
    threads = [threading.Thread(target=_count_here, args=(50,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with db.read_tx("helpdesk"):
        assert TABLES.Heartbeat.get().detail == str(3 * 100 + 4 * 50)


def _count_here(repeats: int) -> None:
    for _ in range(repeats):
        with write_tx("helpdesk"):
            row = TABLES.Heartbeat.get(TABLES.Heartbeat.kind == "count")
            TABLES.Heartbeat.update(detail=str(int(row.detail) + 1)).execute()


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.distributed)])
def test_messages_leave_in_order_and_to_the_letter_whatever_their_texts_hold(databases: Any, backend: str) -> None:
    texts = ["", "\0", "\\u0000 \\", "'\"`{}[],", "\t\r\n\x1f\x7f\u2028", "ä€\U0001f3c1", "\ud800", "%s ?", "NULL", "a" * 100_000]
    with write_tx("helpdesk") as tx:
        for turn in range(40):
            for text in texts:
                tx.announce(SendTicketStatus(ticket_id=f"HD-{turn}", new_status=text))
        tx.send_again(queue="q'\\", name='n"ä', kwargs='{"a": "ä\\ud800\\u0000"}', envelope="{}")
    *rows, again = _outbox()
    sent = [json.loads(str(row["kwargs"])) for row in rows]
    assert sent == [{"ticket_id": f"HD-{turn}", "new_status": text} for turn in range(40) for text in texts]
    assert len({json.loads(str(row["envelope"]))["message_id"] for row in rows}) == len(rows)
    assert [again[name] for name in ("queue", "name", "kwargs", "envelope")] == ["q'\\", 'n"ä', '{"a": "ä\\ud800\\u0000"}', "{}"]
