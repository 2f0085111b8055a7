"""What `baton import` shows: a progress bar on a terminal, a line now and then elsewhere, and the figures at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from baton.pipelines.csv_rows import Fault, Row

#: Seconds between two lines where no terminal shows a bar.
LINE_SECONDS = 5.0
#: How many refused rows are shown; the reject file names them all.
SHOWN_REJECTS = 10


class Measured(Protocol):
    """A file that knows its size and how much of it was read."""

    size: int

    @property
    def read_bytes(self) -> int:
        """Bytes read."""


class Report:
    """
    Counts what becomes of rows and shows it. `judged` rows are those that stand for a ticket and were begun.

    `stopped` is why the run ended before the file did; empty if it did not.
    """

    def __init__(self, name: str, *, dry_run: bool = False) -> None:
        self._name = name
        self._dry_run = dry_run
        self._began = self._shown_at = time.monotonic()
        self._source: Measured | None = None
        self._bar: Progress | None = None
        self.read = self.judged = self.filed = self.there = self.rejected = self.skipped = self.unfiled = 0
        self.stopped = ""

    @contextmanager
    def showing(self, source: Measured) -> Iterator[None]:
        """Show the progress through this file for the length of the block."""
        self._source = source
        if not sys.stderr.isatty():
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            self._bar = bar
            bar.add_task(self._name, total=source.size)
            yield
        self._bar = None

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, counting them."""
        for row in rows:
            self.read += 1
            yield row

    def note(self, kind: str) -> None:
        """Count one outcome and refresh what is shown."""
        if kind == "filed":
            self.filed += 1
        elif kind == "already there":
            self.there += 1
        elif kind == "rejected":
            self.rejected += 1
        else:
            self.unfiled += 1
        if self._bar and self._source:
            self._bar.update(self._bar.task_ids[0], completed=self._source.read_bytes, description=self._figures())
        elif time.monotonic() - self._shown_at > LINE_SECONDS:
            self._shown_at = time.monotonic()
            click.echo(f"{self._name}: {self._figures()}", err=True)

    def refuse(self, number: int, faults: tuple[Fault, ...]) -> None:
        """Show why a row was refused, for the first few."""
        if self.rejected < SHOWN_REJECTS:
            reasons = "; ".join(f"{fault.field}: {fault.reason}" if fault.field else fault.reason for fault in faults)
            self.say(f"row {number} refused: {reasons}")

    def say(self, text: str) -> None:
        """Show a line beside the progress; what no terminal could show is escaped."""
        line = text.encode("utf-8", "backslashreplace").decode()
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            click.echo(line, err=True)

    def finish(self, rejects: Path | None) -> None:
        """Print the figures, where the refused rows are named, and why it stopped if it did."""
        verb = "would be filed" if self._dry_run else "filed"
        later = self.read - self.judged - self.skipped
        under_way = self.judged - self.filed - self.there - self.rejected - self.unfiled
        parts = [f"{self.filed:,} {verb}"]
        if not self._dry_run:
            parts.append(f"{self.there + self.skipped:,} already there")
        parts.append(f"{self.rejected:,} rejected")
        if self.unfiled:
            parts.append(f"{self.unfiled:,} not filed")
        elapsed = max(time.monotonic() - self._began, 1e-9)
        click.echo(
            f"{self._name}: {self.read:,} rows read: {', '.join(parts)}; {elapsed:.1f} s, {self.read / elapsed:,.0f} rows/s"
        )
        if later > 0:
            click.echo(f"{later:,} rows are later events of a case and no tickets of their own")
        if under_way > 0:
            click.echo(f"{under_way:,} rows were on their way when it stopped: the next run finds out which of them arrived")
        if self.skipped:
            click.echo(f"{self.skipped:,} of those already there were filed by the run that was stopped")
        if self.rejected and rejects:
            click.echo(f"refused rows, with field and reason: {rejects}")
        if self.stopped:
            click.echo(f"stopped: {self.stopped}\nRun the same command again: it goes on where it stopped.", err=True)

    def _figures(self) -> str:
        rate = self.read / max(time.monotonic() - self._began, 1e-9)
        there = f"{self.there + self.skipped:,} already there, " if not self._dry_run else ""
        return f"{self.read:,} rows, {self.filed:,} filed, {there}{self.rejected:,} rejected, {rate:,.0f} rows/s"
