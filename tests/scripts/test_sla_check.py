"""`baton sla check`: the verdicts of past tickets, worked out again and compared."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.scripts.import_files import known_mappings
from baton.scripts.sla import sla
from baton.scripts.sla_check import known_check_mappings

SAMPLES = Path(__file__).parent.parent / "samples"
SHARED = Path(os.environ.get("BATON_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
whole_files = pytest.mark.skipif(not SHARED.exists(), reason="the full data sets are not beside the repository (../shared/data)")

MAPPING = """
row_id = "id"
empty = ["?"]
date = "iso"
started = "opened"
stopped = ["resolved", "closed"]
as_of = "2026-06-02T12:00:00"
TARGET
[verdict]
from = "ok"
met = ["yes"]
breached = ["no"]
[calendar]
time_zone = "Europe/Berlin"
windows = { mon = [["09:00", "17:00"]], tue = [["09:00", "17:00"]] }
[where]
state = ["done", "open"]
"""
BY_PRIORITY = '[target]\nfrom = "priority"\nseconds = { high = 3600, low = 36000 }'
HEADER = "id,priority,opened,resolved,closed,ok,state"


def check(file: Path, mapping: str, *options: str) -> Result:
    result = CliRunner().invoke(sla, ["check", str(file), "--mapping", mapping, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """`written(rows, target)` writes a file and its mapping, and returns what `check` needs."""

    def write(rows: list[str], target: str = BY_PRIORITY) -> tuple[Path, str]:
        file, mapping = tmp_path / "tickets.csv", tmp_path / "ours.toml"
        file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        mapping.write_text(MAPPING.replace("TARGET", target), encoding="utf-8")
        return file, str(mapping)

    return write


@pytest.mark.parametrize("name", ["city-requests-animals.csv", "city-requests-all.csv"])
def test_the_verdicts_of_the_city_are_worked_out_without_exception(name: str) -> None:
    result = check(SAMPLES / name, "city-sla")
    assert result.exit_code == 0, result.output
    assert " 0 disagree" in result.output
    assert "unreadable" not in result.output


@whole_files
@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("requests_2013_2018", "37710 tickets: 37710 compared, 37710 agree (100.00 %), 0 disagree"),
        ("requests_all_departments_sample", "4986 tickets: 4985 compared, 4985 agree (100.00 %), 0 disagree"),
    ],
)
def test_every_verdict_of_the_citys_whole_files_agrees(name: str, first: str) -> None:
    result = check(SHARED / "city-requests" / f"{name}.csv.gz", "city-sla")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == first


@whole_files
def test_the_flags_of_a_process_whose_rules_are_not_known_agree_in_part() -> None:
    file = SHARED / "servicenow-incidents" / "incident_events.csv.gz"
    result = check(file, "servicenow-sla", "--report-only")
    assert result.exit_code == 0
    assert result.output.startswith("17136 tickets: 17136 compared")
    assert check(file, "servicenow-sla", "--limit", "100").exit_code == 1


def test_the_last_update_of_an_incident_is_the_one_that_is_checked() -> None:
    with (SAMPLES / "servicenow-incidents.csv").open(encoding="utf-8", newline="") as handle:
        numbers = {row["number"] for row in csv.DictReader(handle)}
    result = check(SAMPLES / "servicenow-incidents.csv", "servicenow-sla", "--report-only")
    assert result.output.startswith(f"{len(numbers)} tickets")


def test_a_target_by_priority_is_counted_in_working_time(written) -> None:
    rows = [
        "1,high,2026-06-01T16:30:00,2026-06-02T09:30:00,?,yes,done",  # 30 min on Monday, 30 on Tuesday
        "2,high,2026-06-01T16:30:00,2026-06-02T09:31:00,?,no,done",
        "3,high,2026-06-01T16:30:00,?,2026-06-02T09:31:00,no,done",  # closed, but never resolved
        "4,high,2026-06-01T10:00:00,?,?,no,open",  # still open: judged for the moment of the export
        "5,low,2026-06-01T10:00:00,?,?,yes,open",
    ]
    result = check(*written(rows))
    assert result.exit_code == 0, result.output
    assert "5 tickets: 5 compared, 5 agree" in result.output


def test_a_disagreement_is_told_with_its_reason_and_exits_1(written, tmp_path) -> None:
    target = written(["7,high,2026-06-01T09:00:00,2026-06-01T11:00:00,?,yes,done"])
    result = check(*target, "--disagreements", str(tmp_path / "differing.csv"))
    assert result.exit_code == 1
    reason = "due 2026-06-01T08:00:00Z, stopped 2026-06-01T09:00:00Z: 7200 of 3600 s consumed"
    assert f"7 (row 1): the file says met, worked out breached: {reason}" in result.output
    with (tmp_path / "differing.csv").open(encoding="utf-8", newline="") as handle:
        assert [row["reason"] for row in csv.DictReader(handle)] == [reason]
    assert check(*target, "--report-only").exit_code == 0


def test_rows_that_are_not_asked_for_or_have_no_verdict_do_not_count(written) -> None:
    rows = [
        "1,high,2026-06-01T09:00:00,2026-06-01T11:00:00,?,yes,spam",
        "2,high,2026-06-01T09:00:00,2026-06-01T11:00:00,?,?,done",
        "3,none,2026-06-01T09:00:00,2026-06-01T11:00:00,?,yes,done",  # a priority without a target
    ]
    result = check(*written(rows))
    assert result.exit_code == 0, result.output
    assert "3 tickets: 0 compared, 0 agree, 0 disagree" in result.output
    assert "1 without a verdict of their own" in result.output
    assert "2 not asked for" in result.output


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,high,yesterday,2026-06-01T11:00:00,?,yes,done", "opened: 'yesterday' does not follow 'iso'"),
        ("1,high,?,2026-06-01T11:00:00,?,yes,done", "opened: not known"),
        ("1,high,2026-06-01T09:00:00,2026-06-01T11:00:00,?,perhaps,done", "ok: 'perhaps' is no verdict"),
        ("1,high", "2 columns where the header has 7"),
    ],
)
def test_a_row_that_cannot_be_judged_is_named_and_counts_against_the_file(written, row: str, reason: str) -> None:
    result = check(*written([row]))
    assert result.exit_code == 1
    assert "1 unreadable" in result.output
    assert reason in result.output


def test_a_due_time_of_the_file_makes_the_target(written) -> None:
    rows = [
        "1,2026-06-01T12:00:00,2026-06-01T09:00:00,2026-06-01T12:00:00,?,yes,done",
        "2,2026-06-01T12:00:00,2026-06-01T09:00:00,2026-06-01T12:00:01,?,no,done",
        "3,?,2026-06-01T09:00:00,2026-06-01T12:00:01,?,yes,done",
    ]
    result = check(*written(rows, 'due = "priority"\nwithout_target = "met"'))
    assert result.exit_code == 0, result.output
    early = check(*written(["1,2026-06-01T08:00:00,2026-06-01T09:00:00,2026-06-01T12:00:00,?,yes,done"], 'due = "priority"'))
    assert "lies before the start" in early.output


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "needs either due or [target]"),
        ('due = "priority"\nnothing = 1', "unknown key nothing"),
        ('due = "elsewhere"', "lacks the columns elsewhere"),
        ('due = "priority"\nwithout_target = "late"', "without_target must be one of met, breached"),
        ('[target]\nfrom = "priority"\nseconds = { high = -1 }', "target.seconds.high must be a number of seconds"),
        ("due = 5", "due must be a text"),
        ("due =", "ours.toml"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(written, target: str, message: str) -> None:
    result = check(*written(["1,high,2026-06-01T09:00:00,?,?,yes,done"], target))
    assert result.exit_code == 2
    assert message in result.output


def test_mappings_for_checking_are_no_mappings_of_an_import() -> None:
    assert known_check_mappings() == ["city-sla", "servicenow-sla"]
    assert not set(known_check_mappings()) & set(known_mappings())
    assert "there is no mapping 'nowhere'; there are city-sla, servicenow-sla" in check(SAMPLES / "README.md", "nowhere").output
