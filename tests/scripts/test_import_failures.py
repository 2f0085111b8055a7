"""`baton import` when servers fail, answers get lost, files are cut, and a run stops half way: nothing lost, nothing twice."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scripts.import_desk import Desk

FORUM = Path(__file__).parent.parent / "samples" / "support-forum.csv"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 409])
def test_a_server_that_fails_for_a_while_is_asked_again(run_import, status) -> None:
    desk = Desk(lambda number, _: httpx.Response(status, headers={"Retry-After": "0"}) if number % 3 else None)

    result = run_import(desk, FORUM)

    assert result.exit_code == 0, result.output
    assert len(desk.tickets) == 15


def test_a_ticket_whose_answer_was_lost_is_filed_once_and_counted_as_filed(run_import) -> None:
    desk = Desk(lose_answers=True)

    result = run_import(desk, FORUM)

    assert "15 filed, 0 already there" in result.output
    assert len(desk.tickets) == 15


def test_a_server_that_stays_away_stops_the_import_with_the_remedy(run_import) -> None:
    def refuse(_: int, __: dict[str, Any]) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    result = run_import(Desk(refuse), FORUM, "--patience", "0.1")

    assert result.exit_code == 1
    assert "connection refused" in result.output
    assert "baton doctor" in result.output
    assert "0 filed" in result.output


def test_credentials_that_do_not_count_stop_it_at_once(run_import) -> None:
    desk = Desk(lambda *_: httpx.Response(403, json={"title": "not allowed"}))

    result = run_import(desk, FORUM)

    assert result.exit_code == 1
    assert "BATON_SERVICE_SECRET" in result.output
    assert desk.requests <= 8


def test_one_row_that_the_server_always_fails_on_does_not_stop_the_others(run_import, tmp_path) -> None:
    file = tmp_path / "queries.csv"
    file.write_text("text,category\n" + "".join(f"q{n},c\n" for n in range(400)), encoding="utf-8")

    def fail(_: int, body: dict[str, Any]) -> httpx.Response | None:
        return httpx.Response(500, json={"title": "internal error"}) if body["source_id"].startswith("3-") else None

    result = run_import(Desk(fail), file, "--patience", "0.05", "--in-flight", "2")

    # Unless the others were done first, in which case it stopped on the last one.
    assert result.exit_code == 1
    assert "399 filed" in result.output or "stopped" in result.output


def test_a_stopped_import_goes_on_where_it_stopped(run_import, tmp_path) -> None:
    desk = Desk(lambda number, _: httpx.Response(503) if number > 9 else None)
    stopped = run_import(desk, FORUM, "--patience", "0.05", "--in-flight", "1")
    assert stopped.exit_code == 1
    assert list((tmp_path / "var" / "imports").glob("*.json"))

    desk.trouble, desk.requests = None, 0
    result = run_import(desk, FORUM)

    assert result.exit_code == 0
    assert "6 filed, 9 already there" in result.output
    assert desk.requests == 6
    assert not list((tmp_path / "var" / "imports").glob("*.json"))


@pytest.mark.parametrize("option", ["--resume", "--no-resume"])
def test_what_a_server_has_lost_is_filed_again_whatever_the_journal_says(run_import, option) -> None:
    desk = Desk(lambda number, _: httpx.Response(503) if number > 9 else None)
    run_import(desk, FORUM, "--patience", "0.05", "--in-flight", "1")
    empty = Desk()

    assert "15 filed" in run_import(empty, FORUM, option).output


def test_a_refused_row_is_tried_again_when_the_import_goes_on(run_import, tmp_path) -> None:
    def trouble(number: int, body: dict[str, Any]) -> httpx.Response | None:
        if number > 9:
            return httpx.Response(503)
        return httpx.Response(422, json={"title": "no"}) if number == 4 else None

    desk = Desk(trouble)
    run_import(desk, FORUM, "--patience", "0.05", "--in-flight", "1")
    desk.trouble = None

    assert "7 filed, 8 already there" in run_import(desk, FORUM).output
    assert len(desk.tickets) == 15


def test_a_cut_gzip_file_stops_the_import_after_what_can_be_read(run_import, tmp_path) -> None:
    whole = gzip.compress(b"text,category\n" + b"".join(b"query %d %d,c\n" % (n, n * n) for n in range(5_000)))
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    desk = Desk()

    result = run_import(desk, file, "--in-flight", "1")

    assert result.exit_code == 1
    assert "cannot be read beyond row" in result.output
    assert 100 < len(desk.tickets) < 5_000


def test_rows_under_way_when_it_is_stopped_by_hand_are_told_as_such(run_import) -> None:
    def interrupt(number: int, _: dict[str, Any]) -> None:
        if number == 6:
            raise KeyboardInterrupt

    result = run_import(Desk(interrupt), FORUM, "--in-flight", "1")

    assert "interrupted" in result.output
    assert "rows were on their way when it stopped" in result.output
    assert "later events" not in result.output
