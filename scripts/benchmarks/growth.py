"""`scripts/bench growth`: the pipeline's rate with 0, 100,000 and 1,000,000 tickets already stored."""

from __future__ import annotations

import statistics
import time

import click

from baton.scripts.benchmarks import setting, stored


@click.command("growth")
@click.option("--sizes", default="0,100000,1000000", show_default=True, help="How many tickets are stored, comma-separated.")
@click.option("--tickets", type=int, default=2_000, show_default=True)
@click.option("--rounds", type=int, default=3, show_default=True)
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(sizes: str, tickets: int, rounds: int, kind: str) -> None:
    """Tickets a second as the tables grow, as a ratio to empty ones."""
    click.echo(f"growth: {tickets} tickets through the pipeline on top of those stored; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            setting.rate(stack, tickets)
            there, first = 0, 0.0
            for size in sorted(int(each) for each in sizes.split(",")):
                started = time.monotonic()
                stored.add(there, size)
                there, seconds = size, time.monotonic() - started
                setting.rate(stack, tickets)
                ours = statistics.median(setting.rate(stack, tickets) for _ in range(rounds))
                first = first or ours
                longer = f"{first / ours:.2f} times as long as with the fewest"
                click.echo(f"  {one}, {size} stored (in {seconds:.0f} s): {ours:.0f} tickets/s, {longer}")
