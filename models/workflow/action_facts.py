"""
Reading of what decisions about work are made from, under the locks that they are made under, for any number of items at once.

Order of locks, as everywhere: the tickets by number, then roles by id. Each statement reads for all items together. The hot ones
are written out as SQL, with what hangs on a row (its trail, its ways out) as JSON in the same row: every action passes here.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow import assignment_store
from baton.models.workflow.action_people import read_exclusions
from baton.models.workflow.rows import among, select_rows, tuples
from baton.models.workflow.work import Approval

#: Column of a row -> its SQL.
_TICKET = {
    "ticket_number": "s.ticket_number", "status": "s.status", "category": "s.category", "department": "s.department",
    "priority": "s.priority", "requester_user_id": "s.requester_user_id", "requester_email": "s.requester_email",
    "through_gateway": "s.through_gateway",
}  # fmt: skip
_TASK = {
    "task": "t.id", "task_status": "t.status", "task_version": "t.version", "owner": "t.owner_user_id",
    "workflow_version": "t.workflow_version",
    "workflow_id": "(select workflow from workflow_version where id = t.workflow_version)",
    "workflow": "(select name from workflow where id = (select workflow from workflow_version where id = t.workflow_version))",
}  # fmt: skip
_ITEM = {
    "item": "i.id", "number": "i.ticket_number", "waiting": "i.waiting_since is not null",
    "role_system": "r.system", "role_name": "r.name", "step_name": "st.name", "escalation_role": "st.escalation_role",
    "escalation_role_name": "(select name from role where id = st.escalation_role)",
    "approvals_needed": "st.approvals_needed",
    "held": "(select {object} from item_hold h where h.item = i.id)",
}  # fmt: skip
_HOLD = {"previous_state": "h.previous_state", "previous_status": "h.previous_status"}
_VISIT = {
    "item": "v.id", "step": "v.step", "visit": "v.visit", "role": "v.role", "assignee": "v.assignee", "state": "v.state",
    "came_from": "v.came_from", "version": "v.version",
}  # fmt: skip
_VISIT_FROM = "task_item v where v.task = t.id"
_ORIGIN = {
    **_VISIT, "system": "vr.system", "name": "vr.name",
    "is_former": "coalesce(vs.version <> t.workflow_version, false)", "counterpart": "n.id", "counterpart_role": "n.role",
}  # fmt: skip
_ORIGIN_FROM = """task_item v join role vr on vr.id = v.role left join step vs on vs.id = v.step
  left join step n on n.version = t.workflow_version and n.name = vs.name and vs.version <> t.workflow_version
  where v.task = t.id"""
_WAY = {"id": "tr.id", "name": "tr.name", "to_step": "tr.to_step", "to_role": "ts.role", "who": "tr.who"}
_WAYS_FROM = """transition tr left join step ts on ts.id = tr.to_step
  where tr.version = t.workflow_version and tr.from_step = i.step"""


def lock_items(tx: Transaction, items: Iterable[int]) -> dict[str, dict[str, Any]]:
    """Lock the tickets of these items until the commit, in their order; return them by number."""
    rows = select_rows(tx, _lock_sql(db.is_sqlite(tx.database)), sorted(set(items)))
    return {row["ticket_number"]: row for row in rows}


def read_task(tx: Transaction, ticket_number: str) -> dict[str, Any] | None:
    """Return a ticket with its task and items, as the fields of `TaskFacts`. Hold its lock."""
    rows = select_rows(tx, _task_sql(db.is_sqlite(tx.database)), [ticket_number])
    return _task(rows[0]) if rows else None


def read_items(tx: Transaction, items: Iterable[int], reads: Iterable[str]) -> dict[int, dict[str, Any]]:
    """
    Return these items with their tasks, as the fields of `ItemFacts` by item, their tickets locked. Unknown items are left out.

    `reads` names what else is needed: role (its lock), ways, members (and the lock), heirs, origins (of the whole trail).
    """
    wanted, reads = sorted(set(items)), frozenset(reads)
    tickets = lock_items(tx, wanted)
    if not tickets:
        return {}
    sql = _items_sql(db.is_sqlite(tx.database), reads & {"ways", "origins"}, bool(reads & {"role", "members"}))
    found = {row["item"]: _item({**tickets[row["number"]], **row}) for row in select_rows(tx, sql, wanted)}
    _add_people(tx, found, reads)
    asking = [item for item, facts in found.items() if facts["approvals_needed"]]
    if asking:
        _add_approvals(tx, found, asking)
    return found


def _add_people(tx: Transaction, found: Mapping[int, dict[str, Any]], reads: frozenset[str]) -> None:
    wanted = {facts["visit"]["role"] for facts in found.values()} if "members" in reads else set()
    heirs = {facts["escalation_role"] for facts in found.values()} - {None} if "heirs" in reads else set()
    if not wanted | heirs:
        return
    members = assignment_store.read_members(tx, wanted | heirs)
    for facts in found.values():
        if "members" in reads:
            facts["members"] = members.get(facts["visit"]["role"], [])
        if "heirs" in reads:
            facts["heirs"] = members.get(facts["escalation_role"], [])


def _add_approvals(tx: Transaction, found: Mapping[int, dict[str, Any]], asking: list[int]) -> None:
    query = Approval.select(Approval.item, Approval.user_id, Approval.stands_for)
    excluded = read_exclusions(tx, asking)
    for item in asking:
        found[item]["approvals"] = []
        found[item]["excluded"] = excluded.get(item, frozenset())
    for item, user, stands_for in tuples(query.where(Approval.item.in_(asking), Approval.decision == "approved")):
        found[item]["approvals"].append({"user_id": user, "stands_for": stands_for})


def _task(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `TaskFacts` out of a row."""
    facts = {name: row[name] for name in (*_TICKET, *_TASK)}
    trail = _unfold(row["trail"])
    facts["role_names"] = frozenset(f"{v.pop('system')}:{v.pop('name')}" for v in trail if "system" in v)
    facts.update(
        through_gateway=bool(row["through_gateway"]),
        task_version=row["task_version"] or 1,
        workflow=row["workflow"] or "",
        trail=[{**visit, "is_former": bool(visit.get("is_former"))} for visit in trail],
    )
    return facts


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `ItemFacts` out of a row."""
    task = _task(row)
    facts = {name: row[name] for name in ("step_name", "escalation_role", "escalation_role_name", "approvals_needed")}
    held = row["held"] or {}
    facts.update(
        task=task,
        visit=next(visit for visit in task["trail"] if visit["item"] == row["item"]),
        role_name=f"{row['role_system']}:{row['role_name']}",
        waiting=bool(row["waiting"]),
        ways=_unfold(row["ways"]),
        **(json.loads(held) if isinstance(held, str) else held),
    )
    return facts


def _unfold(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a JSON column, by id: the databases need not sort them."""
    rows: list[dict[str, Any]] = (json.loads(value) if isinstance(value, str) else value) or []
    return sorted(rows, key=lambda row: row.get("item") or row["id"])


