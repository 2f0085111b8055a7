"""`baton import-answers`: the rows of a CSV become comments on tickets that were imported before."""

from __future__ import annotations

import time
import tomllib
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import httpx

from baton.http.clients import ServiceClient
from baton.models.settings import get_settings
from baton.pipelines.answer_mapping import Answer, AnswerMapping, answer_of, parse_answer_mapping
from baton.pipelines.csv_rows import read_header, read_rows
from baton.pipelines.import_mapping import MappingError
from baton.scripts.answer_check import differences
from baton.scripts.answer_sender import AnswerSender, StoppedError, Ticket, tickets_of
from baton.scripts.import_files import MAPPINGS, Rejects, Source, base_name, open_source
from baton.scripts.import_journal import Journal, identity_of
from baton.scripts.import_report import Report

#: A service whose word the conversation service takes for what others wrote (`work.OPERATORS`).
PRINCIPAL = "operator"
#: How often the journal of a running import is written, in seconds: what a killed run has to send again.
JOURNAL_SECONDS = 1.0


@click.command("import-answers")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "mapping_name", metavar="NAME|FILE", default="support-forum-answers", show_default=True)
@click.option("--check", is_flag=True, help="Send nothing: compare each ticket's answers with FILE, in number and order.")
@click.option("--url", help="Base URL of the conversation service. [default: BATON_MESSAGING_URL, or the local one]")
@click.option("--helpdesk-url", help="Base URL of the help desk, which knows the tickets. [default: BATON_HELPDESK_URL]")
@click.option("--rejects", "rejects_path", type=click.Path(dir_okay=False, path_type=Path), help="[default: ./FILE.rejects.csv]")
@click.option("--limit", type=click.IntRange(min=0), help="Stop after this many rows.")
@click.option("--resume/--no-resume", default=True, help="Skip what a stopped run of the same file has sent. [default: resume]")
@click.option("--patience", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds to wait for a server.")
def import_answers(
    file: Path,
    mapping_name: str,
    check: bool,
    url: str | None,
    helpdesk_url: str | None,
    rejects_path: Path | None,
    limit: int | None,
    resume: bool,
    patience: float,
) -> None:
    """
    Take each row of FILE (CSV, plain or gzip) over as a comment on the ticket that its question became.

    Import the questions first (`baton import`). Importing the same rows again adds nothing; each ticket's answers keep the order
    of the file, their authors and their times. Nobody is told of them, and no service level counts them.

    Exit code: 0 when every row is a comment now, 1 when rows were refused, the import stopped early, or --check found a
    difference, 2 when it could not begin.
    """
    settings = get_settings()
    url, helpdesk_url = (
        (given or settings.url(of)).rstrip("/") for given, of in ((url, "messaging"), (helpdesk_url, "helpdesk"))
    )
    mapping = _mapping(mapping_name)
    _check_header(file, mapping)
    report = Report(mapping.name)
    with _client() as client:
        try:
            tickets = tickets_of(client, helpdesk_url, mapping.source, lambda count: None)
            if check:
                _show_differences(client, url, file, mapping, tickets)
                return
            journal = Journal(settings.data_dir / "imports", file, identity_of(file, mapping, url))
            if not (resume and journal.load() and _still_there(client, url, journal)):
                journal.forget()
            rejects = Rejects(rejects_path or Path.cwd() / f"{base_name(file)}.rejects.csv")
            sender = AnswerSender(client, url, mapping, tickets, patience=patience)
            _run(file, mapping, sender, report, rejects, journal, limit)
        except (StoppedError, httpx.HTTPError) as error:
            raise click.ClickException(str(error)) from None
    report.finish(rejects.path)
    if report.stopped or report.rejected:
        raise SystemExit(1)


def answers_in(source: Source, mapping: AnswerMapping, report: Report | None = None) -> Iterator[Answer]:
    """Yield the answers of an open file, in its order. Raises what reading raises."""
    header = read_header(source.lines, mapping.delimiter)
    rows = read_rows(source.lines, header, mapping.delimiter)
    for row in report.counted(rows) if report else rows:
        yield answer_of(row, mapping)


def _run(
    file: Path,
    mapping: AnswerMapping,
    sender: AnswerSender,
    report: Report,
    rejects: Rejects,
    journal: Journal,
    limit: int | None,
) -> None:
    saved_at = time.monotonic()
    with open_source(file, mapping.encoding) as source, report.showing(source):
        try:
            for outcome in sender.send_all(_left(islice(answers_in(source, mapping, report), limit), journal, report)):
                answer = outcome.answer
                report.note(outcome.kind)
                if outcome.faults:
                    report.refuse(answer.number, outcome.faults)
                    rejects.add(answer.number, answer.line, answer.source_id, outcome.faults)
                journal.note(answer.number, refused=bool(outcome.faults), ticket=outcome.ticket, key=answer.source_id)
                if time.monotonic() - saved_at > JOURNAL_SECONDS:
                    journal.save()
                    saved_at = time.monotonic()
        except KeyboardInterrupt:
            report.stopped = "interrupted"
        except StoppedError as error:
            report.stopped = str(error)
        except (EOFError, OSError, UnicodeError, zlib.error) as error:
            report.stopped = f"{file} cannot be read beyond row {report.read}: {error}; get a whole copy of it"
    rejects.close()
    if report.stopped:
        journal.save()
    else:
        journal.remove()


def _left(answers: Iterator[Answer], journal: Journal, report: Report) -> Iterator[Answer]:
    for answer in answers:
        if journal.done(answer.number):
            report.skipped += 1
        else:
            report.judged += 1
            yield answer


def _show_differences(client: ServiceClient, url: str, file: Path, mapping: AnswerMapping, tickets: dict[str, Ticket]) -> None:
    with open_source(file, mapping.encoding) as source:
        compared, found = differences(client, url, answers_in(source, mapping), tickets)
    for line in found[:20]:
        click.echo(line, err=True)
    click.echo(f"{compared.answers:,} answers on {compared.tickets:,} tickets compared: {len(found):,} tickets differ")
    if found:
        raise SystemExit(1)


def _mapping(name_or_file: str) -> AnswerMapping:
    path = MAPPINGS / f"{name_or_file}.toml"
    if not (name_or_file.endswith("-answers") and path.is_file()):
        path = Path(name_or_file)
    try:
        return parse_answer_mapping(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise click.UsageError(f"there is no mapping {name_or_file!r}; there is support-forum-answers") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, MappingError) as error:
        raise click.UsageError(f"{path.name}: {error}") from None


def _check_header(file: Path, mapping: AnswerMapping) -> None:
    try:
        with open_source(file, mapping.encoding) as source:
            header = read_header(source.lines, mapping.delimiter)
    except (LookupError, OSError, EOFError, UnicodeError, zlib.error) as error:
        raise click.UsageError(str(error)) from None
    missing = [column for column in mapping.columns if header.count(column) != 1]
    if missing:
        raise click.UsageError(f"{file.name} must have the columns {', '.join(missing)} once each")


def _client() -> ServiceClient:
    # The sender has patience of its own.
    return ServiceClient(get_settings(), PRINCIPAL, patience=0)


def _still_there(client: ServiceClient, url: str, journal: Journal) -> bool:
    try:
        return client.get(f"{url}/api/v1/tickets/{journal.witness['ticket']}/participants").is_success
    except (httpx.HTTPError, ValueError):
        return False
