"""A workflow side whose tickets have clocks: calendar B (Mon-Fri 09:00-17:00, Berlin), policies, and a time that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from baton.models import database
from baton.models.transaction import write_tx
from baton.models.workflow import SlaClock, SlaEvent, SlaPause, TaskItem, TicketSnapshot
from baton.models.workflow.intake_store import lock_tickets, write_statuses
from baton.models.workflow.sla_journal import note_names
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from baton.pipelines.messages import NoteReply, TrackClocks
from baton.pipelines.sla_policy_texts import policy_of

BERLIN = ZoneInfo("Europe/Berlin")
DAY = [["09:00", "17:00"]]
CALENDAR_B = {"time_zone": "Europe/Berlin", "windows": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), DAY)}
#: Days of the cases: the week of Monday 2026-06-01, and `next mon`.
DAYS = {
    name: datetime(2026, 6, 1, tzinfo=BERLIN) + timedelta(days=n) for n, name in enumerate(("mon", "tue", "wed", "thu", "fri"))
}
DAYS["next mon"] = datetime(2026, 6, 8, tzinfo=BERLIN)


def when(text: str) -> datetime:
    """Return the instant of a text such as `mon 09:00` or `next mon 10:00:01.500`, Berlin time."""
    day, _, clock = text.rpartition(" ")
    hours, minutes, *seconds = clock.split(":")
    base = DAYS[day].replace(hour=int(hours), minute=int(minutes))
    return (base + timedelta(seconds=float(seconds[0]) if seconds else 0)).astimezone(UTC)


def told(instant: datetime | None) -> str | None:
    """Return an instant as `when` reads it, to the minute; with milliseconds where it has any."""
    if instant is None:
        return None
    local = instant.astimezone(BERLIN)
    day = next(name for name, date in DAYS.items() if date.date() == local.date())
    return f"{day} {local:%H:%M}" + (f":{local:%S.%f}"[:7] if local.second or local.microsecond else "")


class ClockDesk:
    """Tickets and their clocks. `at` sets the time; everything else happens then, and is tracked at once unless told not to."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.now = when("mon 09:00")

    def at(self, text: str) -> ClockDesk:
        """Set the time."""
        self.now = when(text)
        return self

    def policy(self, name: str = "Test", **document: Any) -> None:
        """Store a policy's next version; without targets it promises 8 h of resolution."""
        whole = {"name": name, "calendar": "B", "steps": {"share": False}, "targets": {"resolution": "8h"}, **document}
        policy_of(whole)
        with write_tx("workflow") as tx:
            store_policy(tx, name, whole, "user:1")

    def file(self, **changes: Any) -> str:
        """Take a ticket in, submitted now."""
        (number,) = self.desk.file(submitted_at=self.now.isoformat(), **changes)
        return str(number)

    def status(self, number: str, status: str, *, track: bool = True) -> None:
        """Write a ticket's status, as whatever changes it does."""
        with write_tx("workflow") as tx:
            lock_tickets(tx, [number])
            write_statuses(tx, {number: status})
        if track:
            self.track(number)

    def rename(self, number: str, *, track: bool = True, **names: str) -> None:
        """Change a ticket's priority, category or department."""
        with write_tx("workflow") as tx:
            note_names(tx, {number: names})
            TicketSnapshot.update(**names).where(TicketSnapshot.ticket_number == number).execute()
        if track:
            self.track(number)

    def reply(self, number: str, side: str, comment: str | None = None, at: str | None = None) -> None:
        """Have the conversation tell of a public comment, written now or at another time."""
        written = self.now if at is None else when(at)
        comment = comment or f"{number}-{side}-{written.isoformat()}"
        message = NoteReply(
            ticket_number=number, comment_id=comment, side=side, author=f"{side}:1", written_at=written.isoformat()
        )
        self.desk.send(message)
        self.desk.run()

    def track(self, *numbers: str) -> None:
        """Have the tickets tracked."""
        self.desk.send(TrackClocks(ticket_numbers=list(numbers)))
        self.desk.run()

    def fire(self, number: str, metric: str = "resolution") -> tuple[str, int]:
        """Fire what is due next on a clock, as the sweep does; return its kind and level."""
        clock = self.clock(number, metric)
        assert clock.next_fire_at is not None and clock.next_fire_at <= self.now, "nothing is due"
        SlaEvent.create(
            clock=clock.id, ticket_number=number, round=clock.round, kind=clock.next_fire_kind, level=clock.next_level,
            due_at=clock.next_fire_at, fired_at=self.now, verdict=clock.state, on_attach=clock.on_attach,
        )  # fmt: skip
        self.track(number)
        return clock.next_fire_kind, clock.next_level

    def clock(self, number: str, metric: str = "resolution", *, cycle: int = 1, item: int = 0) -> Any:
        """Return a clock's row."""
        key = {"ticket_number": number, "metric": metric, "cycle": cycle, "item": item}
        return SlaClock.get(**{name: value for name, value in key.items() if name != "item" or item or metric != "step"})

    def due(self, number: str, metric: str = "resolution", *, cycle: int = 1) -> str | None:
        """Return when a clock is due."""
        return told(self.clock(number, metric, cycle=cycle).due_at)

    def state(self, number: str, metric: str = "resolution", *, cycle: int = 1) -> str:
        """Return a clock's state."""
        return str(self.clock(number, metric, cycle=cycle).state)

    def fires(self, number: str, metric: str = "resolution") -> tuple[str | None, str | None, int | None]:
        """Return what fires next on a clock: when, kind and level."""
        clock = self.clock(number, metric)
        return told(clock.next_fire_at), clock.next_fire_kind, clock.next_level

    def metrics(self, number: str) -> dict[tuple[str, int], str]:
        """Return the states of a ticket's clocks by metric and cycle."""
        rows = SlaClock.select().where(SlaClock.ticket_number == number)
        return {(row.metric, row.cycle): row.state for row in rows}

    def item(self, number: str) -> TaskItem:
        """Return the newest item of a ticket."""
        found: TaskItem = TaskItem.select().where(TaskItem.ticket_number == number).order_by(TaskItem.id.desc()).get()
        return found

    def paused(self, number: str, metric: str = "resolution") -> list[tuple[str | None, str | None, str]]:
        """Return a clock's pauses."""
        rows = SlaPause.select().where(SlaPause.clock == self.clock(number, metric).id).order_by(SlaPause.from_at)
        return [(told(row.from_at), told(row.to_at), row.reason) for row in rows]


@pytest.fixture
def clocks(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClockDesk]:
    """A desk on Monday 2026-06-01, 09:00 in Berlin, with calendar B and no policies."""
    found = ClockDesk(desk)
    monkeypatch.setattr(database, "now", lambda service: found.now)
    with write_tx("workflow") as tx:
        store_calendar(tx, "B", CALENDAR_B, "user:1")
    yield found
