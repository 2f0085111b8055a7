"""`scripts/bench pipeline`: tickets a second from filed to assigned, on both kinds of run, beside the floor."""

from __future__ import annotations

import statistics

import click

from baton.scripts.benchmarks import floor, setting


@click.command("pipeline")
@click.option("--tickets", type=int, default=2_000, show_default=True)
@click.option(
    "--rounds", type=int, default=3, show_default=True, help="Measured rounds after one that warms up; the median counts."
)
@click.option("--kind", type=click.Choice([*setting.KINDS, "both"]), default="both", show_default=True)
def command(tickets: int, rounds: int, kind: str) -> None:
    """Tickets a second from filed (committed) to first step assigned (committed), and the ratio to the floor."""
    click.echo(f"pipeline: {tickets} tickets filed in one commit, IT Support, 300-byte descriptions; {setting.machine()}")
    for one in setting.KINDS if kind == "both" else (kind,):
        with setting.stack_of(one) as stack:
            batch = stack.settings.batch_size
            setting.rate(stack, tickets)
            rates = [setting.rate(stack, tickets) for _ in range(rounds)]
            ours = statistics.median(rates)
            click.echo(
                f"  {one}: {ours:.0f} tickets/s (rounds: {', '.join(f'{each:.0f}' for each in rates)}; batches of {batch})"
            )
            if one == "distributed":
                # The same servers, with our own processes idle; floor and ours see the same disk and the same minute.
                for size in (1, batch):
                    bare = statistics.median(
                        floor.measure(stack.settings, tickets, size) for _ in range(rounds if size > 1 else 1)
                    )
                    click.echo(f"    floor, batches of {size}: {bare:.0f} tickets/s; ours is {ours / bare:.2f} of it")
