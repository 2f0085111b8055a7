"""Lists as CSV: all pages, bounded, with cells that no spreadsheet runs; and found words marked without unsafe HTML."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.http.web.export import export
from baton.http.web.services import ServiceAwayError, ServiceRefusedError
from baton.http.web.texts import catalogue
from baton.pipelines.csv_cells import csv_lines, safe_cell

VISIT: Any = SimpleNamespace(t=catalogue("en").text)
COLUMNS: Any = {"Number": "n", "Twice": lambda row: row["n"] * 2}


def fetch(cursor: str) -> tuple[list[dict[str, Any]], str | None]:
    place = int(cursor or 0)
    return [{"n": place + each} for each in range(10)], str(place + 10) if place < 90 else None


def read(raw: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(raw.body).decode("utf-8-sig"))))


def test_every_page_of_the_list_is_in_the_file() -> None:
    raw = export(VISIT, fetch, COLUMNS, 'my "list"\r\n')
    assert raw.headers["Content-Disposition"] == 'attachment; filename="my__list___.csv"'
    assert raw.content_type == "text/csv; charset=utf-8"
    rows = read(raw)
    assert rows[0] == ["Number", "Twice"]
    assert rows[1:] == [[str(n), str(n * 2)] for n in range(100)]


@pytest.mark.parametrize(("most", "cut"), [(25, True), (30, True), (99, True), (100, False)])
def test_a_file_that_was_cut_says_so(most: int, cut: bool) -> None:
    rows = read(export(VISIT, fetch, COLUMNS, "list", most=most))
    assert len(rows) == 1 + most + cut
    assert ("The list goes on" in rows[-1][0]) == cut


def test_a_list_that_breaks_off_says_so_and_one_that_is_refused_is_no_file() -> None:
    def broken(cursor: str) -> Any:
        if cursor == "20":
            raise ServiceAwayError("workflow")
        return fetch(cursor)

    def refused(cursor: str) -> Any:
        raise ServiceRefusedError("workflow", 422, {})

    rows = read(export(VISIT, broken, COLUMNS, "list"))
    assert len(rows) == 22 and "not complete" in rows[-1][0]
    with pytest.raises(ServiceRefusedError):
        export(VISIT, refused, COLUMNS, "list")


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert cell in (text, "'" + text)
    assert not cell.lstrip(" ").startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_formulas_become_text(text: str) -> None:
    assert safe_cell(text) == "'" + text


def test_numbers_and_nothing_stay_what_they_are() -> None:
    assert [safe_cell(each) for each in (-5, 3.5, None, "-12,5", "plain")] == ["-5", "3.5", "", "-12,5", "plain"]
    assert csv_lines([["a\ud800", 'quote "'], ["line\nbreak", "c"]]) == b'a?,"quote """\r\n"line\nbreak",c\r\n'
