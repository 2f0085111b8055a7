"""`baton sla check`: the verdicts of past tickets worked out again, beside those of their file."""

from __future__ import annotations

import csv
import sys
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click

from baton.pipelines.csv_rows import Row, read_header, read_rows
from baton.pipelines.import_mapping import MappingError
from baton.pipelines.sla.check_mapping import CheckMapping, read_check_mapping
from baton.pipelines.sla.checking import Checked, check_row, last_rows
from baton.scripts.import_files import MAPPINGS, Source, open_source

#: How many disagreements are shown; --disagreements writes them all.
SHOWN = 10
_HEADER = ["row", "line", "id", "file_says", "worked_out", "reason"]
#: Rows between two steps of the progress bar.
_STEP = 500


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "mapping_name", metavar="NAME|FILE", required=True, help="How rows become clocks.")
@click.option("--limit", type=click.IntRange(min=0), help="Stop after this many tickets.")
@click.option("--report-only", is_flag=True, help="Exit 0 although some verdicts differ.")
@click.option("--disagreements", "listing", type=click.Path(dir_okay=False, path_type=Path), help="Write each one to this CSV.")
def check(file: Path, mapping_name: str, limit: int | None, report_only: bool, listing: Path | None) -> None:
    """
    Judge past tickets again.

    Works out for each row of FILE (CSV, plain or gzip) whether it was in time, and compares with what FILE says of it.

    Mappings that come with Baton: city-sla and servicenow-sla. Your own is a small TOML file: copy one of scripts/mappings/,
    or see pipelines/sla/check_mapping.py.

    Exit code: 0 when every row that has a verdict agrees, 1 when some disagree or cannot be read (0 with --report-only),
    2 when it could not run.
    """
    mapping = _load(mapping_name)
    counts: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    differing: list[Checked] = []
    try:
        with open_source(file, mapping.encoding) as source, _showing(source, file.name) as step:
            rows = _rows(source, mapping, file)
            for number, row in enumerate(islice(last_rows(rows, mapping.last_per), limit)):
                checked = check_row(row, mapping)
                counts[checked.outcome] += 1
                if checked.found:
                    pairs[checked.told, checked.found] += 1
                if checked.outcome in ("disagrees", "unreadable"):
                    differing.append(checked)
                if number % _STEP == 0:
                    step(source.read_bytes)
    except (EOFError, LookupError, OSError, UnicodeError, zlib.error, csv.Error) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
    if listing is not None:
        _write(listing, differing, mapping)
    _report(counts, pairs, differing, mapping)
    if differing and not report_only:
        raise SystemExit(1)


def known_check_mappings() -> list[str]:
    """Return the names of the mappings that come with Baton for `baton sla check`."""
    return sorted(path.stem for path in MAPPINGS.glob("*-sla.toml"))


def _load(name_or_file: str) -> CheckMapping:
    path = MAPPINGS / f"{name_or_file}.toml" if name_or_file in known_check_mappings() else Path(name_or_file)
    try:
        return read_check_mapping(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise click.UsageError(f"there is no mapping {name_or_file!r}; there are {', '.join(known_check_mappings())}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, MappingError) as error:
        raise click.UsageError(f"{path.name}: {error}") from None


def _rows(source: Source, mapping: CheckMapping, file: Path) -> Iterator[Row]:
    header = read_header(source.lines, mapping.delimiter)
    missing = [column for column in mapping.columns if column not in header]
    if missing:
        raise click.UsageError(f"{file.name} lacks the columns {', '.join(missing)}, which the mapping {mapping.name} needs")
    twice = [column for column in mapping.columns if header.count(column) > 1]
    if twice:
        raise click.UsageError(f"{file.name} has more than one column {', '.join(twice)}")
    yield from read_rows(source.lines, header, mapping.delimiter)


@contextmanager
def _showing(source: Source, name: str) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how much of the file was read: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=source.size)
        yield lambda done: bar.update(task, completed=done)


def _report(counts: Counter[str], pairs: Counter[tuple[str, str]], differing: list[Checked], mapping: CheckMapping) -> None:
    judged = counts["agrees"] + counts["disagrees"]
    share = f" ({100 * counts['agrees'] / judged:.2f} %)" if judged else ""
    click.echo(f"{counts.total()} tickets: {judged} compared, {counts['agrees']} agree{share}, {counts['disagrees']} disagree")
    others = (("no_verdict", "without a verdict of their own"), ("not_asked", "not asked for"), ("unreadable", "unreadable"))
    for outcome, words in others:
        if counts[outcome]:
            click.echo(f"  {counts[outcome]} {words}")
    for (told, found), number in sorted(pairs.items()):
        click.echo(f"  the file says {told}, worked out {found}: {number}")
    for each in differing[:SHOWN]:
        name = _printable(each.row.values.get(mapping.row_id, ""))
        what = f"the file says {each.told}, worked out {each.found}: " if each.found else ""
        click.echo(f"  {name} (row {each.row.number}): {what}{_printable(each.reason)}")
    if len(differing) > SHOWN:
        click.echo(f"  and {len(differing) - SHOWN} more; --disagreements FILE.csv lists them all")


def _write(path: Path, differing: list[Checked], mapping: CheckMapping) -> None:
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(_HEADER)
            for each in differing:
                identity = each.row.values.get(mapping.row_id, "")
                writer.writerow([each.row.number, each.row.line, identity, each.told, each.found, each.reason])
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error}") from None


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
