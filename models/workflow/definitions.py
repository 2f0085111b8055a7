"""
Workflows: what a ticket goes through, in immutable versions.

A version is a draft until it is deployed, and at last retired; what was deployed never changes, a change is a new version. Tasks
name the version they run on.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField
from baton.models.workflow.people import WorkflowTable


class Workflow(WorkflowTable):
    """A workflow by name. `deployed_version` is the id of the version new tickets get, None while there is none."""

    id = pw.BigAutoField()
    name = pw.TextField(unique=True)
    description = pw.TextField(default="")
    deployed_version = pw.BigIntegerField(null=True)
    created_at = InstantField()


class WorkflowVersion(WorkflowTable):
    """
    A version: `state` is draft, deployed or retired. `definition` is what its author wrote, as JSON.

    A draft may be changed, and `revision` counts how often it was; from its first deployment on it never changes, and its steps
    and transitions are rows. `rules` is a JSON list of {category, department} that it matches; `end_logic` is what happens after
    the last step: asset, budget, notification or none. Both are read from the definition.
    """

    id = pw.BigAutoField()
    workflow = pw.BigIntegerField()
    number = pw.IntegerField()
    state = pw.TextField(default="draft")
    definition = pw.TextField()
    revision = pw.IntegerField(default=1)
    created_by = pw.TextField(default="system")
    rules = pw.TextField()
    end_logic = pw.TextField(default="none")
    created_at = InstantField()
    deployed_at = InstantField(null=True)
    retired_at = InstantField(null=True)

    class Meta:
        indexes = ((("workflow", "number"), True),)


class Step(WorkflowTable):
    """
    A step of a version, in order of `position` from 1. `sla_share` is its part of the ticket's time, 0 to 1.

    `approvals_needed` is how many of its role must approve before it is left forwards; 0: none.
    """

    id = pw.BigAutoField()
    version = pw.BigIntegerField()
    position = pw.IntegerField()
    name = pw.TextField()
    role = pw.BigIntegerField()
    escalation_role = pw.BigIntegerField(null=True)
    instructions = pw.TextField(default="")
    sla_share = pw.FloatField(null=True)
    approvals_needed = pw.IntegerField(default=0)

    class Meta:
        indexes = ((("version", "position"), True),)


class Transition(WorkflowTable):
    """A way out of a step; `to_step` None ends the task. `who` is assignee, coordinator or anyone."""

    id = pw.BigAutoField()
    version = pw.BigIntegerField(index=True)
    from_step = pw.BigIntegerField()
    to_step = pw.BigIntegerField(null=True)
    name = pw.TextField()
    who = pw.TextField(default="assignee")
