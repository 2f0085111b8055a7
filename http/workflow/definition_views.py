"""What the workflow front takes and shows of workflows, their versions, and moves between them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from baton.http.types import Body, Id, Name, Query, ShortText, Text, View, storable
from baton.pipelines.definition_shapes import TEXT_LENGTH
from baton.pipelines.definitions import END_LOGICS, MOST_APPROVALS, MOST_RULES, MOST_STEPS, MOST_TRANSITIONS, WHO

DesignText = Annotated[str, StringConstraints(max_length=TEXT_LENGTH), AfterValidator(storable)]
#: The number of a version within its workflow.
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class RuleBody(Body):
    """What tickets are for the workflow: by category, by department, or by both."""

    category: Name | None = None
    department: Name | None = None


class TransitionBody(Body):
    """A way out of a step; without `to` it ends the task."""

    name: Name
    to: Name | None = Field(default=None, description="The name of the step it leads to")
    who: Name = Field(default="assignee", description=f"Who may take it: {', '.join(WHO)}")


class StepBody(Body):
    """A step. `action` is short for the way to the following step, or to the end from the last; it is the first of the ways."""

    name: Name
    role: Name
    action: Name | None = None
    escalation_role: Name | None = None
    instructions: DesignText = ""
    sla_share: Annotated[float, Field(ge=-1e6, le=1e6)] | None = None
    approvals_needed: Annotated[int, Field(ge=0, le=MOST_APPROVALS)] = 0
    transitions: Annotated[list[TransitionBody], Field(max_length=MOST_TRANSITIONS)] | None = None


class DefinitionBody(Body):
    """A workflow as its author writes it: the same names as in its TOML form."""

    name: Name
    description: DesignText = ""
    end_logic: Name = Field(default="none", description=f"What happens after the last step: {', '.join(END_LOGICS)}")
    match: Annotated[list[RuleBody], Field(max_length=MOST_RULES)] = Field(default_factory=list)
    steps: Annotated[list[StepBody], Field(max_length=MOST_STEPS)]


class NewVersion(Body):
    """A new draft: of this definition, or as this version is, or as the newest one."""

    from_version: Number | None = None
    definition: DefinitionBody | None = None


class PictureQuery(Query):
    """What to mark in a picture: the step where a ticket is now, by its name. A name that no step bears marks nothing."""

    current: Name | None = None


class ImportBody(Body):
    """A workflow's TOML text. It becomes a new workflow, or a new version of the one of its name: a draft."""

    toml: Text


class Deployment(Body):
    """Which version to deploy, the newest by default. `force`: although a deployed workflow matches the same tickets equally."""

    version: Number | None = None
    force: bool = False


class Question(Body):
    """A ticket that there might be, or one there is (`ticket_number`): which workflow would it get?"""

    category: Name | None = None
    department: Name | None = None
    ticket_number: Name | None = None
    subject: ShortText | None = Field(default=None, description="Decides nothing, like priority and subcategory")
    subcategory: ShortText | None = None
    priority: ShortText | None = None


class AnswerView(View):
    """What allocation would decide now: the workflow, or null for triage, and why. `considered` has the deciding rule first."""

    workflow_id: int | None
    workflow: str | None
    version: int | None
    reason: str
    considered: list[dict[str, Any]]


class FaultView(View):
    """Something wrong with a workflow: an error keeps it from being deployed, a warning does not."""

    code: str
    severity: str
    where: str
    message: str
    remedy: str


class ValidationView(View):
    """Every fault of a workflow, errors first."""

    is_deployable: bool
    faults: list[FaultView]


class WorkflowSummary(View):
    """A workflow; `deployed_version` is the id of the version that new tickets get, `deployed_number` its number."""

    id: int
    name: str
    description: str
    deployed_version: int | None
    deployed_number: int | None
    created_at: datetime


class StepView(View):
    """A step of a version."""

    id: int
    position: int
    name: str
    role: str
    escalation_role: str | None
    instructions: str
    sla_share: float | None
    approvals_needed: int


class TransitionView(View):
    """A way out of a step; `to_step` null ends the task."""

    id: int
    from_step: int
    to_step: int | None
    name: str
    who: str


class VersionView(View):
    """
    A version of a workflow. `definition` is what its author wrote; `steps` and `transitions` are what tasks run on, empty until
    it was deployed. `revision` counts the changes of a draft, and is its ETag.
    """

    id: int
    number: int
    state: str
    revision: int
    rules: list[dict[str, Any]]
    end_logic: str
    created_by: str
    created_at: datetime
    deployed_at: datetime | None
    retired_at: datetime | None
    definition: DefinitionBody
    steps: list[StepView]
    transitions: list[TransitionView]


class WorkflowView(WorkflowSummary):
    """A workflow with all its versions."""

    versions: list[VersionView]


class VersionDetail(VersionView):
    """A version with what is wrong with it, as things are now."""

    workflow_id: int
    faults: list[FaultView]


class Move(Body):
    """
    Which tasks to move to another version: those named, or the open ones of a version or at a step.

    `mapping` leads from steps' names to their counterparts; a step that is not mapped leads to the one of the same name.
    `dry_run` moves nothing and tells what would happen. At most `limit` tasks are looked at; `after` goes on where an
    answer's `next` says.
    """

    to_version: Number
    mapping: Annotated[dict[Name, Name], Field(max_length=MOST_STEPS)] = Field(default_factory=dict)
    ticket_numbers: Annotated[list[Name], Field(min_length=1, max_length=200)] | None = None
    from_version: Number | None = None
    step: Name | None = None
    reason: ShortText = ""
    dry_run: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    after: Id | None = None


class MovedTask(View):
    """What becomes of a task: `outcome` is moved, refused or unchanged; in a dry run, what it would be."""

    ticket_number: str
    outcome: str
    from_version: int | None
    from_step: str | None
    to_step: str | None
    reason: str
    assignee: str | None


class MoveView(View):
    """What became of each task that was looked at; `next` is null when no more are left."""

    dry_run: bool
    to_version: int
    moved: int
    refused: int
    items: list[MovedTask]
    next: int | None
