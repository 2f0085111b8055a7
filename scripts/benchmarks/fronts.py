"""`scripts/bench http`: requests a second and their 99th percentile, creating and reading tickets over HTTP."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

from baton.scripts.benchmarks import setting


@click.command("http")
@click.option("--seconds", type=float, default=8.0, show_default=True, help="Length of each measurement.")
@click.option("--clients", type=int, default=8, show_default=True, help="Connections, each one request at a time.")
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(seconds: float, clients: int, kind: str) -> None:
    """Creating and reading a ticket: requests a second, median and 99th percentile."""
    click.echo(f"http: {clients} keep-alive connections from one process for {seconds:.0f} s; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            headers = {"Authorization": f"Bearer {stack.service_token('bench')}"}
            base = f"{stack.url('helpdesk')}/api/v1/tickets"
            _load(base, headers, None, 1.0, clients)
            for what, read in (("create", False), ("read", True)):
                number = _create(httpx.Client(headers=headers), base).json()["ticket_number"] if read else None
                took, statuses = _load(base, headers, number, seconds, clients)
                wrong = f", WRONG ANSWERS {statuses}" if set(statuses) - {200, 201} else ""
                median, longest = (f"{setting.percentile(took, share) * 1000:.1f} ms" for share in (0.5, 0.99))
                per_second = f"{len(took) / seconds:.0f} requests/s"
                click.echo(f"  {one}, {what}: {per_second}, median {median}, 99th percentile {longest}{wrong}")
                setting.await_rest(stack)


def _load(base: str, headers: dict[str, str], number: str | None, seconds: float, clients: int) -> tuple[list[float], list[int]]:
    """Run the clients in a process of their own; return the seconds of each request and the statuses seen."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        took, statuses = pool.apply(_run_clients, (base, headers, number, seconds, clients))
    return took, sorted(statuses)


def _run_clients(
    base: str, headers: dict[str, str], number: str | None, seconds: float, clients: int
) -> tuple[list[float], set[int]]:
    took: list[float] = []
    statuses: set[int] = set()
    until = time.monotonic() + seconds
    parts = urlsplit(base)
    body = json.dumps(_body())

    def one() -> None:
        # The plainest client there is: on two cores it must not take what belongs to the server.
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        while time.monotonic() < until:
            started = time.monotonic()
            if number:
                connection.request("GET", f"{parts.path}/{number}", headers=headers)
            else:
                connection.request("POST", parts.path, body, {**headers, **_key(), "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            took.append(time.monotonic() - started)
            statuses.add(answer.status)

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, statuses


def _create(client: httpx.Client, base: str) -> httpx.Response:
    answer = client.post(base, json=_body(), headers=_key())
    answer.raise_for_status()
    return answer


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _body() -> dict[str, Any]:
    return {
        "subject": "The printer is jammed",
        "description": setting.DESCRIPTION,
        "category": "IT Support",
        "subcategory": "Hardware",
        "department": "IT Department",
        "priority": "Medium",
        "employee": {"id": "101", "name": "Eve Employee", "email": "eve@example.com"},
    }
