"""`baton sla explain`: scenarios in, answers out, as JSON, as a table or as a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import click

from baton.pipelines.sla.pictures import draw
from baton.pipelines.sla.scenarios import Answer, Scenario, ScenarioError, answer, instant_text, read_scenario, write_answer
from baton.pipelines.sla.timeline import Line, write_timeline
from baton.pipelines.sla.timeline import explain as lines_of
from baton.pipelines.sla.timeline_texts import duration_text, level_text, local_text
from baton.pipelines.sla.working_time import to_ms


@dataclass(frozen=True, slots=True)
class Answered:
    """A scenario with its answer; `name` is its id, or its number in the file, empty for a scenario by itself."""

    name: str
    id: Any
    scenario: Scenario
    answer: Answer
    lines: list[Line]
    about: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the answer as JSON, with the scenario's id where it has one."""
        document = write_answer(self.scenario, self.answer)
        document["timeline"] = write_timeline(self.lines, self.scenario.clock.calendar)
        return document if self.id is None else {"id": self.id} | dict(self.about) | document


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--ticket", help="Explain the clocks of this live ticket instead of a file.")
@click.option("--clock", type=int, help="Of the ticket, only the clock of this id.")
@click.option("--text", is_flag=True, help="Show a table instead of JSON.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture of the one scenario to this file.")
def explain(file: str | None, ticket: str | None, clock: int | None, text: bool, svg: Path | None) -> None:
    """
    Say when a clock is due, and why.

    FILE holds a scenario or a list of them (JSON; `-` reads standard input). A scenario names a calendar, a target and what
    happened; the answer says when it is due, how much is consumed, the verdict, when each level fires, and every step on
    the way. A case of the form {"id", "scenario"} is answered under its id.

    With --ticket the scenarios are the ticket's clocks as they are now: the policy, the pauses, the events that happened.

    Exit code: 0 when every scenario was answered, 2 when one cannot be; it is named with its field. 1: no such ticket.
    """
    if (file is None) == (ticket is None):
        raise click.UsageError("give either a FILE or --ticket NUMBER")
    document = _read(file) if file is not None else []
    answered = answer_all(document) if ticket is None else answer_ticket(ticket, clock)
    if svg is not None:
        if len(answered) != 1:
            names = ", ".join(f"{each.about['clock']} ({each.name})" for each in answered if each.about)
            more = f"choose by --clock: {names}" if names else f"{file} has {len(answered)}"
            raise click.UsageError(f"--svg draws one scenario; {more}")
        _write(svg, draw(answered[0].lines, answered[0].scenario.clock.calendar, heading=_heading(answered[0])))
    if text:
        show(answered)
    else:
        documents = [each.document() for each in answered]
        click.echo(json.dumps(documents if isinstance(document, list) else documents[0], indent=1, ensure_ascii=False))


def answer_all(document: Any) -> list[Answered]:
    """Return the answers to a scenario or a list of them; names each one that cannot be answered and ends with code 2."""
    answered, faults = [], []
    for number, given in enumerate(document if isinstance(document, list) else [document]):
        name = _name(given, number if isinstance(document, list) else None)
        wrapped = isinstance(given, dict) and "scenario" in given
        try:
            scenario = read_scenario(given["scenario"] if wrapped else given)
        except ScenarioError as error:
            faults.append(f"{name}: {error}" if name else str(error))
            continue
        found = answer(scenario)
        answered.append(Answered(name, given.get("id") if wrapped else None, scenario, found, lines_of(scenario, found)))
    if faults:
        _refuse(*faults)
    return answered


def answer_ticket(ticket: str, clock: int | None) -> list[Answered]:
    """Return the answers to the clocks of a live ticket, or to the one of this id."""
    from baton.scripts.sla_ticket import told_clocks

    return [
        Answered(told.name, told.name, told.scenario, told.answer, told.lines, about)
        for about, told in told_clocks(ticket, clock)
    ]


def show(answered: Sequence[Answered]) -> None:
    """Print each answer as a table: its lines with what counts and the sum, and below what follows."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 130)
    for each in answered:
        calendar = each.scenario.clock.calendar
        table = Table(title=_safe(_heading(each)), title_justify="left", caption=_safe(_conclusion(each)), caption_justify="left")
        table.add_column("From", no_wrap=True)
        table.add_column("What")
        table.add_column("Counts", justify="right", no_wrap=True)
        table.add_column("Sum", justify="right", no_wrap=True)
        for line, told in zip(each.lines, write_timeline(each.lines, calendar), strict=True):
            counts = duration_text(line.counted) if line.kind in ("work", "left_out") else ""
            table.add_row(told["from"], _safe(line.text), counts, duration_text(line.sum))
        console.print(table)


def _heading(each: Answered) -> str:
    calendar = each.scenario.clock.calendar
    if each.about:
        return f"{each.about['ticket_number']}, {each.name}: {each.about['policy']}; {each.about['calendar']}"
    return f"{each.name}: calendar of {calendar.time_zone}" if each.name else f"Calendar of {calendar.time_zone}"


def _conclusion(each: Answered) -> str:
    """Return the answer in words."""
    found = each.answer
    zone = _zone(each)
    due = "no due time" if found.due_at is None else f"due {local_text(to_ms(found.due_at), zone)} ({instant_text(found.due_at)})"
    parts = [due]
    if found.consumed_ms is not None:
        parts.append(f"consumed {duration_text(found.consumed_ms)}")
    if found.verdict is not None:
        parts.append(f"verdict: {found.verdict}")
    for level, at in zip(each.scenario.levels, found.levels_at, strict=True):
        parts.append(f"{level_text(level)}: " + ("does not fire" if at is None else local_text(to_ms(at), zone)))
    return "; ".join(parts)


def _zone(each: Answered) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(each.scenario.clock.calendar.time_zone)


def _safe(text: str) -> str:
    from rich.markup import escape

    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))


def _name(given: Any, number: int | None) -> str:
    place = "" if number is None else f"scenario {number + 1}"
    label = given.get("id") if isinstance(given, dict) else None
    if label is None:
        return place
    return f"{place} ({label})" if place else str(label)


def _read(file: str) -> Any:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return json.loads(data.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        place = "standard input" if file == "-" else file
        _refuse(f"{place} cannot be read as JSON: {error}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _refuse(f"the picture cannot be written: {error}")


def _refuse(*reasons: str) -> NoReturn:
    for reason in reasons:
        click.echo(f"baton: {reason}", err=True)
    raise SystemExit(2)
