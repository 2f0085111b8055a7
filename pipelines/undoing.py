"""
What undoes what: a mail that has not left says nothing any more once its opposite has happened.

1. Work that was given and taken away again was never given, as far as mails go; nor was work taken away that came back.
2. A ticket's newest status takes the place of those not mailed yet. Where it is back at the status that the requester was mailed
   last (or had before), there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_STATUS = frozenset({"status_changed", "resolution"})
#: Type -> the types that it undoes, for the same person and item.
_WORK: Mapping[str, frozenset[str]] = {
    "task_transfer_out": frozenset({"task_assignment", "task_transfer_in"}),
    "task_transfer_in": frozenset({"task_transfer_out"}),
}
#: Types for which pending mails must be looked at.
UNDOING = frozenset({*_WORK, *_STATUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """A notification whose mail has not left: `key` names it for the caller, `detail` is its metadata."""

    key: Any
    recipient: str
    type: str
    ticket_number: str | None
    task_item_id: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Undone:
    """The keys of the mailings that are not to be mailed, whether the news itself is, and what to add to its metadata."""

    keys: frozenset[Any] = frozenset()
    mailed: bool = True
    detail: Mapping[str, Any] | None = None


def undo(news: Mailing, waiting: Iterable[Mailing]) -> Undone:
    """Return what the news undoes of the mailings that wait, oldest first (rules 1 and 2)."""
    found = [each for each in waiting if _undoes(news, each)]
    if not found:
        return Undone()
    keys = frozenset(each.key for each in found)
    if news.type in _WORK:
        return Undone(keys, mailed=False)
    before = found[0].detail.get("mailed_status", found[0].detail.get("from"))
    if before is not None and before == news.detail.get("to"):
        return Undone(keys, mailed=False)
    return Undone(keys, detail={"mailed_status": before})


def _undoes(news: Mailing, earlier: Mailing) -> bool:
    if news.recipient != earlier.recipient or news.ticket_number is None or news.ticket_number != earlier.ticket_number:
        return False
    if news.type in _STATUS:
        return earlier.type in _STATUS
    same_item = news.task_item_id is not None and news.task_item_id == earlier.task_item_id
    return same_item and earlier.type in _WORK.get(news.type, frozenset())
