"""
Counting for reports, in the database: by day or week, over the range that is asked for.

Each statement reads its range off an index by time: the cost follows the range, not what is stored before it. What the databases
say differently is in `_Dialect`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import dicts
from baton.models.workflow.work import Task

#: From which instant until before which: a bucket. Its place is where it stands in the list.
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What the databases say differently: `buckets` before a statement, `place` of a row's instant, `source` and `within`."""

    mark: str
    buckets: str
    place: str
    source: str
    within: str
    roles: str
    seconds: str
    elements: str
    element: str


#: Looks each bucket up in the index.
_SQLITE = _Dialect(
    mark="?",
    buckets="""bucket as materialized (select json_extract(value, '$.place') as place, json_extract(value, '$.start') as start,
  json_extract(value, '$.stop') as stop from json_each(?))""",
    place="b.place",
    source="bucket b cross join {table}",
    within="{column} >= b.start and {column} < b.stop",
    roles="in (select value from json_each(?))",
    seconds="(julianday(i.closed_at) - julianday(i.created_at)) * 86400.0",
    elements="json_each(k.considered) as e",
    element="json_extract(e.value, '$.{}')",
)
#: Reads the whole range off the index: of a join with the buckets the planner could not tell how many rows it has.
_POSTGRESQL = _Dialect(
    mark="%s",
    buckets="starts as materialized (select %s::timestamp[] as given)",
    place="width_bucket({column}, (select given from starts)) - 1",
    source="{table}",
    within="{column} >= %s::timestamp and {column} < %s::timestamp",
    roles="= any(%s::bigint[])",
    seconds="extract(epoch from i.closed_at - i.created_at)::float8",
    elements="json_array_elements(k.considered::json) as e(value)",
    element="e.value->>'{}'",
)
#: How ended and late clocks are grouped: what a group is called, and the tables that say it.
_GROUPS = {
    "policy": ("p.name", "join sla_policy_version pv on pv.id = c.policy_version join sla_policy p on p.id = pv.policy", ""),
    "category": ("coalesce(t.category, '')", "join ticket_snapshot t on t.ticket_number = c.ticket_number", ""),
    "step": (
        "w.name || ': ' || st.name",
        """join task_item i on i.id = c.item join step st on st.id = i.step
join workflow_version wv on wv.id = st.version join workflow w on w.id = wv.workflow""",
        "and c.metric = 'step'",
    ),
    "week": ("''", "", ""),
}
_LEVELS = """with {buckets}
select {place} as place, {name} as name, sum(case when c.state = 'met' then 1 else 0 end) as met,
  sum(case when c.state = 'breached' then 1 else 0 end) as breached,
  sum(case when c.state = 'cancelled' then 1 else 0 end) as cancelled
from {source} {joins} where {within} and ({mark} = '' or c.metric = {mark}) {condition} group by 1, 2 order by 1, 2"""
_LATE = """with {buckets}
select {place} as place, {name} as name, count(*) as late from {source} {joins}
where {within} and c.state in ('running', 'paused') and c.due_at < {mark}
  and ({mark} = '' or c.metric = {mark}) {condition} group by 1, 2"""
_TURNS = """with {buckets}
select {place} as place, k.role, k.chosen as user_id, sum(case when k.turn is not null then 1 else 0 end) as turns,
  sum(case when k.turn is null then 1 else 0 end) as given_back
from {source} where {within} and k.role {roles} and k.chosen is not null group by 1, 2, 3"""
_CONSIDERED = """with {buckets}
select {place} as place, k.role, {user} as user_id, count(*) as considered,
  sum(case when {verdict} in ('chosen', 'later in line', 'had it before') then 1 else 0 end) as eligible
from {source} cross join {elements} where {within} and k.role {roles} group by 1, 2, 3"""
# The state is written as an expression, so that the range is read, not everything that was ever breached.
_LATE_STEPS = """with {buckets}
select {place} as place, i.role, i.assignee as user_id, count(*) as late from {source} join task_item i on i.id = c.item
where {within} and c.metric = 'step' and c.state || '' = 'breached' and i.assignee is not null and i.role {roles}
group by 1, 2, 3"""
_LATE_NOW = """select i.role, i.assignee as user_id, count(*) as late_now from sla_clock c join task_item i on i.id = c.item
where c.state in ('running', 'paused') and c.due_at < {mark} and c.metric = 'step' and i.assignee is not null and i.role {roles}
group by 1, 2"""
_FLOW = "with {buckets} select {place} as place, count(*) as tickets from {source} where {within} group by 1"
_STEP_TIMES = """with {buckets}, spent as (
  select w.name as workflow, st.name as step, st.position, {seconds} as seconds
  from {source} join task_item i on i.task = t.id
  join step st on st.id = i.step join workflow_version wv on wv.id = st.version join workflow w on w.id = wv.workflow
  where {within} and i.closed_at is not null and i.state = 'completed'),
ranked as (
  select workflow, step, position, seconds, row_number() over (partition by workflow, step order by seconds) as place,
    count(*) over (partition by workflow, step) as total from spent)
select workflow, step, max(total) as items, avg(seconds) as mean, min(case when place * 2 >= total then seconds end) as median,
  min(case when place * 10 >= total * 9 then seconds end) as p90, max(seconds) as longest
from ranked group by workflow, step order by workflow, min(position), step"""
#: Tables, and the column that says when.
_ENDED, _DUE, _PICKED = ("sla_clock c", "c.stopped_at"), ("sla_clock c", "c.due_at"), ("assignment_pick k", "k.decided_at")


