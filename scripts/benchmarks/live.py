"""`scripts/bench live`: many sockets in rooms on one messaging process, beside a bare server on the same library."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jwt

from baton.http.tokens import claims_of
from baton.models import database
from baton.pipelines.permissions import Principal
from baton.scripts.benchmarks import setting
from baton.scripts.private_servers import postgres, rabbitmq
from baton.scripts.private_servers.common import free_port
from baton.scripts.stack import Stack

#: What must hold: 99 of 100 arrivals within so many milliseconds.
LIMIT_MS = 250.0
_SECRET = "the secret of a benchmark, forty characters long"


@click.command("live")
@click.option("--sockets", default=1_000, show_default=True)
@click.option("--tickets", default=100, show_default=True, help="Rooms that the sockets are spread over.")
@click.option("--rate", default=1.0, show_default=True, help="Comments a second in each room.")
@click.option("--seconds", default=20, show_default=True)
@click.option("--kind", type=click.Choice(setting.KINDS), default="distributed", show_default=True)
@click.option("--bare/--no-bare", default=True, show_default=True, help="Measure the bare server too.")
def command(sockets: int, tickets: int, rate: float, seconds: int, kind: str, bare: bool) -> None:
    """Whether every client gets every comment of its ticket in order, how soon, and how a bare server does the same."""
    click.echo(f"live: {sockets} sockets on {tickets} tickets, {rate:g} comments a second on each for {seconds} s, one process")
    click.echo(f"  {setting.machine()}; {kind}")
    work: dict[str, Any] = {"tickets": [f"HD-{number}" for number in range(tickets)], "rate": rate, "seconds": seconds}
    work["tokens"] = [_token(number) for number in range(sockets)]
    with _messaging(kind) as stack:
        _add_rooms(work["tickets"])
        port = stack.settings.ports["messaging"]
        pid = stack.pids()["messaging-http"]
        found = _measure({**work, "port": port, "path": "/ws/comments/{ticket}/?since=0"}, pid)
    _tell("baton", found)
    ratio = None
    if bare:
        with _bare() as (port, pid):
            floor = _measure({**work, "port": port, "path": "/{ticket}"}, pid)
        _tell("bare", floor)
        ratio = found["p99_ms"] / floor["p99_ms"] if floor["p99_ms"] and found["p99_ms"] else None
    if ratio is not None:
        click.echo(
            f"  ratio: p50 {found['p50_ms'] / floor['p50_ms']:.1f}, p99 {ratio:.1f} times the bare server, which stores nothing"
        )
    holds = not found["wrong"] and not found["errors"] and (found["p99_ms"] or LIMIT_MS) < LIMIT_MS
    click.echo(f"  {'holds' if holds else 'DOES NOT HOLD'}: every comment once and in order, p99 under {LIMIT_MS:g} ms")
    if not holds:
        raise SystemExit(1)


def _token(number: int) -> str:
    who = Principal("user", str(number + 1), f"Agent {number}", "", frozenset({"tts:Ticket Coordinator"}))
    claims = claims_of(who, issued_at=int(time.time()), seconds=7_200, token_id=str(number))
    return jwt.encode(claims, _SECRET, algorithm="HS256")


@contextlib.contextmanager
def _messaging(kind: str) -> Iterator[Stack]:
    variables = {"BATON_LOG_LEVEL": "WARNING", "BATON_TOKEN_ALGORITHM": "HS256", "BATON_TOKEN_SECRET": _SECRET}
    with contextlib.ExitStack() as cleanup:
        if kind == "distributed":
            server = postgres.start_private(durable=True)
            cleanup.callback(server.close)
            broker = rabbitmq.start_private()
            cleanup.callback(broker.close)
            variables |= {"BATON_DATABASE_URL": server.fresh_url(), "BATON_BROKER_URL": broker.fresh_url()}
        stack = Stack({"messaging-http": ("serve", "messaging")}, variables, Path(tempfile.mkdtemp(prefix="baton-live-")))
        cleanup.callback(stack.stop)
        stack.start(seeds=(), fronts=("messaging",))
        database.configure(stack.settings)
        yield stack
        database.close("messaging")


def _add_rooms(numbers: list[str]) -> None:
    from baton.models.messaging import Room
    from baton.models.transaction import write_tx

    with write_tx("messaging") as tx:
        for number in numbers:
            Room.create(ticket_number=number, version=1, status="Open", updated_at=tx.now)


@contextlib.contextmanager
def _bare() -> Iterator[tuple[int, int]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "baton.scripts.benchmarks.live_bare", str(port)])
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 2).close()
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def _measure(work: dict[str, Any], pid: int) -> dict[str, Any]:
    before = _processor_seconds(pid)
    command = [sys.executable, "-m", "baton.scripts.benchmarks.live_clients"]
    limit = 120 + work["seconds"] * 2
    done = subprocess.run(command, input=json.dumps(work), capture_output=True, text=True, check=False, timeout=limit)
    if done.returncode != 0:
        raise click.ClickException(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["processor_seconds"] = _processor_seconds(pid) - before
    return found


def _processor_seconds(pid: int) -> float:
    """Return the processor time a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _tell(name: str, found: dict[str, Any]) -> None:
    click.echo(
        f"  {name}: {found['sockets']} connected in {found['connect_seconds']:.1f} s; {found['arrivals']:,} of "
        f"{found['expected']:,} arrivals, {found['wrong']} clients with one missing, doubled or out of order; "
        f"p50 {found['p50_ms'] or 0:.1f} ms, p99 {found['p99_ms'] or 0:.1f} ms, most {found['most_ms'] or 0:.1f} ms; "
        f"{found['processor_seconds']:.1f} s of processor time, connecting included"
    )
    for error in found["errors"]:
        click.echo(f"    error: {error}")
