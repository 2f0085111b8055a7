"""Reading a ticket's conversation: the stream, one entry, what it said before, and who takes part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_json

from baton.http.api import Call, Forbidden, Reply
from baton.http.messaging.seeing import Seen, find_seen, seen_entry
from baton.http.messaging.views import (
    EntryView,
    ParticipantsView,
    ParticipantView,
    RevisionsView,
    RevisionView,
    StreamQuery,
    StreamView,
    TalkView,
    entry_dicts,
    entry_view,
)
from baton.models.database import read_tx
from baton.models.messaging import changes, stream
from baton.pipelines.conversation import INTERNAL, PUBLIC, REQUESTER, STAFF, mentionable, requester_subjects


def list_entries(call: Call, query: StreamQuery) -> StreamView:
    """Entries of a ticket's stream that the caller sees: after a number, before one, or the newest."""
    return StreamView(**_entries(find_seen(call.principal, call.params["ticket_number"]), query))


def read_talk(call: Call, query: StreamQuery) -> TalkView:
    """The same entries, and who takes part: what a page about the ticket shows, in one answer."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    return TalkView(**_entries(seen, query), side=seen.viewer.side, internal=seen.viewer.sees_internal, people=_people(seen))


def _entries(seen: Seen, query: StreamQuery) -> dict[str, Any]:
    number = seen.room.ticket_number
    forward = query.since is not None
    if query.since is not None:
        found = stream.read_since(number, query.since, seen.viewer, query.limit + 1, text=query.q)
        shown = found[: query.limit]
        following: int | None = shown[-1].number if shown else query.since
    else:
        found = stream.read_before(number, query.before, seen.viewer, query.limit + 1, text=query.q)
        shown = found[-query.limit :]
        following = shown[0].number if len(found) > len(shown) else None
    return {
        "items": [EntryView(**each) for each in entry_dicts(shown, seen.viewer)],
        "more": len(found) > len(shown),
        "next": following if forward or len(found) > len(shown) else None,
        "last_number": seen.room.last_number,
    }


def read_entry(call: Call) -> Reply:
    """One entry; its version is the ETag."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    entry = seen_entry(call, seen)
    return Reply(entry_view(entry, seen.viewer), etag=entry.version)


def read_revisions(call: Call) -> RevisionsView:
    """What a comment said before it was changed or deleted: for the staff who see it, and nobody on the requester's side."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    entry = seen_entry(call, seen)
    if seen.viewer.side == REQUESTER:
        raise Forbidden("what a comment said before is shown to staff only")
    return RevisionsView(number=entry.number, items=[RevisionView(**row) for row in changes.revisions(entry)])


def read_participants(call: Call) -> ParticipantsView:
    """Who takes part in the conversation and may be mentioned, and how the caller stands in it."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    return ParticipantsView(side=seen.viewer.side, internal=seen.viewer.sees_internal, items=_people(seen))


def export_entries(call: Call) -> Reply:
    """The whole conversation as the caller sees it, a JSON object per line, oldest first; read in pages, so of any length."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    name = f"{seen.room.ticket_number}-conversation.jsonl"
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-._") else "_" for each in name)
    return Reply(stream=_lines(call.service, seen), headers={"Content-Disposition": f'attachment; filename="{safe}"'})


def _lines(service: str, seen: Seen) -> Iterator[bytes]:
    last = 0
    while True:
        with read_tx(service):
            entries = stream.read_since(seen.room.ticket_number, last, seen.viewer)
            lines = [to_json(each) + b"\n" for each in entry_dicts(entries, seen.viewer)]
        if not lines:
            return
        last = entries[-1].number
        yield b"".join(lines)


def _people(seen: Seen) -> list[ParticipantView]:
    names = stream.author_names(seen.room.ticket_number, None if seen.viewer.sees_internal else PUBLIC)
    names |= {f"user:{user}": name for user, name in (seen.facts.assignees or {}).items() if name}
    requester = requester_subjects(seen.facts)
    names |= dict.fromkeys(requester, seen.facts.requester_name or "")
    everybody = {*mentionable(seen.facts, PUBLIC), *mentionable(seen.facts, INTERNAL)}
    return [
        ParticipantView(id=subject, name=names.get(subject, ""), side=REQUESTER if subject in requester else STAFF)
        for subject in sorted(everybody)
    ]
