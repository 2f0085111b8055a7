"""
Reading of what a decision about work is made from, under the locks that it is made under.

Order of locks, as everywhere: the ticket, then roles by id. The hot reads are written out as SQL: every action passes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow import assignment_store
from baton.models.workflow.people import Member, Substitute
from baton.models.workflow.rows import dicts, tuples
from baton.models.workflow.work import Approval, TaskItem

_LOCK = "select ticket_number from ticket_snapshot where ticket_number = (select ticket_number from task_item where id = ?)"
_TASK = """
select s.ticket_number, s.status, s.category, s.department, s.priority, s.requester_user_id, s.requester_email,
  s.through_gateway, t.id as task, t.status as task_status, t.version as task_version, t.owner_user_id as owner,
  t.workflow_version, w.id as workflow_id, w.name as workflow
from ticket_snapshot s left join task t on t.ticket_number = s.ticket_number
  left join workflow_version v on v.id = t.workflow_version left join workflow w on w.id = v.workflow
where s.ticket_number = ?"""
_TRAIL = """
select i.id as item, i.step, i.visit, i.role, i.assignee, i.state, i.came_from, i.version, r.system, r.name,
  coalesce(s.version <> t.workflow_version, false) as is_former, n.id as counterpart, n.role as counterpart_role
from task_item i join role r on r.id = i.role join task t on t.id = i.task left join step s on s.id = i.step
  left join step n on n.version = t.workflow_version and n.name = s.name and s.version <> t.workflow_version
where i.task = ? order by i.id"""
_ITEM = """
select st.name as step_name, st.escalation_role, e.name as escalation_role_name, st.approvals_needed,
  i.waiting_since is not null as waiting, h.previous_state, h.previous_status
from task_item i join step st on st.id = i.step left join role e on e.id = st.escalation_role
  left join item_hold h on h.item = i.id
