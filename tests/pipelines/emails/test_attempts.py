"""What follows from how an attempt ended: three retries, 60 s times their number apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baton.pipelines.emails.attempts import FAILED, LONGEST_ERROR, PENDING, SENT, Outcome, judge

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_mail_that_was_taken_is_sent() -> None:
    assert judge(Outcome(kind="taken"), 2, NOON).state == SENT


def test_a_refusal_is_final() -> None:
    verdict = judge(Outcome(kind="refused", detail="550"), 0, NOON)
    assert (verdict.state, verdict.due_at, verdict.error, verdict.counts) == (FAILED, None, "550", True)


@pytest.mark.parametrize("kind", ["put off", "unreachable"])
def test_the_nth_retry_comes_n_minutes_later_and_there_are_three(kind: str) -> None:
    outcome = Outcome(kind=kind, detail="later")
    for retries, seconds in ((0, 60), (1, 120), (2, 180)):
        verdict = judge(outcome, retries, NOON)
        assert (verdict.state, verdict.due_at, verdict.retries) == (PENDING, NOON + timedelta(seconds=seconds), retries + 1)
    assert judge(outcome, 3, NOON).state == FAILED


def test_what_tells_of_the_server_and_not_of_the_mail_uses_up_no_retry() -> None:
    for outcome, trial in ((Outcome(kind="unreachable"), True), (Outcome(kind="not asked"), False)):
        verdict = judge(outcome, 3, NOON, trial=trial)
        assert (verdict.state, verdict.retries, verdict.counts) == (PENDING, 3, False)


def test_a_trial_that_was_answered_counts_as_any_attempt() -> None:
    assert judge(Outcome(kind="put off"), 1, NOON, trial=True).retries == 2
    assert judge(Outcome(kind="refused"), 1, NOON, trial=True).state == FAILED


def test_long_errors_are_cut() -> None:
    assert len(judge(Outcome(kind="refused", detail="x" * 5_000), 0, NOON).error) == LONGEST_ERROR
