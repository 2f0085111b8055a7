"""Clocks in the calendar of an office, Mon-Fri 09:00-17:00 in Berlin: pauses, changes, levels and verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from baton.pipelines.sla.calendars import read_calendar
from baton.pipelines.sla.clocks import Change, Clock, Level, consumed_at, due, level_at, remaining_ms, verdict
from baton.pipelines.sla.working_time import Pause

ZONE = ZoneInfo("Europe/Berlin")
OFFICE = read_calendar(
    {"time_zone": "Europe/Berlin", "windows": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
)
HOUR = 3600
DAYS = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Mon+7": 8}


def at(text: str) -> datetime:
    """`Mon 09:00` of the week of Monday, 2026-06-01; seconds may follow."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-06-{DAYS[day]:02} {clock}").replace(tzinfo=ZONE).astimezone(UTC)


def pause(start: str, end: str | None) -> Pause:
    return at(start), None if end is None else at(end)


def clock(hours: float | None, *pauses: Pause, start: str = "Mon 09:00", stop: str | None = None, changes=()) -> Clock:
    return Clock(
        calendar=OFFICE,
        started_at=at(start),
        target_seconds=None if hours is None else hours * HOUR,
        pauses=pauses,
        changes=changes,
        stopped_at=None if stop is None else at(stop),
    )


def test_p_1_a_pause_in_closed_time_costs_nothing() -> None:
    assert due(clock(10, pause("Mon 17:30", "Tue 08:30"))) == at("Tue 11:00")


def test_p_2_a_pause_over_days_moves_due_by_its_working_time() -> None:
    assert due(clock(10, pause("Mon 15:00", "Wed 10:00"))) == at("Wed 14:00")


def test_p_3_a_second_pause_adds_to_the_first() -> None:
    assert due(clock(6, pause("Mon 10:00", "Mon 11:00"), pause("Mon 13:00", "Mon 14:30"))) == at("Tue 09:30")


def test_p_4_pauses_of_seconds_over_the_edge_of_a_minute_count_by_the_second() -> None:
    starts = [at("Mon 09:00:50") + number * timedelta(minutes=10) for number in range(30)]
    held = clock(6, *((start, start + timedelta(seconds=20)) for start in starts))
    assert due(held) == at("Mon 15:10")
    assert consumed_at(held, at("Mon 15:10")) == 6 * HOUR * 1000


def test_p_6_a_shorter_target_counted_from_the_start_keeps_the_pause() -> None:
    shorter = Change(at=at("Tue 11:00"), target_seconds=4 * HOUR, from_start=True)
    assert due(clock(16, pause("Mon 11:00", "Tue 11:00"), changes=[shorter])) == at("Tue 13:00")


def test_p_8_while_paused_nothing_is_due_and_nothing_fires() -> None:
    held = clock(4, pause("Mon 11:00", None))
    assert due(held) is None
    assert verdict(held, at("Wed 11:00")) == "paused"
    assert level_at(held, Level(percent=75)) is None
    assert consumed_at(held, at("Wed 11:00")) == 2 * HOUR * 1000


def test_what_is_left_is_told_while_paused_and_when_overdue() -> None:
    assert remaining_ms(clock(4, pause("Mon 11:00", None)), at("Wed 11:00")) == 2 * HOUR * 1000
    assert remaining_ms(clock(4), at("Mon 14:00")) == -HOUR * 1000
    change = Change(at=at("Mon 15:00"), target_seconds=4 * HOUR, from_start=False)
    assert remaining_ms(clock(1, changes=[change]), at("Mon 16:00")) == 3 * HOUR * 1000
    assert remaining_ms(clock(None), at("Mon 14:00")) is None


def test_p_8_a_level_reached_before_the_pause_has_fired() -> None:
    assert level_at(clock(4, pause("Mon 11:00", None)), Level(percent=25)) == at("Mon 10:00")


def test_p_10_reopening_continues_the_clock_or_begins_a_new_cycle() -> None:
    first = clock(8, stop="Mon 12:00")
    assert verdict(first) == "met"
    assert due(clock(8, pause("Mon 12:00", "Wed 10:00"))) == at("Wed 15:00")
    assert due(clock(8, start="Wed 10:00")) == at("Thu 10:00")
    assert verdict(first, at("Thu 12:00")) == "met"


def test_p_11_a_finished_verdict_stands_when_the_target_is_relaxed_and_a_running_one_does_not() -> None:
    relaxed = [Change(at=at("Mon 15:00"), target_seconds=7 * HOUR, from_start=True)]
    assert verdict(clock(4, stop="Mon 14:00", changes=relaxed)) == "breached"
    assert verdict(clock(4, changes=relaxed), at("Mon 14:59")) == "breached"
    assert verdict(clock(4, changes=relaxed), at("Mon 15:00")) == "running"


