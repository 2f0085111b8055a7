"""
Reading and writing issues: reports are folded into issues, comments and changes of status are kept once.

What a report does to an issue is decided by the caller's rule; this module locks, asks the rule, and stores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from baton.models.database import is_sqlite
from baton.models.issues.tables import Issue, IssueComment, IssueReport, IssueTag

#: The columns that a further report may change.
CHANGEABLE = (
    "description", "priority", "status", "status_at", "tags", "ticket_number", "message_id", "count", "first_seen", "last_seen",
)  # fmt: skip


class Reported(Protocol):
    """What `record` needs to know of a report besides what its rule reads."""

    @property
    def temporary_id(self) -> str: ...
    @property
    def fold_key(self) -> str: ...
    @property
    def ticket_number(self) -> str | None: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def count(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def reporter(self) -> str: ...
    def columns(self) -> dict[str, Any]: ...


#: An issue's CHANGEABLE columns (tags as a list) and a report -> the columns afterwards, and what to note about it or None.
Rule = Callable[[dict[str, Any], Any], tuple[dict[str, Any], tuple[str, str] | None]]


def keep_report(temporary_id: str, content: Mapping[str, Any], now: datetime) -> None:
    """A report is known under its temporary id, and waits to be written."""
    IssueReport.insert(temporary_id=temporary_id, content=json.dumps(content), occurred_at=now).execute()


def find_report(temporary_id: str) -> IssueReport | None:
    """Return the report of this temporary id, None when it was never heard of."""
    return IssueReport.get_or_none(IssueReport.temporary_id == temporary_id)


def issue_id_of(report: IssueReport) -> int | None:
    """Return the issue that a report is part of; None while it waits to be written."""
    found: int | None = report.__data__["issue"]
    return found


def issue_ids(temporary_ids: Sequence[str]) -> dict[str, int]:
    """Return the issues that these temporary ids name; those that are not written yet are missing."""
    if not temporary_ids:
        return {}
    query: Any = IssueReport.select(IssueReport.temporary_id, IssueReport.issue)
    written = IssueReport.temporary_id.in_(list(temporary_ids)) & IssueReport.issue.is_null(False)
    return dict(query.where(written).tuples())


def lock(issue_id: int) -> Issue | None:
    """Return an issue, its row locked; None when there is none."""
    return lock_all([issue_id]).get(issue_id)


def lock_all(issue_ids: Iterable[int]) -> dict[int, Issue]:
    """Return these issues by id, their rows locked; those that do not exist are missing."""
    return {issue.id: issue for issue in _locked(Issue.select().where(Issue.id.in_(sorted(set(issue_ids)))))}


def known(issue_ids: Iterable[int]) -> set[int]:
    """Return which of these issues there are."""
    query: Any = Issue.select(Issue.id).where(Issue.id.in_(sorted(set(issue_ids))))
    return {row[0] for row in query.tuples()}


def record(reports: Sequence[Reported], rule: Rule, now: datetime) -> dict[str, int]:
    """
    Fold every report into the issue it is about, made if need be; return the issue ids by temporary id.

    A report that was written before changes nothing.
    """
    known = issue_ids([report.temporary_id for report in reports])
    fresh = {report.temporary_id: report for report in reports if report.temporary_id not in known}
    if not fresh:
        return known
    issues = _claim(sorted(fresh.values(), key=lambda report: (report.fold_key, report.occurred_at)), now)
    for report in fresh.values():
        if not _attach(report, issues[report.fold_key].id):
            continue
        issue = issues[report.fold_key]
        before = {name: getattr(issue, name) for name in CHANGEABLE} | {"tags": json.loads(issue.tags)}
        after, note = rule(before, report)
        _change(issue, before, after)
        if note is not None:
            kind, text = note
            add_comment(issue.id, report.temporary_id, report.reporter, text, report.occurred_at, kind)
    return known | {temporary_id: issues[report.fold_key].id for temporary_id, report in fresh.items()}


def _claim(reports: Sequence[Reported], now: datetime) -> dict[str, Issue]:
    """Return the issues of these reports by fold key, locked; new ones count nothing yet."""
    missing: dict[str, Reported] = {}
    for report in reports:
        missing.setdefault(report.fold_key, report)
    found: dict[str, Issue] = {}
    while missing:
        # Between the two statements somebody may close an issue and so release its key: then there is room for a new one.
        rows = [{**report.columns(), "created_at": now, "count": 0} for report in missing.values()]
        Issue.insert_many(rows).on_conflict_ignore().execute()
        query = Issue.select().where(Issue.fold_key.in_(sorted(missing)))
        found |= {str(issue.fold_key): issue for issue in _locked(query)}
        missing = {key: report for key, report in missing.items() if key not in found}
    return found


def _attach(report: Reported, issue_id: int) -> bool:
    """Have the report's temporary id name its issue; return False when it named one before."""
    values = {
        "issue": issue_id, "content": "", "count": report.count, "occurred_at": report.occurred_at,
        "ticket_number": report.ticket_number, "message_id": report.message_id,
    }  # fmt: skip
    statement = IssueReport.insert(temporary_id=report.temporary_id, **values).on_conflict(
        conflict_target=[IssueReport.temporary_id], update=values, where=IssueReport.issue.is_null()
    )
    return bool(list(statement.returning(IssueReport.temporary_id).tuples().execute()))


