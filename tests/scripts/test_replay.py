"""`baton replay`: whole histories through a running stack, and the files it reads."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from baton.models import database
from baton.models.settings import SERVICES
from baton.pipelines.replay import group_changes, impossible
from baton.scripts.import_files import known_mappings
from baton.scripts.replay_files import ReplayFileError, known_replay_mappings, load_replay_mapping, read_cases
from baton.scripts.replay_player import Played
from baton.scripts.replay_report import ReplayReport
from baton.scripts.stack import Stack

SAMPLE = Path(__file__).parents[1] / "samples" / "servicenow-incidents.csv"
#: The whole event log, where a checkout has it beside itself; the project does not carry its 101,045 rows.
WHOLE = Path(os.environ.get("BATON_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / (
    "servicenow-incidents/incident_events.csv.gz"
)
MAPPING, _ = load_replay_mapping("servicenow-replay")
pytestmark = pytest.mark.usefixtures("alone")
FINAL = ("Resolved", "Closed")


def test_a_state_that_the_mapping_does_not_know_refuses_the_file(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(SAMPLE.read_text().replace(",Active,", ",Sleeping,", 1))

    with pytest.raises(ReplayFileError, match="does not know 'Sleeping'"):
        read_cases(file, MAPPING, None)


def test_rows_of_a_case_that_are_not_together_refuse_the_file(tmp_path: Path) -> None:
    header, *rows = SAMPLE.read_text().splitlines()
    file = tmp_path / "odd.csv"
    file.write_text("\n".join([header, *rows, rows[0]]) + "\n")

    with pytest.raises(ReplayFileError, match="not together"):
        read_cases(file, MAPPING, None)


def test_mappings_of_replays_are_no_mappings_of_imports() -> None:
    assert "servicenow-replay" in known_replay_mappings()
    assert "servicenow-replay" not in known_mappings()


# Through a running stack.


@pytest.fixture(scope="module", params=["embedded", pytest.param("distributed", marks=pytest.mark.distributed)])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    if request.param == "embedded":
        made = Stack.embedded()
    else:
        postgres, rabbitmq = (request.getfixturevalue(f"{name}_server") for name in ("postgres", "rabbitmq"))
        database_url, broker_url = postgres.fresh_url(), rabbitmq.fresh_url()
        request.addfinalizer(lambda: postgres.forget(database_url))
        request.addfinalizer(lambda: rabbitmq.forget(broker_url))
        made = Stack.distributed(database_url, broker_url, BATON_POOL_SIZE="3")
    with made:
        database.configure(made.settings)
        yield made
        for service in SERVICES:
            database.close(service)


def command(stack: Stack, file: Path, directory: Path, *options: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "baton.scripts.cli", "replay", str(file), *options]
    environment = {**stack.environment, "BATON_LOG_LEVEL": "WARNING"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(arguments, env=environment, cwd=directory, start_new_session=True, **pipes)


def replay(stack: Stack, file: Path, directory: Path, *options: str) -> tuple[int, str, list[dict[str, str]]]:
    """Run it to its end; return exit code, output, and the rows of its report."""
    process = command(stack, file, directory, *options)
    output, errors = process.communicate(timeout=600)
    assert "Traceback" not in errors, errors
    with next(directory.glob("*.replay.csv")).open(newline="") as handle:
        return process.returncode, output + errors, list(csv.DictReader(handle))


def selection(wanted: Any, file: Path, most: int) -> Path:
    """Write those incidents of the whole log whose rows are wanted, at most so many."""
    if not WHOLE.exists():
        pytest.skip(f"{WHOLE} is not there")
    with gzip.open(WHOLE, "rt", newline="") as source, file.open("w", newline="") as target:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(target, rows.fieldnames or [], lineterminator="\n")
        writer.writeheader()
        cases = (list(group) for _, group in itertools.groupby(rows, key=lambda row: row["number"]))
        for found in itertools.islice(filter(wanted, cases), most):
            writer.writerows(found)
    return file


def test_the_sample_becomes_closed_tickets_whose_histories_account_for_every_update(stack: Stack, tmp_path: Path) -> None:
    from baton.models.helpdesk.tables import Ticket
    from baton.models.workflow import Task, TaskItemHistory

    code, output, report = replay(stack, SAMPLE, tmp_path)
    cases = read_cases(SAMPLE, MAPPING, None)

    assert code == 0, output + str(report)
    assert not [row for row in report if row["kind"] == "fault"]
    with database.read_tx("helpdesk"):
        found = Ticket.select().where(Ticket.source == "servicenow-incidents")
        tickets = {row.source_id: (row.number, row.status) for row in found}
    assert {name: status for name, (_, status) in tickets.items()} == {each.name: "Closed" for each in cases}
    with database.read_tx("workflow"):
        for each in cases:
            number = tickets[each.name][0]
            assert Task.select().where(Task.ticket_number == number).count() == 1
            rows = TaskItemHistory.select().where(TaskItemHistory.ticket_number == number).order_by(TaskItemHistory.id)
            history = [(row.event, row.reason) for row in rows]
            places = [int(match[1]) for _, reason in history if (match := re.search(r"\[INC\d+ (\d+)/", reason))]
            assert places == sorted(places), "the updates are carried out in their order"
            assert set(places) == set(range(1, len(each.updates) + 1))
            assert sum(event == "reclassified" for event, _ in history) == group_changes(each)


def test_carrying_it_out_again_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    from baton.models.workflow import TaskItemHistory

    replay(stack, SAMPLE, tmp_path)
    with database.read_tx("workflow"):
        before = TaskItemHistory.select().count()
    code, output, _ = replay(stack, SAMPLE, tmp_path)

    assert code == 0, output
    assert "actions         none" in output
    with database.read_tx("workflow"):
        assert TaskItemHistory.select().count() == before


def test_a_replay_that_was_killed_goes_on_where_it_came(stack: Stack, tmp_path: Path) -> None:
    file = selection(lambda rows: 6 <= len(rows) <= 9, tmp_path / "middle.csv", 40)
    process = command(stack, file, tmp_path)
    journals = stack.settings.data_dir / "replays"
    deadline = time.monotonic() + 120
    while not any(path.read_text().count("\n") > 5 for path in journals.glob("*.jsonl")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    code, output, report = replay(stack, file, tmp_path, "--resume")

    assert code == 0, output + str(report)
    assert "carried out 40, as one task each" in output
    assert "faults          0" in output


def test_what_an_earlier_run_did_is_no_part_of_the_rates(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    case = read_cases(SAMPLE, MAPPING, 1)[0]
    report = ReplayReport([case])
    report.note(Played(case.name, "HD-1", updates=10_000_000, actions=Counter(note=10_000_000)), earlier=True)
    report.finish(tmp_path / "report.csv")
    assert "0 updates and 0 actions a second in this run" in capsys.readouterr().out


def test_reopened_incidents_and_those_changed_when_finished_agree_with_the_file(stack: Stack, tmp_path: Path) -> None:
    def is_odd(rows: list[dict[str, str]]) -> bool:
        pairs = list(itertools.pairwise(rows))
        reopened = any(one["incident_state"] in FINAL and other["incident_state"] not in FINAL for one, other in pairs)
        late = any(
            one["incident_state"] in FINAL
            and other["incident_state"] in FINAL
            and one["assignment_group"] != other["assignment_group"]
            for one, other in pairs
        )
        return reopened or late

    file = selection(is_odd, tmp_path / "odd.csv", 40)
    cases = read_cases(file, MAPPING, None)
    code, output, report = replay(stack, file, tmp_path)

    assert code == 0, output + str(report)
    reopened = sum(each.reopens for each in cases)
    assert f"counted by the file {reopened}, shown by it {reopened}, in the histories {reopened}" in output
    listed = {(row["case"], int(row["update"])) for row in report if row["kind"] == "impossible"}
    wanted = {
        (each.name, update.place)
        for each in cases
        for before, update in itertools.pairwise(each.updates)
        if impossible(before, update)
    }
    assert listed == wanted


def test_a_server_that_is_not_there_stops_it_with_the_reason(stack: Stack, tmp_path: Path) -> None:
    from baton.scripts.private_servers.common import free_port

    away = Stack.__new__(Stack)
    away.environment = {**stack.environment, "BATON_HELPDESK_PORT": str(free_port())}
    code, output, report = replay(away, SAMPLE, tmp_path, "--patience", "0.5")

    assert code == 1
    assert "stopped: helpdesk at" in output
    assert "run it again with --resume" in output
    assert {row["kind"] for row in report} >= {"not played"}
