"""The circuit breaker: five failures open it, after a minute one trial half-opens it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.breaker import CLOSED, FAILURES_TO_OPEN, HALF_OPEN, OPEN, OPEN_SECONDS, Circuit, ask, fail, state_of, succeed

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(seconds=OPEN_SECONDS)


def opened(at: datetime = NOON) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES_TO_OPEN):
        circuit = fail(circuit, at)
    return circuit


def test_the_fifth_failure_in_a_row_opens_it() -> None:
    circuit = Circuit()
    for _ in range(4):
        circuit = fail(circuit, NOON)
        assert state_of(circuit) == CLOSED
    assert state_of(fail(circuit, NOON)) == OPEN


def test_a_success_forgets_the_failures_before_it() -> None:
    circuit = Circuit()
    for _ in range(4):
        circuit = fail(circuit, NOON)
    assert fail(succeed(circuit), NOON).failures == 1


def test_an_open_one_lets_nothing_through_for_a_minute_then_one_trial() -> None:
    circuit = opened()
    assert ask(circuit, NOON + MINUTE - timedelta(microseconds=1)) is None
    trial = ask(circuit, NOON + MINUTE)
    assert trial is not None
    assert state_of(trial) == HALF_OPEN
    assert ask(trial, NOON + MINUTE) is None


def test_the_trial_closes_it_or_opens_it_anew() -> None:
    trial = ask(opened(), NOON + MINUTE)
    assert trial is not None
    assert state_of(succeed(trial)) == CLOSED
    again = fail(trial, NOON + MINUTE)
    assert state_of(again) == OPEN
    assert ask(again, NOON + 2 * MINUTE - timedelta(seconds=1)) is None
    assert ask(again, NOON + 2 * MINUTE) is not None


def test_a_trial_whose_process_died_is_followed_by_another() -> None:
    trial = ask(opened(), NOON + MINUTE)
    assert trial is not None
    assert ask(trial, NOON + 2 * MINUTE) is not None


def test_a_call_that_began_before_it_opened_and_fails_later_does_not_prolong_it() -> None:
    assert fail(opened(), NOON + timedelta(seconds=50)) == opened()


@given(st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=60))
def test_however_calls_go_an_open_breaker_lets_one_call_a_minute_through(calls: list[tuple[int, bool]]) -> None:
    circuit, now, last = Circuit(), NOON, None
    for pause, works in calls:
        now += timedelta(seconds=pause)
        was_open = circuit.opened_at is not None
        asked = ask(circuit, now)
        if asked is None:
            assert was_open
            continue
        if was_open and last is not None:
            assert now - last >= MINUTE
        circuit, last = (succeed(asked) if works else fail(asked, now)), now
