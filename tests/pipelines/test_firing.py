"""What a due clock does: which levels, how late, whom it tells, in how many messages, and what is done to the ticket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.firing import DueClock, Firing, clock_of, fire
from baton.pipelines.firing_notices import MOST_LATE, People, act, in_words, live_event, role_names, tell, write
from baton.pipelines.overdue import attempts, higher, is_moot
from baton.pipelines.sla.calendars import read_calendar
from baton.pipelines.sla_policy_texts import policy_of

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALWAYS = read_calendar({"time_zone": "UTC", "windows": "always"})
PEOPLE = People(
    assignee="11", owner="21", managers=("91", "92"), roles={"Admin": ["1", "11"]}, item=5, step="Triage", workflow="IT"
)
POLICY: dict[str, Any] = {
    "name": "P",
    "calendar": "C",
    "targets": {"resolution": "8h"},
    "warnings": [{"percent": 50}, {"percent": 75}],
    "escalations": [{"after": "1h", "tell": ["role:Admin", "user:77"], "raise_priority": True, "escalate": True}],
}


def due_clock(number: str = "HD-1", fired: tuple[tuple[str, int], ...] = (), policy: Any = (), **columns: Any) -> DueClock:
    """Return a clock of eight hours that began at START."""
    row = {
        "metric": "resolution", "item": 0, "cycle": 1, "policy_version": 1, "calendar_version": 1, "target_seconds": 8 * 3600,
        "started_at": START, "counted_from": START, "due_at": START + 8 * HOUR, "paused_since": None, "stopped_at": None,
        "state": "running", "attached_at": START, "on_attach": False, "match_reason": "",
    } | columns  # fmt: skip
    clock = clock_of(row, policy_of({**POLICY, **dict(policy)}), ALWAYS, ())
    return DueClock(id=1, ticket_number=number, round=0, clock=clock, open_item=None, fired=frozenset(fired))


def fire_at(hours: float, **options: Any) -> Firing:
    """Return what the clock fires so many hours after it began."""
    return fire(due_clock(**options), START + hours * HOUR)


def names(firing: Firing) -> list[tuple[str, int]]:
    """Return what fires, in order."""
    return [(event.kind, event.level) for event in firing.events]


def test_what_is_due_fires_in_order_and_what_comes_next_is_said() -> None:
    firing = fire_at(7)
    assert names(firing) == [("warning", 1), ("warning", 2)]
    assert firing.next is not None
    assert (firing.next.kind, firing.next.at) == ("breach", START + 8 * HOUR + timedelta(milliseconds=1))


def test_what_fired_does_not_fire_again() -> None:
    assert names(fire_at(7, fired=(("warning", 1),))) == [("warning", 2)]
    assert names(fire_at(7, fired=(("warning", 1), ("warning", 2)))) == []


@given(st.lists(st.floats(0, 24), max_size=8))
def test_however_often_and_whenever_it_is_looked_at_each_level_fires_once(moments: list[float]) -> None:
    fired: list[tuple[str, int]] = []
    for hours in [*sorted(moments), 24]:
        fired += names(fire_at(hours, fired=tuple(fired)))
    assert fired == [("warning", 1), ("warning", 2), ("breach", 0), ("escalation", 1)]


def test_more_than_ten_seconds_is_late() -> None:
    ten = fire(due_clock(fired=(("warning", 1), ("warning", 2))), START + 8 * HOUR + timedelta(seconds=10))
    eleven = fire(due_clock(fired=(("warning", 1), ("warning", 2))), START + 8 * HOUR + timedelta(seconds=11))
    assert (ten.events[0].late, eleven.events[0].late) == (False, True)


def told(firing: Firing) -> dict[str, str]:
    """Return who is told, and why."""
    assert firing.told is not None
    return {notice.user_id: notice.reason for notice in tell([(firing, firing.told, 1, PEOPLE)])}


def test_a_warning_tells_the_assignee_and_the_owner_a_breach_the_assignee_and_the_manager() -> None:
    assert told(fire_at(4)) == {"11": "assignee", "21": "owner"}
    assert told(fire_at(8.1, fired=(("warning", 1), ("warning", 2)))) == {"11": "assignee", "91": "manager", "92": "manager"}


def test_without_a_manager_the_owner_is_told() -> None:
    firing = fire_at(8.1, fired=(("warning", 1), ("warning", 2)))
    assert firing.told is not None
    lonely = People(assignee=None, owner="21", managers=(), roles={})
    assert [notice.user_id for notice in tell([(firing, firing.told, 1, lonely)])] == ["21"]


def test_missed_levels_are_told_once_of_the_worst_to_everybody_whom_any_names() -> None:
    firing = fire_at(24)
    assert firing.told is not None
    assert firing.told.kind == "escalation"
    assert set(told(firing)) == {"11", "21", "91", "92", "1", "77"}
    messages = write(tell([(firing, firing.told, 7, PEOPLE)]))
    assert {message.notification_type for message in messages} == {"sla_breach"}
    assert {(message.metadata or {})["event"] for message in messages} == {"sla:7"}
    assert role_names(firing) == {"Admin"}


@pytest.mark.parametrize(("count", "messages"), [(MOST_LATE, MOST_LATE), (MOST_LATE + 1, 1)])
def test_very_many_late_ones_for_one_person_are_one_list(count: int, messages: int) -> None:
    one = People(assignee="11", owner=None, managers=(), roles={})
    firings = [fire_at(24, number=f"HD-{n}", policy={"escalations": []}) for n in range(count)]
    given_ = [(firing, firing.told, n, one) for n, firing in enumerate(firings) if firing.told is not None]
    written = write(tell(given_))
    assert len(written) == messages
    if messages == 1:
        assert (written[0].metadata or {})["tickets"] == [f"HD-{n}" for n in range(count)]


def test_what_was_past_due_when_the_policy_came_tells_nobody_unless_the_policy_says_so() -> None:
    late = {"attached_at": START + 20 * HOUR, "on_attach": True}
    silent = fire_at(20, **late)
    assert names(silent)[0] == ("breach", 0)
    assert silent.events[0].on_attach
    assert silent.told is None
    assert all(act(silent, event, 1) is None for event in silent.events)
    assert fire_at(20, policy={"tell_on_attach": True}, **late).told is not None


def test_a_stopped_clock_tells_of_its_breach_and_asks_for_nothing() -> None:
    stopped = {"stopped_at": START + 9 * HOUR, "state": "breached"}
    firing = fire_at(24, policy={"breach": {"escalate": True}}, **stopped)
    assert names(firing) == [("breach", 0)]
    assert act(firing, firing.events[0], 1) is None


def test_effects_become_one_command_for_each_level() -> None:
    firing = fire_at(24)
    commands = [command for event in firing.events if (command := act(firing, event, 3)) is not None]
    [command] = commands
    assert (command.raise_priority, command.escalate, command.transfer_to, command.event_id) == (True, True, None, 3)
    assert "policy P" in command.reason


def test_followers_see_what_happened_in_words() -> None:
    firing = fire_at(8.1, fired=(("warning", 1), ("warning", 2)))
    event = live_event(firing, firing.events[0], 9)
    assert (event.kind, event.event_id, event.staff_only) == ("sla_breach", "sla:9", True)
    assert event.text == "The resolution was due at 2026-06-01 16:00 UTC and is late"
    assert in_words(firing, fire_at(4).events[0]) == "the resolution is due at 2026-06-01 16:00 UTC"


def test_priorities_rise_to_the_highest() -> None:
    assert [higher(each) for each in ("Low", "Medium", "High", "Critical", "Odd")] == ["Medium", "High", "Critical", None, None]


def test_transfer_is_what_remains_where_nobody_can_be_escalated_to() -> None:
    firing = fire_at(24, policy={"escalations": [{"after": "1h", "escalate": True, "transfer_to": "7"}]})
    command = act(firing, firing.events[-1], 1)
    assert command is not None
    [attempt] = attempts(command, "Low")
    assert attempt.otherwise is not None
    assert (attempt.action.name, attempt.otherwise.action.name) == ("escalate", "transfer")


def test_what_ended_or_was_taken_back_is_moot() -> None:
    assert is_moot({"retracted_at": None, "stopped_at": None}) == ""
    assert is_moot({"retracted_at": START, "stopped_at": None})
    assert is_moot({"retracted_at": None, "stopped_at": START})
