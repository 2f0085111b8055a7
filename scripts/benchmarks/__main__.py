"""The sub-commands of `scripts/bench`."""

from __future__ import annotations

import importlib

import click

#: Sub-command -> module of this package with a click command of the same name.
BENCHMARKS = {
    "pipeline": "pipeline",
    "latency": "latency",
    "http": "fronts",
    "actions": "actions",
    "live": "live",
    "sla": "sla",
    "pages": "pages",
    "growth": "growth",
    "memory": "memory",
}


class Benchmarks(click.Group):
    """Loads a benchmark only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the benchmarks in the order they are worth reading."""
        return [*BENCHMARKS, "all"]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a benchmark's command."""
        if name == "all":
            return _all
        if name not in BENCHMARKS:
            return None
        command: click.Command = importlib.import_module(f"baton.scripts.benchmarks.{BENCHMARKS[name]}").command
        return command


@click.command("all")
@click.pass_context
def _all(context: click.Context) -> None:
    """Run every benchmark with its defaults, one after the other."""
    for name in BENCHMARKS:
        command = benchmarks.get_command(context, name)
        assert command is not None
        context.invoke(command)


@click.command(cls=Benchmarks)
def benchmarks() -> None:
    """Measure Baton."""


if __name__ == "__main__":
    benchmarks(prog_name="scripts/bench")
