"""`baton replay`: histories that another system logged are carried out again, by the actions that people have here."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import click

from baton.http.clients import ServiceClient
from baton.models.settings import get_settings
from baton.pipelines.replay import Case
from baton.scripts import replay_stage
from baton.scripts.plain_client import PlainClient
from baton.scripts.replay_files import (
    ReplayFileError,
    ReplayJournal,
    identity_of,
    load_replay_mapping,
    read_cases,
    write_report,
)
from baton.scripts.replay_player import Played, Player, StoppedError
from baton.scripts.replay_report import ReplayReport, read_desk
from baton.scripts.ticket_commands import fail, prepare

#: The name under which the replay signs in as a service; `pipelines.work` lets it act on items.
PRINCIPAL = "replay"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "mapping_name", default="servicenow-replay", show_default=True, metavar="NAME|FILE")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many cases.")
@click.option("--resume", is_flag=True, help="Leave out the cases that a run which was stopped has noted as done.")
@click.option("--report", "report_path", type=click.Path(dir_okay=False, path_type=Path), help="Lists what could not be done.")
@click.option("--in-flight", type=click.IntRange(1, 256), default=24, show_default=True, help="Cases carried out at a time.")
@click.option("--patience", type=click.FloatRange(min=0.1), default=60, show_default=True, help="Seconds to wait for a server.")
@click.option("--yes", is_flag=True, help="Make the groups and people of the file even in production.")
def replay(
    file: Path, mapping_name: str, limit: int | None, resume: bool, report_path: Path | None, in_flight: int, patience: float,
    yes: bool,
) -> None:  # fmt: skip
    """
    Carry out the histories in FILE, a CSV (plain or gzip) whose rows are updates of cases, in the order of the file.

    Each case becomes one ticket, each update at least one row of its history: the updates of a case one after the other,
    different cases side by side. What the file's order makes impossible is listed with the reason. The groups of the file
    become roles, departments and workflows, its people their members: use an installation of its own. May be repeated: what
    was carried out is found in the histories and not done again.

    Exit code: 0 when every case ended as in the file and the figures agree, 1 when not, or when it was stopped early.
    """
    settings = get_settings()
    if settings.production and not yes:
        raise click.ClickException("this creates groups and people, and BATON_ENV is production; add --yes if that is meant")
    prepare("auth", "workflow")
    try:
        mapping, intake = load_replay_mapping(mapping_name)
        cases = read_cases(file, mapping, limit)
    except (ReplayFileError, OSError, EOFError, UnicodeError, zlib.error) as error:
        raise click.UsageError(str(error)) from None
    report = ReplayReport(cases)
    holders = replay_stage.build(replay_stage.people_of(cases), intake.source, report.say)
    urls = {service: settings.url(service) for service in ("helpdesk", "workflow")}
    journal = ReplayJournal(settings.data_dir / "replays", file, identity_of(file, mapping, *urls.values()))
    known = journal.begin(resume=resume)
    with ServiceClient(settings, PRINCIPAL, patience=0) as signer:
        client = PlainClient(signer)
        player = Player(client, urls, intake, holders, patience=patience)
        with report.showing():
            for played in _play(player, cases, known, in_flight, report):
                report.note(played, earlier=played.case in known)
                if played.case not in known:
                    journal.note(played)
        if not report.stopped:
            report.desk = read_desk(client, urls["helpdesk"], report.expected_statuses(), patience)
    journal.close(finished=not report.stopped)
    path = report_path or Path.cwd() / f"{file.name.removesuffix('.gz')}.replay.csv"
    write_report(path, report.rows())
    if not report.finish(path):
        fail("run it again with --resume to go on" if report.stopped else "the histories do not agree with the file")


def _play(player: Player, cases: list[Case], known: dict[str, Played], in_flight: int, report: ReplayReport) -> Iterator[Played]:
    """Yield the cases as they are done; a case is begun only when all before it in the file are, or are being, carried out."""
    running: set[Future[Played]] = set()
    with ThreadPoolExecutor(in_flight, thread_name_prefix="replay") as pool:
        try:
            for case in cases:
                if case.name in known:
                    yield known[case.name]
                    continue
                running.add(pool.submit(player.play, case))
                while len(running) >= in_flight:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        except (StoppedError, KeyboardInterrupt) as error:
            report.stopped = str(error) or "interrupted"
        finally:
            player.stop.set()
