"""The setting of a benchmark: private servers, a stack, tickets filed by the set, and waiting for their assignment."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from typing import Any

import click

from baton.models import database
from baton.models.settings import SERVICES
from baton.scripts.private_servers import postgres, rabbitmq
from baton.scripts.stack import Stack

KINDS = ("distributed", "embedded")
#: Seconds between two looks at how far the pipeline has come.
LOOK_SECONDS = 0.02
DESCRIPTION = "The printer on the second floor says PC LOAD LETTER. " * 6


@contextlib.contextmanager
def stack_of(kind: str, **variables: str) -> Iterator[Stack]:
    """Give a running stack of this kind on servers of its own that wait for the disk, with this process's models bound to it."""
    variables = {"BATON_LOG_LEVEL": "WARNING", **variables}
    with contextlib.ExitStack() as cleanup:
        if kind == "embedded":
            stack = Stack.embedded(**variables)
        else:
            server = postgres.start_private(durable=True)
            cleanup.callback(server.close)
            broker = rabbitmq.start_private()
            cleanup.callback(broker.close)
            stack = Stack.distributed(server.fresh_url(), broker.fresh_url(), **variables)
        # Nothing is killed here: one of each, so that two cores are not shared by idle twins.
        for twin in ("relay-2", "workflow-worker-2"):
            stack.programs.pop(twin, None)
        cleanup.enter_context(stack)
        database.configure(stack.settings)
        await_rest(stack)
        yield stack
        for service in SERVICES:
            database.close(service)


def machine() -> str:
    """Return what the figures were measured on, in a line."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, everything on loopback, databases wait for the disk"


def file_tickets(count: int) -> float:
    """File tickets in one transaction, as the front would file each; return the monotonic time of the commit."""
    from baton.http.helpdesk.filing import file_ticket
    from baton.models.transaction import write_tx
    from baton.pipelines.filing import Draft, Person

    draft = Draft(
        subject="The printer is jammed",
        description=DESCRIPTION,
        category="IT Support",
        subcategory="Hardware",
        department="IT Department",
        employee=Person(id="101", name="Eve Employee", email="eve@example.com"),
    )
    with write_tx("helpdesk") as tx:
        for _ in range(count):
            file_ticket(tx, draft, filed_by="service:bench")
    return time.monotonic()


def last_item() -> int:
    """Return the id of the newest item: those made later belong to what is measured."""
    from baton.models.workflow import TaskItem

    with database.read_tx("workflow"):
        newest: Any = TaskItem.select(TaskItem.id).order_by(TaskItem.id.desc()).limit(1).scalar()
    return int(newest or 0)


def assigned_since(item: int) -> int:
    """Return how many items newer than this one have somebody."""
    from baton.models.workflow import TaskItem

    with database.read_tx("workflow"):
        return int(TaskItem.select().where(TaskItem.id > item, TaskItem.assignee.is_null(False)).count())


def await_assigned(count: int, since: int, seconds: float = 600.0) -> float:
    """Wait until so many items newer than `since` are assigned; return the monotonic time when they were."""
    deadline = time.monotonic() + seconds
    while assigned_since(since) < count:
        if time.monotonic() > deadline:
            raise click.ClickException(f"only {assigned_since(since)} of {count} were assigned within {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)
    return time.monotonic()


def await_rest(stack: Stack, seconds: float = 300.0) -> None:
    """Wait until nothing is under way: no outbox row, no deferred message, no message queued."""
    from baton.scripts.experiments.counting import waiting

    deadline = time.monotonic() + seconds
    while left := waiting(stack.settings):
        if time.monotonic() > deadline:
            raise click.ClickException(f"still under way after {seconds:.0f} s: {left}")
        time.sleep(0.2)


def rate(stack: Stack, count: int) -> float:
    """File `count` tickets and return how many a second went from filed to assigned (both committed)."""
    since = last_item()
    filed = file_tickets(count)
    per_second = count / (await_assigned(count, since) - filed)
    await_rest(stack)
    return per_second


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
