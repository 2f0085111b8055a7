"""How a service's part of the runtime stands: what waits to leave, what is tried again, who is alive, which jobs ran."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from peewee import fn

from baton.http.health import MOST_COUNTED, queue_states
from baton.http.operations import Call, Operation
from baton.http.paging import page
from baton.http.types import Page, PageQuery, View
from baton.models.runtime import runtime_tables
from baton.pipelines.schedule import job_state

#: Processes that are listed, the last heard of first; those gone for an hour are forgotten.
MOST_PROCESSES = 100


class WaitingView(View):
    """Messages of one queue that have not left yet, counted up to 10,000 in all; `oldest_at` is when the oldest came."""

    queue: str
    rows: int
    oldest_at: datetime


class OutboxView(View):
    """What waits to leave: how many messages (counted up to 10,000), since when, and for which queues."""

    rows: int
    oldest_seconds: float
    queues: list[WaitingView]


class DeferredCount(View):
    """Messages that are tried again later (counted up to 10,000), and how long the first is overdue."""

    rows: int
    overdue_seconds: float


class InboxView(View):
    """Messages remembered as handled (counted up to 10,000), and when the last was."""

    rows: int
    last_at: datetime | None


class QueueView(View):
    """A queue that the service consumes: messages ready, consumers, dead letters, age of the oldest message where known."""

    queue: str
    ready: int
    consumers: int
    dead: int
    oldest_seconds: float | None


class ProcessView(View):
    """A process that works for the service: a relay, a scheduler or a worker, and how long it has been silent."""

    kind: str
    instance: str
    detail: str
    seen_at: datetime
    silent_seconds: float


class LeaderView(View):
    """Which scheduler runs the service's jobs; `leads` false when its lease is over. `token` rises with every change of hands."""

    leads: bool
    holder: str
    token: int
    until: datetime


class JobView(View):
    """A job of the scheduler and how it last ran. `state` is ok, failed, late or no leader; `error` is empty unless it failed."""

    job: str
    about: str
    every_seconds: float
    state: str
    last_run_at: datetime
    took_seconds: float
    rows: int
    error: str
    next_run_at: datetime | None
    by: str


class RuntimeView(View):
    """How a service's part of the runtime stands. `queues` is null while the broker cannot be asked."""

    service: str
    at: datetime
    outbox: OutboxView
    deferred: DeferredCount
    inbox: InboxView
    queues: list[QueueView] | None
    processes: list[ProcessView]
    leader: LeaderView | None
    jobs: list[JobView]


class DeferredView(View):
    """A message that is tried again at `due_at`, as attempt number `attempt`, and why."""

    id: int
    message_id: str
    queue: str
    name: str
    ticket_number: str | None
    attempt: int
    reason: str
    due_at: datetime


def read_runtime(call: Call) -> RuntimeView:
    """Return how this service's part of the runtime stands; the queues as the broker told within the last seconds."""
    tables, now = runtime_tables(call.service), call.now
    lease = tables.Lease.select().first()
    leader = None
    if lease is not None:
        leader = LeaderView(leads=lease.expires_at > now, holder=lease.holder, token=lease.token, until=lease.expires_at)
    led = leader is not None and leader.leads
    return RuntimeView(
        service=call.service,
        at=now,
        outbox=_outbox(tables, now),
        deferred=_deferred(tables, now),
        inbox=_inbox(tables),
        queues=_queues(call.service),
        processes=_processes(tables, now),
        leader=leader,
        jobs=[_job(run, now, led) for run in tables.JobRun.select().order_by(tables.JobRun.name)],
    )


def list_deferred(call: Call, query: PageQuery) -> Page[DeferredView]:
    """Return a page of the messages that are tried again, the first due first."""
    table = runtime_tables(call.service).DeferredMessage
    key = (table.due_at, table.id)
    return page(table.select(), key=key, cursor=query.cursor, limit=query.limit, view=_deferred_view)


def _outbox(tables: Any, now: datetime) -> OutboxView:
    table = tables.Outbox
    oldest = table.select(table.queue, table.created_at).order_by(table.id).limit(MOST_COUNTED).alias("oldest")
    queue, created_at = oldest.c.queue, oldest.c.created_at
    grouped: Any = table.select(queue, fn.COUNT(queue).alias("rows"), fn.MIN(created_at).alias("oldest_at")).from_(oldest)
    read_instant = table.created_at.python_value
    queues = [
        WaitingView(queue=name, rows=rows, oldest_at=read_instant(at))
        for name, rows, at in grouped.group_by(queue).order_by(queue).tuples()
    ]
    age = max((max(0.0, (now - each.oldest_at).total_seconds()) for each in queues), default=0.0)
    return OutboxView(rows=sum(each.rows for each in queues), oldest_seconds=round(age, 1), queues=queues)


def _deferred(tables: Any, now: datetime) -> DeferredCount:
    table = tables.DeferredMessage
    due_at = table.select(table.due_at).order_by(table.due_at).limit(1).scalar()
    overdue = 0.0 if due_at is None else max(0.0, (now - due_at).total_seconds())
    return DeferredCount(rows=table.select(table.id).limit(MOST_COUNTED).count(), overdue_seconds=round(overdue, 1))


def _inbox(tables: Any) -> InboxView:
    table = tables.Inbox
    last = table.select(table.handled_at).order_by(table.handled_at.desc()).limit(1).scalar()
    return InboxView(rows=table.select(table.message_id).limit(MOST_COUNTED).count(), last_at=last)


def _queues(service: str) -> list[QueueView] | None:
    states = queue_states(service)
    if states is None:
        return None
    return [QueueView(**{name: getattr(state, name) for name in QueueView.model_fields}) for state in states]


def _processes(tables: Any, now: datetime) -> list[ProcessView]:
    beats = tables.Heartbeat.select().order_by(tables.Heartbeat.seen_at.desc()).limit(MOST_PROCESSES)
    shared = ("kind", "instance", "detail", "seen_at")
    return [
        ProcessView(
            **{name: getattr(beat, name) for name in shared},
            silent_seconds=round(max(0.0, (now - beat.seen_at).total_seconds()), 1),
        )
        for beat in beats
    ]


def _job(run: Any, now: datetime, led: bool) -> JobView:
    ended_ago = (now - run.ended_at).total_seconds()
    state = job_state(led=led, ran=True, error=run.error, ended_seconds_ago=ended_ago, every_seconds=run.every_seconds)
    return JobView(
        job=run.name,
        about=run.about,
        every_seconds=run.every_seconds,
        state=state,
        last_run_at=run.started_at,
        took_seconds=round((run.ended_at - run.started_at).total_seconds(), 3),
        rows=run.rows,
        error=run.error,
        next_run_at=run.next_run_at,
        by=run.holder,
    )


def _deferred_view(row: Any) -> DeferredView:
    names = ("id", "message_id", "queue", "name", "attempt", "reason", "due_at")
    number = json.loads(row.envelope).get("ticket_number")
    return DeferredView(ticket_number=number, **{name: getattr(row, name) for name in names})


OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/runtime",
        read_runtime,
        permission="runtime.read",
        returns=RuntimeView,
        summary="How messages, processes and scheduled jobs of this service stand",
        tag="runtime",
    ),
    Operation(
        "GET",
        "/api/v1/runtime/deferred",
        list_deferred,
        permission="runtime.messages",
        query=PageQuery,
        returns=Page[DeferredView],
        summary="List the messages that are tried again",
        tag="runtime",
    ),
)
