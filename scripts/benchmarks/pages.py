"""`scripts/bench pages`: how long each page of the fronts takes on the server, and what it weighs, with many tickets stored."""

from __future__ import annotations

import importlib
import os
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import httpx

from baton.http.web.assets import assets
from baton.http.web.services import Services
from baton.scripts import demo_day
from baton.scripts.benchmarks import setting, stored
from baton.scripts.demo_stories import STORIES
from baton.scripts.stack import Stack

#: Who looks at the pages: an employee with tickets, and an administrator, to whom every page of the console is open.
VISITORS = {"portal": "adaeze.abara@example.com", "console": "Admintts@example.com"}
#: Streams do not end, and these two answer nothing to look at.
_NO_PAGES = re.compile(r"/live|/next$|/sign-|\.csv$|\.svg$")
#: Tickets that go through the pipeline itself, so that the lists of those who work hold something.
FRESH = 50
WARMING = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """A page: milliseconds (median, 95th percentile, of processor time), bytes as sent compressed, status."""

    median: float
    late: float
    processor: float
    weight: int
    status: int


@click.command("pages")
@click.option("--tickets", type=int, default=100_000, show_default=True, help="How many are stored.")
@click.option("--more", type=int, default=0, show_default=True, help="Then as many as this, as a ratio to the first: 1000000.")
@click.option("--rounds", type=int, default=30, show_default=True)
def command(tickets: int, more: int, rounds: int) -> None:
    """Milliseconds a page takes and bytes it weighs, each of both fronts."""
    click.echo(f"pages: {tickets} tickets stored, {rounds} requests each, one after the other, warm; {setting.machine()}")
    with setting.stack_of("embedded") as stack:
        demo_day.tell_day(stack.settings, STORIES[:6])
        setting.file_tickets(FRESH)
        setting.await_rest(stack)
        addresses = list(_addresses(stack))
        stored.add(0, tickets)
        first = _report(stack, addresses, rounds)
        if more > tickets:
            click.echo(f"with {more} stored:")
            stored.add(tickets, more)
            for name, later in _report(stack, addresses, rounds).items():
                click.echo(f"  {name:44} {later.median / first[name].median:5.2f} times as long as with {tickets}")


def _report(stack: Stack, addresses: list[tuple[str, str]], rounds: int) -> dict[str, Measured]:
    found = {}
    own = {front: sum(len(each.compressed) for each in assets().values()) for front in VISITORS}
    clients = {front: _visitor(stack, front) for front in VISITORS}
    for front, path in addresses:
        one = found[f"{front} {path}"] = _measure(stack, clients[front], path, rounds)
        remark = "" if one.status == 200 else f"  answered {one.status}"
        click.echo(
            f"  {front + ' ' + path:44} {one.median:6.1f} ms  p95 {one.late:6.1f} ms  cpu {one.processor:6.1f} ms  "
            f"{one.weight / 1000:6.1f} kB, first visit {(one.weight + own[front]) / 1000:6.1f} kB{remark}"
        )
    good = [one.median for one in found.values()]
    click.echo(f"  all: median {statistics.median(good):.1f} ms, slowest {max(good):.1f} ms")
    return found


def _measure(stack: Stack, client: httpx.Client, path: str, rounds: int) -> Measured:
    times, weight, status, before = [], 0, 0, 0.0
    for turn in range(WARMING + rounds):
        before = _processor_ms(stack) if turn == WARMING else before
        started = time.perf_counter()
        with client.stream("GET", path) as answer:
            weight = sum(len(piece) for piece in answer.iter_raw())
            status = answer.status_code
        if turn >= WARMING:
            times.append((time.perf_counter() - started) * 1000)
    used = (_processor_ms(stack) - before) / rounds
    return Measured(statistics.median(times), setting.percentile(times, 0.95), used, weight, status)


def _processor_ms(stack: Stack) -> float:
    """Return the processor time that the server has used, which others' work does not change; zero where nobody tells."""
    stat = Path(f"/proc/{stack.pids()['server']}/stat")
    if not stat.exists():
        return 0.0
    used = stat.read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _visitor(stack: Stack, front: str) -> httpx.Client:
    """Return a client that is signed in as a browser is: by the front's own form."""
    client = httpx.Client(base_url=stack.url(front), headers={"Accept-Encoding": "gzip"}, timeout=60)
    csrf = re.search(r'name="csrf" content="([0-9a-f]+)"', client.get("/sign-in").text)
    assert csrf is not None
    given = {"email": VISITORS[front], "password": demo_day.PASSWORD, "csrf": csrf[1]}
    if client.post("/sign-in", data=given).status_code != 303:
        raise click.ClickException(f"{VISITORS[front]} cannot sign in to the {front}")
    return client


def _addresses(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield every page that needs no more than its address, and the pages of a ticket that was talked about."""
    for front in VISITORS:
        for page in importlib.import_module(f"baton.http.{front}").PAGES:
            if page.method == "GET" and "{" not in page.path and not _NO_PAGES.search(page.path):
                yield front, page.path + ("?q=printer" if page.path == "/find" else "")
    tokens = Services(stack.settings, None, "bench").post(
        "auth", "/api/v1/sign-in", {"email": VISITORS["portal"], "password": demo_day.PASSWORD}
    )
    employee = Services(stack.settings, tokens["access_token"], "bench")
    mine = employee.get("helpdesk", "/api/v1/tickets", limit=100)["items"]
    number = next(ticket["ticket_number"] for ticket in mine if ticket["subject"] == STORIES[0].subject)
    for front in VISITORS:
        yield front, f"/tickets/{number}"
    yield "portal", "/new?category=budget"
