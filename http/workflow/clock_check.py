"""How the firing of service levels stands, for the workflow service's health and figures."""

from __future__ import annotations

from typing import Any

import peewee as pw

from baton.models.workflow import firing_store

#: A clock that has been due for so long, in seconds, means that nobody fires clocks: health is failing.
FAIL_SECONDS = 60.0
#: Counting stops here: the answer "many" must not cost a scan.
MOST_COUNTED = 10_000


def clock_check(database: pw.Database) -> dict[str, Any]:
    """
    Return how many clocks are overdue, since when the oldest is, and how many cannot be fired.

    Failing when the oldest was due more than FAIL_SECONDS ago; degraded while single clocks cannot be fired.
    """
    found = firing_store.overdue("workflow", MOST_COUNTED)
    late = found["oldest_seconds"] > FAIL_SECONDS
    return {"status": "failing" if late else "degraded" if found["failing"] else "ok", **found}
