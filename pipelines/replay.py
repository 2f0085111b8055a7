"""
Replay: the updates of a case, as another system logged them, carried out by the actions that people have here.

1. An update says who shall have the case, how urgent it is, and in which state it shall be.
2. What is not so yet is done, one action after the other, in the order that the mapping's text states; each says which update it
   is for. `next_deed` looks at the case as it stands, so a replay that was stopped goes on from wherever it came.
3. An update for which nothing is to be done is a note.
4. What an update asks of a finished case cannot be done; it is named (`impossible`), and noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from baton.pipelines.replay_mapping import FINAL_GOALS, GOAL_CLOSED, HELD, OPEN, WORKING, ReplayMapping
from baton.pipelines.statuses import (
    CLOSED,
    ITEM_ESCALATED,
    ITEM_IN_PROGRESS,
    ITEM_NEW,
    ITEM_ON_HOLD,
    ITEM_TRANSFERRED,
    RESOLVED,
)

#: Who has an incident of which its row names nobody.
DESK = ""
_NOT_STARTED = (ITEM_NEW, ITEM_TRANSFERRED, ITEM_ESCALATED)
_MARK = re.compile(r"\[(\S+) (\d+)/\d+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A row of a case: the `place`-th of `total`. `person` DESK: it names nobody. `text` is what each action says about it."""

    case: str
    place: int
    total: int
    state: str
    goal: str
    group: str
    person: str
    priority: str
    text: str

    @property
    def mark(self) -> str:
        """What stands in the history for this row."""
        return f"[{self.case} {self.place}/{self.total}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An incident with its updates; `reassignments` and `reopens` are the file's own last counts."""

    name: str
    updates: tuple[Update, ...]
    first_row: Mapping[str, str] = field(repr=False)
    reassignments: int
    reopens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A case as it stands here: the ticket's status, department and priority, its newest item, and who has that."""

    status: str
    department: str
    priority: str
    item: int | None
    item_state: str
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Deed:
    """An action to ask for: on the item or on the task, with the arguments of its body."""

    on: str
    action: str
    arguments: Mapping[str, str]


def read_case(name: str, rows: Sequence[Mapping[str, str]], mapping: ReplayMapping) -> Case:
    """Return a case from its rows, in their order. Raises KeyError for a state or priority that the mapping does not know."""
    updates = []
    before: Mapping[str, str] = {}
    for place, row in enumerate(rows, start=1):
        group, person = row[mapping.group], row[mapping.person]
        mark = f"[{name} {place}/{len(rows)}]"
        updates.append(
            Update(
                case=name,
                place=place,
                total=len(rows),
                state=row[mapping.state],
                goal=mapping.states[row[mapping.state]],
                group=mapping.no_group if group in mapping.empty else group,
                person=DESK if person in mapping.empty else person,
                priority=mapping.priorities[row[mapping.priority]],
                text=f"{mark} {_in_words(before, row, mapping)}",
            )
        )
        before = row
    return Case(
        name=name,
        updates=tuple(updates),
        first_row=rows[0],
        reassignments=int(rows[-1][mapping.counters["reassignments"]]),
        reopens=int(rows[-1][mapping.counters["reopens"]]),
    )


def next_deed(before: Update | None, update: Update, state: State, holder: str, done: Sequence[str]) -> Deed | None:
    """Return what is to be done next for the update, None for nothing: `holder` shall have it, `done` are its actions so far."""
    final = state.status in (RESOLVED, CLOSED)
    if final and update.goal not in FINAL_GOALS:
        return Deed("task", "reopen", {"reason": update.text})
    deed = _finish(update, state) if final else _work(before, update, state, holder, done)
    if deed is None and not done:
        return Deed("item", "note", {"comment": update.text})
    return deed


def impossible(before: Update | None, update: Update) -> str:
    """Return what the update asks that cannot be done, and why; empty when all of it can."""
    if before is None or before.goal not in FINAL_GOALS or update.goal not in FINAL_GOALS:
        return ""
    asked = [
        f"{name} {old or 'nobody'} to {new or 'nobody'}"
        for name, old, new in (
            ("group", before.group, update.group),
            ("person", before.person, update.person),
            ("priority", before.priority, update.priority),
        )
        if old != new
    ]
    return f"{', '.join(asked)}: the incident is {before.state} and stays finished, a finished item is nobody's" if asked else ""


def group_changes(case: Case) -> int:
    """Return how often the group that the file shows changes from one update to the next."""
    return sum(one.group != other.group for one, other in _pairs(case))


def reopenings(case: Case) -> int:
    """Return how often the case leaves its final states."""
    return sum(one.goal in FINAL_GOALS and other.goal not in FINAL_GOALS for one, other in _pairs(case))


def expected_moves(case: Case) -> int:
    """Return how many changes of group can be carried out: those of a finished case wait until it is reopened, if ever."""
    moves, group, before = 0, case.updates[0].group, None
    for update in case.updates:
        stays_final = before is not None and before.goal in FINAL_GOALS and update.goal in FINAL_GOALS
        if update.group != group and not stays_final:
            moves, group = moves + 1, update.group
        before = update
    return moves


def marked_places(case: str, texts: Sequence[str]) -> set[int]:
    """Return which updates of the case these reasons of its history are for."""
    found = (match for text in texts for match in _MARK.finditer(text))
    return {int(match[2]) for match in found if match[1] == case}


def _pairs(case: Case) -> Iterator[tuple[Update, Update]]:
    return zip(case.updates, case.updates[1:], strict=False)


def _finish(update: Update, state: State) -> Deed | None:
    if update.goal == GOAL_CLOSED and state.status == RESOLVED:
        return Deed("task", "close", {"comment": update.text})
    return None


def _work(before: Update | None, update: Update, state: State, holder: str, done: Sequence[str]) -> Deed | None:
    if state.department != update.group:
        return Deed("task", "reclassify", {"department": update.group, "reason": update.text})
    if state.assignee != holder:
        action = "assign" if state.assignee is None else "transfer"
        return Deed("item", action, {"to_user": holder, "reason": update.text})
    if state.priority != update.priority:
        return Deed("task", "priority", {"priority": update.priority, "reason": update.text})
    return _reach(before, update, state, done)


def _reach(before: Update | None, update: Update, state: State, done: Sequence[str]) -> Deed | None:
    resume, comment = Deed("item", "resume", {"comment": update.text}), {"comment": update.text}
    if state.item_state == ITEM_ON_HOLD:
        other_reason = before is not None and before.goal == HELD and before.state != update.state
        return None if update.goal == HELD and not (other_reason and "resume" not in done and "hold" not in done) else resume
    if update.goal == HELD:
        return Deed("item", "hold", {"reason": f"{update.state} {update.text}"})
    if update.goal == WORKING:
        return Deed("item", "start", comment) if state.item_state in _NOT_STARTED else None
    if update.goal == OPEN:
        return None
    # The last step's completion ends the task; what follows for a closed one is seen once it is resolved.
    return Deed("item", "complete", comment) if state.item_state in (*_NOT_STARTED, ITEM_IN_PROGRESS) else None


def _in_words(before: Mapping[str, str], row: Mapping[str, str], mapping: ReplayMapping) -> str:
    changed = [
        f"{name} {before[name]} -> {row[name]}"
        for name in row
        if before and name not in mapping.silent and before.get(name) != row[name]
    ]
    what = "; ".join(changed) if changed else "no column changed" if before else "as first seen"
    return f"{row[mapping.at]} by {row[mapping.by]}: {row[mapping.state]}; {what}"
