"""The calendars and policies that Baton comes with, read from its files: `calendars/` and `policies/` beside this."""

from __future__ import annotations

import tomllib
from typing import Any

from baton.pipelines.sla.calendars import read_calendar, write_calendar
from baton.pipelines.sla_policies import FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION
from baton.pipelines.sla_policy_texts import policy_of


def read_calendar_file(text: str, time_zone: str) -> tuple[str, dict[str, Any]]:
    """Return a calendar's name and document; one without a zone of its own gets `time_zone`. Raises CalendarError."""
    source = tomllib.loads(text)
    document = {"time_zone": time_zone} | {key: value for key, value in source.items() if key not in ("name", "description")}
    return source["name"], write_calendar(read_calendar(document))


def read_policy_file(text: str) -> dict[str, dict[str, Any]]:
    """
    Return the policies of a file by name, one for each priority: what they share under `policy`, and under `priorities` the
    targets of each and what else is different there. Raises PolicyError.
    """
    source = tomllib.loads(text)
    found = {}
    for priority, own in source["priorities"].items():
        targets = {metric: own[metric] for metric in (FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION) if metric in own}
        different = {key: value for key, value in own.items() if key not in targets}
        name = f"{source['workflow']}, {priority}"
        match = {"workflow": [source["workflow"]], "priority": [priority]}
        found[name] = {"name": name, **source["policy"], **different, "match": match, "targets": targets}
        policy_of(found[name])
    return found
