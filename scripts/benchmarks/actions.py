"""`scripts/bench actions`: actions a second, from a step completed over HTTP to its successor assigned and the status synced."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import statistics
import threading
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import click

from baton.models import database
from baton.scripts.benchmarks import actions_floor, setting, stored, tally
from baton.scripts.stack import Stack

#: Items that one bulk request names.
BULK = 100


@click.command("actions")
@click.option("--actions", type=int, default=1_000, show_default=True, help="Actions in a round.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Measured after one that warms up.")
@click.option("--clients", type=int, default=8, show_default=True, help="Connections, each one request at a time.")
@click.option("--stored", "tickets_stored", type=int, default=100_000, show_default=True, help="For the count of statements.")
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(actions: int, rounds: int, clients: int, tickets_stored: int, kind: str) -> None:
    """Actions a second, one by one and in bulk, their ratio to the floor, and statements per action as the tables grow."""
    click.echo(f"actions: a step completed, the next person chosen, the status at the help desk; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            figures = {}
            for way, size in (("one by one", 1), (f"in bulk of {BULK}", BULK)):
                rate(stack, actions, clients, size)
                rates = [rate(stack, actions, clients, size) for _ in range(rounds)]
                figures[way] = statistics.median(rates)
                click.echo(f"  {one}, {way}: {figures[way]:.0f} actions/s (rounds: {', '.join(f'{each:.0f}' for each in rates)})")
            if one == "distributed":
                for way, size in (("one by one", 1), (f"in bulk of {BULK}", BULK)):
                    bare = statistics.median(actions_floor.measure(stack.settings, actions, size) for _ in range(rounds))
                    ratio = figures[way] / bare
                    click.echo(f"    floor, transactions of {size}: {bare:.0f} actions/s; ours, {way}, is {ratio:.2f} of it")
            before = tally.statements_per_action(stack)
            stored.add(0, tickets_stored)
            after = tally.statements_per_action(stack)
            same = "the same" if before == after else "NOT THE SAME"
            click.echo(f"  {one}, statements per action with 0 and {tickets_stored} stored: {before} and {after}, {same}")


def rate(stack: Stack, actions: int, clients: int, size: int) -> float:
    """Return how many actions a second went from asked for to synced, with `size` items a request."""
    items = prepare(stack, actions)
    since, synced = setting.last_item(), _in_progress()
    headers = {"Authorization": f"Bearer {stack.service_token('operator')}", "Content-Type": "application/json"}
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        started = time.monotonic()
        asked = pool.apply_async(_ask, (stack.url("workflow"), headers, items, clients, size))
        setting.await_assigned(actions, since)
        while _in_progress() < synced + actions:
            time.sleep(setting.LOOK_SECONDS)
        elapsed = time.monotonic() - started
        refusals = asked.get(60)
    if refusals:
        raise click.ClickException(f"{len(refusals)} actions were refused, such as {refusals[0]}")
    setting.await_rest(stack)
    return actions / elapsed


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


def _ask(url: str, headers: dict[str, str], items: list[int], clients: int, size: int) -> list[str]:
    """Complete the items over so many connections; return what was refused."""
    waiting = deque(items[first : first + size] for first in range(0, len(items), size))
    refusals: list[str] = []
    parts = urlsplit(url)

    def one() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        while waiting:
            try:
                batch = waiting.popleft()
            except IndexError:
                return
            path, body = _request(batch, size)
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


def _request(batch: list[int], size: int) -> tuple[str, dict[str, Any]]:
    if size == 1:
        return f"/api/v1/items/{batch[0]}/complete", {}
    return "/api/v1/items/bulk", {"action": "complete", "items": [{"id": item} for item in batch]}