def test_p_17_the_verdict_comes_from_when_it_stopped_not_from_when_it_is_asked() -> None:
    assert verdict(clock(4, stop="Mon 12:59:59"), at("Mon 13:01:30")) == "met"


def test_p_18_stopping_when_due_is_met_and_a_millisecond_later_is_breached() -> None:
    assert verdict(clock(4, stop="Mon 13:00")) == "met"
    late = clock(4, stop="Mon 13:00:00.001")
    assert verdict(late) == "breached"
    assert consumed_at(late, at("Mon 13:00:00.001")) - 4 * HOUR * 1000 == 1


def test_p_19_levels_lie_in_working_time() -> None:
    friday = clock(8, start="Fri 15:00")
    levels = [Level(percent=50), Level(percent=75), Level(seconds_before=HOUR)]
    assert [level_at(friday, level) for level in levels] == [at("Mon+7 11:00"), at("Mon+7 13:00"), at("Mon+7 14:00")]
    assert due(friday) == at("Mon+7 15:00")


def test_p_20_working_hours_before_due_are_counted_backwards_over_the_weekend() -> None:
    assert level_at(clock(3, start="Fri 15:00"), Level(seconds_before=2 * HOUR)) == at("Fri 16:00")


def test_p_23_a_target_that_is_spent_when_it_comes_is_breached_at_once() -> None:
    spent = clock(None, changes=[Change(at=at("Tue 09:00"), target_seconds=HOUR, from_start=True)])
    assert due(spent) == at("Mon 10:00")
    assert verdict(spent, at("Mon 16:00")) == "none"
    assert verdict(spent, at("Tue 09:00")) == "breached"


def test_a_target_counted_from_the_change_begins_there() -> None:
    change = Change(at=at("Mon 15:00"), target_seconds=4 * HOUR, from_start=False)
    assert due(clock(1, changes=[change])) == at("Tue 11:00")
    assert consumed_at(clock(1, changes=[change]), at("Tue 11:00")) == 10 * HOUR * 1000


def test_the_last_change_holds_in_whatever_order_they_are_given() -> None:
    changes = [
        Change(at=at("Mon 12:00"), target_seconds=2 * HOUR, from_start=False),
        Change(at=at("Mon 10:00"), target_seconds=None, from_start=True),
    ]
    assert due(clock(1, changes=changes)) == at("Mon 14:00")
    assert due(clock(1, changes=changes[1:])) is None


def test_a_target_of_nothing_is_due_at_the_next_working_instant() -> None:
    assert due(clock(0, start="Sat 10:00")) == at("Mon+7 09:00")
    assert due(clock(0, start="Mon 10:00")) == at("Mon 10:00")
    assert due(clock(0, start="Mon 17:00")) == at("Tue 09:00")
    assert due(clock(0, pause("Mon 09:00", "Mon 10:00"))) == at("Mon 10:00")
    assert verdict(clock(0, stop="Mon 09:00")) == "met"


def test_a_target_that_is_spent_when_an_endless_pause_begins_is_due() -> None:
    assert due(clock(2, pause("Mon 11:00", None))) == at("Mon 11:00")
    assert verdict(clock(2, pause("Mon 11:00", None)), at("Mon 12:00")) == "breached"


def test_a_level_fires_only_before_the_stop() -> None:
    assert level_at(clock(4, stop="Mon 12:00"), Level(percent=50)) == at("Mon 11:00")
    assert level_at(clock(4, stop="Mon 11:00"), Level(percent=50)) is None


@pytest.mark.parametrize(
    ("pauses", "fires"), [([], "Mon 09:00"), ([("Mon 08:00", "Mon 12:00")], "Mon 12:00"), ([("Mon 08:00", None)], None)]
)
def test_a_level_longer_than_the_target_fires_at_the_start_or_when_its_pause_ends(pauses, fires) -> None:
    held = clock(1, *(pause(*each) for each in pauses))
    assert level_at(held, Level(seconds_before=2 * HOUR)) == (None if fires is None else at(fires))


def test_a_level_past_the_target_escalates_after_due() -> None:
    assert level_at(clock(4), Level(percent=150)) == at("Mon 15:00")
    assert level_at(clock(4), Level(percent=100)) == due(clock(4))


def test_a_share_that_is_no_whole_millisecond_is_reached_when_it_is_wholly_consumed() -> None:
    assert level_at(clock(1 / HOUR), Level(percent=33.35)) == at("Mon 09:00:00.334")


def test_without_a_moment_there_is_no_verdict_and_without_a_target_it_is_none() -> None:
    assert verdict(clock(4)) is None
    assert verdict(clock(None)) == "none"
    assert level_at(clock(None), Level(percent=50)) is None


def test_a_stop_before_the_start_is_met_and_consumed_nothing() -> None:
    early = clock(4, start="Tue 09:00", stop="Mon 09:00")
    assert verdict(early) == "met"
    assert consumed_at(early, at("Mon 09:00")) == 0
