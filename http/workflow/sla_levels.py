"""Calendars and policies: read, judged, made, changed by new versions, put into order, retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from baton.http.api import Call, Conflict, Invalid, NotFound, Page, Reply, page
from baton.http.workflow.definition_views import FaultView
from baton.http.workflow.sla_definition_views import (
    ChangedCalendar,
    JudgedView,
    LevelDetail,
    LevelQuery,
    LevelSummary,
    LevelVersion,
    NewCalendar,
    PolicyBody,
    PolicyOrder,
    PolicySummary,
)
from baton.models.workflow import sla_editing_reading as reading
from baton.models.workflow.sla_editing_reading import CALENDARS, POLICIES, Kind
from baton.models.workflow.sla_policy_store import retire_calendar as take_calendar
from baton.models.workflow.sla_policy_store import retire_policy as take_policy
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from baton.pipelines.sla_editing import PolicySurroundings, errors_of, judge_calendar, judge_policy, ranked
from baton.pipelines.sla_policy_texts import PolicyError, policy_from_json, policy_of, read_policy_text
from baton.pipelines.sla_texts import write_document
from baton.pipelines.validation import ERROR, Fault

#: Versions that a calendar or policy is shown with.
_MOST_VERSIONS = 100


def list_calendars(call: Call, query: LevelQuery) -> Page[LevelSummary]:
    """Calendars, oldest first."""
    return _page(CALENDARS, query, lambda row: LevelSummary(**_summary(row)))


def list_policies(call: Call, query: LevelQuery) -> Page[PolicySummary]:
    """Policies, oldest first."""
    return _page(POLICIES, query, _policy_summary)


def read_calendar(call: Call) -> Reply:
    """A calendar with its versions."""
    return show(CALENDARS, _found(call, CALENDARS, "calendar_id"))


def read_policy(call: Call) -> Reply:
    """A policy with its versions."""
    return show(POLICIES, _found(call, POLICIES, "policy_id"))


def create_calendar(call: Call, body: NewCalendar) -> Reply:
    """A new calendar; policies may name it from now on."""
    reading.hold_levels(call.tx)
    refuse_unusable(judge_calendar(body.definition), "definition")
    return _create(call, CALENDARS, body.name, body.definition)


def create_policy(call: Call, body: PolicyBody) -> Reply:
    """A new policy, which new tickets get from now on."""
    reading.hold_levels(call.tx)
    document = document_of(body)
    refuse_unusable(judge_policy(document, surroundings()), "definition")
    return _create(call, POLICIES, document["name"], document)


def change_calendar(call: Call, body: ChangedCalendar) -> Reply:
    """A calendar's next version, which new tickets get; running clocks keep theirs until a change is applied to them."""
    reading.hold_levels(call.tx)
    row = _found(call, CALENDARS, "calendar_id")
    call.require_match(reading.newest_number(CALENDARS, row["id"]))
    refuse_unusable(judge_calendar(body.definition), "definition")
    return store_next(call, CALENDARS, row, body.definition)


def change_policy(call: Call, body: PolicyBody) -> Reply:
    """A policy's next version, which new tickets get; those that have it keep theirs until a change is applied to them."""
    reading.hold_levels(call.tx)
    row = _found(call, POLICIES, "policy_id")
    call.require_match(reading.newest_number(POLICIES, row["id"]))
    document = document_of(body)
    refuse_unusable(judge_policy(document, surroundings()), "definition")
    if document["name"] != row["name"]:
        raise Invalid.of("definition.name", f"must be the policy's: {row['name']}")
    return store_next(call, POLICIES, row, document)


def retire_calendar(call: Call) -> Reply:
    """No policy may name the calendar from now on; clocks that run by it go on."""
    reading.hold_levels(call.tx)
    row = _found(call, CALENDARS, "calendar_id")
    users = _users(row["name"])
    if users:
        raise Conflict(f"policies in force count in it: {', '.join(users[:10])}", used_by=users)
    take_calendar(call.tx, row["name"])
    return show(CALENDARS, _found(call, CALENDARS, "calendar_id"))


def retire_policy(call: Call) -> Reply:
    """New tickets get the policy no more; those that have it keep it."""
    reading.hold_levels(call.tx)
    row = _found(call, POLICIES, "policy_id")
    take_policy(call.tx, row["name"])
    return show(POLICIES, _found(call, POLICIES, "policy_id"))


def order_policies(call: Call, body: PolicyOrder) -> Page[PolicySummary]:
    """The policies hold in this order; each whose rank that changes gets a next version, which new tickets get."""
    reading.hold_levels(call.tx)
    documents = {name: json.loads(text) for name, text in reading.definitions(POLICIES).items()}
    if sorted(body.names) != sorted(documents):
        missing, unknown = sorted({*documents} - {*body.names}), sorted({*body.names} - {*documents})
        twice = sorted({name for name in body.names if body.names.count(name) > 1})
        said = [("is missing", missing), ("is no policy in force", unknown), ("is named twice", twice)]
        raise Invalid(
            [{"field": "names", "message": f"{name!r} {what}", "type": "order"} for what, each in said for name in each]
        )
    for name, rank in ranked([policy_of(documents[name]) for name in body.names]).items():
        if documents[name].get("rank", 0) != rank:
            store_policy(call.tx, name, {**documents[name], "rank": rank}, call.principal.subject)
    rows = list(reading.rows(POLICIES).where(POLICIES.table.current_version.is_null(False)))
    return Page[PolicySummary](items=sorted(map(_policy_summary, rows), key=lambda each: -(each.rank or 0)))


