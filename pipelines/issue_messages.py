"""The part of the catalogue that is about issues: reports, comments and changes of status, for the issue tracker."""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.envelope import Message

#: Every service reports what goes wrong in it.
_SERVICES = ("auth", "helpdesk", "tickets", "workflow", "issues")


@dataclass(frozen=True, kw_only=True)
class RecordIssue(Message):
    """
    Command: keep a report of something that is wrong; its temporary id names the issue from then on. Twice is once.

    `fingerprint` is that of a fault of the runtime (`pipelines.issues`), left out for reports by hand. `count` is how many
    occurrences it stands for, `occurred_at` (ISO 8601) when the last of them was.
    """

    name = "issues.record_issue"
    queue = "issues"
    senders = _SERVICES
    receiver = "issues"

    temporary_id: str
    title: str
    description: str = ""
    type: str = "bug"
    priority: str = "Medium"
    tags: list[str] | None = None
    component: str = ""
    reporter: str = ""
    fingerprint: str | None = None
    ticket_number: str | None = None
    message_id: str | None = None
    count: int = 1
    occurred_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddIssueComment(Message):
    """
    Command: keep a comment on an issue, named by its real id or a temporary one. One that overtakes its issue waits for it.

    `comment_id` is the sender's: the same one twice is one comment.
    """

    name = "issues.add_comment"
    queue = "issues"
    senders = _SERVICES
    receiver = "issues"

    issue_id: str
    comment_id: str
    content: str
    author: str = ""
    written_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateIssueStatus(Message):
    """
    Command: give an issue a status. The newest `changed_at` (ISO 8601) wins, in whatever order they arrive; one that overtakes
    its issue waits for it.
    """

    name = "issues.update_status"
    queue = "issues"
    senders = _SERVICES
    receiver = "issues"

    issue_id: str
    status: str
    changed_at: str
    author: str = ""
    reason: str = ""
