"""On an event loop, SQLite's waiting stops nobody else, and an interruption leaves nothing half done."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

#: What each program begins with: a server's patched world, one service's database, and a ticker that notes its longest stall.
_BEGINNING = """
import gevent.monkey
gevent.monkey.patch_all()
import sys, threading, time
import gevent
from baton.models import database as db
from baton.models.sqlite import WaitingSqliteDatabase
from baton.models.event_loop import beside_the_loop
from baton.models.runtime import runtime_tables
from baton.models.settings import load_settings
from baton.models.transaction import write_tx
real_sleep = gevent.monkey.get_original("time", "sleep")
db.configure(load_settings({"BATON_DATA_DIR": sys.argv[1]}))
outbox = runtime_tables("helpdesk").Outbox
with db.connection("helpdesk") as connection:
    connection.create_tables([outbox])
ticks = []
def tick():
    while True:
        time.sleep(0.01)
        ticks.append(time.monotonic())
gevent.spawn(tick)
def insert():
    outbox.insert(queue="q", name="n", kwargs="{}", envelope="{}", created_at=db.now("helpdesk")).execute()
"""


def _run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _BEGINNING + program, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _rows(folder: Path) -> int:
    with sqlite3.connect(folder / "helpdesk.db") as connection:
        return int(connection.execute("select count(*) from outbox").fetchone()[0])


def test_waiting_for_another_processs_lock_stops_nobody_else(tmp_path: Path) -> None:
    ticks = _run(
        """
import sqlite3
held = sqlite3.connect(sys.argv[1] + "/helpdesk.db", isolation_level=None, check_same_thread=False)
held.execute("BEGIN IMMEDIATE")
gevent.spawn_later(3, held.execute, "COMMIT")
with write_tx("helpdesk"):
    insert()
print(len(ticks))
""",
        tmp_path,
    )
    # Of some three hundred; had it stopped everybody, there would be none or one.
    assert int(ticks) > 10
    assert _rows(tmp_path) == 1


def test_a_sync_to_disk_stops_nobody_else(tmp_path: Path) -> None:
    ticks = _run("beside_the_loop(lambda: real_sleep(3)); print(len(ticks))", tmp_path)
    # Of some three hundred; had it stopped everybody, there would be none or one.
    assert int(ticks) > 10


def test_what_happens_beside_the_loop_returns_and_raises_here(tmp_path: Path) -> None:
    told = _run(
        """
def fail(): raise LookupError("no")
try:
    beside_the_loop(fail)
except LookupError as error:
    print(beside_the_loop(lambda: 7), error)
""",
        tmp_path,
    )
    assert told == "7 no"


@pytest.mark.parametrize("slow", ["before", "after"])
def test_whoever_is_interrupted_during_a_commit_finds_it_done(tmp_path: Path, slow: str) -> None:
    told = _run(
        f"""
slow = {slow!r}
original = WaitingSqliteDatabase._commit_of
def slowly(self, connection):
    commit = original(self, connection)
    def act():
        if slow == "before": real_sleep(0.5)
        commit()
        if slow == "after": real_sleep(0.5)
    return act
WaitingSqliteDatabase._commit_of = slowly
try:
    with gevent.Timeout(0.1):
        with write_tx("helpdesk"):
            insert()
except gevent.Timeout:
    print("interrupted")
WaitingSqliteDatabase._commit_of = original
with write_tx("helpdesk"):
    insert()
""",
        tmp_path,
    )
    assert told == "interrupted"
    assert _rows(tmp_path) == 2
