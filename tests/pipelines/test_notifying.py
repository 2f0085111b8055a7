"""When a notification is mailed: the table, choices, digests and quiet hours, by the clock on the person's wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.audience import AUDIENCES, CONTRACT_TYPES, REASONS, REQUESTER_TYPES, audience, sees, strongest
from baton.pipelines.notifying import DAILY, HOURLY, Person, decide, digest_slot, recipient_of
from baton.pipelines.quiet_hours import STAFF_QUIET, Quiet, end_of_quiet, is_quiet

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])
INSTANTS = st.integers(0, 19 * 365 * 86_400).map(lambda seconds: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
MINUTES = st.integers(0, 24 * 60 - 1)
QUIETS = st.builds(
    lambda start, end, days: Quiet(start=start, end=end, days=days),
    MINUTES,
    MINUTES,
    st.frozensets(st.integers(0, 6), max_size=6),
)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(QUIETS, ZONES, INSTANTS)
def test_the_end_of_quiet_is_the_first_minute_that_is_not(quiet: Quiet, zone: str, instant: datetime) -> None:
    end = end_of_quiet(quiet, zone, instant)
    assert end >= instant and not is_quiet(quiet, zone, end)
    assert (end == instant) == (not is_quiet(quiet, zone, instant))
    if end > instant:
        # Quarter hours are enough to catch a whole window that was jumped over.
        steps = int((end - instant) / timedelta(minutes=15))
        assert all(is_quiet(quiet, zone, instant + step * timedelta(minutes=15)) for step in range(min(steps, 700)))


@given(ZONES, INSTANTS, MINUTES, st.sampled_from([HOURLY, DAILY]))
def test_a_digest_is_due_at_the_next_time_of_its_kind(zone: str, instant: datetime, minute: int, digest: str) -> None:
    person = Person(recipient="user:7", time_zone=zone, digest=digest, digest_minute=minute)
    slot = digest_slot(person, instant)
    assert slot is not None
    assert timedelta() < slot - instant <= timedelta(hours=1 if digest == HOURLY else 49)


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("2026-06-12T17:00", "2026-06-12T17:00"),
        ("2026-06-12T18:00", "2026-06-15T08:00"),
        ("2026-06-14T23:59", "2026-06-15T08:00"),
        ("2026-06-10T03:00", "2026-06-10T08:00"),
        ("2026-06-10T08:00", "2026-06-10T08:00"),
        ("2026-03-27T19:00", "2026-03-30T08:00"),  # over the night in which the clock is put forward
        ("2026-10-23T19:00", "2026-10-26T08:00"),  # and back
    ],
)
def test_n5_no_mail_at_night_or_at_a_weekend(instant: str, end: str) -> None:
    berlin = "Europe/Berlin"
    assert end_of_quiet(STAFF_QUIET, berlin, at(instant, berlin)) == at(end, berlin)


def test_a_breach_goes_through_only_for_who_lets_it() -> None:
    night = at("2026-06-10T23:00")
    careful = Person(recipient="user:7", quiet=STAFF_QUIET, digest=DAILY)
    keen = Person(recipient="user:7", quiet=STAFF_QUIET, digest=DAILY, breaches_through=True)
    assert decide(careful, "sla_breach", "assignee", night, undo_seconds=10).send_after == at("2026-06-11T08:00")
    assert decide(keen, "sla_breach", "assignee", night, undo_seconds=10).send_after == night + timedelta(seconds=10)
    assert decide(keen, "sla_warning", "assignee", night, undo_seconds=10).send_after == at("2026-06-11T08:00")


def test_everything_is_shown_at_once_whatever_becomes_of_the_mail() -> None:
    person = Person(recipient="user:7", quiet=STAFF_QUIET, digest=DAILY)
    for kind, each in AUDIENCES.items():
        for reason in each.reasons:
            assert decide(person, kind, reason, NOON).in_app


def test_a_mute_silences_all_but_what_gives_work() -> None:
    person = Person(recipient="user:7", choices={(kind, "email"): True for kind in AUDIENCES})
    for kind, each in AUDIENCES.items():
        verdict = decide(person, kind, each.reasons[0], NOON, muted=True)
        assert verdict.in_app == verdict.email == each.essential


def test_the_contracts_types_are_always_shown() -> None:
    person = Person(recipient="user:7", choices={(kind, "in_app"): False for kind in AUDIENCES})
    shown = [kind for kind, each in AUDIENCES.items() if decide(person, kind, each.reasons[0], NOON).in_app]
    assert tuple(shown) == CONTRACT_TYPES
    assert len(CONTRACT_TYPES) == 8


def test_a_requester_is_told_of_their_own_types_and_nothing_else() -> None:
    eager = Person(
        recipient="employee:3", choices={(kind, channel): True for kind in AUDIENCES for channel in ("in_app", "email")}
    )
    for kind, each in AUDIENCES.items():
        verdict = decide(eager, kind, each.reasons[0], NOON)
        assert (verdict.in_app or verdict.email) == (kind in REQUESTER_TYPES)


def test_n1_the_strongest_reason_wins_and_n6_whoever_acted_is_left_out() -> None:
    people = {"participant": ["1", "2", "3"], "owner": ["2", None], "assignee": ["1"], "approver": ["9"]}
    assert audience("comment_added", people, actor="3") == {"1": "assignee", "2": "owner"}
    assert strongest(["participant", "owner", "mentioned"]) == "mentioned"
    assert all(reason in REASONS for each in AUDIENCES.values() for reason in each.mailed)
    with pytest.raises(KeyError):
        audience("gossip", people)


def test_who_sees_a_ticket() -> None:
    assert sees("user:7", [], []) and sees("user:7", ["tts:A", "tts:B"], ["tts:B"]) and sees("employee:3", ["tts:A"], [])
    assert sees("user:7", ["tts:*"], ["tts:C"]) and not sees("user:7", ["tts:*"], ["hdts:C"])
    assert not sees("user:7", ["tts:A"], ["tts:C"])


def test_recipients_by_whatever_id() -> None:
    ids = [recipient_of(each) for each in (7, "7", "user:7", "employee:3")]
    assert ids == ["user:7", "user:7", "user:7", "employee:3"]


def test_the_readme_shows_the_table() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    section = readme.split("## Who hears what")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == list(AUDIENCES)
    for (_, trigger, people, marks), each in zip(rows, AUDIENCES.values(), strict=True):
        said = {name.strip("* ").replace(" ", "_"): name.strip().startswith("**") for name in people.split(",")}
        assert (trigger, said) == (each.trigger, dict(each.mailed))
        wanted = {"always shown": each.always_in_app, "despite a mute": each.essential, "may pass quiet hours": each.critical}
        assert {mark.strip() for mark in marks.split(",") if mark.strip()} == {mark for mark, on in wanted.items() if on}
