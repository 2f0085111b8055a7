"""
How reports become issues.

1. A report bears a temporary id; the same one twice is one report.
2. Reports of the same thing are one issue, with a count: faults of the runtime by kind of exception, the functions it passed
   through and the component; reports by hand by title and component.
3. A fault belongs to its issue for ever: when it happens again after that was closed, the issue is open again. A report by
   hand belongs to an issue that is still open; else it is a new one.
4. The highest priority reported counts. The newest report says which ticket and message to look at.
5. A change of status that is older than the present status is ignored: news arrive in any order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from baton.pipelines.messages import RecordIssue

OPEN, IN_PROGRESS, RESOLVED, CLOSED = "open", "in_progress", "resolved", "closed"
STATUSES = (OPEN, IN_PROGRESS, RESOLVED, CLOSED)
#: Statuses of an issue that nobody works on any more.
ENDED = (RESOLVED, CLOSED)
PRIORITIES = ("Low", "Medium", "High", "Critical")
DEFAULT_PRIORITY, DEFAULT_TYPE = "Medium", "bug"
#: Longest texts and lists, in characters and items.
LONGEST = {"title": 500, "description": 100_000, "type": 50, "component": 255, "reporter": 300}
LONGEST |= dict.fromkeys(("ticket_number", "message_id"), 255)
MOST_TAGS, LONGEST_TAG = 20, 100
#: Most occurrences that one report stands for.
MOST_OCCURRENCES = 1_000_000_000

_PRIORITY_OF = {name.lower(): name for name in PRIORITIES} | {"urgent": "Critical"}
_TEMPORARY = re.compile(r"temp-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+|\b\d+\b")
_ROOTS = re.compile(r".*(?:/site-packages/|/dist-packages/|/lib/python\d[\d.]*/|/(?=baton/))")


class ReportError(Exception):
    """The report cannot be an issue; the text names the field and what is wrong with it. It will not get better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that can be written. `fold_key` says which issue it belongs to; `count` how many occurrences it stands for."""

    temporary_id: str
    fold_key: str
    title: str
    description: str
    type: str
    priority: str
    tags: tuple[str, ...]
    component: str
    reporter: str
    ticket_number: str | None
    message_id: str | None
    count: int
    occurred_at: datetime

    def columns(self) -> dict[str, Any]:
        """Return the columns of the issue that this report would begin; tags come with the first count."""
        return {
            "fold_key": self.fold_key, "fingerprint": self.fold_key, "title": self.title, "description": self.description,
            "type": self.type, "priority": self.priority, "status": OPEN, "component": self.component,
            "reporter": self.reporter, "ticket_number": self.ticket_number, "message_id": self.message_id,
            "status_at": self.occurred_at, "first_seen": self.occurred_at, "last_seen": self.occurred_at,
        }  # fmt: skip


def read_report(message: RecordIssue, now: datetime) -> Report:
    """
    Return what a message reports. What happened in the future happened now.

    Raises:
        ReportError: a field cannot be accepted.
    """
    if not is_temporary(message.temporary_id):
        raise ReportError("temporary_id: must be temp- and a UUID in lower case")
    for field, longest in LONGEST.items():
        _check_text(field, getattr(message, field) or "", longest)
    if not message.title.strip():
        raise ReportError("title: must not be blank")
    if not 1 <= message.count <= MOST_OCCURRENCES:
        raise ReportError("count: must be positive")
    tags = tuple(dict.fromkeys(tag.strip() for tag in message.tags or () if tag.strip()))
    if len(tags) > MOST_TAGS:
        raise ReportError(f"tags: at most {MOST_TAGS}")
    for tag in tags:
        _check_text("tags", tag, LONGEST_TAG)
    if message.fingerprint is not None and not re.fullmatch(r"fault:[0-9a-f]{32}", message.fingerprint):
        raise ReportError("fingerprint: must be fault: and 32 hexadecimal digits")
    return Report(
        temporary_id=message.temporary_id,
        fold_key=message.fingerprint or fingerprint_of_report(message.title, message.component),
        title=message.title,
        description=message.description,
        type=message.type.strip() or DEFAULT_TYPE,
        priority=priority_of(message.priority),
        tags=tags,
        component=message.component,
        reporter=message.reporter,
        ticket_number=message.ticket_number,
        message_id=message.message_id,
        count=message.count,
        occurred_at=min(read_instant("occurred_at", message.occurred_at, now), now),
    )


def absorb(issue: Mapping[str, Any], report: Report) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """
    Return the changeable columns of an issue after one more report (rules 3 and 4), and what to note about it: kind and text.

    An issue with count 0 has just been begun by this report.
    """
    newest = not issue["count"] or report.occurred_at >= issue["last_seen"]
    after = {
        **issue,
        "count": issue["count"] + report.count,
        "first_seen": min(issue["first_seen"], report.occurred_at),
        "last_seen": max(issue["last_seen"], report.occurred_at),
        "priority": max(issue["priority"], report.priority, key=PRIORITIES.index),
        "tags": list(dict.fromkeys([*issue["tags"], *report.tags]))[:MOST_TAGS],
    }
    if newest:
        after["ticket_number"] = report.ticket_number or issue["ticket_number"]
        after["message_id"] = report.message_id or issue["message_id"]
    if issue["status"] in ENDED and report.occurred_at > issue["status_at"]:
        after |= {"status": OPEN, "status_at": report.occurred_at, "description": report.description}
        return after, ("status", f"{issue['status']} -> {OPEN}: it happened again")
    differs = report.description.strip() and report.description != issue["description"]
    return after, ("comment", report.description) if differs and not is_fault(report.fold_key) else None


def is_news(status_at: datetime, changed_at: datetime) -> bool:
    """Whether a change of status is newer than what the issue has (rule 5)."""
    return changed_at > status_at


def takes_more(fingerprint: str, status: str) -> bool:
    """Whether further reports belong to an issue of this fingerprint and status (rule 3)."""
    return is_fault(fingerprint) or status not in ENDED


def is_fault(fingerprint: str) -> bool:
    """Whether a fingerprint is that of a fault of the runtime, rather than of a report by hand."""
    return fingerprint.startswith("fault:")


def fingerprint_of_report(title: str, component: str) -> str:
    """Return the fingerprint of a report by hand: title and component, whatever their case and spacing."""
    return "title:" + _digest(" ".join(text.casefold().split()) for text in (title, component))


def fingerprint_of_fault(exception: str, frames: Iterable[tuple[str, str]], component: str) -> str:
    """
    Return the fingerprint of a fault: the exception's full name, the frames it passed through (file, function), the component.

    Frames are compared by file and function, not by line, directory or memory address; one that recurs (a recursion) counts once.
    """
    normal = dict.fromkeys(f"{normal_file(file)}:{_ADDRESS.sub('', function)}" for file, function in frames)
    return "fault:" + _digest([exception, component, *normal])


def normal_file(path: str) -> str:
    """Return a source file's path as it is on every machine: from the package on, else its last three parts."""
    path = path.replace("\\", "/")
    short = _ROOTS.sub("", path, count=1)
    return _ADDRESS.sub("", short if short != path else "/".join(path.split("/")[-3:]))


def priority_of(text: str) -> str:
    """Return the priority that a word names, whatever its case; raises ReportError when it is none."""
    found = _PRIORITY_OF.get(text.strip().lower() or DEFAULT_PRIORITY.lower())
    if found is None:
        raise ReportError(f"priority: must be one of {', '.join(PRIORITIES)}")
    return found


def is_temporary(reference: str) -> bool:
    """Whether a reference has the form of a temporary id."""
    return _TEMPORARY.match(reference) is not None


def real_id(reference: str) -> int | None:
    """Return the id that a reference names, if it has the form of a real one."""
    if not (reference.isascii() and reference.isdigit()) or len(reference) > 19 or not 0 < int(reference) < 2**63:
        return None
    return int(reference)


def read_instant(field: str, text: str | None, default: datetime) -> datetime:
    """Return the instant that a text names; raises ReportError when it names none."""
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("it has no offset")
        return found.astimezone(default.tzinfo)
    except (ValueError, OverflowError) as error:
        raise ReportError(f"{field}: not an instant: {error}") from None


def _check_text(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise ReportError(f"{field}: longer than {longest:,} characters")
    if _UNSTORABLE.search(text):
        raise ReportError(f"{field}: contains the NUL character or a lone surrogate")


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
