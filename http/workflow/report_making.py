"""Reports put together: the counts of the database under the names and days that people know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from baton.http.api import Call, Invalid, NotFound
from baton.http.workflow.report_views import (
    FairnessQuery,
    FairnessReport,
    FlowDay,
    FlowReport,
    Person,
    PersonDay,
    RangeQuery,
    RoleSpread,
    SlaQuery,
    SlaReport,
    SlaRow,
    StepTime,
)
from baton.models.workflow import report_store as store
from baton.models.workflow.report_store import Span
from baton.pipelines.sla_reports import Bucket, RangeError, backlog, days, share, today, weeks, whole

#: Days that a report covers unless it is asked otherwise, today included.
_USUAL_DAYS = 30
#: What is counted per person and day.
_COUNTED = ("turns", "given_back", "eligible", "passed_over", "late")


def sla_report(call: Call, query: SlaQuery) -> SlaReport:
    """Return promises kept and broken over the range."""
    first, last, zone = _range(call, query)
    buckets = _buckets(weeks if query.group == "week" else whole, first, last, zone)
    spans, metric = _spans(buckets), query.clock or ""
    counts: dict[str, Counter[str]] = {}
    if query.group == "week":
        counts = {bucket.day.isoformat(): Counter() for bucket in buckets}
    for row in store.levels(call.database, spans, query.group, metric):
        found = counts.setdefault(_group_name(row, query.group, buckets), Counter())
        found.update({name: int(row[name]) for name in ("met", "breached", "cancelled")})
    for row in store.late_open(call.database, spans, query.group, metric, call.now):
        counts.setdefault(_group_name(row, query.group, buckets), Counter())["late_open"] += row["late"]
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [_sla_row(name, counts[name]) for name in sorted(counts)]
    return SlaReport(
        first=first.isoformat(), last=last.isoformat(), time_zone=zone, group=query.group, clock=query.clock,
        rows=rows, total=_sla_row("all", total),
    )  # fmt: skip


def fairness_report(call: Call, query: FairnessQuery) -> FairnessReport:
    """Return who got how much over the range."""
    first, last, zone = _range(call, query)
    buckets = _buckets(days, first, last, zone)
    roles = {row["id"]: row for row in store.roles(query.role)}
    if query.role is not None and not roles:
        raise NotFound(f"there is no role {query.role}")
    ids, spans = sorted(roles), _spans(buckets)
    counts: defaultdict[tuple[int, int, str], Counter[str]] = defaultdict(Counter)
    for row in store.turns(call.database, spans, ids):
        counts[_key(row)].update(turns=int(row["turns"]), given_back=int(row["given_back"]))
    for row in store.considered(call.database, spans, ids):
        eligible = int(row["eligible"])
        counts[_key(row)].update(eligible=eligible, passed_over=row["considered"] - eligible)
    for row in store.late_steps(call.database, spans, ids):
        counts[_key(row)].update(late=row["late"])
    members = {(row["role"], row["user_id"]): row for row in store.members(ids)}
    people = _people(call, roles, members, counts)
    shown = [
        PersonDay(day=buckets[place].day.isoformat(), **_who(roles, members, role, user), **_numbers(counts[place, role, user]))
        for place, role, user in sorted(counts)
    ]
    return FairnessReport(
        first=first.isoformat(), last=last.isoformat(), time_zone=zone, roles=_spreads(people), people=people, days=shown
    )


def flow_report(call: Call, query: RangeQuery) -> FlowReport:
    """Return what came, went and was left over the range."""
    first, last, zone = _range(call, query)
    buckets = _buckets(days, first, last, zone)
    # Time after the range is looked at too: how many were open is reckoned back from now.
    later = (buckets[-1].end, max(call.now, buckets[-1].end) + timedelta(days=1))
    spans = [*_spans(buckets), later]
    came, went = (store.flow(call.database, spans, column) for column in ("created_at", "closed_at"))
    places, after = range(len(buckets)), len(buckets)
    arrived, finished = [came.get(n, 0) for n in places], [went.get(n, 0) for n in places]
    open_now = store.open_tasks()
    left = backlog(open_now, arrived, finished, (came.get(after, 0), went.get(after, 0)))
    return FlowReport(
        first=first.isoformat(),
        last=last.isoformat(),
        time_zone=zone,
        open_now=open_now,
        days=[
            FlowDay(day=bucket.day.isoformat(), arrived=arrived[n], finished=finished[n], backlog=max(0, left[n]))
            for n, bucket in enumerate(buckets)
        ],
        steps=[_step_time(row) for row in store.step_times(call.database, (buckets[0].start, buckets[-1].end))],
    )


def _range(call: Call, query: RangeQuery) -> tuple[date, date, str]:
    zone = call.settings.time_zone
    last = _day(query.last, "to") if query.last is not None else None
    first = _day(query.first, "from") if query.first is not None else None
    if last is None:
        last = max(today(call.now, zone), first or date.min)
        if first is not None:
            last = min(last, first + timedelta(days=365))
    return first or last - timedelta(days=_USUAL_DAYS - 1), last, zone


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid.of(field, "is no date; write YYYY-MM-DD") from None
    if not 1971 <= day.year <= 9000:
        raise Invalid.of(field, "must lie between the years 1971 and 9000")
    return day


def _buckets(make: Any, first: date, last: date, zone: str) -> list[Bucket]:
    try:
        return list(make(first, last, zone))
    except RangeError as error:
        raise Invalid.of(error.field, str(error), "range") from None


def _spans(buckets: Sequence[Bucket]) -> list[Span]:
    return [(bucket.start, bucket.end) for bucket in buckets]


def _group_name(row: dict[str, Any], group: str, buckets: Sequence[Bucket]) -> str:
    return buckets[row["place"]].day.isoformat() if group == "week" else str(row["name"])


def _sla_row(name: str, counts: Counter[str]) -> SlaRow:
    return SlaRow(
        name=name,
        met=counts["met"],
        breached=counts["breached"],
        cancelled=counts["cancelled"],
        late_open=counts["late_open"],
        in_time_percent=share(counts["met"], counts["breached"] + counts["late_open"]),
    )


def _key(row: dict[str, Any]) -> tuple[int, int, str]:
    return row["place"], row["role"], row["user_id"]


def _who(roles: dict[int, Any], members: dict[tuple[int, str], Any], role: int, user: str) -> dict[str, Any]:
    member = members.get((role, user))
    name = member["name"] if member is not None else ""
    return {"role": roles[role]["name"], "role_id": roles[role]["role_id"], "user_id": user, "name": name}


def _numbers(counts: Counter[str]) -> dict[str, Any]:
    return {name: counts[name] for name in _COUNTED}


def _people(
    call: Call, roles: dict[int, Any], members: dict[tuple[int, str], Any], counts: dict[Any, Counter[str]]
) -> list[Person]:
    totals: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for (_, role, user), found in counts.items():
        totals[role, user] += found
    late = store.late_now(call.database, sorted(roles), call.now)
    active = {key for key, member in members.items() if member["is_active"]}
    shown = []
    for role, user in sorted({*totals, *active}):
        member = members.get((role, user)) or {"open_items": 0, "capacity": None}
        shown.append(
            Person(
                **_who(roles, members, role, user),
                **_numbers(totals[role, user]),
                active=(role, user) in active,
                open_now=member["open_items"],
                late_now=late.get((role, user), 0),
                capacity=member["capacity"],
            )
        )
    return shown


def _spreads(people: Sequence[Person]) -> list[RoleSpread]:
    found: dict[tuple[str, str], list[int]] = {}
    for person in people:
        if person.active:
            found.setdefault((person.role, person.role_id), []).append(person.turns)
    return [RoleSpread(role=name, role_id=key, fewest=min(each), most=max(each)) for (name, key), each in found.items()]


def _step_time(row: dict[str, Any]) -> StepTime:
    seconds = {f"{name}_seconds": round(float(row[name]), 1) for name in ("mean", "median", "p90", "longest")}
    return StepTime(workflow=row["workflow"], step=row["step"], items=row["items"], **seconds)
