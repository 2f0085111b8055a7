"""
The floor of an action: the rows and confirmed messages of completing a step, with bare psycopg and pika, one loop per process.

`act` closes an item and opens the next in one transaction, with its outbox rows, and publishes what follows; the other loops take
the messages and do what our handlers do with them: `assign` gives the new item to somebody, `status` writes the help desk's
ticket, `clocks` the service levels' clocks, `followers` what is told of the ticket, `rooms` its conversation. Each takes what is
there, up to our batch, writes it in one transaction, publishes, deletes the outbox rows, acknowledges. It decides nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pika
import psycopg

from baton.actors.rabbitmq_consumer import GATHER_SECONDS
from baton.models.settings import Settings
from baton.scripts.benchmarks.actions_rows import Counts, of_floor
from baton.scripts.benchmarks.floor import Broker, insert

ASSIGN, STATUS, ROOMS = "floor.actions.assign", "floor.actions.status", "floor.actions.rooms"
CLOCKS, FOLLOWERS = "floor.actions.clocks", "floor.actions.followers"
#: Queues whose messages name up to fifty tickets; the others' are about one.
_NAMING, _NAMED = (CLOCKS, FOLLOWERS), 50
#: How long the first message of a queue waits for others, as it does with ours.
_GATHER = {
    ASSIGN: GATHER_SECONDS["workflow.assignment"],
    STATUS: GATHER_SECONDS["ticket_status-default"],
    CLOCKS: GATHER_SECONDS["workflow.clocks"],
    FOLLOWERS: GATHER_SECONDS["workflow.followers"],
}
#: Ids of the items that the actions open start here; so do the second rows of a ticket where it has two.
_OPENED = 10_000_000
_MEMBERS = 5
_TABLES = (
    "workflow_ticket_snapshot", "workflow_task_item", "workflow_task_item_history", "workflow_assignment_pick",
    "workflow_role", "workflow_member", "workflow_ticket_change", "workflow_sla_clock", "workflow_ticket_following",
    "helpdesk_ticket", "helpdesk_ticket_history", "messaging_room", "messaging_entry",
)  # fmt: skip
#: What is there for every action before it.
_BEFORE = ("helpdesk_ticket", "workflow_ticket_snapshot", "workflow_task_item", "workflow_sla_clock", "workflow_ticket_following",
           "messaging_room")  # fmt: skip
#: What one transaction sends: the queue, and the tickets.
Leaving = list[tuple[str, list[int]]]


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
    """Return how many actions a second the floor does, until all have their next person and their status synced."""
    work = _prepare(settings, actions, size)
    finished = _run(work)
    return actions / max(finished[name] for name in ("act", ASSIGN, STATUS))


def count(settings: Settings, actions: int, size: int) -> tuple[Counts, Counts]:
    """Return what the floor's tables count before and after so many actions."""
    work = _prepare(settings, actions, size)
    before = of_floor(work.url)
    _run(work)
    return before, of_floor(work.url)


def _prepare(settings: Settings, actions: int, size: int) -> Work:
    work = Work(settings.database_url("workflow"), settings.broker_url, actions, size, settings.batch_size)
    _make_tables(work)
    with pika.BlockingConnection(pika.URLParameters(work.broker_url)) as connection:
        channel = connection.channel()
        for queue in (ASSIGN, STATUS, CLOCKS, FOLLOWERS, ROOMS):
            channel.queue_delete(queue)
            channel.queue_declare(queue, durable=True)
    return work


def _run(work: Work) -> dict[str, float]:
    """Return when each loop was done, in seconds after the start."""
    context = multiprocessing.get_context("spawn")
    ready, go, done = context.Semaphore(0), context.Event(), context.Queue()
    loops = (_act, _assign, _status, _clocks, _followers, _rooms)
    processes = [context.Process(target=each, args=(work, ready, go, done), daemon=True) for each in loops]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.monotonic()
    go.set()
    finished = dict(done.get(timeout=600) for _ in processes)
    for process in processes:
        process.join(10)
    return {name: at - started for name, at in finished.items()}


def _act(work: Work, ready: Any, go: Any, done: Any) -> None:
    database, broker = psycopg.connect(work.url), Broker(work.broker_url)
    ready.release()
    go.wait()
    for first in range(1, work.actions + 1, work.size):
        numbers = list(range(first, min(first + work.size, work.actions + 1)))
        leaving = [(ASSIGN, numbers), (STATUS, numbers)]
        with database.transaction():
            locked = (
                "select 1 from floor.workflow_ticket_snapshot where ticket_number = any(%s) order by ticket_number for update"
            )
            database.execute(locked, (_texts(numbers),))
            database.execute("update floor.workflow_task_item set state = 'completed' where task = any(%s)", (numbers,))
            _count(database, numbers, -1)
            insert(database, "workflow_task_item", [number + _OPENED for number in numbers])
            insert(database, "workflow_task_item_history", numbers)
            become = "update floor.workflow_ticket_snapshot set status = 'In Progress' where ticket_number = any(%s)"
            database.execute(become, (_texts(numbers),))
            insert(database, "workflow_ticket_change", numbers)
            _note(database, leaving)
        _send(database, broker, leaving)
    done.put(("act", time.monotonic()))


