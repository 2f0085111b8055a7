"""Folding: the same fault is the same issue wherever and whenever it happens; different faults are different ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.issues import (
    Report,
    ReportError,
    absorb,
    fingerprint_of_fault,
    fingerprint_of_report,
    normal_file,
    read_report,
    real_id,
    takes_more,
)
from baton.pipelines.messages import RecordIssue

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
FAULT = "fault:" + "0" * 32
MESSAGE = RecordIssue(temporary_id="temp-00000000-0000-4000-8000-000000000000", title="It fails", fingerprint=FAULT)
FRAMES = [("/opt/a/baton/actors/batches.py", "run_batch"), ("/opt/a/baton/actors/workflow/intake.py", "receive_ticket")]


def report(**changes: Any) -> Report:
    return replace(read_report(MESSAGE, NOW), **changes)


def issue(**changes: Any) -> dict[str, Any]:
    begun = {
        "description": "", "priority": "Medium", "status": "open", "status_at": NOW, "tags": [], "ticket_number": None,
        "message_id": None, "count": 1, "first_seen": NOW, "last_seen": NOW,
    }  # fmt: skip
    return begun | changes


def test_the_fingerprint_forgets_lines_directories_addresses_and_recursion() -> None:
    print_ = fingerprint_of_fault("ValueError", FRAMES, "workflow")
    elsewhere = [(file.replace("/opt/a/", "/srv/venv/lib/python3.12/site-packages/"), name) for file, name in FRAMES]
    assert fingerprint_of_fault("ValueError", elsewhere, "workflow") == print_
    assert fingerprint_of_fault("ValueError", [*FRAMES, FRAMES[1], FRAMES[1]], "workflow") == print_
    generated = [fingerprint_of_fault("E", [(f"<generated init 0x7f{n}>", "__init__")], "") for n in range(3)]
    assert len(set(generated)) == 1


def test_the_fingerprint_tells_kinds_functions_and_components_apart() -> None:
    prints = {
        fingerprint_of_fault("ValueError", FRAMES, "workflow"),
        fingerprint_of_fault("KeyError", FRAMES, "workflow"),
        fingerprint_of_fault("ValueError", FRAMES[:1], "workflow"),
        fingerprint_of_fault("ValueError", FRAMES, "helpdesk"),
        fingerprint_of_report("ValueError", "workflow"),
    }
    assert len(prints) == 5


def test_files_are_named_alike_on_every_machine() -> None:
    assert normal_file("/work/x/baton/actors/a.py") == normal_file("C:\\x\\baton\\actors\\a.py") == "baton/actors/a.py"
    assert normal_file("/usr/lib/python3.11/json/decoder.py") == "json/decoder.py"


def test_a_report_by_hand_is_known_by_title_and_component() -> None:
    assert fingerprint_of_report("The Import\n stops", "x") == fingerprint_of_report("the import stops ", " X")
    assert fingerprint_of_report("a", "b c") != fingerprint_of_report("a b", "c")


def test_a_fault_that_happens_again_reopens_its_issue_and_older_news_does_not() -> None:
    later = report(occurred_at=NOW + timedelta(minutes=5), description="new")
    for ended in ("resolved", "closed"):
        after, note = absorb(issue(status=ended, status_at=NOW + timedelta(minutes=1)), later)
        assert (after["status"], after["status_at"], after["description"]) == ("open", later.occurred_at, "new")
        assert note is not None
        late, note = absorb(issue(status=ended, status_at=NOW + timedelta(minutes=9)), later)
        assert (late["status"], late["count"], note) == (ended, 2, None)
    assert absorb(issue(status="in_progress"), later)[0]["status"] == "in_progress"
    assert [takes_more(kind, "closed") for kind in (FAULT, "title:0")] == [True, False]


@given(st.permutations(range(6)))
def test_the_order_of_reports_changes_neither_count_nor_times_nor_priority(order: list[int]) -> None:
    reports = [
        report(
            occurred_at=NOW + timedelta(seconds=n), count=n + 1, priority=("Low", "High", "Medium")[n % 3], ticket_number=f"T{n}"
        )
        for n in range(6)
    ]
    found = issue(count=0, priority="Low", first_seen=reports[order[0]].occurred_at, last_seen=reports[order[0]].occurred_at)
    for n in order:
        found, _ = absorb(found, reports[n])
    assert (found["count"], found["priority"], found["ticket_number"]) == (21, "High", "T5")
    assert (found["first_seen"], found["last_seen"]) == (reports[0].occurred_at, reports[5].occurred_at)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temporary_id": "1"}, {"temporary_id": "temp-" + "0" * 36}, {"title": " "}, {"title": "x" * 501}, {"title": "\ud800"},
        {"priority": "soon"}, {"count": 0}, {"count": 10**12}, {"occurred_at": "yesterday"},
        {"occurred_at": "2026-01-01T00:00:00"},
        {"occurred_at": "0001-01-01T00:00:00+23:00"}, {"tags": ["x"] * 5 + [str(n) for n in range(25)]}, {"tags": ["x" * 101]},
        {"fingerprint": "x"}, {"fingerprint": FAULT + "\n"}, {"description": "x" * 100_001}, {"component": "x" * 256},
        {"ticket_number": "x" * 256},
    ],
    ids=str,
)  # fmt: skip
def test_a_report_that_cannot_be_kept_says_why(wrong: dict[str, Any]) -> None:
    with pytest.raises(ReportError, match=next(iter(wrong))):
        read_report(replace(MESSAGE, **wrong), NOW)


def test_the_future_is_now() -> None:
    assert read_report(replace(MESSAGE, occurred_at="2099-01-01T00:00:00Z"), NOW).occurred_at == NOW


@given(st.text(max_size=25))
def test_only_whole_numbers_are_real_ids(text: str) -> None:
    found = real_id(text)
    assert found is None or (str(found) == text.lstrip("0") and 0 < found < 2**63)
