"""Policies, calendars and the passing of time, for tests of clocks."""

from __future__ import annotations

import json
from typing import Any

from baton.models import database as db
from baton.models.database import InstantField
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import TABLES, SlaCalendar, SlaCalendarVersion, SlaClock, SlaEvent, SlaPolicy, SlaPolicyVersion

ALWAYS = {"time_zone": "UTC", "windows": "always"}
#: A promise for everything: warned at three quarters, breached, escalated an hour after that.
POLICY: dict[str, Any] = {
    "name": "Everything",
    "calendar": "Always",
    "targets": {"resolution": "8h"},
    "steps": {"share": False},
    "warnings": [{"percent": 75}],
    "escalations": [{"after": "1h", "tell": ["role:Ticket Coordinator"]}],
}


def promise(**changes: Any) -> int:
    """Bring a policy into force, with a calendar that is always open; return its version."""
    document = {**POLICY, **changes}
    with write_tx("workflow") as tx:
        calendar = SlaCalendar.get_or_none(SlaCalendar.name == "Always")
        if calendar is None:
            calendar = SlaCalendar.create(name="Always", created_at=tx.now)
            definition = json.dumps(ALWAYS)
            version = SlaCalendarVersion.create(calendar=calendar.id, number=1, definition=definition, created_at=tx.now)
            SlaCalendar.update(current_version=version.id).execute()
        policy = SlaPolicy.create(name=document["name"], created_at=tx.now)
        made = SlaPolicyVersion.create(policy=policy.id, number=1, definition=json.dumps(document), created_at=tx.now)
        SlaPolicy.update(current_version=made.id).where(SlaPolicy.id == policy.id).execute()
    return int(made.id)


def pass_time(seconds: float) -> None:
    """Let so much time pass for the workflow service: everything it has stored happened so much earlier."""
    with write_tx("workflow") as tx:
        sqlite = db.is_sqlite(tx.database)
        for model in TABLES:
            for field in model._meta.sorted_fields:
                if isinstance(field, InstantField):
                    name, column = model._meta.table_name, field.column_name
                    earlier = (
                        f"strftime('%Y-%m-%d %H:%M:%f', \"{column}\", '-{seconds} seconds') || '000'"
                        if sqlite
                        else f"\"{column}\" - interval '{seconds} seconds'"
                    )
                    tx.database.execute_sql(f'update "{name}" set "{column}" = {earlier} where "{column}" is not null')


def fired(*, taken_back: bool = False) -> list[tuple[str, int]]:
    """Return what fired and holds (or was taken back), in order, as (kind, level)."""
    found = SlaEvent.select().where(SlaEvent.retracted_at.is_null(not taken_back)).order_by(SlaEvent.id)
    return [(event.kind, event.level) for event in found]


def clock(metric: str = "resolution") -> SlaClock:
    """Return the clock of a metric."""
    found: SlaClock = SlaClock.get(SlaClock.metric == metric)
    return found


def outgoing(name: str) -> list[dict[str, Any]]:
    """Return the fields of the messages of this name that wait in the outbox, in order."""
    outbox = runtime_tables("workflow").Outbox
    return [json.loads(row.kwargs) for row in outbox.select().where(outbox.name.contains(name)).order_by(outbox.id)]
