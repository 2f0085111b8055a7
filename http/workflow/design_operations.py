"""The operations on workflows: read, designed, deployed, retired, asked, and tasks moved between their versions."""

from __future__ import annotations

from baton.http.api import Operation, Page, PageQuery
from baton.http.workflow import definition_views as views
from baton.http.workflow import designs, moves, workflows

_WORKFLOWS = "/api/v1/workflows"
_WORKFLOW = f"{_WORKFLOWS}/{{workflow_id}}"
_VERSION = f"{_WORKFLOW}/versions/{{version}}"

OPERATIONS = (
    Operation(
        "GET", _WORKFLOWS, workflows.list_workflows, "workflows.read", query=PageQuery,
        returns=Page[views.WorkflowSummary], summary="List workflows",
    ),
    Operation(
        "POST", _WORKFLOWS, designs.create_workflow, "workflows.write", body=views.DefinitionBody,
        returns=views.WorkflowView, status=201, problems=(409,), summary="Make a workflow, as a draft",
    ),
    Operation(
        "POST", f"{_WORKFLOWS}/import", designs.import_workflow, "workflows.write", body=views.ImportBody,
        returns=views.WorkflowView, status=201, problems=(409,),
        summary="Make a workflow, or a new version of the one of its name, of a TOML text",
    ),
    Operation(
        "POST", f"{_WORKFLOWS}/match", workflows.match, "workflows.read", body=views.Question, transaction="read",
        returns=views.AnswerView, problems=(404,), summary="Ask which workflow a ticket would get, and why",
    ),
    Operation(
        "POST", f"{_WORKFLOWS}/validate", designs.check_definition, "workflows.read", body=views.DefinitionBody,
        transaction="read", returns=views.ValidationView, summary="Say what is wrong with a workflow that is not stored",
    ),
    Operation(
        "POST", f"{_WORKFLOWS}/preview", designs.draw_definition, "workflows.read", body=views.DefinitionBody,
        transaction="none", media_type=designs.SVG, summary="Draw a workflow that is not stored",
    ),
    Operation(
        "GET", _WORKFLOW, workflows.read_workflow, "workflows.read", returns=views.WorkflowView, problems=(404,),
        summary="Read a workflow with its versions",
    ),
    Operation(
        "POST", f"{_WORKFLOW}/versions", designs.create_version, "workflows.write", body=views.NewVersion,
        returns=views.VersionDetail, status=201, problems=(404,), summary="Make a new version, as a draft",
    ),
    Operation(
        "GET", _VERSION, workflows.read_version, "workflows.read", returns=views.VersionDetail, problems=(404,),
        summary="Read a version, with what is wrong with it",
    ),
    Operation(
        "PUT", _VERSION, designs.change_version, "workflows.write", body=views.DefinitionBody,
        returns=views.VersionDetail, problems=(404, 409, 412), summary="Change a draft; give its ETag as If-Match",
    ),
    Operation(
        "GET", f"{_VERSION}/validation", designs.check_version, "workflows.read", returns=views.ValidationView,
        problems=(404,), summary="Say what is wrong with a version",
    ),
    Operation(
        "GET", f"{_VERSION}/picture", designs.draw_version, "workflows.read", query=views.PictureQuery, media_type=designs.SVG,
        problems=(404,), summary="Draw a version as a graph",
    ),
    Operation(
        "GET", f"{_VERSION}/toml", designs.export_version, "workflows.read", media_type=designs.TOML,
        problems=(404,), summary="Read a version as a TOML text",
    ),
    Operation(
        "POST", f"{_WORKFLOW}/deploy", workflows.deploy, "workflows.deploy", body=views.Deployment,
        returns=views.WorkflowView, problems=(404, 409, 412), summary="Give a version to new tickets",
    ),
    Operation(
        "POST", f"{_WORKFLOW}/retire", workflows.retire, "workflows.deploy", returns=views.WorkflowView,
        problems=(404,), summary="Give a workflow to no new ticket",
    ),
    Operation(
        "POST", f"{_WORKFLOW}/move", moves.move_tasks, "workflows.move", body=views.Move, returns=views.MoveView,
        problems=(404, 409), summary="Move running tasks to a version, or say what that would do",
    ),
)  # fmt: skip
