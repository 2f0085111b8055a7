"""
The floor of firing: its rows with bare SQL, one loop. It locks the due clocks, inserts events and messages, updates the clocks.

It works nothing out, knows nobody, and says nothing that is true.
"""

from __future__ import annotations

import time

import psycopg

from baton.models.settings import Settings

_KWARGS = '{"floor": "' + "x" * 600 + '"}'
_FIRE = """
with due as (
    select id, ticket_number, next_fire_at from floor.sla_clock where next_fire_at <= now() at time zone 'utc'
    order by next_fire_at, id limit %(batch)s for update skip locked
), kept as (
    insert into floor.sla_event
        (clock, ticket_number, round, kind, level, due_at, fired_at, late, on_attach, verdict, note, detail)
    select id, ticket_number, 0, 'breach', 0, next_fire_at, now() at time zone 'utc', false, false, 'running', '', '{}' from due
    returning clock
), told as (
    insert into floor.outbox (queue, name, kwargs, envelope, created_at)
    select 'floor', 'floor', %(kwargs)s, '{}', now() at time zone 'utc' from due, generate_series(1, %(messages)s)
)
update floor.sla_clock c set next_fire_at = null, next_fire_kind = null, next_level = null, version = version + 1
from due where c.id = due.id
"""


def measure(settings: Settings, clocks: int, batch: int, messages: int) -> float:
    """Return the seconds in which bare SQL fires so many clocks of those stored, in batches, with so many messages each."""
    with psycopg.connect(settings.database_url("workflow")) as database:
        database.execute("drop schema if exists floor cascade")
        database.execute("create schema floor")
        for table in ("sla_clock", "sla_event", "outbox"):
            database.execute(f"create table floor.{table} (like workflow.{table} including all)")
        database.execute("insert into floor.sla_clock select * from workflow.sla_clock")
        wanted = "select id from floor.sla_clock order by id desc limit %s"
        database.execute(f"update floor.sla_clock set next_fire_at = '2026-01-01' where id in ({wanted})", (clocks,))
        database.commit()
        database.execute("analyze floor.sla_clock")
        database.commit()
        started = time.monotonic()
        left = clocks
        while left > 0:
            done = database.execute(_FIRE, {"batch": batch, "kwargs": _KWARGS, "messages": messages})
            database.commit()
            left -= done.rowcount
        return time.monotonic() - started


def tick(settings: Settings, ticks: int) -> list[float]:
    """Return the seconds that each of so many looks for a due clock takes with bare SQL on an open connection."""
    taken = []
    with psycopg.connect(settings.database_url("workflow"), autocommit=True) as database:
        for _ in range(ticks):
            started = time.perf_counter()
            database.execute(
                "select id from workflow.sla_clock where next_fire_at <= now() at time zone 'utc' limit 1"
            ).fetchall()
            taken.append(time.perf_counter() - started)
    return taken
