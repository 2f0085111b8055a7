"""
The floor: what the pipeline's rows and confirmed messages cost by themselves, with bare psycopg and pika, one loop per process.

Each stage takes up to `batch` messages, writes the same rows as ours in one transaction (its outbox rows too), publishes the next
stage's messages and waits for their confirmations, deletes the outbox rows, acknowledges. It validates nothing, decides nothing,
survives nothing, and explains nothing.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee as pw
import pika
import psycopg

from baton.models.settings import Settings
from baton.scripts.benchmarks.setting import DESCRIPTION

_LONG = {"ticket_data", "considered", "description", "kwargs"}
_BODY = json.dumps({"payload": {"ticket": {"subject": "The printer is jammed", "description": DESCRIPTION}}}) + " " * 300


@dataclass(frozen=True)
class Stage:
    """One loop: per message it inserts a row into each table of `inserts`, updates a row of each of `updates`, sends `sends`."""

    name: str
    service: str
    inserts: tuple[str, ...]
    updates: tuple[str, ...] = ()
    sends: bool = True


#: What our handlers do for a ticket that matches a workflow: two messages, the second after the measured stretch. Beside
#: its own rows each message costs an outbox row. (`pg_stat_user_tables` before and after a run shows ours.)
STAGES = (
    Stage(
        "work",
        "workflow",
        ("ticket_snapshot", "task", "task_item", "allocation", "assignment_pick", "assignment_pick", "task_item_history"),
        ("task_item", "task", "ticket_snapshot"),
    ),
    Stage("status", "helpdesk", ("ticket_history",), ("ticket",), sends=False),
)


def measure(settings: Settings, tickets: int, batch: int) -> float:
    """Return how many tickets a second the floor takes from filed to assigned, on the servers of these settings."""
    url = settings.database_url("workflow")
    _make_tables(url, tickets)
    with pika.BlockingConnection(pika.URLParameters(settings.broker_url)) as connection:
        channel = connection.channel()
        for stage in STAGES:
            channel.queue_delete(_queue(stage.name))
            channel.queue_declare(_queue(stage.name), durable=True)
    context = multiprocessing.get_context("spawn")
    ready, go, done = context.Semaphore(0), context.Event(), context.Queue()
    arguments = (url, settings.broker_url, tickets, batch)
    processes = [context.Process(target=_stage, args=(stage, *arguments, ready, done), daemon=True) for stage in STAGES]
    processes.append(context.Process(target=_feed, args=(*arguments, ready, go), daemon=True))
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.monotonic()
    go.set()
    finished: dict[str, float] = dict(done.get(timeout=600) for _ in STAGES)
    for process in processes:
        process.join(10)
    return tickets / (finished["work"] - started)


def _stage(stage: Stage, url: str, broker_url: str, tickets: int, batch: int, ready: Any, done: Any) -> None:
    database = psycopg.connect(url)
    broker = Broker(broker_url)
    position = STAGES.index(stage)
    target = _queue(STAGES[position + 1].name) if stage.sends else ""
    taken, committed = 0, 0.0
    ready.release()
    while taken < tickets:
        tags, numbers = broker.take(_queue(stage.name), batch)
        with database.transaction():
            _write(database, stage, numbers)
        taken += len(numbers)
        committed = time.monotonic()
        if stage.sends:
            broker.publish(target, numbers)
            with database.transaction():
                database.execute("delete from floor.outbox where name = any(%s)", ([f"{target} {n}" for n in numbers],))
        broker.acknowledge(tags)
    done.put((stage.name, committed))


def _feed(url: str, broker_url: str, tickets: int, batch: int, ready: Any, go: Any) -> None:
    database = psycopg.connect(url)
    broker = Broker(broker_url)
    ready.release()
    go.wait()
    for first in range(1, tickets + 1, batch):
        numbers = list(range(first, min(first + batch, tickets + 1)))
        with database.transaction():
            database.execute(
                "select id, kwargs from floor.outbox where name = any(%s)", ([f"feed {n}" for n in numbers],)
            ).fetchall()
        broker.publish(_queue(STAGES[0].name), numbers)
        with database.transaction():
            database.execute("delete from floor.outbox where name = any(%s)", ([f"feed {n}" for n in numbers],))


def _write(database: psycopg.Connection[Any], stage: Stage, numbers: list[int]) -> None:
    for table in stage.inserts:
        insert(database, f"{stage.service}_{table}", numbers)
    for table in stage.updates:
        column = "status" if table in ("ticket", "ticket_snapshot") else "assignee" if table == "task_item" else "owner_user_id"
        key = "id" if table == "ticket" else "ticket_number"
        keys: list[Any] = numbers if table == "ticket" else [str(number) for number in numbers]
        database.execute(f"update floor.{stage.service}_{table} set {column} = 'Assigned' where {key} = any(%s)", (keys,))
    if stage.sends:
        target = _queue(STAGES[STAGES.index(stage) + 1].name)
        insert(database, "outbox", numbers, f"{target} ")


def insert(database: psycopg.Connection[Any], table: str, numbers: list[int], prefix: str = "") -> None:
    """Insert a row per number by one prepared statement, whose parameters are arrays: the same plan for any batch."""
    statement, makers = _plan(table)
    columns: list[list[Any]] = [[make(number) for number in numbers] for make in makers]
    if prefix:  # the outbox: its second column names the message
        columns[1] = [f"{prefix}{number}" for number in numbers]
    database.execute(statement, columns, prepare=True)


@functools.cache
def _plan(table: str) -> tuple[str, list[Any]]:
    fields = [field for field in _model(table)._meta.sorted_fields if not isinstance(field, pw.AutoField)]
    if table == "helpdesk_ticket":
        fields = _model(table)._meta.sorted_fields
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
    return f"insert into floor.{table} ({columns}) select * from unnest({arrays})", [_maker(field) for field in fields]


def _type(field: Any) -> str:
    if isinstance(field, pw.DateTimeField):
        return "timestamp"
    if isinstance(field, pw.BooleanField):
        return "boolean"
    return "bigint" if isinstance(field, pw.IntegerField | pw.ForeignKeyField) else "text"


def _maker(field: Any) -> Any:
    """Return the function from a ticket's number to a value of this column."""
    if field.name in ("ticket_number",):
        return str
    if field.null:
        return lambda _number: None
    if isinstance(field, pw.DateTimeField):
        now = datetime(2026, 1, 1)  # noqa: DTZ001 - the columns have no zone
        return lambda _number: now
    if isinstance(field, pw.BooleanField):
        return lambda _number: False
    if isinstance(field, pw.IntegerField | pw.ForeignKeyField):
        return lambda number: number
    return lambda _number: DESCRIPTION if field.name in _LONG else "a short text"


