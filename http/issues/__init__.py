"""
The issue tracker's front: what is wrong is reported here, by programs and people, and followed.

A report is queued and answered with a temporary id, or written at once (`?wait=true`) and answered with its real id. Both ids
lead to the issue for ever.
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import falcon

from baton.http.api import Call, NotFound, Operation, Page, PageQuery, Reply, create_service_app, page
from baton.http.issues import dead_letters
from baton.http.issues.views import (
    CommentView,
    IssueQuery,
    IssueSummary,
    IssueView,
    NewComment,
    NewIssue,
    NewStatus,
    RecentQuery,
    ReportQuery,
    comment_view,
    issue_summary,
    issue_view,
    queued_view,
)
from baton.http.tokens import KeySource
from baton.models.issues import Issue, IssueComment, IssueReport, IssueTag, store
from baton.models.settings import Settings
from baton.pipelines.issues import absorb, is_temporary, read_report, real_id, takes_more
from baton.pipelines.messages import AddIssueComment, RecordIssue, UpdateIssueStatus

#: What counts as recent.
RECENT = timedelta(hours=1)
_PATH = "/api/v1/issues"
_LISTED = [field for name, field in Issue._meta.fields.items() if name not in ("description", "reporter")]


def report_issue(call: Call, body: NewIssue, query: ReportQuery) -> Reply:
    """The report is queued under a temporary id (202), or, if the caller waits for it, part of its issue (201)."""
    message = RecordIssue(
        temporary_id=f"temp-{uuid.uuid4()}",
        reporter=call.principal.subject[:300],
        occurred_at=call.now.isoformat(),
        **body.model_dump(),
    )
    if query.wait:
        written = store.record([read_report(message, call.now)], absorb, call.now)
        issue = Issue.get_by_id(written[message.temporary_id])
        return Reply(issue_view(issue), headers={"Location": f"{_PATH}/{issue.id}"})
    store.keep_report(message.temporary_id, message.to_kwargs(), call.now)
    call.tx.announce(message, ticket_number=message.ticket_number)
    view = queued_view(message.to_kwargs(), call.now)
    return Reply(view, status=202, headers={"Location": f"{_PATH}/{message.temporary_id}"})


def read_issue(call: Call) -> Reply:
    """The issue; by a temporary id that is not written yet, the report as it waits (202)."""
    found = _find(call)
    if isinstance(found, IssueReport):
        return Reply(queued_view(json.loads(found.content), found.occurred_at), status=202)
    return Reply(issue_view(found))


def list_issues(call: Call, query: IssueQuery) -> Page[IssueSummary]:
    """Issues, the newest first."""
    found: Any = Issue.select(*_LISTED)
    for name in ("status", "type", "priority", "component"):
        if (wanted := getattr(query, name)) is not None:
            found = found.where(getattr(Issue, name) == wanted)
    if query.tag is not None:
        found = found.where(Issue.id.in_(IssueTag.select(IssueTag.issue).where(IssueTag.tag == query.tag)))
    if query.ticket is not None:
        about = IssueReport.select(IssueReport.issue).where(IssueReport.ticket_number == query.ticket)
        found = found.where(Issue.id.in_(about.where(IssueReport.issue.is_null(False))))
    if query.since is not None:
        found = found.where(Issue.last_seen >= query.since)
    return page(found, key=Issue.id, cursor=query.cursor, limit=query.limit, descending=True, view=issue_summary)


def list_recent(call: Call, query: RecentQuery) -> Page[IssueSummary]:
    """The issues seen within the last hour, the last seen first."""
    found: Any = Issue.select(*_LISTED).where(Issue.last_seen >= call.now - RECENT)
    if query.status is not None:
        found = found.where(Issue.status == query.status)
    key = (Issue.last_seen, Issue.id)
    return page(found, key=key, cursor=query.cursor, limit=query.limit, descending=True, view=issue_summary)


def write_comment(call: Call, body: NewComment) -> Reply:
    """The comment is kept (201), or waits until its issue is written (202)."""
    found, key, author = _find(call), str(uuid.uuid4()), call.principal.subject[:300]
    if isinstance(found, Issue):
        comment = store.add_comment(found.id, key, author, body.content, call.now)
        assert comment is not None  # the key is new
        return Reply(comment_view(comment))
    message = AddIssueComment(
        issue_id=found.temporary_id, comment_id=key, content=body.content, author=author, written_at=call.now.isoformat()
    )
    call.tx.announce(message)
    view = CommentView(id=key, kind="comment", author=author, content=body.content, created_at=call.now, queued=True)
    return Reply(view, status=202)


def list_comments(call: Call, query: PageQuery) -> Page[CommentView]:
    """What was said and done about the issue, oldest first; nothing yet while it is queued."""
    found = _find(call)
    issue_id = found.id if isinstance(found, Issue) else 0
    comments: Any = IssueComment.select().where(IssueComment.issue == issue_id)
    key = (IssueComment.created_at, IssueComment.id)
    return page(comments, key=key, cursor=query.cursor, limit=query.limit, view=comment_view)


def change_status(call: Call, body: NewStatus) -> Reply:
    """The issue has this status, or will have it once it is written (202)."""
    found, author = _find(call), call.principal.subject[:300]
    if isinstance(found, IssueReport):
        changed_at = call.now.isoformat()
        message = UpdateIssueStatus(
            issue_id=found.temporary_id, status=body.status, changed_at=changed_at, author=author, reason=body.reason
        )
        call.tx.announce(message)
        return Reply(queued_view(json.loads(found.content), found.occurred_at), status=202)
    issue = store.lock(found.id)
    assert issue is not None  # issues are never deleted
    if issue.status != body.status:
        note = f"{issue.status} -> {body.status}" + (f": {body.reason}" if body.reason else "")
        store.change_status(issue, body.status, call.now, takes_more=takes_more(issue.fingerprint, body.status))
        store.add_comment(issue.id, str(uuid.uuid4()), author, note, call.now, "status")
    return Reply(issue_view(issue))


def _find(call: Call) -> Issue | IssueReport:
    """Return the issue that the path names by either id, or the report if it is not written yet."""
    reference = call.params["reference"]
    issue_id = real_id(reference)
    if is_temporary(reference):
        report = store.find_report(reference)
        issue_id = store.issue_id_of(report) if report is not None else None
        if report is not None and issue_id is None:
            return report
    issue = Issue.get_or_none(Issue.id == issue_id) if issue_id is not None else None
    if issue is None:
        raise NotFound("there is no such issue")
    return issue


_ONE = f"{_PATH}/{{reference}}"
_STATUS: dict[str, Any] = {"permission": "issues.status", "body": NewStatus, "returns": IssueView, "problems": (202, 404)}
OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        report_issue,
        permission="issues.report",
        body=NewIssue,
        query=ReportQuery,
        returns=IssueView,
        status=201,
        problems=(202,),
        summary="Report an issue",
    ),
    Operation(
        "GET",
        _PATH,
        list_issues,
        permission="issues.read",
        query=IssueQuery,
        returns=Page[IssueSummary],
        summary="List issues",
    ),
    Operation(
        "GET",
        f"{_PATH}/recent",
        list_recent,
        permission="issues.read",
        query=RecentQuery,
        returns=Page[IssueSummary],
        summary="List the issues of the last hour",
    ),
    Operation(
        "GET",
        _ONE,
        read_issue,
        permission="issues.read",
        returns=IssueView,
        problems=(202, 404),
        summary="Read an issue by its real or temporary id",
    ),
    Operation(
        "POST",
        f"{_ONE}/comments",
        write_comment,
        permission="issues.comment",
        body=NewComment,
        returns=CommentView,
        status=201,
        problems=(202, 404),
        summary="Comment on an issue",
    ),
    Operation(
        "GET",
        f"{_ONE}/comments",
        list_comments,
        permission="issues.read",
        query=PageQuery,
        returns=Page[CommentView],
        problems=(404,),
        summary="List an issue's comments and changes of status",
    ),
    Operation("PUT", f"{_ONE}/status", change_status, **_STATUS, summary="Change an issue's status"),
    Operation("PATCH", f"{_ONE}/status", change_status, **_STATUS, summary="Change an issue's status (the same as PUT)"),
    *dead_letters.OPERATIONS,
)


def create_app(settings: Settings, keys: KeySource) -> falcon.App:
    """Return the issue tracker's WSGI application."""
    return create_service_app("issues", OPERATIONS, settings, keys)
