"""
What a new comment tells others: the clocks that a reply stops, and the people who should read it.

1. A public comment of the requester's or of staff is a reply: the SLA clocks are told its side and its time. Internal notes and
   what programs write are none, and neither is anything imported.
2. Whoever has or had the ticket's work, its owner and, when staff wrote, its requester are told of a public comment; of an
   internal note only staff are, and never the requester, whatever else they are to the ticket.
3. Who is mentioned is told so, instead of that there is a comment; also when a change of the comment mentions them first. Nobody
   is told what they wrote themselves.
4. News of an internal note do not carry its text: a mail leaves our hands, and whoever gets it may have changed roles since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from baton.pipelines.audience import ASSIGNEE, MENTIONED, OWNER, PARTICIPANT, REQUESTER, audience
from baton.pipelines.conversation import HDTS_COORDINATORS, PUBLIC, STAFF, SYSTEM, RoomFacts, comment_id
from baton.pipelines.conversation import REQUESTER as REQUESTER_SIDE
from baton.pipelines.envelope import Message
from baton.pipelines.live_messages import NoteReply
from baton.pipelines.markdown import excerpt
from baton.pipelines.notification_messages import NotifyComment, NotifyMention

#: Longest piece of a comment that a notice shows, in characters.
EXCERPT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A new comment: who wrote what in a room, on which side, for whose eyes, and whom it mentions."""

    number: int
    author: str
    author_name: str
    side: str
    visibility: str
    body: str
    mentions: tuple[str, ...]
    written_at: datetime


def comment_event(ticket_number: str, number: int) -> str:
    """Return what people are told of a comment by, and what takes it back."""
    return f"comment:{comment_id(ticket_number, number)}"


def about_comment(room: RoomFacts, comment: Written, *, notices: bool) -> list[Message]:
    """Return what is announced about a new comment; `notices` says whether people are told through notifications."""
    found: list[Message] = []
    if comment.visibility == PUBLIC and comment.side != SYSTEM:
        found.append(
            NoteReply(
                ticket_number=room.ticket_number,
                comment_id=comment_id(room.ticket_number, comment.number),
                side=comment.side,
                author=comment.author,
                written_at=comment.written_at.isoformat(),
            )
        )
    if notices:
        found += _notices(room, comment)
    return found


def about_new_mentions(room: RoomFacts, comment: Written) -> list[Message]:
    """Return what is announced when a comment that is changed mentions these people for the first time."""
    # Under the comment's own event: whoever was told of the comment is not told again, and deleting it takes this back too.
    author = _recipient(comment.author)
    people = audience("mention", {MENTIONED: map(_recipient, comment.mentions)})
    return [_notice(NotifyMention, "mention", person, MENTIONED, room, comment) for person in people if person != author]


def _notices(room: RoomFacts, comment: Written) -> list[Message]:
    requester = _recipients_of_requester(room)
    author = _recipient(comment.author)
    # The requester is one person, as an employee and as a user: neither is told of what the other wrote.
    silent = {author, *(requester if comment.side == REQUESTER_SIDE else ())}
    mentioned = [each for each in audience("mention", {MENTIONED: map(_recipient, comment.mentions)}) if each not in silent]
    told: list[Message] = [_notice(NotifyMention, "mention", person, MENTIONED, room, comment) for person in mentioned]
    staff: Mapping[str, Iterable[str | None]] = {
        ASSIGNEE: sorted(room.assignees or {}),
        OWNER: [room.owner],
        PARTICIPANT: sorted(room.people),
    }
    done = {*silent, *mentioned, *requester}
    told += [
        _notice(NotifyComment, "comment_added", person, reason, room, comment)
        for person, reason in audience("comment_added", staff).items()
        if person not in done
    ]
    if comment.visibility == PUBLIC and comment.side == STAFF and not {author, *mentioned} & set(requester):
        answered = audience("reply", {REQUESTER: requester[:1]})
        told += [_notice(NotifyComment, "reply", person, REQUESTER, room, comment) for person in answered]
    return told


def _notice(
    kind: type[NotifyComment] | type[NotifyMention], of_type: str, person: str, reason: str, room: RoomFacts, comment: Written
) -> NotifyComment | NotifyMention:
    number, name = room.ticket_number, comment.author_name or "Somebody"
    deed = "mentioned you" if of_type == "mention" else "answered" if of_type == "reply" else "commented"
    if comment.visibility == PUBLIC:
        subject, text = f"{number}: {name} {deed}", f"{name} wrote: {excerpt(comment.body, EXCERPT)}"
    else:
        subject = f"{number}: {name} {'mentioned you in' if of_type == 'mention' else 'wrote'} an internal note"
        text = f"{name} wrote an internal note on ticket {number}. Open the ticket to read it."
    return kind(
        user_id=person,
        subject=subject,
        message=text,
        notification_type=of_type,
        related_ticket_number=number,
        metadata={
            "event": comment_event(number, comment.number),
            "comment_id": comment_id(number, comment.number),
            "comment_number": comment.number,
            "visibility": comment.visibility,
            "author": comment.author,
            "author_name": comment.author_name,
            "reason": reason,
            # Whoever of these works no more, in whatever role, is not told; a requester needs no role.
            **({"roles": ["tts:*", *HDTS_COORDINATORS]} if person not in _recipients_of_requester(room) else {}),
        },
    )


def _recipients_of_requester(room: RoomFacts) -> tuple[str, ...]:
    """Return the names under which notifications know the requester: as an employee, or as a user."""
    found = [f"employee:{room.requester_employee_id}"] if room.requester_employee_id else []
    return (*found, room.requester_user_id) if room.requester_user_id else tuple(found)


def _recipient(subject: str) -> str:
    """Return a subject as notifications name people: staff by user id, employees as `employee:ID`."""
    return subject.removeprefix("user:")