def _change(issue: Issue, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    changes = {name: value for name, value in after.items() if before[name] != value}
    if "tags" in changes or not before["count"]:
        tags = [{"tag": tag, "issue": issue.id} for tag in after["tags"]]
        if tags:
            IssueTag.insert_many(tags).on_conflict_ignore().execute()
        changes["tags"] = json.dumps(after["tags"])
    if changes:
        Issue.update(changes).where(Issue.id == issue.id).execute()
    for name, value in changes.items():
        setattr(issue, name, value)


def change_status(issue: Issue, status: str, at: datetime, *, takes_more: bool) -> None:
    """
    A locked issue has this status since then. `takes_more`: whether further reports like it still belong to it, which they
    cannot when a newer issue has taken that place.
    """
    key = issue.fingerprint if takes_more else None
    if key is not None and Issue.select().where(Issue.fold_key == key, Issue.id != issue.id).exists():
        key = None
    Issue.update(status=status, status_at=at, fold_key=key).where(Issue.id == issue.id).execute()
    issue.status, issue.status_at, issue.fold_key = status, at, key


def add_comment(issue_id: int, key: str, author: str, content: str, at: datetime, kind: str = "comment") -> IssueComment | None:
    """Keep a comment; return it, or None when one with this key is there already."""
    values = {"issue": issue_id, "key": key, "author": author, "content": content, "created_at": at, "kind": kind}
    rows = list(IssueComment.insert(**values).on_conflict_ignore().returning(IssueComment.id).tuples().execute())
    return IssueComment(id=rows[0][0], **values) if rows else None


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return what was reported about a ticket, oldest first: `at`, `service`, `event`, `detail` (one line)."""
    query: Any = (
        IssueReport.select(IssueReport.occurred_at, IssueReport.count, Issue.id, Issue.title, Issue.status)
        .join(Issue)
        .where(IssueReport.ticket_number == ticket_number)
        .order_by(IssueReport.occurred_at)
        .limit(1_000)
    )
    return [
        {
            "at": row["occurred_at"],
            "service": "issues",
            "event": "issue",
            "detail": " ".join(f"{row['id']} ({row['status']}): {row['title']}".split()),
        }
        for row in query.dicts()
    ]


def _locked(query: Any) -> Any:
    """Lock issues in one order everywhere, so that two batches cannot block each other; comments may still refer to them."""
    if is_sqlite(Issue._meta.database):  # a write transaction is alone anyway
        return query
    return query.order_by(Issue.fingerprint, Issue.id).for_update("FOR NO KEY UPDATE")
