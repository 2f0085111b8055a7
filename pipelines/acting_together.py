"""
Deciding about many items in one go: each is decided on what those before it left, as if they had been asked for one by one.

What one action changes for another of the same request: its ticket and the items of that, and how much open work the people of
its role have. An item that the request itself opens is not there for it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from baton.pipelines.asking import Asked, Decision
from baton.pipelines.assignment import Candidate
from baton.pipelines.situations import ItemFacts, Outcome, TaskFacts
from baton.pipelines.work import UNSEEN, Refusal

UNKNOWN = Refusal(UNSEEN, "there is none")


def decide_together(
    wanted: Iterable[tuple[Asked, ItemFacts | None]], decide: Callable[[Asked, ItemFacts], Decision]
) -> list[Decision]:
    """Return what `decide` says of each, in their order; facts None: there is no such item."""
    sofar = _SoFar()
    decisions: list[Decision] = []
    for asked, facts in wanted:
        decision = UNKNOWN if facts is None else decide(asked, sofar.now(facts))
        if isinstance(decision, Outcome) and facts is not None:
            sofar.note(facts, decision)
        decisions.append(decision)
    return decisions


class _SoFar:
    """The tickets and the roles as the decisions until now leave them; only those that differ from what was read."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskFacts] = {}
        self._differences: dict[int, dict[str, int]] = {}

    def now(self, facts: ItemFacts) -> ItemFacts:
        """Return the facts with what was decided before."""
        task = self._tasks.get(facts.task.ticket_number)
        if task is not None:
            facts = replace(facts, task=task, visit=task.find(facts.visit.item) or facts.visit)
        differences = self._differences.get(facts.visit.role)
        return replace(facts, members=_with(facts.members, differences)) if differences else facts

    def note(self, facts: ItemFacts, outcome: Outcome) -> None:
        """Take a decision down."""
        number = facts.task.ticket_number
        self._tasks[number] = task_after(self._tasks.get(number, facts.task), outcome)
        for pairs, difference in ((outcome.freed, -1), (outcome.taken, 1)):
            for role, user_id in pairs:
                role_now = self._differences.setdefault(role, {})
                role_now[user_id] = role_now.get(user_id, 0) + difference


def task_after(task: TaskFacts, outcome: Outcome) -> TaskFacts:
    """Return the ticket as it is after the outcome, but for an item that it opens."""
    changes = {change.item: change for change in outcome.changes}
    trail = tuple(
        replace(visit, state=change.state, assignee=change.assignee, role=change.role, version=visit.version + 1)
        if (change := changes.get(visit.item)) is not None
        else visit
        for visit in task.trail
    )
    return replace(
        task,
        trail=trail,
        status=outcome.status or task.status,
        task_status=outcome.task_status or task.task_status,
        task_version=task.task_version + outcome.touches_task,
    )


def _with(members: Sequence[Candidate], differences: dict[str, int]) -> tuple[Candidate, ...]:
    return tuple(
        replace(member, open_items=member.open_items + differences[member.user_id]) if member.user_id in differences else member
        for member in members
    )