def levels(database: pw.Database, spans: Sequence[Span], group: str, metric: str) -> list[dict[str, Any]]:
    """Return per bucket and name how many clocks ended met, breached, cancelled; `metric` "" is every one."""
    name, joins, condition = _GROUPS[group]
    return _rows(database, _LEVELS, _ENDED, spans, metric, metric, name=name, joins=joins, condition=condition)


def late_open(database: pw.Database, spans: Sequence[Span], group: str, metric: str, now: datetime) -> list[dict[str, Any]]:
    """Return per bucket of their due time, and name, how many clocks are late and still open."""
    name, joins, condition = _GROUPS[group]
    return _rows(database, _LATE, _DUE, spans, _instant(now), metric, metric, name=name, joins=joins, condition=condition)


def turns(database: pw.Database, spans: Sequence[Span], roles: Sequence[int]) -> list[dict[str, Any]]:
    """Return per bucket, role and person the turns taken and the work given back without one."""
    return _rows(database, _TURNS, _PICKED, spans, _ids(database, roles))


def considered(database: pw.Database, spans: Sequence[Span], roles: Sequence[int]) -> list[dict[str, Any]]:
    """Return per bucket, role and person how often they were considered, and how often nothing spoke against them."""
    d = _dialect(database)
    parts = {"user": d.element.format("user_id"), "verdict": d.element.format("verdict"), "elements": d.elements}
    return _rows(database, _CONSIDERED, _PICKED, spans, _ids(database, roles), **parts)


def late_steps(database: pw.Database, spans: Sequence[Span], roles: Sequence[int]) -> list[dict[str, Any]]:
    """Return per bucket, role and person how many steps ended late."""
    return _rows(database, _LATE_STEPS, _ENDED, spans, _ids(database, roles))


def late_now(database: pw.Database, roles: Sequence[int], now: datetime) -> dict[tuple[int, str], int]:
    """Return per role and person how many open steps are late now."""
    d = _dialect(database)
    rows = _run(database, _LATE_NOW.format(mark=d.mark, roles=d.roles), (_instant(now), _ids(database, roles)))
    return {(row["role"], row["user_id"]): row["late_now"] for row in rows}


def flow(database: pw.Database, spans: Sequence[Span], column: str) -> dict[int, int]:
    """Return per bucket how many tasks have this instant (`created_at`, `closed_at`) in it."""
    return {row["place"]: row["tickets"] for row in _rows(database, _FLOW, ("task t", f"t.{column}"), spans)}


def step_times(database: pw.Database, span: Span) -> list[dict[str, Any]]:
    """Return how long the steps of the tasks closed in a span took by workflow and step, in seconds of wall clock time."""
    return _rows(database, _STEP_TIMES, ("task t", "t.closed_at"), [span])


def open_tasks() -> int:
    """Return how many tasks are open."""
    return int(Task.select().where(Task.closed_at.is_null()).count())


def roles(role_id: str | None) -> list[dict[str, Any]]:
    """Return the role of this id as auth names it, or all, as dicts with id, role_id and name."""
    query = Role.select(Role.id, Role.role_id, Role.name).order_by(Role.id)
    return dicts(query if role_id is None else query.where(Role.role_id == role_id))


def members(role_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the members of these roles, also those who are no longer active."""
    return dicts(Member.select().where(Member.role.in_(list(role_ids))).order_by(Member.role, Member.id))


def _rows(
    database: pw.Database, template: str, when: tuple[str, str], spans: Sequence[Span], *values: Any, **parts: str
) -> list[dict[str, Any]]:
    """Return the rows of a statement over buckets, which follow each other; `when` is a table and the column that says when."""
    d, (table, column) = _dialect(database), when
    place, within = d.place.format(column=column), d.within.format(column=column)
    source = d.source.format(table=table)
    sql = template.format(
        buckets=d.buckets, place=place, source=source, within=within, mark=d.mark, roles=d.roles, seconds=d.seconds, **parts
    )
    if d is _SQLITE:
        return _run(database, sql, (_document(spans), *values))
    return _run(database, sql, ([_instant(start) for start, _ in spans], _instant(spans[0][0]), _instant(spans[-1][1]), *values))


def _run(database: pw.Database, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = database.execute_sql(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _dialect(database: pw.Database) -> _Dialect:
    return _SQLITE if db.is_sqlite(database) else _POSTGRESQL


def _ids(database: pw.Database, ids: Sequence[int]) -> Any:
    return json.dumps(ids) if db.is_sqlite(database) else list(ids)


def _document(spans: Sequence[Span]) -> str:
    return json.dumps([{"place": n, "start": _instant(start), "stop": _instant(stop)} for n, (start, stop) in enumerate(spans)])


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
