"""What `baton replay` shows and concludes: a progress bar, and in the end its figures beside those of the file."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from baton.pipelines.replay import Case, expected_moves, group_changes, reopenings
from baton.pipelines.replay_mapping import GOAL_CLOSED, GOAL_RESOLVED
from baton.pipelines.statuses import CLOSED, RESOLVED
from baton.scripts.plain_client import NoAnswerError, PlainClient
from baton.scripts.replay_player import Played

#: Seconds between two lines where no terminal shows a bar.
LINE_SECONDS = 10.0
SHOWN_FAULTS = 10


class ReplayReport:
    """Keeps what became of the cases. `desk` is each ticket's status at the help desk, `stopped` why the run ended early."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = {case.name: case for case in cases}
        self._total = sum(len(case.updates) for case in cases)
        self._began = self._shown_at = time.monotonic()
        self._bar: Progress | None = None
        self._updates = 0
        #: Updates and actions that earlier runs carried out: no part of this run's rates.
        self._earlier: Counter[str] = Counter()
        self.played: dict[str, Played] = {}
        self.desk: dict[str, str] = {}
        self.stopped = ""

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show the progress for the length of the block."""
        self._began = time.monotonic()
        if not sys.stderr.isatty():
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            self._bar = bar
            bar.add_task("updates", total=self._total)
            yield
        self._bar = None

    def note(self, played: Played, *, earlier: bool = False) -> None:
        """Take a case up that was carried out, now or by an earlier run."""
        self.played[played.case] = played
        self._updates += played.updates
        if earlier:
            self._earlier.update(updates=played.updates, actions=sum(played.actions.values()))
        if played.faults and sum(bool(each.faults) for each in self.played.values()) <= SHOWN_FAULTS:
            self.say(f"{played.case} ({played.ticket}): {'; '.join(played.faults)}")
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=self._updates)
        elif time.monotonic() - self._shown_at > LINE_SECONDS:
            self._shown_at = time.monotonic()
            rate = (self._updates - self._earlier["updates"]) / (self._shown_at - self._began)
            click.echo(f"{self._updates:,} of {self._total:,} updates, {rate:,.0f} a second", err=True)

    def say(self, text: str) -> None:
        """Show a line beside the progress."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)

    def expected_statuses(self) -> dict[str, str]:
        """Return the status that each ticket should have in the end."""
        return {each.ticket: _last_status(self._cases[each.case]) for each in self.played.values() if each.ticket}

    def rows(self) -> list[tuple[str, int, str, str]]:
        """Return everything that is not as in the file: (case, update or 0, kind, reason)."""
        found: list[tuple[str, int, str, str]] = []
        for name, case in self._cases.items():
            played = self.played.get(name)
            if played is None:
                found.append((name, 0, "not played", self.stopped))
                continue
            found += [(name, 0, "fault", fault) for fault in played.faults]
            found += [(name, 0, "fault", difference) for difference in self._differences(case, played)]
            found += [(name, place, "impossible", reason) for place, reason in played.impossible]
            hidden = case.reassignments - group_changes(case)
            if hidden:
                reason = f"the file counts {case.reassignments} reassignments and shows {group_changes(case)} changes of group"
                found.append((name, 0, "not in the file", reason))
        return found

    def finish(self, path: Path) -> bool:
        """Print the figures; return whether all is as in the file, but for what cannot be."""
        cases, played = list(self._cases.values()), list(self.played.values())
        kinds = Counter(kind for _, _, kind, _ in self.rows())
        actions: Counter[str] = sum((each.actions for each in played), Counter())
        statuses = Counter(self.desk.values())
        elapsed = max(time.monotonic() - self._began, 1e-9)
        lines = (
            f"cases           in the file {len(cases):,}, carried out {len(played):,}, as one task each",
            f"closed          in the file {sum(_last_status(c) == CLOSED for c in cases):,}, "
            f"workflow side {sum(each.status == CLOSED for each in played):,}, help desk {statuses[CLOSED]:,}",
            f"updates         in the file {self._total:,}, with a row of history {sum(each.noted for each in played):,}",
            f"reopenings      counted by the file {sum(c.reopens for c in cases):,}, "
            f"shown by it {sum(map(reopenings, cases)):,}, in the histories {sum(each.reopened for each in played):,}",
            f"reassignments   counted by the file {sum(c.reassignments for c in cases):,}, "
            f"shown by it {sum(map(group_changes, cases)):,}, possible {sum(map(expected_moves, cases)):,}, "
            f"in the histories {sum(each.moves for each in played):,}",
            f"impossible      {kinds['impossible']:,} updates ask something of a finished case: noted only",
            f"not in the file {kinds['not in the file']:,} cases count reassignments that no update shows",
            f"faults          {kinds['fault']:,}",
            f"actions         {', '.join(f'{name} {count:,}' for name, count in sorted(actions.items())) or 'none'}",
            f"time            {elapsed:.0f} s, {(self._updates - self._earlier['updates']) / elapsed:,.0f} updates "
            f"and {(actions.total() - self._earlier['actions']) / elapsed:,.0f} actions a second in this run",
        )
        click.echo("\n".join(lines))
        click.echo(f"everything that is not as in the file: {path}")
        if self.stopped:
            click.echo(f"stopped: {self.stopped}", err=True)
        return not (self.stopped or kinds["fault"] or kinds["not played"])

    def _differences(self, case: Case, played: Played) -> Iterator[str]:
        status = _last_status(case)
        for what, ours, theirs in (
            ("updates in its history", played.noted, len(case.updates)),
            ("reopenings", played.reopened, reopenings(case)),
            ("reopenings counted by the file", played.reopened, case.reopens),
            ("changes of group", played.moves, expected_moves(case)),
        ):
            if ours != theirs:
                yield f"{what}: {ours}, not {theirs}"
        if status and played.status != status:
            yield f"ended as {played.status}, not {status}"
        if status and not self.stopped and self.desk.get(played.ticket) != status:
            yield f"the help desk shows {self.desk.get(played.ticket)}, not {status}"


def _last_status(case: Case) -> str:
    """Return the ticket status that a case ends with, empty when its last state does not say."""
    return {GOAL_CLOSED: CLOSED, GOAL_RESOLVED: RESOLVED}.get(case.updates[-1].goal, "")


def read_desk(client: PlainClient, url: str, expected: Mapping[str, str], patience: float) -> dict[str, str]:
    """Return the status of these tickets at the help desk, once they are as expected or the patience ends."""
    found: dict[str, str] = {}
    deadline = time.monotonic() + patience
    while True:
        for number in [number for number, status in expected.items() if status and found.get(number) != status]:
            with suppress(NoAnswerError):
                answer = client.request("GET", f"{url}/api/v1/tickets/{number}")
                if answer.is_success:
                    found[number] = answer.json()["status"]
        if all(found.get(number) == status for number, status in expected.items() if status) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)
