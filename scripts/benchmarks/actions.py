"""`scripts/bench actions`: actions a second, from a step completed over HTTP to its successor assigned and the status synced."""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import click

from baton.models import database
from baton.scripts.benchmarks import actions_acting as acting_part
from baton.scripts.benchmarks import actions_floor, actions_rows, setting, stored, tally
from baton.scripts.stack import Stack

#: Items that one bulk request names.
BULK = 100
#: Has batches of items completed: gives the monotonic time when that began, and what is to be called for what was refused.
Asker = Callable[[list[list[int]]], AbstractContextManager[tuple[float, Callable[[], list[str]]]]]


#: Processes that act without the front.
ACTING = 2


@click.command("actions")
@click.option("--actions", type=int, default=1_000, show_default=True, help="Actions in a round in bulk; one by one, half of it.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Measured after one that warms up.")
@click.option("--clients", type=int, default=8, show_default=True, help="Connections, each one request at a time.")
@click.option("--stored", "tickets_stored", type=int, default=100_000, show_default=True, help="For the count of statements.")
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(actions: int, rounds: int, clients: int, tickets_stored: int, kind: str) -> None:
    """
    Actions a second, one by one and in bulk, their ratio to the floor, and statements per action as the tables grow.

    Measured twice: over HTTP, and with the same code called without the front, whose part the floor does not do either.
    The floor writes the same rows and sends the same messages, which PostgreSQL counts on both sides.
    """
    click.echo(f"actions: a step completed, the next person chosen, the status at the help desk; {setting.machine()}")
    click.echo("  with them, on both sides: journal, clocks of service levels, what followers are told, conversation")
    for one in setting.KINDS if kind == "both" else (kind,):
        # The floor tells nobody of their work.
        with setting.stack_of(one, BATON_NOTIFICATIONS="off") as stack:
            ways = [("over HTTP", _over_http(stack, clients))]
            if one == "distributed":
                ways.append((f"acting in {ACTING} processes", _directly(stack)))
            for size in (1, BULK):
                _compare(stack, one, ways, actions if size > 1 else max(1, actions // 2), rounds, size)
            before = tally.statements_per_action(stack)
            stored.add(0, tickets_stored)
            after = tally.statements_per_action(stack)
            same = "the same" if before == after else "NOT THE SAME"
            click.echo(f"  {one}, statements per action with 0 and {tickets_stored} stored: {before} and {after}, {same}")


def _compare(stack: Stack, kind: str, ways: list[tuple[str, Asker]], actions: int, rounds: int, size: int) -> None:
    """Measure one size of request in every way, and the floor in the same run, round by round."""
    how = "one by one" if size == 1 else f"in bulk of {size}"
    rates: dict[str, list[float]] = {way: [] for way, _ in ways}
    floors: list[float] = []
    for _, ask in ways:
        rate(stack, actions, size, ask)
    for _ in range(rounds):
        for way, ask in ways:
            rates[way].append(rate(stack, actions, size, ask))
        if kind == "distributed":
            floors.append(actions_floor.measure(stack.settings, actions, size))
    for way, found in rates.items():
        click.echo(f"  {kind}, {way}, {how}: {statistics.median(found):.0f} actions/s (rounds: {_listed(found)})")
    if floors:
        bare = statistics.median(floors)
        ratios = ", ".join(f"{way} {statistics.median(found) / bare:.2f}" for way, found in rates.items())
        workload = f"a loop per process, transactions of {size}, then of what is there, up to {stack.settings.batch_size}"
        click.echo(f"    floor ({workload}): {bare:.0f} actions/s (rounds: {_listed(floors)}); ours of it: {ratios}")
        for line in _rows(stack, ways[0][1], actions, size):
            click.echo(f"    {line}")


def _listed(rates: list[float]) -> str:
    return ", ".join(f"{rate:.0f}" for rate in rates)


def _rows(stack: Stack, ask: Asker, actions: int, size: int) -> list[str]:
    """Count the rows of one more round of the floor's and of ours."""
    url = stack.settings.database_url("workflow")
    floor = actions_floor.count(stack.settings, actions, size)
    items = prepare(stack, actions)
    counted = actions_rows.settled(url)
    act(stack, items, size, ask)
    return actions_rows.table((counted, actions_rows.settled(url)), floor, actions)


def rate(stack: Stack, actions: int, size: int, ask: Asker) -> float:
    """Return how many actions a second went from asked for to synced, with `size` items a request."""
    return actions / act(stack, prepare(stack, actions), size, ask)


def act(stack: Stack, items: list[int], size: int, ask: Asker) -> float:
    """Complete the items; return the seconds until all have their successors assigned and are synced. Wait for the rest."""
    since, synced = setting.last_item(), _in_progress()
    batches = [items[first : first + size] for first in range(0, len(items), size)]
    with ask(batches) as (started, refusals):
        setting.await_assigned(len(items), since)
        while _in_progress() < synced + len(items):
            time.sleep(setting.LOOK_SECONDS)
        elapsed = time.monotonic() - started
    if refusals():
        raise click.ClickException(f"{len(refusals())} actions were refused, such as {refusals()[0]}")
    setting.await_rest(stack)
    return elapsed


def _over_http(stack: Stack, clients: int) -> Asker:
    @contextlib.contextmanager
    def ask(batches: list[list[int]]) -> Iterator[tuple[float, Callable[[], list[str]]]]:
        headers = {"Authorization": f"Bearer {stack.service_token('operator')}", "Content-Type": "application/json"}
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(time.monotonic)
            started = time.monotonic()
            asked = pool.apply_async(_ask, (stack.url("workflow"), headers, batches, clients))
            yield started, lambda: asked.get(60)

    return ask


def _directly(stack: Stack) -> Asker:
    @contextlib.contextmanager
    def ask(batches: list[list[int]]) -> Iterator[tuple[float, Callable[[], list[str]]]]:
        with multiprocessing.get_context("spawn").Pool(
            ACTING, initializer=acting_part.begin, initargs=(stack.environment,)
        ) as pool:
            pool.map(acting_part.connect, range(ACTING), chunksize=1)
            started = time.monotonic()
            parts = [batches[part::ACTING] for part in range(ACTING)]
            asked = pool.map_async(acting_part.act, parts, chunksize=1)
            yield started, lambda: [refusal for part in asked.get(60) for refusal in part]

    return ask


def prepare(stack: Stack, count: int) -> list[int]:
    """File tickets; return the items of their first step once everybody has theirs and nothing is under way."""
    since = setting.last_item()
    setting.file_tickets(count)
    setting.await_assigned(count, since)
    setting.await_rest(stack)
    from baton.models.workflow import TaskItem
    from baton.models.workflow.rows import tuples

    with database.read_tx("workflow"):
        return [row[0] for row in tuples(TaskItem.select(TaskItem.id).where(TaskItem.id > since))]


def _in_progress() -> int:
    from baton.models.helpdesk.tables import Ticket

    with database.read_tx("helpdesk"):
        return int(Ticket.select().where(Ticket.status == "In Progress").count())


def _ask(url: str, headers: dict[str, str], batches: list[list[int]], clients: int) -> list[str]:
    """Complete the items over so many connections; return what was refused."""
    waiting = deque(batches)
    refusals: list[str] = []
    parts = urlsplit(url)

    def one() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        while waiting:
            try:
                batch = waiting.popleft()
            except IndexError:
                return
            path, body = _request(batch)
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200 or json.loads(text).get("refused"):
                refusals.append(text)

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refusals


def _request(batch: list[int]) -> tuple[str, dict[str, Any]]:
    if len(batch) == 1:
        return f"/api/v1/items/{batch[0]}/complete", {}
    return "/api/v1/items/bulk", {"action": "complete", "items": [{"id": item} for item in batch]}
