"""
Conversation: who sees a ticket's room, on which side they stand, and what may be written there.

1. The requester of a ticket sees its public conversation: the employee it was filed for, or whoever the ticket names by user id
   or e-mail address. An employee is known by number; by address only where the ticket names no number.
2. Staff see the room of a ticket they work or worked on, own, or whose roles they hold; coordinators see every room. An account
   without any role on the workflow side sees none, whatever it did before.
3. The help desk's coordinators see every public conversation and no internal note.
4. Whoever is the requester of a ticket, staff or not, sees no internal note of it.
5. Of services, only operators' programs see anything (imports, checks).
6. Whoever sees a room may write in it, on the side they stand on; internal notes are written by those who see them.
7. Authors change what they wrote; deleting is for the author and for coordinators. What was written before is kept for staff.

Entries of a room are numbered 1, 2, 3 ... over comments, notes and events alike, so that "what came after N" has one answer. A
requester sees gaps; they tell no more than that the staff side is at work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from baton.pipelines.permissions import Principal
from baton.pipelines.work import COORDINATORS, OPERATORS

HDTS_COORDINATORS = ("hdts:Admin", "hdts:Ticket Coordinator")
REQUESTER, STAFF, SYSTEM = "requester", "staff", "system"
SIDES = (REQUESTER, STAFF, SYSTEM)
PUBLIC, INTERNAL = "public", "internal"
COMMENT, EVENT = "comment", "event"
#: Longest comment, in characters of Markdown. Longer texts belong in an attachment.
MAX_BODY = 20_000
#: Most people one comment mentions, and most files it carries.
MAX_MENTIONS = 20
MAX_ATTACHMENTS = 10


class CommentRefusedError(Exception):
    """What was asked for is not allowed in this room; `field` names what is wrong ("" the whole request), the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFacts:
    """What decides about a room: whom the ticket is for, who has or had its work, and the `system:Role` pairs that see it."""

    ticket_number: str
    requester_employee_id: str | None = None
    requester_user_id: str | None = None
    requester_email: str | None = None
    requester_name: str | None = None
    owner: str | None = None
    participants: frozenset[str] = frozenset()
    assignees: Mapping[str, str] | None = None
    roles: frozenset[str] = frozenset()

    @property
    def people(self) -> frozenset[str]:
        """The user ids of staff whom the ticket names."""
        named = {*self.participants, *(self.assignees or {})}
        return frozenset(named | ({self.owner} if self.owner else set()))


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody in a room: on which side, whether internal notes are shown, and whether they may delete what others wrote."""

    subject: str
    side: str
    sees_internal: bool = False
    coordinates: bool = False


def viewer_of(principal: Principal, room: RoomFacts) -> Viewer | None:
    """Return how the principal stands in the room; None when it does not exist for them."""
    if principal.kind == "service":
        seen = principal.id in OPERATORS
        return Viewer(principal.subject, SYSTEM, sees_internal=True, coordinates=True) if seen else None
    if _is_requester(principal, room):
        return Viewer(principal.subject, REQUESTER)
    if principal.kind != "user":
        return None
    if principal.has_role(*COORDINATORS):
        return Viewer(principal.subject, STAFF, sees_internal=True, coordinates=True)
    works = any(role.startswith("tts:") for role in principal.roles)
    if works and (principal.id in room.people or not principal.roles.isdisjoint(room.roles)):
        return Viewer(principal.subject, STAFF, sees_internal=True)
    if principal.has_role(*HDTS_COORDINATORS):
        return Viewer(principal.subject, STAFF)
    return None


@dataclass(frozen=True, slots=True)
class Eyes:
    """What `viewer_of` asks of a principal, without a room: how a search over all rooms is limited to what they may see."""

    everything: bool = False
    leads: bool = False
    everything_public: bool = False
    works: bool = False
    employee_id: str | None = None
    user_id: str | None = None
    email: str = ""
    roles: frozenset[str] = frozenset()


def eyes_of(principal: Principal) -> Eyes | None:
    """Return how far the principal sees over all rooms; None when there is no room for them at all."""
    email = (principal.email or "").casefold()
    if principal.kind == "service":
        return Eyes(everything=True) if principal.id in OPERATORS else None
    if principal.kind == "employee":
        return Eyes(employee_id=principal.id, email=email)
    if principal.kind != "user":
        return None
    return Eyes(
        leads=principal.has_role(*COORDINATORS),
        everything_public=principal.has_role(*HDTS_COORDINATORS),
        works=any(role.startswith("tts:") for role in principal.roles),
        user_id=principal.id,
        email=email,
        roles=principal.roles,
    )


def may_see(principal: Principal, room: RoomFacts) -> bool:
    """Whether the room exists for the principal."""
    return viewer_of(principal, room) is not None


def side_of(principal: Principal, room: RoomFacts) -> str | None:
    """Return the side on which the principal writes in the room, None when they may not see it."""
    viewer = viewer_of(principal, room)
    return viewer.side if viewer else None


def may_see_entry(viewer: Viewer, visibility: str) -> bool:
    """Whether the viewer of a room sees its entries of this visibility."""
    return visibility == PUBLIC or (visibility == INTERNAL and viewer.sees_internal)


def decide_comment(
    viewer: Viewer, room: RoomFacts, *, body: str, visibility: str, mentions: Iterable[str] = (), attachments: int = 0
) -> tuple[str, ...]:
    """
    Return whom a new comment mentions, as subjects, each once.

    Raises:
        CommentRefusedError: it may not be written so.
    """
    if visibility not in (PUBLIC, INTERNAL):
        raise CommentRefusedError("visibility", "must be public or internal")
    if not may_see_entry(viewer, visibility):
        raise CommentRefusedError("visibility", "internal notes are written by the staff who work on the ticket")
    if attachments > MAX_ATTACHMENTS:
        raise CommentRefusedError("attachments", f"at most {MAX_ATTACHMENTS} files go with one comment")
    check_body(body, attachments)
    return check_mentions(room, visibility, mentions)


def check_body(body: str, attachments: int = 0) -> None:
    """Raise CommentRefusedError unless the text can be a comment: something is said or attached, and it is not too long."""
    if not body.strip() and not attachments:
        raise CommentRefusedError("body", "must not be blank")
    if len(body) > MAX_BODY:
        raise CommentRefusedError("body", f"must have at most {MAX_BODY} characters; attach longer texts as a file")


def check_mentions(room: RoomFacts, visibility: str, mentions: Iterable[str]) -> tuple[str, ...]:
    """Return the mentioned subjects, each once; raises CommentRefusedError for one who is not in the room or may not see it."""
    wanted = tuple(dict.fromkeys(mentions))
    if len(wanted) > MAX_MENTIONS:
        raise CommentRefusedError("mentions", f"at most {MAX_MENTIONS} people are mentioned in one comment")
    there = set(mentionable(room, visibility))
    for number, subject in enumerate(wanted):
        if subject not in there:
            raise CommentRefusedError(f"mentions.{number}", "is nobody who may be mentioned here; GET participants lists them")
    return wanted


def mentionable(room: RoomFacts, visibility: str) -> tuple[str, ...]:
    """Return who may be mentioned in such an entry, as subjects: the ticket's staff, and its requester if it is public."""
    requester = requester_subjects(room)
    staff = tuple(f"user:{user}" for user in sorted(room.people) if f"user:{user}" not in requester)
    return staff + requester if visibility == PUBLIC else staff


