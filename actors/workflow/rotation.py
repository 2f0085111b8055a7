"""
Giving work to people: the rotation of each role, played under the role's lock.

Every way to a person leads through `assign`: a new ticket, a returned item, the waiting list. Callers hold the tickets' locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from baton.models.transaction import Transaction
from baton.models.workflow import assignment_store, sync_store, waiting_store
from baton.models.workflow.assignment_store import RoleRow
from baton.models.workflow.intake_store import TicketRow
from baton.models.workflow.request_store import ItemRow, close_items, free_assignees
from baton.pipelines.assignment import ITEM, OWNER, Candidate, Need, Pick, Round, take_turns
from baton.pipelines.messages import AssignWaiting
from baton.pipelines.waiting import find_lists, stand_behind


def item_need(ticket: TicketRow, item: int, task: int, role: int, former: str | None = None) -> Need:
    """Return the need of a step's item for a member of its role."""
    return Need(
        kind=ITEM,
        subject_id=item,
        ticket_number=ticket.ticket_number,
        role=role,
        task=task,
        requester_user_id=ticket.requester_user_id,
        requester_email=ticket.requester_email,
        former=former,
    )


def owner_need(ticket: TicketRow, task: int, role: int) -> Need:
    """Return the need of a task for an owner."""
    return Need(
        kind=OWNER,
        subject_id=task,
        ticket_number=ticket.ticket_number,
        role=role,
        task=task,
        requester_user_id=ticket.requester_user_id,
        requester_email=ticket.requester_email,
    )


def owner_role(tx: Transaction) -> int:
    """Return the role that tasks' owners are picked from."""
    return sync_store.find_owner_role(tx)


def assign(tx: Transaction, needs: Sequence[Need], *, from_list: bool = False) -> list[Pick]:
    """
    Give each need to the next eligible member of its role, or let it wait; return the picks in the order of the needs.

    `from_list`: the needs are the head of the waiting list, so nothing stands before them.
    """
    if not needs:
        return []
    roles = assignment_store.lock_roles(tx, {need.role for need in needs})
    members = {
        role: [Candidate(**row) for row in rows] for role, rows in assignment_store.read_members(tx, roles).items()
    }
    behind = [] if from_list else _stand_behind(tx, needs, members, roles)
    queued = {id(pick.need) for pick in behind}
    rounds = {
        role: take_turns(
            members.get(role, ()), [need for need in needs if need.role == role and id(need) not in queued], row.turn, tx.now
        )
        for role, row in roles.items()
    }
    picks = behind + [pick for each in rounds.values() for pick in each.picks]
    _store(tx, rounds, picks, from_list)
    by_need = {id(pick.need): pick for pick in picks}
    return [by_need[id(need)] for need in needs]


def _stand_behind(
    tx: Transaction, needs: Sequence[Need], members: dict[int, list[Candidate]], roles: dict[int, RoleRow]
) -> list[Pick]:
    lists = find_lists(needs, members, tx.now)
    conditions = {
        (role, kind): waiting_store.servable(role, kind, openings.only) for (role, kind), openings in lists.items()
    }
    ahead = waiting_store.queues_ahead(tx, conditions)
    serve(tx, [roles[role] for role in sorted({role for role, _ in ahead})])
    return [stand_behind(need) for need in needs if (need.role, need.kind) in ahead and need.former is None]


def _store(tx: Transaction, rounds: dict[int, Round], picks: list[Pick], from_list: bool) -> None:
    given = [pick for pick in picks if pick.chosen is not None]
    waiting = [] if from_list else [pick for pick in picks if pick.chosen is None]
    assignment_store.store_turns(tx, {role: each.last_turn for role, each in rounds.items() if each.stamps})
    assignment_store.store_stamps(tx, {member: s for each in rounds.values() for member, s in each.stamps.items()})
    assignment_store.store_assignees(tx, _chosen(given, ITEM))
    assignment_store.store_owners(tx, _chosen(given, OWNER))
    if from_list:
        for kind in (ITEM, OWNER):
            waiting_store.leave_waiting(tx, kind, _chosen(given, kind))
    waiting_store.store_waiting(tx, [(pick.need, pick.reason) for pick in waiting])
    assignment_store.store_picks(tx, given + waiting)
    assignment_store.store_history(tx, [_history(pick) for pick in given + waiting if pick.need.kind == ITEM])


def _chosen(picks: Iterable[Pick], kind: str) -> dict[int, str]:
    return {p.need.subject_id: p.chosen.user_id for p in picks if p.need.kind == kind and p.chosen is not None}


def _history(pick: Pick) -> tuple[int, str, str, str, str | None, str | None, str | None, str]:
    event = "waits" if pick.chosen is None else "assigned"
    user = None if pick.chosen is None else pick.chosen.user_id
    return pick.need.subject_id, pick.need.ticket_number, "system", event, "new", "new", user, pick.reason


def serve(tx: Transaction, roles: Iterable[RoleRow]) -> None:
    """Have the waiting lists of these roles served."""
    for role in roles:
        tx.announce(AssignWaiting(role_id=role.role_id))


def release(tx: Transaction, items: Sequence[ItemRow], state: str, actor: str, reason: str) -> None:
    """
    Finish these items in a final state and free their people; whoever waits for these is served.

    The caller holds the locks of the tickets.
    """
    if not items:
        return
    roles = assignment_store.lock_roles(tx, {item.role for item in items})
    close_items(tx, [item.item for item in items], state)
    free_assignees(tx, items)
    rows = [(item.item, item.ticket_number, actor, state, item.state, state, None, reason) for item in items]
    assignment_store.store_history(tx, rows)
    serve(tx, [roles[role] for role in waiting_store.roles_that_wait(tx, roles)])
