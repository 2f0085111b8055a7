"""`baton sla holidays`: closed days of a country or of an iCalendar file, shown or added to a calendar."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from baton.models.database import read_tx
from baton.models.workflow.sla_editing_reading import CALENDARS
from baton.pipelines.sla.holidays import HolidayError, closed_from_country
from baton.pipelines.sla.ics import closed_from_ics
from baton.pipelines.sla_editing import with_closed
from baton.scripts.sla_levels import find, store
from baton.scripts.ticket_commands import fail, prepare


@click.command()
@click.argument("country", required=False)
@click.option("--subdivision", help="A state or region, such as BY.")
@click.option("--language", help="Of the holidays' names, such as en_US; the country's own by default.")
@click.option("--ics", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Take an iCalendar file's events.")
@click.option("--years", help="Such as 2026,2027 or 2026-2028; this year and the next by default.")
@click.option("--calendar", "name", help="Add them to this calendar; what it has already is left.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of a file's timed events, without --calendar.")
@click.option("--save", is_flag=True, help="Store the calendar with them as its next version.")
def holidays(
    country: str | None,
    subdivision: str | None,
    language: str | None,
    ics: Path | None,
    years: str | None,
    name: str | None,
    time_zone: str,
    save: bool,
) -> None:
    """
    Make closed days of the public holidays of COUNTRY (two letters), or of an iCalendar file (--ics).

    Without --save it only prints them, as JSON. Nothing is fetched. Movable holidays are dates of their years: repeat it before
    the last year begins.
    """
    if (country is None) == (ics is None):
        raise click.UsageError("name either a COUNTRY or --ics FILE")
    if save and name is None:
        raise click.UsageError("--save needs --calendar NAME")
    document: dict[str, Any] | None = None
    if name is not None:
        prepare("workflow")
        with read_tx("workflow"):
            row = find(CALENDARS, name)
        document = json.loads(row["definition"]) if row["definition"] is not None else fail(f"{name} is retired")
    zone = time_zone if document is None else document["time_zone"]
    entries = _entries(country, subdivision, language, ics, zone, _years(years))
    if document is None:
        click.echo(json.dumps(entries, indent=1, ensure_ascii=False))
        return
    changed, added = with_closed(document, entries)
    click.echo(json.dumps(added, indent=1, ensure_ascii=False))
    click.echo(f"{len(added)} new closed ranges, {len(entries) - len(added)} are there already", err=True)
    if save and added:
        store(CALENDARS, str(name), changed)


def _entries(
    country: str | None, subdivision: str | None, language: str | None, ics: Path | None, zone: str, years: list[int]
) -> list[dict[str, str]]:
    try:
        if ics is not None:
            return closed_from_ics(ics.read_text(encoding="utf-8-sig"), zone, years)
        return closed_from_country(str(country).upper(), years, subdivision=subdivision, language=language)
    except (HolidayError, UnicodeDecodeError, OSError, KeyError) as error:
        fail(str(error))
        raise


def _years(text: str | None) -> list[int]:
    if text is None:
        year = datetime.now(UTC).year
        return [year, year + 1]
    try:
        found: list[int] = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)[:100]
    except ValueError:
        raise click.UsageError(f"{text!r} are no years; write 2026,2027 or 2026-2028") from None
    return found
