"""
The workflow service's front: tasks and items, the queues people watch, workflows, roles and members.

Staff see their own items and the work of their roles; coordinators and admins see everything, and act on the queues.
"""

from __future__ import annotations

import falcon

from baton.http.api import Operation, Page, PageQuery, create_service_app
from baton.http.tokens import KeySource
from baton.http.workflow import (
    actions,
    conversation,
    design_operations,
    desk,
    finding,
    handovers,
    hooks,
    oversight,
    people,
    progress,
    queues,
    saved_views,
    sla_operations,
    tasks,
    views,
    work_list,
)
from baton.http.workflow.clock_check import clock_check
from baton.models.settings import Settings

_TASK = "/api/v1/tasks/{ticket_number}"

OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/tasks",
        tasks.list_tasks,
        permission="work.read",
        query=views.TaskQuery,
        returns=Page[views.TaskSummary],
        summary="List tasks",
    ),
    Operation(
        "GET",
        _TASK,
        tasks.read_task,
        permission="work.read",
        returns=views.TaskView,
        problems=(404,),
        summary="Read a ticket's task, items and snapshot",
    ),
    Operation(
        "GET",
        f"{_TASK}/history",
        tasks.read_history,
        permission="work.read",
        query=PageQuery,
        returns=Page[views.HistoryView],
        problems=(404,),
        summary="Read what happened to a ticket's items",
    ),
    Operation(
        "GET",
        f"{_TASK}/explanation",
        tasks.explain,
        permission="work.read",
        returns=views.ExplanationView,
        problems=(404,),
        summary="Read why this workflow and why these people",
    ),
    Operation(
        "GET",
        "/api/v1/items",
        tasks.list_items,
        permission="work.read",
        query=views.ItemQuery,
        returns=Page[views.ItemView],
        summary="List items",
    ),
    Operation(
        "GET",
        "/api/v1/triage",
        queues.list_triage,
        permission="triage.read",
        query=PageQuery,
        returns=Page[views.TriageView],
        summary="List tickets that no workflow matches",
    ),
    Operation(
        "POST",
        "/api/v1/triage/{ticket_number}/allocate",
        queues.allocate,
        permission="triage.allocate",
        body=views.Choice,
        returns=views.ChoiceView,
        status=202,
        problems=(404, 409),
        summary="Pick a workflow for a ticket in triage",
    ),
    Operation(
        "GET",
        "/api/v1/waiting",
        queues.list_waiting,
        permission="work.read",
        query=views.WaitingQuery,
        returns=Page[views.WaitingView],
        summary="List work for which nobody is eligible",
    ),
    *design_operations.OPERATIONS,
    Operation(
        "GET",
        "/api/v1/roles",
        people.list_roles,
        permission="members.read",
        query=PageQuery,
        returns=Page[views.RoleView],
        summary="List roles",
    ),
    Operation(
        "GET",
        "/api/v1/members",
        people.list_members,
        permission="members.read",
        query=views.MemberQuery,
        returns=Page[views.MemberView],
        summary="List people in their roles",
    ),
    Operation(
        "PUT",
        "/api/v1/members/{user_id}/availability",
        people.set_availability,
        permission="members.availability",
        body=views.Availability,
        returns=views.MemberList,
        problems=(404,),
        summary="Set when somebody is out of office",
    ),
    Operation(
        "PUT",
        "/api/v1/roles/{role_id}/members/{user_id}/capacity",
        people.set_capacity,
        permission="members.capacity",
        body=views.Capacity,
        returns=views.MemberView,
        problems=(404,),
        summary="Set how many items of a role somebody may have at once",
    ),
    *actions.OPERATIONS,
    *handovers.OPERATIONS,
    *hooks.OPERATIONS,
    *conversation.OPERATIONS,
    *desk.OPERATIONS,
    *progress.OPERATIONS,
    *work_list.OPERATIONS,
    *finding.OPERATIONS,
    *saved_views.OPERATIONS,
    *sla_operations.OPERATIONS,
    *oversight.OPERATIONS,
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the front as a WSGI application."""
    checks = {"queues": queues.queue_check, "hooks": hooks.hook_check, "clocks": clock_check}
    return create_service_app("workflow", OPERATIONS, settings, keys, checks=checks)
