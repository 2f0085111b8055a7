"""How a job of the scheduler stands, from what is known about its last run and its leader."""

from __future__ import annotations

#: A job that should have run so long ago, in seconds, is late: leases change hands well within it.
LATE_SECONDS = 20.0


def job_state(*, led: bool, ran: bool, error: str, ended_seconds_ago: float, every_seconds: float) -> str:
    """Return `ok`, `failed`, `late`, `never` (it has not run yet) or `no leader`."""
    if not led:
        return "no leader"
    if not ran:
        return "never"
    if error:
        return "failed"
    return "late" if ended_seconds_ago > every_seconds + LATE_SECONDS else "ok"