@functools.cache
def _lock_sql(sqlite: bool) -> str:
    return f"""select {_named(_TICKET)} from ticket_snapshot s
where ticket_number in (select ticket_number from task_item where id {among(sqlite, "bigint")})
order by ticket_number{"" if sqlite else " for update"}"""


@functools.cache
def _task_sql(sqlite: bool) -> str:
    columns = {**_TICKET, **_TASK, "trail": _listed(sqlite, _ORIGIN, _ORIGIN_FROM)}
    return f"""select {_named(columns)} from ticket_snapshot s left join task t on t.ticket_number = s.ticket_number
where s.ticket_number {among(sqlite, "text")}"""


@functools.cache
def _items_sql(sqlite: bool, reads: frozenset[str], lock: bool) -> str:
    origins = "origins" in reads
    columns = {
        **_TASK,
        **_ITEM,
        "held": _ITEM["held"].format(object=_object(sqlite, _HOLD)),
        "trail": _listed(sqlite, _ORIGIN if origins else _VISIT, _ORIGIN_FROM if origins else _VISIT_FROM),
        "ways": _listed(sqlite, _WAY, _WAYS_FROM) if "ways" in reads else "null",
    }
    named = among(sqlite, "bigint")
    # The tickets' locks keep everything here as it is but the roles' rows. Each of these is locked once, in their order.
    locked = f"""with r as materialized (
  select id, system, name from role where id in (select role from task_item where id {named}) order by id for update
) """
    return f"""{locked if lock and not sqlite else ""}select {_named(columns)} from task_item i
join task t on t.id = i.task join {"r" if lock and not sqlite else "role r"} on r.id = i.role join step st on st.id = i.step
where i.id {named}"""


def _named(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} as {name}" for name, sql in columns.items())


def _object(sqlite: bool, columns: Mapping[str, str]) -> str:
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in columns.items())
    return f"{'json_object' if sqlite else 'json_build_object'}({pairs})"


def _listed(sqlite: bool, columns: Mapping[str, str], source: str) -> str:
    return f"(select {'json_group_array' if sqlite else 'json_agg'}({_object(sqlite, columns)}) from {source})"
