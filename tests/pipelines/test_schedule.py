"""How a job of the scheduler stands."""

from __future__ import annotations

import pytest

from baton.pipelines.schedule import LATE_SECONDS, job_state


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "ok"),
        ({"ended_seconds_ago": 60 + LATE_SECONDS}, "ok"),
        ({"ended_seconds_ago": 60.1 + LATE_SECONDS}, "late"),
        ({"error": "ValueError", "ended_seconds_ago": 9999.0}, "failed"),
        ({"ran": False}, "never"),
        ({"led": False, "error": "ValueError"}, "no leader"),
    ],
)
def test_a_job_stands_as_its_last_run_and_its_leader_say(facts: dict[str, object], state: str) -> None:
    usual = {"led": True, "ran": True, "error": "", "ended_seconds_ago": 5.0, "every_seconds": 60.0}
    assert job_state(**{**usual, **facts}) == state  # type: ignore[arg-type]