where i.id = ?"""
_WAYS = """
select tr.id, tr.name, tr.to_step, st.role as to_role, tr.who
from transition tr left join step st on st.id = tr.to_step
where tr.version = ? and tr.from_step = ? order by tr.id"""


def lock_item(tx: Transaction, item: int) -> str | None:
    """Lock the ticket of an item until the commit and return its number, None when there is no such item."""
    rows = _rows(tx, _LOCK + ("" if db.is_sqlite(tx.database) else " for update"), item)
    return rows[0]["ticket_number"] if rows else None


def tickets_of(tx: Transaction, items: Iterable[int]) -> dict[int, str]:
    """Return the ticket number of each of these items that exists."""
    query = TaskItem.select(TaskItem.id, TaskItem.ticket_number).where(TaskItem.id.in_(sorted(set(items))))
    return dict(tuples(query))


def roles_of_items(tx: Transaction, items: Iterable[int]) -> list[int]:
    """Return the roles that these items belong to."""
    query = TaskItem.select(TaskItem.role).where(TaskItem.id.in_(sorted(set(items)))).distinct()
    return sorted(row[0] for row in tuples(query))


def read_task(tx: Transaction, ticket_number: str) -> dict[str, Any] | None:
    """Return a ticket with its task and items, as the fields of `TaskFacts`. Hold its lock."""
    rows = _rows(tx, _TASK, ticket_number)
    if not rows:
        return None
    facts = rows[0]
    trail = _rows(tx, _TRAIL, facts["task"]) if facts["task"] is not None else []
    names = frozenset(f"{visit.pop('system')}:{visit.pop('name')}" for visit in trail)
    empty = {"task_version": facts["task_version"] or 1, "workflow": facts["workflow"] or ""}
    return {**facts, **empty, "through_gateway": bool(facts["through_gateway"]), "trail": trail, "role_names": names}


def read_item(tx: Transaction, item: int, reads: Iterable[str]) -> dict[str, Any] | None:
    """
    Return an item with its task, as the fields of `ItemFacts`; its ticket, and if `members` are read its role, are locked.

    `reads` names what else is needed: ways, members (and the lock), heirs, approvals.
    """
    number = lock_item(tx, item)
    task = read_task(tx, number) if number is not None else None
    if task is None:
        return None
    visit = next(each for each in task["trail"] if each["item"] == item)
    facts: dict[str, Any] = _rows(tx, _ITEM, item)[0]
    facts.update(task=task, visit=visit, waiting=bool(facts["waiting"]))
    role = assignment_store.read_roles(tx, [visit["role"]], lock="role" in reads or "members" in reads)[visit["role"]]
    facts["role_name"] = f"{role.system}:{role.name}"
    if "ways" in reads:
        facts["ways"] = _rows(tx, _WAYS, task["workflow_version"], visit["step"])
    if "members" in reads:
        facts["members"] = read_candidates(tx, visit["role"])
    if "heirs" in reads and facts["escalation_role"] is not None:
        facts["heirs"] = read_candidates(tx, facts["escalation_role"])
    if facts["approvals_needed"]:
        _add_approvals(tx, facts)
    return facts


def _add_approvals(tx: Transaction, facts: dict[str, Any]) -> None:
    visit = facts["visit"]
    query = Approval.select(Approval.item, Approval.user_id, Approval.stands_for)
    given = tuples(query.where(Approval.item == visit["item"], Approval.decision == "approved"))
    facts["approvals"] = [{"user_id": user, "stands_for": stands_for} for _, user, stands_for in given]
    facts["excluded"] = read_exclusions(tx, [visit["item"]]).get(visit["item"], frozenset())


def read_candidates(tx: Transaction, role: int) -> list[dict[str, Any]]:
    """Return the active members of a role, as the fields of a `Candidate`."""
    return assignment_store.read_members(tx, [role]).get(role, [])


def read_exclusions(tx: Transaction, items: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return, for those of these items whose step asks for approval, who had or approved the step they came from."""
    wanted = sorted(set(items))
    if not wanted:
        return {}
    marks = ", ".join("?" * len(wanted))
    sql = f"""
select i.id as item, p.assignee as person from task_item i join step st on st.id = i.step
  join task_item p on p.id = i.came_from
where i.id in ({marks}) and st.approvals_needed > 0 and p.assignee is not null
union select i.id, a.user_id from task_item i join step st on st.id = i.step join approval a on a.item = i.came_from
where i.id in ({marks}) and st.approvals_needed > 0"""
    found: dict[int, set[str]] = {}
    for row in _rows(tx, sql, *wanted, *wanted):
        found.setdefault(row["item"], set()).add(row["person"])
    return {item: frozenset(people) for item, people in found.items()}


def read_substitutes(tx: Transaction, user_ids: Iterable[str]) -> dict[str, str]:
    """Return who stands in for these people, and for those in turn, to the ends of the chains."""
    found: dict[str, str] = {}
    frontier = set(user_ids)
    while frontier:
        query = Substitute.select(Substitute.user_id, Substitute.substitute).where(Substitute.user_id.in_(sorted(frontier)))
        rows = dict(tuples(query))
        found.update(rows)
        frontier = set(rows.values()) - found.keys()
    return found


def read_people(tx: Transaction, user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return these people in each of their roles, active or not, as the fields of `Candidate`s."""
    columns = [getattr(Member, name) for name in _CANDIDATE]
    people: dict[str, list[dict[str, Any]]] = {}
    for row in dicts(Member.select(*columns).where(Member.user_id.in_(sorted(set(user_ids))))):
        people.setdefault(row["user_id"], []).append(row)
    return people


def read_absent(tx: Transaction, role: int) -> list[dict[str, Any]]:
    """Return the members of a role for whom an absence is noted, past or present, as the fields of `Candidate`s."""
    columns = [getattr(Member, name) for name in _CANDIDATE]
    noted = Member.away_from.is_null(False) | Member.away_to.is_null(False)
    return dicts(Member.select(*columns).where(Member.role == role, Member.is_active, noted))


_CANDIDATE = (
    "id", "user_id", "name", "email", "is_active", "away_from", "away_to", "capacity", "open_items", "last_turn",
)  # fmt: skip


def _rows(tx: Transaction, sql: str, *values: Any) -> list[dict[str, Any]]:
    text = sql if db.is_sqlite(tx.database) else sql.replace("?", "%s")
    cursor = tx.database.execute_sql(text, values)
    names: Sequence[str] = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
