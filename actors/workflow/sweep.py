"""The sweep of the waiting list: an absence ends by time, and no message tells of it."""

from __future__ import annotations

from baton.actors.scheduler import every
from baton.actors.workflow.assignment import head_of_lists
from baton.models.transaction import write_tx
from baton.models.workflow.assignment_store import read_roles
from baton.models.workflow.waiting_store import roles_that_wait
from baton.pipelines.messages import AssignWaiting


@every(1, "workflow")
def serve_returned(service: str) -> int:
    """
    Have the lists served that somebody eligible now could serve; return how many.

    Every other way of becoming eligible announces itself, so this mostly finds nothing. It looks at what waits, not at what is
    stored, and heals whatever else was left waiting.
    """
    with write_tx(service) as tx:
        waiting = roles_that_wait(tx)
        if not waiting:
            return 0
        ready = {entry.role for entry in head_of_lists(tx, waiting)}
        for role in read_roles(tx, ready).values():
            tx.announce(AssignWaiting(role_id=role.role_id))
    return len(ready)