def requester_subjects(room: RoomFacts) -> tuple[str, ...]:
    """Return the subjects under which the ticket's requester signs in, as far as the ticket names them."""
    found = []
    if room.requester_employee_id:
        found.append(f"employee:{room.requester_employee_id}")
    if room.requester_user_id:
        found.append(f"user:{room.requester_user_id}")
    return tuple(found)


def decide_edit(
    viewer: Viewer, *, author: str, kind: str, deleted: bool, imported: bool, age_seconds: float, within: int
) -> None:
    """
    Raise CommentRefusedError unless the viewer may change the text of an entry they see: only its author, while it stands.

    `within` seconds of writing it; 0 is at any time.
    """
    if kind != COMMENT or imported:
        raise CommentRefusedError("", "only comments written here can be changed")
    if deleted:
        raise CommentRefusedError("", "the comment was deleted")
    if viewer.subject != author:
        raise CommentRefusedError("", "only its author changes a comment")
    if within and age_seconds > within:
        raise CommentRefusedError("", f"a comment can be changed for {within // 60} minutes; write another one")


def decide_deletion(viewer: Viewer, *, author: str, kind: str) -> None:
    """Raise CommentRefusedError unless the viewer may delete an entry they see: their own, or as a coordinator."""
    if kind != COMMENT:
        raise CommentRefusedError("", "events of a ticket stay")
    if viewer.subject != author and not viewer.coordinates:
        raise CommentRefusedError("", "only its author or a coordinator deletes a comment")


def comment_id(ticket_number: str, number: int) -> str:
    """Return the name of an entry outside its room."""
    return f"{ticket_number}:{number}"


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """
    Return what the room's stream shows of a ticket that changed: event kind, text and detail, all public.

    `before` and `after` have `status` and `assignees` (objects with `user_id`, `name`, `step`). Who works on a ticket is told by
    name and step; why it was passed on is for the workflow's history, which staff read there.
    """
    found: list[tuple[str, str, dict[str, Any]]] = []
    if before["status"] != after["status"]:
        detail = {"from": before["status"], "to": after["status"]}
        found.append(("status_changed", f"Status: {before['status']} → {after['status']}", detail))
    if _having(before["assignees"]) != _having(after["assignees"]):
        people = [{"user_id": user, "name": name, "step": step} for user, name, step in _having(after["assignees"])]
        names = ", ".join(f"{each['name'] or each['user_id']} ({each['step']})" for each in people)
        text = f"Now with {names}" if names else "Waiting for somebody to take it"
        found.append(("assignment_changed", text, {"assignees": people}))
    return tuple(found)


def _having(assignees: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    rows = ((str(each.get("user_id") or ""), str(each.get("name") or ""), str(each.get("step") or "")) for each in assignees)
    return sorted(set(rows))


def _is_requester(principal: Principal, room: RoomFacts) -> bool:
    same_address = bool(principal.email and room.requester_email) and (
        principal.email.casefold() == (room.requester_email or "").casefold()
    )
    if principal.kind == "employee":
        if room.requester_employee_id:
            return principal.id == room.requester_employee_id
        return same_address
    if principal.kind == "user":
        return same_address or (room.requester_user_id is not None and principal.id == room.requester_user_id)
    return False
