"""Handing over the open work of people who are away, and who stands in for whom."""

from __future__ import annotations

from typing import Any

from baton.http.api import Call, Conflict, Forbidden, NotFound, Operation
from baton.http.workflow import acting
from baton.http.workflow.action_views import (
    BULK_ITEMS,
    BulkResult,
    BulkView,
    HandoverItem,
    HandoverRequest,
    HandoverView,
    SubstituteRequest,
    SubstituteView,
)
from baton.http.workflow.offers import offer_work
from baton.http.workflow.views import ItemView
from baton.models.transaction import Transaction
from baton.models.workflow import TaskItem, action_people, handover_store, reading
from baton.models.workflow.names import read_names
from baton.pipelines.asking import Asked
from baton.pipelines.assignment import Candidate, is_away
from baton.pipelines.handing_over import offer
from baton.pipelines.handover import CircularChainError, chain_of, check_chain
from baton.pipelines.situations import ItemFacts
from baton.pipelines.work import ACTIONS, CONFLICT, COORDINATORS, FORBIDDEN, UNSEEN, Refusal

_STATUS = {UNSEEN: 404, FORBIDDEN: 403, CONFLICT: 409}


def read_handover(call: Call) -> HandoverView:
    """The person's open items, and who would get each."""
    user_id, rows = _person(call)
    # A write transaction that writes nothing: what would be decided is read by the same code, under the same locks.
    asked = Asked(action=ACTIONS["handover", "substitute"], actor=call.principal, now=call.now)
    substitutes = action_people.read_substitutes(call.tx, [user_id])
    people = [Candidate(**row) for row in rows]
    wanted = handover_store.open_items_of(user_id, BULK_ITEMS)
    facts = acting.load_items(call.tx, wanted, ("members",), asked)
    shown = {row["id"]: row for row in reading.items(None).where(TaskItem.id.in_(wanted))}
    chain = chain_of(user_id, substitutes)
    names = read_names([user_id, *chain])
    return HandoverView(
        user_id=user_id,
        name=names.get(user_id),
        is_away=not any(person.is_active and not is_away(person, call.now) for person in people),
        away_from=people[0].away_from,
        away_to=people[0].away_to,
        substitutes=chain,
        substitute_names=[names.get(each) for each in chain],
        items=[_offered(asked, facts[item], shown[item], substitutes, names) for item in wanted],
    )


def hand_over(call: Call, body: HandoverRequest) -> BulkView:
    """Each item goes where it was asked to, or stays, with the reason."""
    user_id, _ = _person(call)
    wanted = list(dict.fromkeys(body.items or handover_store.open_items_of(user_id, BULK_ITEMS)))
    substitutes = action_people.read_substitutes(call.tx, [user_id])
    asked = Asked(action=ACTIONS["handover", body.to], actor=call.principal, now=call.now)
    results = []
    handed = acting.hand_over(call.tx, asked, wanted, user_id, substitutes, notices=call.settings.notifications)
    for item, done in zip(wanted, handed, strict=True):
        if isinstance(done, Refusal):
            results.append(BulkResult(id=item, status=_STATUS.get(done.kind, 409), detail=done.reason))
        else:
            results.append(BulkResult(id=item, status=200))
    done_count = sum(result.status == 200 for result in results)
    return BulkView(done=done_count, refused=len(results) - done_count, results=results)


def read_substitute(call: Call) -> SubstituteView:
    """Who stands in for the person."""
    user_id, _ = _person(call)
    return _substitute(call.tx, user_id)


def set_substitute(call: Call, body: SubstituteRequest) -> SubstituteView:
    """Who stands in for the person is as given; a chain that would go in a circle is refused."""
    user_id, _ = _person(call)
    handover_store.hold_substitutes(call.tx)
    if body.substitute is not None:
        if not action_people.read_people(call.tx, [body.substitute]):
            raise NotFound(f"there is no member {body.substitute}")
        try:
            check_chain(user_id, body.substitute, action_people.read_substitutes(call.tx, [body.substitute]))
        except CircularChainError as error:
            raise Conflict(str(error), chain=list(error.chain)) from None
    handover_store.store_substitute(call.tx, user_id, body.substitute, call.principal.subject)
    if body.substitute is not None:
        offer_work(call, user_id)
    return _substitute(call.tx, user_id)


def _person(call: Call) -> tuple[str, list[dict[str, Any]]]:
    """Return whom the call is about, in each of their roles: the caller, or for coordinators anybody."""
    user_id = call.params["user_id"]
    if call.principal.id != user_id and not call.principal.has_role(*COORDINATORS):
        raise Forbidden("only coordinators see and hand over somebody else's work")
    rows = action_people.read_people(call.tx, [user_id]).get(user_id)
    if not rows:
        raise NotFound(f"there is no member {user_id}")
    return user_id, rows


def _offered(
    asked: Asked, facts: ItemFacts, row: dict[str, Any], substitutes: dict[str, str], names: dict[str, str]
) -> HandoverItem:
    heir, why = offer(facts, substitutes, asked)
    user_id = None if heir is None else heir.user_id
    return HandoverItem(item=ItemView(**row), heir=user_id, heir_name=names.get(user_id or ""), reason=why)


def _substitute(tx: Transaction, user_id: str) -> SubstituteView:
    substitutes = action_people.read_substitutes(tx, [user_id])
    return SubstituteView(user_id=user_id, substitute=substitutes.get(user_id), chain=chain_of(user_id, substitutes))


_MEMBER = "/api/v1/members/{user_id}"
OPERATIONS = (
    Operation(
        "GET",
        f"{_MEMBER}/handover",
        read_handover,
        permission="members.availability",
        returns=HandoverView,
        transaction="write",
        problems=(404,),
        summary="Read the open work of somebody, and who would get it from them",
    ),
    Operation(
        "POST",
        f"{_MEMBER}/handover",
        hand_over,
        permission="members.availability",
        body=HandoverRequest,
        returns=BulkView,
        problems=(404,),
        summary="Hand open work over to substitutes, or back to the rotation",
    ),
    Operation(
        "GET",
        f"{_MEMBER}/substitute",
        read_substitute,
        permission="members.availability",
        returns=SubstituteView,
        transaction="write",
        problems=(404,),
        summary="Read who stands in for somebody",
    ),
    Operation(
        "PUT",
        f"{_MEMBER}/substitute",
        set_substitute,
        permission="members.availability",
        body=SubstituteRequest,
        returns=SubstituteView,
        problems=(404, 409),
        summary="Set who stands in for somebody while they are away",
    ),
)
