"""Moving running tasks to another version of their workflow, or saying what that would do."""

from __future__ import annotations

from dataclasses import dataclass

from baton.http.api import Call, Conflict, Invalid
from baton.http.workflow.definition_views import Move, MovedTask, MoveView
from baton.http.workflow.workflows import find_workflow
from baton.models.transaction import Transaction
from baton.models.workflow import Workflow, WorkflowVersion, assignment_store, definition_store, move_store, waiting_store
from baton.models.workflow.intake_store import lock_tickets
from baton.models.workflow.move_store import TaskRow
from baton.models.workflow.request_store import ItemRow
from baton.pipelines.definitions import DRAFT
from baton.pipelines.following import about_changes
from baton.pipelines.messages import AssignItem, AssignWaiting
from baton.pipelines.move import MOVED, REFUSED, MovePlan, Running, StepPlace, plan_move, unknown_goals


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A task that was looked at, its open item and the step of that, and what becomes of it."""

    task: TaskRow
    item: ItemRow | None
    step: StepPlace | None
    plan: MovePlan


def move_tasks(call: Call, body: Move) -> MoveView:
    """The tasks run on the version, as far as their steps have counterparts there; what stays says why."""
    return move(call.tx, find_workflow(call), body, call.principal.subject)


def move(tx: Transaction, workflow: Workflow, body: Move, actor: str) -> MoveView:
    """
    Move tasks of the workflow as asked, in the caller's transaction; the history says that it was `actor`.

    Raises:
        Invalid, Conflict: the version, or a step of the mapping, is not there to be moved to.
    """
    version = _target(workflow, body)
    steps = [StepPlace(**row) for row in move_store.steps_of(version.id)]
    lost = unknown_goals(body.mapping, steps)
    if lost:
        problem = f"version {version.number} has no such step"
        raise Invalid([{"field": f"mapping.{name}", "message": problem, "type": "value_error"} for name in lost])
    tasks, following = _wanted(workflow, version, body)
    lock_tickets(tx, [task.ticket_number for task in tasks])
    candidates = _judge(tx, workflow, version, steps, tasks, body)
    if not body.dry_run:
        _carry_out(tx, version, candidates, actor, body.reason)
    known = {candidate.task.ticket_number for candidate in candidates}
    items = [_show(candidate) for candidate in candidates]
    items += [_absent(number) for number in dict.fromkeys(body.ticket_numbers or ()) if number not in known]
    return MoveView(
        dry_run=body.dry_run,
        to_version=version.number,
        moved=sum(item.outcome == MOVED for item in items),
        refused=sum(item.outcome == REFUSED for item in items),
        items=items,
        next=following,
    )


def _target(workflow: Workflow, body: Move) -> WorkflowVersion:
    version = definition_store.find_version(None, workflow.id, body.to_version)
    if version is None:
        raise Invalid.of("to_version", f"workflow {workflow.name} has no version {body.to_version}")
    if version.state == DRAFT:
        raise Conflict(f"version {version.number} is a draft; deploy it first")
    return version


def _wanted(workflow: Workflow, version: WorkflowVersion, body: Move) -> tuple[list[TaskRow], int | None]:
    """Return the tasks to look at, and where the next call goes on."""
    if body.ticket_numbers is not None:
        found = move_store.read_tasks(workflow.id, body.ticket_numbers)
        return [found[number] for number in dict.fromkeys(body.ticket_numbers) if number in found], None
    tasks = move_store.find_tasks(
        workflow.id, version.id, from_version=body.from_version, step=body.step, after=body.after or 0, limit=body.limit + 1
    )
    return tasks[: body.limit], tasks[body.limit - 1].id if len(tasks) > body.limit else None


def _judge(
    tx: Transaction, workflow: Workflow, version: WorkflowVersion, steps: list[StepPlace], tasks: list[TaskRow], body: Move
) -> list[_Candidate]:
    """Return what becomes of each task, as it is under its ticket's lock."""
    numbers = [task.ticket_number for task in tasks]
    current = move_store.read_tasks(workflow.id, numbers)
    items = move_store.read_items(tx, numbers)
    places = {row["id"]: StepPlace(**row) for row in move_store.read_steps(item.step for item in items.values())}
    decisions = move_store.count_decisions(item.item for item in items.values())
    candidates = []
    for task in (current[number] for number in numbers if number in current):
        item = items.get(task.id)
        step = None if item is None else places.get(item.step)
        running = Running(ticket_number=task.ticket_number, status=task.status, version=task.version_id)
        if item is not None:
            running = Running(
                ticket_number=task.ticket_number,
                status=task.status,
                version=task.version_id,
                step=step,
                role=item.role,
                state=item.state,
                assignee=item.assignee,
                decisions=decisions.get(item.item, 0),
            )
        candidates.append(_Candidate(task, item, step, plan_move(running, version.id, steps, body.mapping)))
    return candidates


def _carry_out(tx: Transaction, version: WorkflowVersion, candidates: list[_Candidate], actor: str, why: str) -> None:
    moves = [each for each in candidates if each.plan.outcome == MOVED]
    changing = [each for each in moves if not each.plan.keeps_place and each.item is not None]
    locked = assignment_store.lock_roles(tx, {each.item.role for each in changing if each.item is not None})
    for each in moves:
        assert each.item is not None and each.step is not None and each.plan.to_step is not None
        reason = f"moved from version {each.task.version_number}, step {each.step.name}"
        reason += f", to version {version.number}, step {each.plan.to_step.name}" + (f": {why}" if why else "")
        reasons = (reason, f"{reason}; {each.plan.reason}")
        opened = move_store.store_move(
            tx, each.task, each.item, each.plan, version.id, actor, reasons
        )
        if opened is not None and each.plan.assignee is None:
            number = each.task.ticket_number
            tx.announce(AssignItem(task_item_id=opened, ticket_number=number), ticket_number=number)
    for message in about_changes(each.task.ticket_number for each in moves):
        tx.announce(message)
    for role in waiting_store.roles_that_wait(tx, locked):
        tx.announce(AssignWaiting(role_id=locked[role].role_id))


def _show(candidate: _Candidate) -> MovedTask:
    plan = candidate.plan
    return MovedTask(
        ticket_number=plan.ticket_number,
        outcome=plan.outcome,
        from_version=candidate.task.version_number,
        from_step=None if candidate.step is None else candidate.step.name,
        to_step=None if plan.to_step is None else plan.to_step.name,
        reason=plan.reason,
        assignee=plan.assignee,
    )


def _absent(number: str) -> MovedTask:
    return MovedTask(
        ticket_number=number,
        outcome=REFUSED,
        from_version=None,
        from_step=None,
        to_step=None,
        reason="it has no task on this workflow",
        assignee=None,
    )
