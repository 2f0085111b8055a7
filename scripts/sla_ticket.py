"""The clocks of a live ticket, for `baton sla explain --ticket`."""

from __future__ import annotations

from typing import Any

from baton.http.workflow.sla_clocks import told_of
from baton.models import database as db
from baton.models.database import read_tx
from baton.models.workflow import reading, sla_reading
from baton.pipelines.sla_explaining import Told
from baton.scripts.ticket_commands import fail, prepare


def told_clocks(ticket: str, clock: int | None) -> list[tuple[dict[str, Any], Told]]:
    """
    Return each clock of a ticket, or the one of this id: what it is of, and its explanation as of now.

    Exits 1 when there is no such ticket or clock.
    """
    prepare("workflow")
    number = ticket.strip()
    with read_tx("workflow"):
        if reading.snapshot(number) is None:
            fail(f"{number}: the workflow side has no ticket of this number (yet)")
        rows, now = sla_reading.clocks_of(number), db.now("workflow")
    found = []
    for row in rows.clocks:
        if clock in (None, row["id"]):
            policy, calendar = rows.policies[row["policy_version"]], rows.calendars[row["calendar_version"]]
            told = told_of(rows, row, now)
            about = {
                "id": told.name,
                "ticket_number": number,
                "clock": row["id"],
                "state": row["state"],
                "policy": f"{policy.name}, version {policy.number}",
                "calendar": f"{calendar.name}, version {calendar.number}",
                "why": row["match_reason"],
                "as_of": now.isoformat(),
            }
            found.append((about, told))
    if not found:
        fail(f"{number}: no clock {clock}" if clock is not None else f"{number}: nothing is promised about it")
    return found
