"""Who may try to sign in: free failures, growing waits, forgiveness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.sign_in import ACCOUNT, ADDRESS, LIMITS, Failures, admit, after_failure, wait_seconds

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def failures(count: int, scope: str = "account", apart: float = 0.0) -> Failures:
    """Return what is known after so many failures, the last of them now."""
    found = Failures()
    for number in range(count):
        found = after_failure(scope, found, NOW - timedelta(seconds=apart * (count - 1 - number)))
    return found


def test_a_few_failures_cost_nothing() -> None:
    assert admit({"account": failures(ACCOUNT.free - 1)}, NOW).admitted
    assert admit({}, NOW).admitted
    assert admit({"account": Failures()}, NOW).admitted


def test_the_next_one_costs_the_first_wait_and_each_further_one_doubles_it() -> None:
    waits = [wait_seconds(ACCOUNT, failures(ACCOUNT.free + more), NOW) for more in range(8)]

    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]


def test_after_the_wait_one_attempt_may_be_made() -> None:
    known = failures(ACCOUNT.free)

    assert not admit({"account": known}, NOW + timedelta(seconds=14)).admitted
    assert admit({"account": known}, NOW + timedelta(seconds=15)).admitted
    again = after_failure("account", known, NOW + timedelta(seconds=15))
    assert not admit({"account": again}, NOW + timedelta(seconds=40)).admitted


def test_the_longer_of_two_waits_counts_and_says_whose_it_is() -> None:
    admission = admit({"account": failures(ACCOUNT.free), "address": failures(ADDRESS.free, "address")}, NOW)

    assert (admission.admitted, admission.wait_seconds, admission.scope) == (False, 15, "account")


def test_an_office_where_somebody_always_mistypes_is_never_made_to_wait() -> None:
    known = failures(2_000, "address", apart=20)

    assert wait_seconds(ADDRESS, known, NOW) == 0


def test_a_patient_guesser_gets_no_more_than_a_guess_in_five_minutes() -> None:
    known, at, guesses = Failures(), NOW, 0
    while at < NOW + timedelta(days=1):
        wait = wait_seconds(ACCOUNT, known, at)
        at += timedelta(seconds=wait)
        known = after_failure("account", known, at)
        guesses += 1

    assert guesses <= 24 * 12 + ACCOUNT.free + 5


@given(st.sampled_from(sorted(LIMITS)), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_wait_is_whole_bounded_and_only_shrinks_with_time(scope: str, count: float, passed: float) -> None:
    known, limit = Failures(count, NOW), LIMITS[scope]

    now, later = wait_seconds(limit, known, NOW), wait_seconds(limit, known, NOW + timedelta(seconds=passed))

    assert 0 <= later <= now <= limit.longest_wait_seconds
    assert wait_seconds(limit, known, NOW + timedelta(seconds=now)) == 0


@given(st.sampled_from(sorted(LIMITS)), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_a_failure_always_counts_even_when_clocks_disagree(scope: str, count: float, passed: float) -> None:
    after = after_failure(scope, Failures(count, NOW), NOW + timedelta(seconds=passed))

    assert 1.0 <= after.count <= count + 1.0
