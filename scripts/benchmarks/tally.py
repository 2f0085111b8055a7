"""
How many SQL statements an action takes: counted where peewee sends them, in transactions that are rolled back.

Runs as a program of its own under a stack's settings: the handlers need the stack's broker to be declared on.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from baton.models import database
from baton.models.settings import SERVICES, get_settings
from baton.models.transaction import Transaction, write_tx
from baton.scripts.stack import Stack, StackError


def statements_per_action(stack: Stack) -> dict[str, int]:
    """Return the statements of completing a step, of choosing the next person, and of the status at the help desk."""
    command = [sys.executable, "-m", "baton.scripts.benchmarks.tally"]
    done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise StackError(done.stderr[-2000:])
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return counts


class _Undone(Exception):
    """Rolls the transaction back."""


class _Counter(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.statements += 1


@contextmanager
def counting() -> Iterator[_Counter]:
    """Count the statements sent to databases for the length of the block."""
    counter, log = _Counter(), logging.getLogger("peewee")
    level, propagate = log.level, log.propagate
    log.addHandler(counter)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield counter
    finally:
        log.removeHandler(counter)
        log.setLevel(level)
        log.propagate = propagate


def _undone(service: str, steps: dict[str, Callable[[Transaction], Any]]) -> dict[str, int]:
    """Return how many statements each step takes, one after the other in one transaction that leaves nothing."""
    counts = {}
    try:
        with write_tx(service) as tx:
            for name, step in steps.items():
                with counting() as counter:
                    step(tx)
                counts[name] = counter.statements
            raise _Undone
    except _Undone:
        return counts


def count(item: int) -> dict[str, int]:
    """Return the statements of completing this item, which somebody has, and of what follows."""
    import baton.actors  # noqa: F401 - sets the broker that the handlers are declared on
    from baton.actors.handling import delivery_of
    from baton.actors.helpdesk import send_ticket_status
    from baton.actors.workflow.assignment import assign_item
    from baton.http.workflow import acting
    from baton.models.workflow import TaskItem
    from baton.pipelines.asking import Asked
    from baton.pipelines.messages import AssignItem, SendTicketStatus
    from baton.pipelines.permissions import Principal
    from baton.pipelines.work import ACTIONS, Refusal

    opened: list[int] = []
    with database.read_tx("workflow"):
        number = TaskItem.select(TaskItem.ticket_number).where(TaskItem.id == item).scalar()

    def act(tx: Transaction) -> None:
        actor = Principal(kind="service", id="operator")
        done = acting.act_on_item(tx, Asked(action=ACTIONS["item", "complete"], actor=actor, now=tx.now), item)
        assert not isinstance(done, Refusal), done
        assert done.opened is not None
        opened.append(done.opened)

    def assign(tx: Transaction) -> None:
        assign_item.handle(tx, [delivery_of(AssignItem(task_item_id=opened[0], ticket_number=number))])

    def sync(tx: Transaction) -> None:
        message = SendTicketStatus(ticket_id=number, new_status="In Progress")
        send_ticket_status.handle(tx, [delivery_of(message, version=1_000)])

    return {**_undone("workflow", {"complete": act, "assign": assign}), **_undone("helpdesk", {"status": sync})}


def open_item() -> int:
    """Return an item that somebody has and that is not the last of its task."""
    from baton.models.workflow import Step, TaskItem, Transition

    onward = Transition.select(Transition.from_step).where(Transition.to_step.is_null(False))
    with database.read_tx("workflow"):
        found = (
            TaskItem.select(TaskItem.id)
            .join(Step, on=(Step.id == TaskItem.step))
            .where(TaskItem.assignee.is_null(False), TaskItem.state.in_(["new", "in progress"]), TaskItem.step.in_(onward))
            .where(TaskItem.ticket_number.startswith("HD-"))
            .order_by(TaskItem.id.desc())
            .limit(1)
            .scalar()
        )
    return int(found)


if __name__ == "__main__":
    database.configure(get_settings(), SERVICES)
    print(json.dumps(count(open_item())))
