"""Whether workflows hold together: open work stands at steps of its task's version, and what was deployed never changed."""

from __future__ import annotations

from collections.abc import Iterator

import peewee as pw

from baton.models import database as db
from baton.models.workflow import Step, Task, TaskItem, Transition, Workflow, WorkflowVersion, design_reading, reading
from baton.pipelines.definitions import definition_of
from baton.scripts.checks.finding import Finding, fail, ok, some
from baton.scripts.checks.walk import tuples

#: How many strays are counted; one is as wrong as many.
_MOST = 1_000


def check_definitions() -> Iterator[Finding]:
    """Look for orphaned steps and ways, for open work that stands at one, and for deployed versions that were changed."""
    with db.read_tx("workflow"):
        yield _strays()
        yield _orphans()
        yield _changed()


def _strays() -> Finding:
    """Open items whose step is none of their task's version, and open tasks whose version is gone."""
    home = Step.select(pw.SQL("1")).where(Step.id == TaskItem.step, Step.version == Task.workflow_version)
    items = (
        TaskItem.select(TaskItem.ticket_number)
        .join(Task, on=(Task.id == TaskItem.task))
        .where(TaskItem.closed_at.is_null(), ~pw.fn.EXISTS(home))
    )
    version = WorkflowVersion.select(pw.SQL("1")).where(WorkflowVersion.id == Task.workflow_version)
    tasks = Task.select(Task.ticket_number).where(Task.status == "open", ~pw.fn.EXISTS(version))
    lost = sorted({row[0] for query in (items, tasks) for row in tuples(query.limit(_MOST))})
    if lost:
        detail = f"{len(lost):,} open tasks stand at a step that their version does not have: {some(lost)}"
        return fail("work stands at steps", detail, f"baton trace {lost[0]}; move them: POST /api/v1/workflows/{{id}}/move")
    return ok("work stands at steps", "every open item stands at a step of its task's version")


def _orphans() -> Finding:
    """Steps of no version, and ways that lead from or to a step of another version or none."""
    version = WorkflowVersion.select(pw.SQL("1")).where(WorkflowVersion.id == Step.version)
    steps = tuples(Step.select(Step.id, Step.name).where(~pw.fn.EXISTS(version)).limit(_MOST))
    begin, end = Step.alias(), Step.alias()
    start = begin.select(pw.SQL("1")).where(begin.id == Transition.from_step, begin.version == Transition.version)
    goal = end.select(pw.SQL("1")).where(end.id == Transition.to_step, end.version == Transition.version)
    astray = ~pw.fn.EXISTS(start) | (Transition.to_step.is_null(False) & ~pw.fn.EXISTS(goal))
    ways = tuples(Transition.select(Transition.id, Transition.name).where(astray).limit(_MOST))
    if steps or ways:
        named = [f"step {name} ({number})" for number, name in steps] + [f"way {name} ({number})" for number, name in ways]
        remedy = "rows were changed by hand: restore them from a backup, or deploy a new version and move the tasks to it"
        return fail("steps and ways", f"without a version of their own: {some(named)}", remedy)
    return ok("steps and ways", "every step and way belongs to a version")


def _changed() -> Finding:
    """Deployed versions that do not have a first step, or whose rows are not what was written."""
    wrong = [f"{workflow.name} version {number}" for workflow in Workflow.select() for number in _changed_versions(workflow)]
    if wrong:
        remedy = "rows were changed by hand: deploy a new version of it, and move the tasks to that"
        return fail("workflows unchanged", f"deployed, and since changed or broken: {some(wrong)}", remedy)
    return ok("workflows unchanged", "every version that was deployed is as it was written")


def _changed_versions(workflow: Workflow) -> list[int]:
    documents = design_reading.documents(workflow.id)
    steps, ways = reading.steps(workflow.id), reading.transitions(workflow.id)
    names = {step["id"]: step["name"] for step in steps}
    wrong = []
    for version in reading.versions(workflow.id):
        if version["deployed_at"] is None:
            continue
        written = definition_of(documents[version["id"]])
        stored = [step["name"] for step in steps if step["version"] == version["id"]]
        own = [way for way in ways if way["version"] == version["id"]]
        lead = {(names.get(way["from_step"]), way["name"], names.get(way["to_step"])) for way in own}
        meant = {(step.name, way.name, way.to) for step in written.steps for way in step.transitions}
        if stored != [step.name for step in written.steps] or lead != meant:
            wrong.append(version["number"])
    return wrong
