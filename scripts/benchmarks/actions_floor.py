"""
The floor of an action: the rows and confirmed messages of completing a step, with bare psycopg and pika, one loop per process.

`act` closes an item and opens the next in one transaction, with its outbox rows, and publishes two messages; `assign` takes the
one and gives the new item to somebody; `status` takes the other and writes the help desk's ticket. Both `act` and `assign` also
say that the tickets changed, in two messages per fifty, which the floor does not take. It decides nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from typing import Any

import pika
import psycopg

from baton.models.settings import Settings
from baton.scripts.benchmarks.floor import Broker, insert

ASSIGN, STATUS = "floor.actions.assign", "floor.actions.status"
#: Where nobody listens: that tickets changed.
NEWS = ("floor.actions.clocks", "floor.actions.followers")
#: Tickets that one message of these names.
_NAMED = 50
#: Ids of the items that the actions open start here.
_OPENED = 10_000_000
_TABLES = (
    "workflow_ticket_snapshot", "workflow_task_item", "workflow_task_item_history", "workflow_assignment_pick",
    "workflow_role", "workflow_member", "helpdesk_ticket", "helpdesk_ticket_history",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """
    What each process is told: where the servers are, how many actions.

    `size` are done in one transaction, like the items of a request; what follows takes up to `batch` messages, as our handlers.
    """

    url: str
    broker_url: str
    actions: int
    size: int
    batch: int


def measure(settings: Settings, actions: int, size: int) -> float:
    """Return how many actions a second the floor does, from the first transaction to the last of the three loops'."""
    work = Work(settings.database_url("workflow"), settings.broker_url, actions, size, settings.batch_size)
    _make_tables(work)
    with pika.BlockingConnection(pika.URLParameters(work.broker_url)) as connection:
        channel = connection.channel()
        for queue in (ASSIGN, STATUS, *NEWS):
            channel.queue_delete(queue)
            channel.queue_declare(queue, durable=True)
    context = multiprocessing.get_context("spawn")
    ready, go, done = context.Semaphore(0), context.Event(), context.Queue()
    processes = [context.Process(target=each, args=(work, ready, go, done), daemon=True) for each in (_act, _assign, _status)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.monotonic()
    go.set()
    finished = max(done.get(timeout=600) for _ in processes)
    for process in processes:
        process.join(10)
    return actions / (finished - started)


def _act(work: Work, ready: Any, go: Any, done: Any) -> None:
    database, broker = psycopg.connect(work.url), Broker(work.broker_url)
    ready.release()
    go.wait()
    for first in range(1, work.actions + 1, work.size):
        numbers = list(range(first, min(first + work.size, work.actions + 1)))
        texts = [str(number) for number in numbers]
        with database.transaction():
            database.execute("select 1 from floor.workflow_ticket_snapshot where ticket_number = any(%s) for update", (texts,))
            database.execute("update floor.workflow_task_item set state = 'completed' where task = any(%s)", (numbers,))
            database.execute("update floor.workflow_member set open_items = open_items - 1 where id = 1")
            insert(database, "workflow_task_item", [number + _OPENED for number in numbers])
            insert(database, "workflow_task_item_history", numbers)
            database.execute(
                "update floor.workflow_ticket_snapshot set status = 'In Progress' where ticket_number = any(%s)", (texts,)
            )
            for queue, leaving in _leaving(numbers, ASSIGN, STATUS):
                insert(database, "outbox", leaving, f"{queue} ")
        _send(database, broker, _leaving(numbers, ASSIGN, STATUS))
    done.put(time.monotonic())


def _leaving(numbers: list[int], *queues: str) -> list[tuple[str, list[int]]]:
    """Return what a transaction about these tickets sends: queue, and a number for each message."""
    return [*((queue, numbers) for queue in queues), *((queue, numbers[::_NAMED]) for queue in NEWS)]


def _send(database: psycopg.Connection[Any], broker: Broker, leaving: list[tuple[str, list[int]]]) -> None:
    """Publish, wait for the confirmations, and delete the outbox rows."""
    for queue, numbers in leaving:
        broker.send(queue, numbers)
    broker.confirm()
    with database.transaction():
        names = [f"{queue} {number}" for queue, numbers in leaving for number in numbers]
        database.execute("delete from floor.outbox where name = any(%s)", (names,))


def _assign(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> None:
        database.execute("update floor.workflow_role set turn = turn + %s where id = 1", (len(numbers),))
        database.execute("update floor.workflow_member set open_items = open_items + 1 where id = 1")
        items = [number + _OPENED for number in numbers]
        database.execute("update floor.workflow_task_item set assignee = '7' where task = any(%s)", (items,))
        insert(database, "workflow_assignment_pick", numbers)
        insert(database, "workflow_task_item_history", numbers)
        for queue, leaving in _leaving(numbers):
            insert(database, "outbox", leaving, f"{queue} ")

    _take(work, ASSIGN, write, ready, go, done, sends=True)


def _status(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> None:
        database.execute("update floor.helpdesk_ticket set status = 'In Progress' where id = any(%s)", (numbers,))
        insert(database, "helpdesk_ticket_history", numbers)

    _take(work, STATUS, write, ready, go, done)


def _take(work: Work, queue: str, write: Any, ready: Any, go: Any, done: Any, *, sends: bool = False) -> None:
    database, broker = psycopg.connect(work.url), Broker(work.broker_url)
    ready.release()
    go.wait()
    taken = 0
    while taken < work.actions:
        tags, numbers = broker.take(queue, work.batch)
        with database.transaction():
            write(database, numbers)
        taken += len(numbers)
        if sends:
            _send(database, broker, _leaving(numbers))
        broker.acknowledge(tags)
    done.put(time.monotonic())


def _make_tables(work: Work) -> None:
    """Make empty copies of our tables, and an open item, snapshot and ticket for every action."""
    with psycopg.connect(work.url) as database:
        database.execute("drop schema if exists floor cascade")
        database.execute("create schema floor")
        for table in _TABLES:
            service, _, name = table.partition("_")
            database.execute(f"create table floor.{table} (like {service}.{name} including all)")
        database.execute("create table floor.outbox (like helpdesk.outbox including all)")
        database.execute("create index on floor.outbox (name)")
        database.execute("insert into floor.workflow_role select * from workflow.role order by id limit 1")
        database.execute("insert into floor.workflow_member select * from workflow.member order by id limit 1")
        for table in ("role", "member"):
            database.execute(f"update floor.workflow_{table} set id = 1")
        for first in range(1, work.actions + 1, 500):
            numbers = list(range(first, min(first + 500, work.actions + 1)))
            for table in ("helpdesk_ticket", "workflow_ticket_snapshot", "workflow_task_item"):
                insert(database, table, numbers)
