"""`scripts/bench memory`: how much memory each process holds before and after 50,000 messages."""

from __future__ import annotations

from pathlib import Path

import click

from baton.scripts.benchmarks import setting
from baton.scripts.stack import Stack

#: Messages that one filed ticket causes: the ticket itself, and its status told (see `floor.STAGES`).
MESSAGES_PER_TICKET = 2
#: Growth in MB per 50,000 messages up to which caches and the allocator's habits explain it.
ALLOWED_MB = 8.0


@click.command("memory")
@click.option("--messages", type=int, default=50_000, show_default=True)
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(messages: int, kind: str) -> None:
    """Resident memory of each process after a warm-up of a tenth, at half way and after so many messages."""
    click.echo(f"memory: {messages} messages in rounds of 2,000 tickets; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            _flow(stack, messages // 10)
            marks = [_resident(stack)]
            for _ in range(2):
                _flow(stack, messages // 2)
                marks.append(_resident(stack))
            for name in sorted(marks[0]):
                values = [mark.get(name, 0.0) for mark in marks]
                verdict = "no growth" if values[2] - values[1] <= ALLOWED_MB / 2 else "GROWS"
                click.echo(f"  {one}, {name}: {values[0]:.0f} -> {values[1]:.0f} -> {values[2]:.0f} MB, {verdict}")


def _flow(stack: Stack, messages: int) -> None:
    left = messages // MESSAGES_PER_TICKET
    while left > 0:
        setting.rate(stack, min(2_000, left))
        left -= 2_000


def _resident(stack: Stack) -> dict[str, float]:
    """Return the resident megabytes of each process (Linux)."""
    found = {}
    for name, pid in stack.pids().items():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found[name] = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    return found
