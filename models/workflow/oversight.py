"""What coordinators keep an eye on: how much is parked, waits, is late or is about to be, and whose work lies with the absent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import peewee as pw

from baton.models.workflow.names import name_of
from baton.models.workflow.people import Member, Role, Substitute
from baton.models.workflow.sla_tables import SlaClock
from baton.models.workflow.work import TriageEntry, WaitingEntry

#: The state of a clock that runs, late or not.
RUNNING = "running"


def substitute_of(user_id: Any) -> Any:
    """Return the column with the id of who stands in for the person that another column names."""
    return Substitute.select(Substitute.substitute).where(Substitute.user_id == user_id)


def substitute_name_of(user_id: Any) -> Any:
    """Return the column with that one's name."""
    return name_of(substitute_of(user_id))


def absent_with_work(now: datetime) -> Any:
    """
    Return the query for who has open items in a role that they are away from, or no longer in, as dicts: one row per person.

    It looks at the people there are, not at their work.
    """
    has_begun = Member.away_from.is_null() | (Member.away_from <= now)
    lasts = Member.away_to.is_null() | (Member.away_to > now)
    is_set = Member.away_from.is_null(False) | Member.away_to.is_null(False)
    is_gone = ~Member.is_active | ~Role.is_active
    columns = (
        Member.user_id,
        pw.fn.MAX(Member.name).alias("name"),
        pw.fn.SUM(Member.open_items).alias("open_items"),
        pw.fn.MIN(Member.away_from).alias("away_from"),
        pw.fn.MAX(Member.away_to).alias("away_to"),
        pw.fn.SUM(pw.Case(None, [(is_gone, 0)], 1)).alias("active_roles"),
        substitute_of(Member.user_id).alias("substitute"),
        substitute_name_of(Member.user_id).alias("substitute_name"),
    )
    query = Member.select(*columns).join(Role, on=(Role.id == Member.role)).where(Member.open_items > 0)
    return query.where(is_gone | (is_set & has_begun & lasts)).group_by(Member.user_id).dicts()


def count_absent_with_work(now: datetime, most: int) -> int:
    """Return how many people that are, at most so many."""
    return _count(absent_with_work(now), most)


def count_triage(most: int) -> tuple[int, datetime | None]:
    """Return how many tickets are parked, at most so many, and since when the first of them."""
    oldest = TriageEntry.select(TriageEntry.since).order_by(TriageEntry.id).first()
    return _count(TriageEntry.select(TriageEntry.id), most), None if oldest is None else oldest.since


def count_waiting(most: int) -> tuple[int, datetime | None]:
    """Return how much waits for somebody eligible, at most so much, and since when the first of it."""
    oldest = WaitingEntry.select(WaitingEntry.since).order_by(WaitingEntry.id).first()
    return _count(WaitingEntry.select(WaitingEntry.id), most), None if oldest is None else oldest.since


def count_due(since: datetime | None, until: datetime, most: int) -> int:
    """Return how many running clocks are due from `since` until before `until`, at most so many."""
    query = SlaClock.select(SlaClock.id).where(SlaClock.state == RUNNING, SlaClock.due_at < until)
    return _count(query if since is None else query.where(SlaClock.due_at >= since), most)


def _count(query: Any, most: int) -> int:
    return int(query.limit(most).count())