def _model(table: str) -> Any:
    from baton.models import helpdesk, messaging, workflow
    from baton.models.runtime import runtime_tables

    if table == "outbox":
        return runtime_tables("helpdesk").Outbox
    service, _, name = table.partition("_")
    tables = {"helpdesk": helpdesk, "messaging": messaging, "workflow": workflow}[service].TABLES
    return {model._meta.table_name: model for model in tables}[name]


def _make_tables(url: str, tickets: int) -> None:
    """Make empty copies of our tables, indexes and defaults included, and file the tickets."""
    tables = {f"{stage.service}_{table}" for stage in STAGES for table in (*stage.inserts, *stage.updates)}
    with psycopg.connect(url) as database:
        database.execute("drop schema if exists floor cascade")
        database.execute("create schema floor")
        for table in sorted(tables):
            service, _, name = table.partition("_")
            database.execute(f"create table floor.{table} (like {service}.{name} including all)")
        database.execute("create table floor.outbox (like helpdesk.outbox including all)")
        database.execute("create index on floor.outbox (name)")
        numbers = list(range(1, tickets + 1))
        for first in range(0, tickets, 500):
            insert(database, "helpdesk_ticket", numbers[first : first + 500])
            insert(database, "outbox", numbers[first : first + 500], "feed ")


def _queue(stage: str) -> str:
    return f"floor.{stage}"


class Broker:
    """A channel with pipelined confirmations, and a consumer that takes what is there."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._out = self._connection.channel()
        self._in = self._connection.channel()
        # The blocking channel waits for each confirmation by itself; its implementation can have many under way.
        self._out._impl.confirm_delivery(self._on_confirm, callback=lambda _frame: None)
        self._sent = 0
        self._unconfirmed: set[int] = set()
        self._arrived: list[tuple[int, list[int]]] = []
        self._consuming = False

    def publish(self, queue: str, numbers: list[int]) -> None:
        """Publish a persistent message per number; return when all are confirmed."""
        self.send(queue, numbers)
        self.confirm()

    def send(self, queue: str, numbers: list[int]) -> None:
        """Publish a persistent message per number."""
        for number in numbers:
            self._send(queue, [number], _BODY)

    def name(self, queue: str, numbers: list[int]) -> None:
        """Publish one persistent message that names all of these."""
        self._send(queue, numbers, json.dumps({"payload": {"ticket_numbers": [str(number) for number in numbers]}}))

    def _send(self, queue: str, numbers: list[int], body: str) -> None:
        headers = {"numbers": json.dumps(numbers)}
        properties = pika.BasicProperties(delivery_mode=2, message_id=str(uuid.uuid4()), headers=headers)
        self._out._impl.basic_publish("", queue, body.encode(), properties, mandatory=True)
        self._sent += 1
        self._unconfirmed.add(self._sent)

    def confirm(self) -> None:
        """Return when everything sent is confirmed."""
        # `process_data_events` returns for deliveries only; this is the wait beneath it.
        self._connection._flush_output(lambda: not self._unconfirmed)

    def take(self, queue: str, most: int, gather: float = 0.0) -> tuple[list[int], list[int]]:
        """
        Return the delivery tags and numbers of what is there, at least one message and at most `most`.

        `gather`: for how many seconds the first waits for others.
        """
        if not self._consuming:
            self._in.basic_qos(prefetch_count=most * 2)
            self._in.basic_consume(queue, self._on_message)
            self._consuming = True
        while not self._arrived:
            self._connection.process_data_events(time_limit=1)
        until = time.monotonic() + gather
        while len(self._arrived) < most and (rest := until - time.monotonic()) > 0:
            self._connection.process_data_events(time_limit=rest)
        taken, self._arrived = self._arrived[:most], self._arrived[most:]
        return [tag for tag, _ in taken], [number for _, numbers in taken for number in numbers]

    def acknowledge(self, tags: list[int]) -> None:
        """Acknowledge these and all before."""
        self._in.basic_ack(tags[-1], multiple=True)

    def _on_confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        self._unconfirmed -= {each for each in self._unconfirmed if each <= tag} if frame.method.multiple else {tag}

    def _on_message(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        json.loads(body)
        self._arrived.append((method.delivery_tag, json.loads(properties.headers["numbers"])))