def check_policy(call: Call, body: PolicyBody) -> JudgedView:
    """What is to be said about a policy that is not stored: faults, overlaps, names that nothing bears."""
    return _judged(judge_policy(document_of(body), surroundings()))


def check_calendar(call: Call, body: ChangedCalendar) -> JudgedView:
    """What is wrong with a calendar that is not stored."""
    return _judged(judge_calendar(body.definition))


def document_of(body: PolicyBody) -> dict[str, Any]:
    """Return the document that a body gives in one of its two forms."""
    if (body.definition is None) == (body.toml is None):
        raise Invalid.of("definition", "give either definition or toml")
    try:
        return body.definition if body.definition is not None else read_policy_text(body.toml or "")
    except PolicyError as error:
        raise Invalid([{"field": "toml", "message": each, "type": "policy-unusable"} for each in error.errors]) from None


def surroundings() -> PolicySurroundings:
    """Return what a policy would stand among now."""
    in_force = [policy_from_json(text) for text in reading.definitions(POLICIES).values()]
    calendars = frozenset(reading.definitions(CALENDARS))
    return PolicySurroundings(policies=in_force, calendars=calendars, **reading.names())


def refuse_unusable(faults: list[Fault], field: str) -> None:
    """Raise Invalid with every error among the faults, if there is one."""
    errors = errors_of(faults, field)
    if errors:
        raise Invalid(errors)


def store_next(call: Call, kind: Kind, row: Mapping[str, Any], document: Mapping[str, Any]) -> Reply:
    """Store the next version of a calendar or policy, unless the one in force is the same; return it as shown."""
    if row["definition"] is None or json.loads(row["definition"]) != document:
        store = store_calendar if kind is CALENDARS else store_policy
        store(call.tx, row["name"], document, call.principal.subject)
    found = reading.find(kind, row["id"])
    assert found is not None
    return show(kind, found)


def show(kind: Kind, row: Mapping[str, Any]) -> Reply:
    """Return a calendar or policy with its versions, and its ETag."""
    versions = list(reading.versions(kind, row["id"]).order_by(kind.versions.number.desc()).limit(_MOST_VERSIONS))
    definition = None if row["definition"] is None else json.loads(row["definition"])
    faults: list[Fault] = []
    if kind is POLICIES and definition is not None:
        faults = judge_policy(definition, surroundings())
    detail = LevelDetail(
        **_summary(row),
        definition=definition,
        versions=[LevelVersion(**{**each, "definition": json.loads(each["definition"])}) for each in versions],
        faults=[FaultView(**asdict(fault)) for fault in faults],
        used_by=_users(row["name"]) if kind is CALENDARS else [],
        toml=None if definition is None else write_document({"name": row["name"], **definition}),
    )
    return Reply(detail, etag=versions[0]["number"])


def _create(call: Call, kind: Kind, name: str, document: Mapping[str, Any]) -> Reply:
    if reading.find_named(kind, name) is not None:
        raise Conflict(f"there is one called {name} already; make a new version of it")
    store = store_calendar if kind is CALENDARS else store_policy
    store(call.tx, name, document, call.principal.subject)
    row = reading.find_named(kind, name)
    assert row is not None
    reply = show(kind, row)
    plural = "calendars" if kind is CALENDARS else "policies"
    reply.status, reply.headers = 201, {"Location": f"/api/v1/sla/{plural}/{row['id']}"}
    return reply


def _found(call: Call, kind: Kind, parameter: str) -> dict[str, Any]:
    number = call.integer(parameter)
    row = reading.find(kind, number)
    if row is None:
        raise NotFound(f"there is no {parameter.removesuffix('_id')} {number}")
    return row


def _page(kind: Kind, query: LevelQuery, view: Any) -> Any:
    found = reading.rows(kind)
    if query.state != "all":
        found = found.where(kind.table.current_version.is_null(query.state == "retired"))
    return page(found, key=kind.table.id, cursor=query.cursor, limit=query.limit, view=view)


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "name": row["name"], "version": row["number"], "created_at": row["created_at"]}


def _policy_summary(row: Mapping[str, Any]) -> PolicySummary:
    if row["definition"] is None:
        return PolicySummary(**_summary(row), rank=None, calendar=None)
    policy = policy_from_json(row["definition"])
    return PolicySummary(**_summary(row), rank=policy.rank, calendar=policy.calendar)


def _users(calendar: str) -> list[str]:
    policies = (policy_from_json(text) for text in reading.definitions(POLICIES).values())
    return sorted(policy.name for policy in policies if policy.calendar == calendar)


def _judged(faults: list[Fault]) -> JudgedView:
    usable = not any(fault.severity == ERROR for fault in faults)
    return JudgedView(is_usable=usable, faults=[FaultView(**asdict(fault)) for fault in faults])
