"""Days and weeks of reports, what was open when, CSV that no spreadsheet runs, and charts without styles."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.charts import Series, draw_bars
from baton.pipelines.sla_reports import RangeError, backlog, cell, days, share, weeks, whole, write_csv
from tests.strategies import storable_text

BERLIN = "Europe/Berlin"


def test_a_day_lasts_from_midnight_to_midnight_also_where_the_clocks_change() -> None:
    found = days(date(2026, 3, 28), date(2026, 3, 30), BERLIN)
    assert [(bucket.end - bucket.start) / timedelta(hours=1) for bucket in found] == [24, 23, 24]
    assert found[0].start == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert all(before.end == after.start for before, after in pairwise(found))


def test_weeks_begin_on_monday_and_are_cut_to_the_range() -> None:
    found = weeks(date(2026, 6, 3), date(2026, 6, 16), BERLIN)
    assert [bucket.day.isoformat() for bucket in found] == ["2026-06-03", "2026-06-08", "2026-06-15"]
    range_ = whole(date(2026, 6, 3), date(2026, 6, 16), BERLIN)[0]
    assert (found[0].start, found[-1].end) == (range_.start, range_.end)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "to"),
        (date(2025, 1, 1), date(2026, 1, 2), "to"),
        (date(1, 1, 1), date(1, 1, 2), "from"),
        (date(9999, 1, 1), date(9999, 12, 31), "from"),
    ],
)
def test_a_range_that_cannot_be_used_is_refused(first: date, last: date, field: str) -> None:
    with pytest.raises(RangeError) as refused:
        days(first, last, "UTC")
    assert refused.value.field == field


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_the_backlog_reckoned_back_is_what_was_open(flow: list[tuple[int, int]]) -> None:
    start, expected = 200, []
    for came, went in flow:
        start += came - went
        expected.append(start)
    kept = len(flow) // 2 + 1
    later = (sum(came for came, _ in flow[kept:]), sum(went for _, went in flow[kept:]))
    arrived, finished = [came for came, _ in flow[:kept]], [went for _, went in flow[:kept]]
    assert backlog(expected[-1], arrived, finished, later) == expected[:kept]


@given(storable_text)
def test_no_cell_is_a_formula_to_a_spreadsheet(text: str) -> None:
    shown = str(cell(text))
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown in (text, f"'{text}")


def test_a_csv_reads_back_and_numbers_stay_numbers() -> None:
    text = write_csv(("name", "met"), [{"name": '=HYPERLINK("x")', "met": -3}, {"name": 'a,"b"\nc', "met": None}])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["name", "met"], ['\'=HYPERLINK("x")', "-3"], ['a,"b"\nc', ""]]


def test_shares_are_of_what_was_judged() -> None:
    assert (share(3, 1), share(0, 0), share(0, 2)) == (75.0, None, 0.0)


@given(
    st.lists(storable_text, max_size=8).flatmap(
        lambda labels: st.tuples(
            st.just(labels),
            st.lists(st.lists(st.none() | st.floats(0, 1e9), min_size=len(labels), max_size=len(labels)), min_size=1, max_size=3),
        )
    )
)
def test_a_chart_is_well_formed_says_its_values_and_needs_no_style(given_: tuple[list[str], list[list[float | None]]]) -> None:
    labels, values = given_
    text = draw_bars("Load <all> & more", labels, [Series(f"s{n}", each) for n, each in enumerate(values)], "h")
    root = ET.fromstring(text)
    assert root.attrib["role"] == "img" and root[0].text == "Load <all> & more" and root[1].text
    assert not any("style" in element.attrib or element.tag.endswith("style") for element in root.iter())
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    bars = [element for element in root.iter() if element.tag.endswith("rect")]
    assert all(float(bar.attrib["height"]) >= 0 and float(bar.attrib["y"]) >= 0 for bar in bars)
