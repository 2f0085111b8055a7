"""What the issue tracker's callers send and see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from baton.http.types import Body, Instant, PageQuery, Query, View, storable
from baton.models.issues import Issue, IssueComment
from baton.pipelines.issues import LONGEST, LONGEST_TAG, MOST_TAGS, priority_of

Status = Literal["open", "in_progress", "resolved", "closed"]
#: As people and the old clients write it.
Priority = Literal["Low", "Medium", "High", "Critical", "Urgent", "low", "medium", "high", "critical", "urgent"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TAG, pattern=r"\S"), AfterValidator(storable)]
Type = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST["type"], pattern=r"\S"), AfterValidator(storable)]
Component = Annotated[str, StringConstraints(max_length=LONGEST["component"]), AfterValidator(storable)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST["title"], pattern=r"\S"), AfterValidator(storable)]
Description = Annotated[str, StringConstraints(max_length=LONGEST["description"]), AfterValidator(storable)]
Content = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST["description"], pattern=r"\S"), AfterValidator(storable)
]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"\S"), AfterValidator(storable)]


class NewIssue(Body):
    """Something that is wrong. `type` is any word (bug, task, ...); `ticket_number` and `message_id` say what it concerns."""

    title: Title
    description: Description = ""
    type: Type = "bug"
    priority: Priority = "Medium"
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []  # noqa: RUF012 - pydantic copies it
    component: Component = ""
    ticket_number: Reference | None = None
    message_id: Reference | None = None


class ReportQuery(Query):
    """`wait` true: the issue is written at once, and answered with its real id."""

    wait: bool = False


class NewComment(Body):
    """What there is to say about an issue."""

    content: Content


class NewStatus(Body):
    """What became of an issue, and why."""

    status: Status
    reason: Annotated[str, StringConstraints(max_length=10_000), AfterValidator(storable)] = ""


class RecentQuery(PageQuery):
    """Which of the last hour's issues to list."""

    status: Status | None = None


class IssueQuery(PageQuery):
    """Which issues to list, newest first; all given conditions must hold. `since`: seen at or after this instant."""

    status: Status | None = None
    type: Type | None = None
    priority: Literal["Low", "Medium", "High", "Critical"] | None = None
    component: Component | None = None
    tag: Tag | None = None
    ticket: Reference | None = None
    since: Instant | None = None


class IssueSummary(View):
    """An issue in a list. `count` is how often it was seen, between `first_seen` and `last_seen`."""

    id: str
    title: str
    type: str
    priority: str
    status: str
    tags: list[str]
    component: str
    ticket_number: str | None
    message_id: str | None
    count: int
    first_seen: datetime
    last_seen: datetime


class IssueView(IssueSummary):
    """An issue. While its `status` is `queued`, `id` is the temporary id; afterwards both ids lead to it."""

    description: str
    reporter: str
    status_at: datetime
    created_at: datetime


class CommentView(View):
    """What was said (`kind` comment) or done (`kind` status) about an issue; `queued` while the issue is not written yet."""

    id: str
    kind: str
    author: str
    content: str
    created_at: datetime
    queued: bool = False


def issue_view(issue: Issue) -> IssueView:
    """Return a written issue as its readers see it."""
    return IssueView(
        **_outline(issue),
        description=issue.description,
        reporter=issue.reporter,
        status_at=issue.status_at,
        created_at=issue.created_at,
    )


def issue_summary(issue: Issue) -> IssueSummary:
    """Return an issue as lists show it."""
    return IssueSummary(**_outline(issue))


def queued_view(report: Mapping[str, Any], at: datetime) -> IssueView:
    """Return a report that waits to be written; `report` has the fields of its message."""
    shared = ("title", "description", "type", "component", "reporter", "ticket_number", "message_id", "count")
    return IssueView(
        id=report["temporary_id"],
        status="queued",
        priority=priority_of(report["priority"]),
        tags=report["tags"] or [],
        first_seen=at,
        last_seen=at,
        status_at=at,
        created_at=at,
        **{name: report[name] for name in shared},
    )


def comment_view(comment: IssueComment) -> CommentView:
    """Return a comment as its readers see it."""
    return CommentView(
        id=str(comment.id), kind=comment.kind, author=comment.author, content=comment.content, created_at=comment.created_at
    )


def _outline(issue: Issue) -> dict[str, Any]:
    shared = ("title", "type", "priority", "status", "component", "ticket_number", "message_id", "count")
    columns = {name: getattr(issue, name) for name in (*shared, "first_seen", "last_seen")}
    return {"id": str(issue.id), "tags": json.loads(issue.tags), **columns}
