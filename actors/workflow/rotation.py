"""
Giving work to people: the rotation of each role, played under the role's lock.

Every way to a person leads through `assign`: a new ticket, a returned item, the waiting list. Callers hold the tickets' locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow import action_people, assignment_store, sync_store, waiting_store
from baton.models.workflow.assignment_store import HistoryRow, RoleRow, Unassigned
from baton.models.workflow.intake_store import TicketRow
from baton.models.workflow.request_store import ItemRow, close_items, free_assignees
from baton.pipelines.assignment import ITEM, OWNER, Candidate, Need, Pick, Round, is_requester, take_turns
from baton.pipelines.messages import AssignWaiting
from baton.pipelines.notices import about_approval, about_assignment
from baton.pipelines.statuses import ITEM_NEW
from baton.pipelines.waiting import find_lists, stand_behind


def item_need(
    ticket: TicketRow,
    item: int,
    task: int,
    role: int,
    former: str | None = None,
    *,
    state: str = ITEM_NEW,
    excluded: frozenset[str] = frozenset(),
) -> Need:
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
        excluded=excluded,
        state=state,
    )


def unassigned_needs(tx: Transaction, tickets: Mapping[str, TicketRow], items: Iterable[Unassigned]) -> dict[int, Need]:
    """Return, by item, the needs of these items whose tickets are locked."""
    found = [each for each in items if each.ticket_number in tickets]
    excluded = action_people.read_exclusions(tx, [each.item for each in found if each.approvals])
    return {
        each.item: item_need(
            tickets[each.ticket_number],
            each.item,
            each.task,
            each.role,
            each.former,
            state=each.state,
            excluded=excluded.get(each.item, frozenset()),
        )
        for each in found
    }


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


def assign(
    tx: Transaction, needs: Sequence[Need], traces: Mapping[str, str] | None = None, *, from_list: bool = False
) -> list[Pick]:
    """
    Give each need to the next eligible member of its role, or let it wait; return the picks in the order of the needs.

    `from_list`: the needs are the head of the waiting list, so nothing stands before them. `traces` are noted by ticket number.
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
    _store(tx, rounds, picks, from_list, traces or {})
    tell_people(tx, picks, members)
    by_need = {id(pick.need): pick for pick in picks}
    return [by_need[id(need)] for need in needs]


def _stand_behind(
    tx: Transaction, needs: Sequence[Need], members: dict[int, list[Candidate]], roles: dict[int, RoleRow]
) -> list[Pick]:
    lists = find_lists(needs, members, tx.now)
    conditions = {
        (role, kind): waiting_store.servable(role, kind, openings.people, all_known=openings.all_known)
        for (role, kind), openings in lists.items()
    }
    ahead = waiting_store.queues_ahead(tx, conditions)
    serve(tx, [roles[role] for role in sorted({role for role, _ in ahead})])
    return [stand_behind(need) for need in needs if (need.role, need.kind) in ahead and need.former is None]


def _store(
    tx: Transaction, rounds: dict[int, Round], picks: list[Pick], from_list: bool, traces: Mapping[str, str]
) -> None:
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
    assignment_store.store_history(tx, [_history(pick) for pick in given + waiting if pick.need.kind == ITEM], traces)


def _chosen(picks: Iterable[Pick], kind: str) -> dict[int, str]:
    return {p.need.subject_id: p.chosen.user_id for p in picks if p.need.kind == kind and p.chosen is not None}


def _history(pick: Pick) -> HistoryRow:
    event = "waits" if pick.chosen is None else "assigned"
    user = None if pick.chosen is None else pick.chosen.user_id
    number, state = pick.need.ticket_number, pick.need.state
    return pick.need.subject_id, number, "system", event, state, state, user, pick.reason


def tell_people(tx: Transaction, picks: Iterable[Pick], members: Mapping[int, Sequence[Candidate]]) -> None:
    """Tell everybody who was given an item that they were, and the others who may approve it that it waits for them."""
    if not get_settings().notifications:
        return
    items = {pick.need.subject_id: pick for pick in picks if pick.need.kind == ITEM}
    names = assignment_store.read_names(tx, items)
    for item, pick in items.items():
        number, named = pick.need.ticket_number, names[item]
        about: dict[str, Any] = {"ticket_number": number, "item": item, "role": named.role}
        about |= {"workflow": named.workflow, "step": named.step}
        told = about_assignment(pick.chosen.user_id, **about) if pick.chosen is not None else ()
        approvers = _approvers(pick, members.get(pick.need.role, ())) if named.approvals else ()
        for message in (*told, *about_approval(approvers, **about)):
            tx.announce(message, ticket_number=number)


def _approvers(pick: Pick, members: Iterable[Candidate]) -> list[str]:
    """Return who may approve the item besides its assignee, who knows of it: not the requester, nobody excluded."""
    need = pick.need
    assignee = None if pick.chosen is None else pick.chosen.user_id
    asked = (need.requester_user_id, need.requester_email)
    others = [each for each in members if each.user_id != assignee and each.user_id not in need.excluded]
    return [each.user_id for each in others if not is_requester(each, *asked)]


def serve(tx: Transaction, roles: Iterable[RoleRow]) -> None:
    """Have the waiting lists of these roles served."""
    for role in roles:
        tx.announce(AssignWaiting(role_id=role.role_id))


def release(
    tx: Transaction, items: Sequence[ItemRow], state: str, actor: str, reason: str, traces: Mapping[str, str] | None = None
) -> None:
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
    assignment_store.store_history(tx, rows, traces)
    serve(tx, [roles[role] for role in waiting_store.roles_that_wait(tx, roles)])
