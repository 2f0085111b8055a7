"""What the page of one ticket needs beside its task: the step where it is, the ways out of it, and who could be given it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee as pw

from baton.models.rows import dicts, tuples
from baton.models.workflow.definitions import Step, Transition
from baton.models.workflow.people import Member, Role

#: The role whose members may own tasks, in the system `tts`.
COORDINATOR_ROLE = "Ticket Coordinator"


def step(step_id: int) -> dict[str, Any] | None:
    """Return a step's name, instructions and how many approvals it needs."""
    found = dicts(Step.select(Step.name, Step.instructions, Step.approvals_needed).where(Step.id == step_id))
    return found[0] if found else None


def ways_out(step_id: int) -> list[dict[str, Any]]:
    """Return the ways out of a step in their order: `name`, and `to`, the name of the step it leads to, None for the end."""
    here = Step.alias()
    version = here.select(here.version).where(here.id == step_id)
    query = (
        Transition.select(Transition.name, Step.name.alias("to"))
        .join(Step, pw.JOIN.LEFT_OUTER, on=(Step.id == Transition.to_step))
        .where(Transition.version == version, Transition.from_step == step_id)
        .order_by(Transition.id)
    )
    return dicts(query)


def coordinator_role() -> str | None:
    """Return the id of the coordinators' role, None while auth has not told of it."""
    found = tuples(Role.select(Role.role_id).where(Role.system == "tts", Role.name == COORDINATOR_ROLE).order_by(Role.id))
    return found[0][0] if found else None


def active_members(role_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the active members of these roles, by their ids: role_id, user_id, name, open_items, away_from, away_to."""
    columns = Member.id, Member.user_id, Member.name, Member.open_items, Member.away_from, Member.away_to
    query = (
        Member.select(*columns, Role.role_id)
        .join(Role, on=(Role.id == Member.role))
        .where(Role.role_id.in_(sorted(role_ids)), Role.is_active, Member.is_active)
        .order_by(Member.id)
    )
    return dicts(query)
