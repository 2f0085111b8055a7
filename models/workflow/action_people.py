"""Reading of the people that a decision about work may be about: who is excluded, away, or stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from baton.models import database as db
from baton.models.transaction import Transaction
from baton.models.workflow.people import Member
from baton.models.workflow.rows import among, dicts, select_rows

#: Substitutes in a row that are followed at most; a longer chain is a mistake (`pipelines.handover`).
_DEEPEST = 25
_CANDIDATE = (
    "id", "user_id", "name", "email", "is_active", "away_from", "away_to", "capacity", "open_items", "last_turn",
)  # fmt: skip


def read_exclusions(tx: Transaction, items: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return, for those of these items whose step asks for approval, who had or approved the step they came from."""
    wanted = sorted(set(items))
    if not wanted:
        return {}
    named = among(db.is_sqlite(tx.database), "bigint")
    sql = f"""
select i.id as item, p.assignee as person from task_item i join step st on st.id = i.step
  join task_item p on p.id = i.came_from
where i.id {named} and st.approvals_needed > 0 and p.assignee is not null
union select i.id, a.user_id from task_item i join step st on st.id = i.step join approval a on a.item = i.came_from
where i.id {named} and st.approvals_needed > 0"""
    found: dict[int, set[str]] = {}
    for row in select_rows(tx, sql, wanted):
        found.setdefault(row["item"], set()).add(row["person"])
    return {item: frozenset(people) for item, people in found.items()}


def read_substitutes(tx: Transaction, user_ids: Iterable[str]) -> dict[str, str]:
    """Return who stands in for these people, and for those in turn, to the ends of the chains."""
    named = among(db.is_sqlite(tx.database), "text")
    sql = f"""
with recursive chain(user_id, substitute, depth) as (
  select user_id, substitute, 1 from substitute where user_id {named}
  union select s.user_id, s.substitute, c.depth + 1 from chain c join substitute s on s.user_id = c.substitute
  where c.depth < {_DEEPEST}
)
select distinct user_id, substitute from chain"""
    return {row["user_id"]: row["substitute"] for row in select_rows(tx, sql, sorted(set(user_ids)))}


def read_stood_in_for(tx: Transaction, user_id: str) -> list[str]:
    """Return those whom the person is the substitute of, themselves or through others; never the person."""
    named = among(db.is_sqlite(tx.database), "text")
    sql = f"""
with recursive chain(user_id, depth) as (
  select user_id, 1 from substitute where substitute {named}
  union select s.user_id, c.depth + 1 from chain c join substitute s on s.substitute = c.user_id
  where c.depth < {_DEEPEST}
)
select distinct user_id from chain"""
    return sorted({str(row["user_id"]) for row in select_rows(tx, sql, [user_id])} - {user_id})


def read_people(tx: Transaction, user_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return these people in each of their roles, active or not, as the fields of `Candidate`s."""
    columns = [getattr(Member, name) for name in _CANDIDATE]
    people: dict[str, list[dict[str, Any]]] = {}
    for row in dicts(Member.select(*columns).where(Member.user_id.in_(sorted(set(user_ids))))):
        people.setdefault(row["user_id"], []).append(row)
    return people


def read_absent(tx: Transaction, roles: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return, by role, the members for whom an absence is noted, past or present, as the fields of `Candidate`s."""
    columns = [getattr(Member, name) for name in _CANDIDATE]
    noted = Member.away_from.is_null(False) | Member.away_to.is_null(False)
    found: dict[int, list[dict[str, Any]]] = {}
    query = Member.select(Member.role, *columns).where(Member.role.in_(sorted(set(roles))), Member.is_active, noted)
    for row in dicts(query):
        found.setdefault(row.pop("role"), []).append(row)
    return found
