"""`baton sla calendars` and `baton sla policies`: list, show, export, import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from baton.http.workflow.sla_levels import surroundings
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from baton.models.workflow import sla_editing_reading as reading
from baton.models.workflow.sla_editing_reading import CALENDARS, POLICIES, Kind
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from baton.pipelines.sla_editing import judge_calendar, judge_policy
from baton.pipelines.sla_policy_texts import PolicyError, policy_from_json
from baton.pipelines.sla_texts import read_document, write_document
from baton.pipelines.validation import ERROR, Fault
from baton.scripts.task_desk import operator
from baton.scripts.ticket_commands import fail, prepare

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def calendars() -> None:
    """Calendars: list, show, export, import."""


@click.group()
def policies() -> None:
    """Policies: list, show, export, import."""


@calendars.command("list")
def list_calendars() -> None:
    """List the calendars: the version in force, the time zone, how many closed ranges."""
    rows = _rows(CALENDARS)
    _table(("NAME", "VERSION", "TIME ZONE", "CLOSED"), [_calendar_row(row) for row in rows])


@policies.command("list")
def list_policies() -> None:
    """List the policies, the one that holds before all others first."""
    rows = sorted(_rows(POLICIES), key=lambda row: (row["definition"] is None, -_rank(row), row["name"]))
    _table(("NAME", "VERSION", "RANK", "CALENDAR", "TARGETS"), [_policy_row(row) for row in rows])


@calendars.command("show")
@click.argument("name")
def show_calendar(name: str) -> None:
    """Print the calendar NAME with its versions, as JSON."""
    _show(CALENDARS, name)


@policies.command("show")
@click.argument("name")
def show_policy(name: str) -> None:
    """Print the policy NAME with its versions, as JSON."""
    _show(POLICIES, name)


@calendars.command("export")
@click.argument("name")
@click.option("--output", "-o", type=_OUTPUT, help="Write to this file.")
def export_calendar(name: str, output: Path | None) -> None:
    """Write the calendar NAME as TOML."""
    _export(CALENDARS, name, output)


@policies.command("export")
@click.argument("name")
@click.option("--output", "-o", type=_OUTPUT, help="Write to this file.")
def export_policy(name: str, output: Path | None) -> None:
    """Write the policy NAME as TOML."""
    _export(POLICIES, name, output)


@calendars.command("import")
@click.argument("file", type=_FILE)
def import_calendar(file: Path) -> None:
    """Store the calendar in FILE (TOML): a new one, or the next version of the one of its name. New tickets get it."""
    document = _read(file, "calendar")
    name = document.pop("name")
    document.pop("description", None)
    _bring_in(CALENDARS, name, document)


@policies.command("import")
@click.argument("file", type=_FILE)
def import_policy(file: Path) -> None:
    """Store the policy in FILE (TOML): a new one, or the next version of the one of its name. New tickets get it."""
    document = _read(file, "policy")
    _bring_in(POLICIES, document["name"], document)


def find(kind: Kind, name: str) -> dict[str, Any]:
    """Return the calendar or policy of this name, in an open transaction; exits 1 when there is none."""
    row = reading.find_named(kind, name)
    if row is None:
        fail(
            f"there is no {_noun(kind)} {name!r}; `baton sla {'calendars' if kind is CALENDARS else 'policies'} list` names them"
        )
    assert row is not None
    return row


def store(kind: Kind, name: str, document: Mapping[str, Any]) -> None:
    """Judge and store a calendar's or policy's next version, unless it is the same; says what was done, exits 1 on errors."""
    _bring_in(kind, name, dict(document))


def _bring_in(kind: Kind, name: str, document: dict[str, Any]) -> None:
    prepare("workflow")
    with write_tx("workflow") as tx:
        reading.hold_levels(tx)
        _tell(judge_calendar(document) if kind is CALENDARS else judge_policy(document, surroundings()))
        known = reading.find_named(kind, name)
        if known is not None and known["definition"] is not None and json.loads(known["definition"]) == document:
            version, done = known["number"], "left, it is the same"
        else:
            stored = (store_calendar if kind is CALENDARS else store_policy)(tx, name, document, operator())
            version, done = stored.number, "created" if known is None else "changed"
    click.echo(f"{_noun(kind)} {name} version {version}: {done}")


def _read(file: Path, wanted: str) -> dict[str, Any]:
    try:
        kind, document = read_document(file.read_text(encoding="utf-8"))
    except (PolicyError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")
        raise
    if kind != wanted:
        fail(f"{file} holds a {kind}, not a {wanted}")
    return document


def _tell(faults: list[Fault]) -> None:
    for fault in faults:
        where = f"{fault.where}: " if fault.where else ""
        click.echo(f"{fault.severity:7}  {where}{fault.message}  -> {fault.remedy}  [{fault.code}]", err=True)
    if any(fault.severity == ERROR for fault in faults):
        fail("not stored")


def _rows(kind: Kind) -> list[dict[str, Any]]:
    prepare("workflow")
    with read_tx("workflow"):
        return list(reading.rows(kind).order_by(kind.table.name))


def _show(kind: Kind, name: str) -> None:
    prepare("workflow")
    with read_tx("workflow"):
        row = find(kind, name)
        versions = list(reading.versions(kind, row["id"]).order_by(kind.versions.number))
    shown = {
        "name": row["name"],
        "version": row["number"],
        "definition": None if row["definition"] is None else json.loads(row["definition"]),
        "versions": [
            {"number": each["number"], "created_by": each["created_by"], "created_at": each["created_at"].isoformat()}
            for each in versions
        ],
    }
    click.echo(json.dumps(shown, indent=1, ensure_ascii=False))


def _export(kind: Kind, name: str, output: Path | None) -> None:
    prepare("workflow")
    with read_tx("workflow"):
        row = find(kind, name)
    if row["definition"] is None:
        fail(f"{name} is retired; `baton sla {'calendars' if kind is CALENDARS else 'policies'} show` has its versions")
    text = write_document({"name": row["name"], **json.loads(row["definition"])})
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="\n")


def _calendar_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["definition"] is None:
        return row["name"], "retired", "", ""
    document = json.loads(row["definition"])
    return row["name"], str(row["number"]), document["time_zone"], str(len(document.get("closed") or ()))


def _policy_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["definition"] is None:
        return row["name"], "retired", "", "", ""
    policy = policy_from_json(row["definition"])
    targets = ", ".join(f"{metric} {json.loads(row['definition'])['targets'][metric]}" for metric in policy.targets)
    return row["name"], str(row["number"]), str(policy.rank), policy.calendar, targets or "steps"


def _rank(row: Mapping[str, Any]) -> int:
    return 0 if row["definition"] is None else policy_from_json(row["definition"]).rank


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        click.echo("None. Make those that Baton comes with: baton seed_workflows")
        return
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _noun(kind: Kind) -> str:
    return "calendar" if kind is CALENDARS else "policy"