def _assign(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> Leaving:
        database.execute("update floor.workflow_role set turn = turn + %s where id = 1", (len(numbers),))
        _count(database, numbers, 1)
        items = [number + _OPENED for number in numbers]
        database.execute("update floor.workflow_task_item set assignee = '7' where task = any(%s)", (items,))
        insert(database, "workflow_assignment_pick", numbers)
        insert(database, "workflow_task_item_history", numbers)
        return [(CLOCKS, numbers), (FOLLOWERS, numbers)]

    _take(work, ASSIGN, write, ready, go, done)


def _status(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> Leaving:
        database.execute("update floor.helpdesk_ticket set status = 'In Progress' where id = any(%s)", (numbers,))
        insert(database, "helpdesk_ticket_history", numbers)
        return []

    _take(work, STATUS, write, ready, go, done)


def _clocks(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> Leaving:
        stop = "state = 'met', stopped_at = now(), next_fire_at = null, version = version + 1, updated_at = now()"
        database.execute(f"update floor.workflow_sla_clock set {stop} where ticket_number = any(%s)", (_texts(numbers),))
        insert(database, "workflow_sla_clock", [number + _OPENED for number in numbers])
        return []

    _take(work, CLOCKS, write, ready, go, done)


def _followers(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> Leaving:
        told = "version = version + 1, content = repeat('what is told ', 30), told_at = now()"
        database.execute(f"update floor.workflow_ticket_following set {told} where ticket_number = any(%s)", (_texts(numbers),))
        return [(ROOMS, numbers)]

    _take(work, FOLLOWERS, write, ready, go, done)


def _rooms(work: Work, ready: Any, go: Any, done: Any) -> None:
    def write(database: psycopg.Connection[Any], numbers: list[int]) -> Leaving:
        texts = _texts(numbers)
        for one in (numbers, [number + _OPENED for number in numbers]):
            insert(database, "messaging_entry", one)
        became = "version = version + 1, last_number = last_number + 2, status = 'In Progress', updated_at = now()"
        database.execute(f"update floor.messaging_room set {became} where ticket_number = any(%s)", (texts,))
        return []

    _take(work, ROOMS, write, ready, go, done)


def _take(
    work: Work, queue: str, write: Callable[[psycopg.Connection[Any], list[int]], Leaving], ready: Any, go: Any, done: Any
) -> None:
    database, broker = psycopg.connect(work.url), Broker(work.broker_url)
    ready.release()
    go.wait()
    taken = 0
    while taken < work.actions:
        tags, numbers = broker.take(queue, work.batch, _GATHER.get(queue, 0.0))
        with database.transaction():
            leaving = write(database, numbers)
            _note(database, leaving)
        taken += len(numbers)
        if leaving:
            _send(database, broker, leaving)
        broker.acknowledge(tags)
    done.put((queue, time.monotonic()))


def _texts(numbers: list[int]) -> list[str]:
    return [str(number) for number in numbers]


def _count(database: psycopg.Connection[Any], numbers: list[int], change: int) -> None:
    """Change how much open work the members of these items have, each row once."""
    members = sorted({number % _MEMBERS for number in numbers})
    database.execute("update floor.workflow_member set open_items = open_items + %s where id = any(%s)", (change, members))


def _messages(leaving: Leaving) -> list[tuple[str, list[int]]]:
    """Return queue and tickets of each message of a transaction."""
    found = []
    for queue, numbers in leaving:
        each = _NAMED if queue in _NAMING else 1
        found += [(queue, numbers[first : first + each]) for first in range(0, len(numbers), each)]
    return found


def _note(database: psycopg.Connection[Any], leaving: Leaving) -> None:
    for queue, _ in leaving:
        insert(database, "outbox", [tickets[0] for at, tickets in _messages(leaving) if at == queue], f"{queue} ")


def _send(database: psycopg.Connection[Any], broker: Broker, leaving: Leaving) -> None:
    """Publish, wait for the confirmations, and delete the outbox rows."""
    for queue, tickets in _messages(leaving):
        (broker.name if queue in _NAMING else broker.send)(queue, tickets)
    broker.confirm()
    with database.transaction():
        names = [f"{queue} {tickets[0]}" for queue, tickets in _messages(leaving)]
        database.execute("delete from floor.outbox where name = any(%s)", (names,))


def _make_tables(work: Work) -> None:
    """Make empty copies of our tables, and what is there for every action."""
    with psycopg.connect(work.url) as database:
        database.execute("drop schema if exists floor cascade")
        database.execute("create schema floor")
        for table in _TABLES:
            service, _, name = table.partition("_")
            database.execute(f"create table floor.{table} (like {service}.{name} including all)")
        database.execute("create table floor.outbox (like helpdesk.outbox including all)")
        database.execute("create index on floor.outbox (name)")
        insert(database, "workflow_role", [1])
        database.execute("update floor.workflow_role set id = 1")
        insert(database, "workflow_member", list(range(_MEMBERS)))
        database.execute("update floor.workflow_member set id = id + 1000000")
        place = "(select count(*) from floor.workflow_member other where other.id < member.id)"
        database.execute(f"update floor.workflow_member member set id = {place}")
        for first in range(1, work.actions + 1, 500):
            numbers = list(range(first, min(first + 500, work.actions + 1)))
            for table in _BEFORE:
                insert(database, table, numbers)
            # Two clocks of each ticket change.
            database.execute("update floor.workflow_sla_clock set item = item + %s where cycle = any(%s)", (_OPENED, numbers))
            insert(database, "workflow_sla_clock", numbers)
