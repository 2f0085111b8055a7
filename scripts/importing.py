"""`baton import`: the rows of a CSV become tickets, filed through the help desk's front door."""

from __future__ import annotations

import csv
import json
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import click
import httpx

from baton.http.clients import ServiceClient
from baton.models.settings import Settings, get_settings
from baton.pipelines.csv_rows import Fault, first_rows, read_header, read_rows
from baton.pipelines.import_mapping import MappingError, TicketMapping, guess_mapping, missing_columns
from baton.pipelines.importing import Filing, ticket_of
from baton.scripts.import_files import Rejects, Source, base_name, known_mappings, load_mapping, open_source
from baton.scripts.import_journal import Journal, identity_of
from baton.scripts.import_report import Report
from baton.scripts.import_sender import Front, Outcome, Sender

#: How often the journal of a running import is written, in seconds: what a killed run has to ask about again.
JOURNAL_SECONDS = 1.0


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", "mapping_name", metavar="NAME|FILE", help="How rows become tickets; guessed from the header if absent."
)
@click.option("--dry-run", is_flag=True, help="Judge every row by the same rules; contact nobody, write nothing.")
@click.option("--url", help="Base URL of the help desk. [default: BATON_HELPDESK_URL, or the local one]")
@click.option("--in-flight", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at the same time.")
@click.option("--rejects", "rejects_path", type=click.Path(dir_okay=False, path_type=Path), help="[default: ./FILE.rejects.csv]")
@click.option("--limit", type=click.IntRange(min=0), help="Stop after this many tickets.")
@click.option("--resume/--no-resume", default=True, help="Skip what a stopped run of the same file has filed. [default: resume]")
@click.option(
    "--patience", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds to wait for a server that fails."
)
@click.option("--allow-rejects", is_flag=True, help="Exit 0 although rows were refused.")
def import_tickets(
    file: Path,
    mapping_name: str | None,
    dry_run: bool,
    url: str | None,
    in_flight: int,
    rejects_path: Path | None,
    limit: int | None,
    resume: bool,
    patience: float,
    allow_rejects: bool,
) -> None:
    """
    File each row of FILE (CSV, plain or gzip) as a ticket.

    Importing the same rows again adds nothing: a ticket is named by its source and the row's id there. Rows that cannot
    become a ticket are named in the reject file with number, field and reason; correct them in FILE and import it again.

    Exit code: 0 when every row is a ticket now (or would be, with --dry-run), 1 when rows were refused (unless
    --allow-rejects) or the import stopped early, 2 when it could not begin.

    Mappings that come with Baton: support-forum, city-requests, banking-queries, consumer-complaints and
    servicenow-incidents. Your own is a small TOML file: copy one of scripts/mappings/, or see pipelines/import_mapping.py.
    """
    settings = get_settings()
    url = (url or settings.url("helpdesk")).rstrip("/")
    mapping = _mapping_for(file, mapping_name)
    report = Report(mapping.name, dry_run=dry_run)
    if dry_run:
        run = _Import(file, mapping, report, Rejects(rejects_path) if rejects_path else None, None)
        run.go(lambda filings: _judged(filings, settings.max_body_bytes), limit)
    else:
        rejects = Rejects(rejects_path or Path.cwd() / f"{base_name(file)}.rejects.csv")
        with _front(settings, in_flight) as front:
            journal = Journal(settings.data_dir / "imports", file, identity_of(file, mapping, url))
            if not (resume and journal.load() and _still_there(front, url, journal)):
                journal.forget()
            sender = Sender(front, url, in_flight=in_flight, patience=patience, notice=report.say)
            run = _Import(file, mapping, report, rejects, journal)
            run.go(sender.file_all, limit)
            report.stopped = report.stopped or sender.reason
    report.finish(rejects_path if dry_run else rejects.path)
    if report.stopped or (report.rejected and not allow_rejects):
        raise SystemExit(1)


class _Import:
    """One run over one file: reads rows, has them filed, and keeps the report, the reject file and the journal."""

    def __init__(
        self, file: Path, mapping: TicketMapping, report: Report, rejects: Rejects | None, journal: Journal | None
    ) -> None:
        self._file = file
        self._mapping = mapping
        self._report = report
        self._rejects = rejects
        self._journal = journal
        self._saved_at = time.monotonic()

    def go(self, file_all: Callable[[Iterator[Filing]], Iterator[Outcome]], limit: int | None) -> None:
        """Run to the end of the file or until it must stop; why it stopped is in the report."""
        with open_source(self._file, self._mapping.encoding) as source, self._report.showing(source):
            try:
                for outcome in file_all(self._filings(source, limit)):
                    self._note(outcome)
            except KeyboardInterrupt:
                self._report.stopped = "interrupted"
        if self._rejects:
            self._rejects.close()
        if self._journal and (self._report.stopped or self._report.unfiled):
            self._journal.save()
        elif self._journal:
            self._journal.remove()

    def _filings(self, source: Source, limit: int | None) -> Iterator[Filing]:
        name = base_name(self._file)
        try:
            header = read_header(source.lines, self._mapping.delimiter)
            rows = self._report.counted(read_rows(source.lines, header, self._mapping.delimiter))
            for row in islice(first_rows(rows, self._mapping.first_per), limit):
                if self._journal and self._journal.done(row.number):
                    self._report.skipped += 1
                else:
                    self._report.judged += 1
                    yield ticket_of(row, self._mapping, name)
        except (EOFError, OSError, UnicodeError, zlib.error) as error:
            self._report.stopped = f"{self._file} cannot be read beyond row {self._report.read}: {error}; get a whole copy of it"

    def _note(self, outcome: Outcome) -> None:
        filing = outcome.filing
        if outcome.kind == "rejected":
            self._report.refuse(filing.number, outcome.faults)
            if self._rejects:
                self._rejects.add(filing.number, filing.line, filing.source_id, outcome.faults)
        self._report.note(outcome.kind)
        if self._journal and not self._report.unfiled:
            self._journal.note(filing.number, refused=outcome.kind == "rejected", ticket=outcome.ticket, key=filing.source_id)
            if time.monotonic() - self._saved_at > JOURNAL_SECONDS:
                self._journal.save()
                self._saved_at = time.monotonic()


def _judged(filings: Iterator[Filing], max_body_bytes: int) -> Iterator[Outcome]:
    for filing in filings:
        faults = filing.faults
        if not faults and len(json.dumps(filing.body, ensure_ascii=False).encode()) > max_body_bytes:
            faults = (Fault("", f"as a request it is larger than the {max_body_bytes} bytes that the help desk accepts"),)
        yield Outcome(filing=filing, kind="rejected" if faults else "filed", faults=faults)


def _mapping_for(file: Path, name: str | None) -> TicketMapping:
    try:
        mapping = load_mapping(name) if name else None
        header = _header(file, mapping)
        mapping = mapping or guess_mapping(header, map(load_mapping, known_mappings()))
    except (MappingError, LookupError, OSError, EOFError, UnicodeError, zlib.error, csv.Error) as error:
        raise click.UsageError(str(error)) from None
    if mapping is None:
        columns = ", ".join(header) or "none"
        known = ", ".join(known_mappings())
        raise click.UsageError(
            f"no mapping fits the columns of {file.name} ({columns}); give --mapping NAME|FILE, known are {known}"
        )
    missing = missing_columns(header, mapping)
    if missing:
        raise click.UsageError(f"{file.name} lacks the columns {', '.join(missing)}, which the mapping {mapping.name} needs")
    twice = sorted({column for column in mapping.columns if header.count(column) > 1})
    if twice:
        raise click.UsageError(f"{file.name} has more than one column {', '.join(twice)}")
    return mapping


def _header(file: Path, mapping: TicketMapping | None) -> list[str]:
    with open_source(file, mapping.encoding if mapping else "utf-8") as source:
        return read_header(source.lines, mapping.delimiter if mapping else ",")


def _front(settings: Settings, connections: int) -> ServiceClient:
    # The sender has patience of its own, which ends when nothing comes through rather than row by row.
    return ServiceClient(settings, "import", patience=0, connections=connections)


def _still_there(front: Front, url: str, journal: Journal) -> bool:
    try:
        response = front.get(f"{url}/api/v1/tickets/{journal.witness['ticket']}")
        return response.is_success and response.json().get("source_id") == journal.witness["source_id"]
    except (httpx.HTTPError, ValueError):
        return False
