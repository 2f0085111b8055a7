"""Plays one case of a replay after the other, through the fronts of the help desk and of the workflow side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from baton.pipelines.csv_rows import Row
from baton.pipelines.import_mapping import TicketMapping
from baton.pipelines.importing import ticket_of
from baton.pipelines.replay import Case, Deed, State, Update, impossible, marked_places, next_deed
from baton.pipelines.statuses import FINAL_ITEM_STATES
from baton.scripts.plain_client import Answer, NoAnswerError, PlainClient
from baton.scripts.walk import said

#: More actions than this for one update means that the case does not come to rest.
MOST_DEEDS = 12
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class StoppedError(Exception):
    """The replay cannot go on: the fronts do not answer, or take no such requests. The message says which and why."""


@dataclass(slots=True)
class Played:
    """What became of a case: actions by name, what could not be done, and what its history says in the end."""

    case: str
    ticket: str = ""
    updates: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    impossible: list[tuple[int, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    noted: int = 0
    moves: int = 0
    reopened: int = 0
    status: str = ""


class Player:
    """Plays cases; safe for many threads, each of which plays a case by itself. `patience` is in seconds."""

    def __init__(
        self,
        client: PlainClient,
        urls: Mapping[str, str],
        intake: TicketMapping,
        holders: Mapping[tuple[str, str], str],
        *,
        patience: float = 60.0,
    ) -> None:
        self._client = client
        self._urls = urls
        self._intake = intake
        self._holders = holders
        self._patience = patience
        self.stop = threading.Event()

    def play(self, case: Case) -> Played:
        """Carry a case out, from wherever it came, and read its history. Raises StoppedError."""
        played = Played(case.name, updates=len(case.updates))
        filing = ticket_of(Row(number=1, line=1, values=dict(case.first_row)), self._intake, "replay")
        if filing.faults:
            played.faults.append(f"no ticket: {filing.faults}")
            return played
        filed = self._send("POST", "helpdesk", "/api/v1/tickets", filing.body, f"replay:{case.name}")
        if not filed.is_success:
            raise StoppedError(f"helpdesk refused the ticket of {case.name}: {said(filed)}")
        played.ticket = filed.json()["ticket_number"]
        state, known = self._await_item(played.ticket), set[int]()
        if filed.status_code != 201 or "idempotent-replayed" in filed.headers:
            # An earlier run filed it: its history says how far that came.
            known = marked_places(case.name, [row["reason"] for row in self._history(played.ticket)])
        for before, update in zip((None, *case.updates), case.updates, strict=False):
            if not known or update.place >= max(known):
                state = self._carry_out(played, before, update, state, update.place in known)
            reason = impossible(before, update)
            if reason:
                played.impossible.append((update.place, reason))
        self._verify(played)
        return played

    def _carry_out(self, played: Played, before: Update | None, update: Update, state: State, is_known: bool) -> State:
        """Do what the update asks for, one action after the other; return the state of the case then."""
        holder = self._holders[update.group, update.person]
        done: list[str] = ["known"] if is_known else []
        deadline, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while deed := next_deed(before, update, state, holder, done):
            answer = self._ask(played.ticket, update, deed, state, len(done))
            if answer.is_success:
                state = _after(state, deed, answer.json())
                done.append(deed.action)
                played.actions[deed.action] += 1
                pause = _FIRST_PAUSE
            elif answer.status_code == 409 and time.monotonic() < deadline:
                # The rotation, which gives new items to somebody, was quicker or has not come yet: look again.
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                state = self._await_item(played.ticket)
            else:
                played.faults.append(f"update {update.place}: {deed.action} was refused: {said(answer)}")
                return self._await_item(played.ticket)
            if len(done) > MOST_DEEDS:
                played.faults.append(f"update {update.place}: does not come to rest: {', '.join(done)}")
                break
        return state

    def _ask(self, ticket: str, update: Update, deed: Deed, state: State, position: int) -> Answer:
        where = f"tasks/{ticket}" if deed.on == "task" else f"items/{state.item}"
        key = f"replay:{update.case}:{update.place}:{position}:{deed.action}:{state.item}"
        return self._send("POST", "workflow", f"/api/v1/{where}/{deed.action}", dict(deed.arguments), key)

    def _await_item(self, ticket: str) -> State:
        """Return the case as it stands, once the workflow side has an item for it."""
        deadline, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            answer = self._send("GET", "workflow", f"/api/v1/tasks/{ticket}")
            document = answer.json() if answer.is_success else None
            if document is not None and document["items"]:
                return state_of(document)
            if time.monotonic() > deadline:
                what = "is not at the workflow side" if document is None else f"is {document['status']} and has no task"
                raise StoppedError(f"{ticket} {what} after {self._patience:.0f} s; see `baton doctor`, `baton trace {ticket}`")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _verify(self, played: Played) -> None:
        rows = self._history(played.ticket)
        places = marked_places(played.case, [row["reason"] for row in rows])
        played.noted = len(places)
        missing = sorted(set(range(1, played.updates + 1)) - places)
        if missing:
            played.faults.append(f"no row of its history is for update {', '.join(map(str, missing))}")
        played.moves = sum(row["event"] == "reclassified" for row in rows)
        played.reopened = sum(row["event"] == "reopened" for row in rows)
        played.status = self._done("GET", "workflow", f"/api/v1/tasks/{played.ticket}")["status"]

    def _history(self, ticket: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self._done("GET", "workflow", f"/api/v1/tasks/{ticket}/history?limit=200{cursor}")
            rows += page["items"]
            if page["next"] is None:
                return rows
            cursor = f"&cursor={page['next']}"

    def _done(self, method: str, service: str, path: str, body: Any = None, key: str = "") -> dict[str, Any]:
        answer = self._send(method, service, path, body, key)
        if not answer.is_success:
            raise StoppedError(f"{service} refused {method} {path}: {said(answer)}")
        document: dict[str, Any] = answer.json()
        return document

    def _send(self, method: str, service: str, path: str, body: Any = None, key: str = "") -> Answer:
        """Return an answer that will not get better by asking again, which is safe: the key makes it one request."""
        give_up_at, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while not self.stop.is_set():
            try:
                answer = self._client.request(method, self._urls[service] + path, json_body=body, key=key)
                trouble = said(answer) if answer.status_code in _PASSING else ""
            except NoAnswerError as error:
                trouble = str(error)
            if not trouble:
                if answer.status_code in (401, 403):
                    raise StoppedError(f"{service} refused: {said(answer)}; is BATON_SERVICE_SECRET the servers' own?")
                return answer
            if time.monotonic() > give_up_at:
                raise StoppedError(f"{service} at {self._urls[service]}: {trouble}, for {self._patience:.0f} s")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise StoppedError("stopped")


def state_of(document: Mapping[str, Any]) -> State:
    """Return how a case stands, as the workflow API shows its task."""
    item = _newest(document["items"])
    return State(
        status=document["status"],
        department=document["task"]["department"],
        priority=document["task"]["priority"],
        item=item["id"],
        item_state=item["state"],
        assignee=item["assignee"],
    )


def _newest(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return next((item for item in reversed(items) if item["state"] not in FINAL_ITEM_STATES), items[-1])


def _after(state: State, deed: Deed, answer: Mapping[str, Any]) -> State:
    """Return how the case stands after an action, by its answer: no need to ask."""
    if deed.on == "task":
        task = answer["task"]
        opened = answer["opened"]
        return State(
            status=answer["status"],
            department=task["department"],
            priority=task["priority"],
            item=opened or state.item,
            item_state="new" if opened else state.item_state,
            assignee=None if opened else state.assignee,
        )
    item = answer["item"]
    return State(
        status=answer["status"],
        department=state.department,
        priority=state.priority,
        item=item["id"],
        item_state=item["state"],
        assignee=item["assignee"],
    )
