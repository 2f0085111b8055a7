"""
Who is in a ticket's room now, over all processes, and who is typing.

Staff see everybody by name. Requesters see whether staff are there, not who: who looks at a ticket, and when, is the staff's own
affair until they say something. Somebody typing an internal note is shown to those who see internal notes.

Each process tells the others who is in its part of the room when that changes, and every REFRESH_SECONDS; what is not refreshed
is forgotten, so that a killed process leaves no ghosts. All of it lives in memory and in signals: losing it costs a stale dot.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from baton.http.socket_line import frame_of
from baton.models.live import Signal, hub
from baton.pipelines.conversation import REQUESTER, Viewer
from baton.pipelines.permissions import Principal

#: Seconds after which a process tells again who is there, and after which it is forgotten.
REFRESH_SECONDS, FORGET_SECONDS = 20.0, 50.0
#: Comings and goings within so many seconds are told together.
GATHER_SECONDS = 0.2
#: This process among those that tell.
PROCESS = uuid.uuid4().hex[:12]

Person = tuple[str, str, str]


@dataclass(frozen=True)
class Notice:
    """What somebody in the room is told of the others: `message`, of type `presence` or `typing`."""

    message: dict[str, Any]

    @cached_property
    def frame(self) -> bytes:
        """The message as a WebSocket frame."""
        return frame_of(self.message)


class Present(Protocol):
    """A member of the room, as far as presence goes."""

    viewer: Viewer

    def show(self, notice: Notice) -> None:
        """Pass a notice on."""


class Presence:
    """Who is in one room. `due` is when `hear` has something to do without being told."""

    def __init__(self, topic: str) -> None:
        self.due = float("inf")
        self._topic = topic
        self._here: Counter[Person] = Counter()
        self._people: dict[str, Person] = {}
        #: Process -> until when it counts, and whom it has.
        self._elsewhere: dict[str, tuple[float, tuple[Person, ...]]] = {}
        self._shown: frozenset[Person] = frozenset()
        self._new = False

    def came(self, viewer: Viewer, principal: Principal) -> None:
        """Somebody joined: everybody here is told soon who is here; other processes are asked for theirs."""
        person = (viewer.subject, principal.name, viewer.side)
        if not self._here:
            hub.signal([Signal(self._topic, {"from": PROCESS, "who": True})])
        self._people[viewer.subject] = person
        self._here[person] += 1
        self._new = True
        self._soon()

    def went(self, viewer: Viewer) -> None:
        """Somebody left."""
        person = self._people.get(viewer.subject)
        if person is not None:
            self._here[person] -= 1
            if self._here[person] <= 0:
                del self._here[person], self._people[viewer.subject]
        self._soon()

    def typing(self, viewer: Viewer, principal: Principal, *, active: bool, internal: bool) -> None:
        """Somebody here types, or stopped."""
        tell_typing(self._topic, viewer, principal, active=active, internal=internal)

    def hear(self, signals: Iterable[Signal], members: Collection[Present]) -> None:
        """Take in what processes told, and tell the members what has changed."""
        now = time.monotonic()
        for signal in signals:
            payload = signal.payload
            if "typing" in payload:
                _show_typing(payload["typing"], members)
            elif payload.get("from") not in (None, PROCESS):
                if "here" in payload:
                    people = tuple((str(each[0]), str(each[1]), str(each[2])) for each in payload["here"])
                    self._elsewhere[payload["from"]] = (now + FORGET_SECONDS, people)
                if payload.get("who"):
                    self._tell_others()
                self._soon(0.0)
        if now < self.due:
            return
        self._elsewhere = {name: each for name, each in self._elsewhere.items() if each[0] > now and each[1]}
        self._show(members)
        self._tell_others()
        self.due = now + REFRESH_SECONDS

    def close(self) -> None:
        """Tell the others that nobody is here any more."""
        self._here.clear()
        self._tell_others()

    def _soon(self, seconds: float = GATHER_SECONDS) -> None:
        self.due = min(self.due, time.monotonic() + seconds)

    def _tell_others(self) -> None:
        hub.signal([Signal(self._topic, {"from": PROCESS, "here": [list(person) for person in self._here]})])

    def _show(self, members: Collection[Present]) -> None:
        people = frozenset([*self._here, *(person for _, some in self._elsewhere.values() for person in some)])
        if people == self._shown and not self._new:
            return
        self._shown, self._new = people, False
        sides = {side for _, _, side in people}
        named = [{"id": subject, "name": name, "side": side} for subject, name, side in sorted(people)]
        for_staff = Notice({"type": "presence", "people": named})
        counted = {"staff": bool(sides - {REQUESTER}), "requester": REQUESTER in sides}
        for_requester = Notice({"type": "presence", **counted})
        for member in list(members):
            member.show(for_requester if member.viewer.side == REQUESTER else for_staff)


def tell_typing(topic: str, viewer: Viewer, principal: Principal, *, active: bool, internal: bool) -> None:
    """Tell a ticket's rooms, in every process, that somebody types, or stopped."""
    payload = {"who": [viewer.subject, principal.name, viewer.side], "active": active, "internal": internal}
    hub.signal([Signal(topic, {"typing": payload})])


def _show_typing(told: Any, members: Collection[Present]) -> None:
    subject, name, side = told["who"]
    message = {"type": "typing", "side": side, "active": bool(told["active"])}
    for_staff = Notice({**message, "id": subject, "name": name, "internal": bool(told["internal"])})
    for_requester = Notice(message)
    for member in list(members):
        if member.viewer.subject == subject or (told["internal"] and not member.viewer.sees_internal):
            continue
        member.show(for_requester if member.viewer.side == REQUESTER else for_staff)
