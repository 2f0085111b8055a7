"""Telling who can take over the open work of people who are away: when an absence is noted, and when substitutes change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baton.http.api import Call
from baton.models.workflow import action_people, handover_store
from baton.pipelines.assignment import Candidate
from baton.pipelines.handover_notices import about_absence, find_stand_in, has_absence_left

#: Open items that an offer counts at most.
MOST_OFFERED = 200


def offer_work(call: Call, user_id: str) -> None:
    """
    Tell those who can take over, or hand over, the open work of the person if they are or will be away.

    Likewise for the absent whom the person stands in for, directly or through others: who comes next for them may have changed.
    An offer that somebody had for the same absence before is not shown again: it names the absence as its event.
    """
    if not call.settings.notifications:
        return
    absent = [user_id, *action_people.read_stood_in_for(call.tx, user_id)]
    substitutes = action_people.read_substitutes(call.tx, absent)
    rows = action_people.read_people(call.tx, {*absent, *substitutes.values()})
    people = {person: [Candidate(**row) for row in found] for person, found in rows.items()}
    for each in absent:
        if each in people and has_absence_left(people[each][0], call.now):
            _offer(call, each, substitutes, people)


def _offer(call: Call, user_id: str, substitutes: Mapping[str, str], people: Mapping[str, Sequence[Candidate]]) -> None:
    work = handover_store.open_work_of(user_id, MOST_OFFERED)
    stand_in = find_stand_in(user_id, substitutes, people, call.now)
    for message in about_absence(people[user_id][0], work, stand_in, call.principal, call.now):
        call.tx.announce(message)
