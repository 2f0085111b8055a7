"""
One embedded Baton for all browser tests, with its people, some of the demo organisation's tickets, and hostile ones.

`Stage.as_(address)` calls the services in somebody's name; `Stage.known` says what `{...}` in a page's path stands for.
"""

from __future__ import annotations

import functools
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baton.http.web.services import ServiceRefusedError, Services
from baton.models.settings import FRONTS, Settings
from baton.scripts import demo_day
from baton.scripts.demo_stories import STORIES
from baton.scripts.stack import Stack
from tests.browser.hostile import HOSTILE, from_real_people
from tests.browser.places import ADAEZE, ADMIN, COORDINATOR

PASSWORD = demo_day.PASSWORD
DATA = Path(os.environ.get("BATON_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
#: What is waited for, in seconds, by looking again and again.
PATIENCE = 30.0
#: What the pages are to be shown with -> the subject of the demo story that it is.
_TOLD = {
    "rated": "The shared calendar shows every meeting an hour late",
    "talked": "Customer portal shows another customer's invoices",
    "held": "Two places at the accessibility conference",
    "triage": "A parking space for the trade fair's delivery van",
    "assigned": "Please set up the mailbox events@ for our team",
}


def eventually(look: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return what `look` returns once that is something; fails the test with `what` if it never is."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            found = look()
        except ServiceRefusedError as error:
            found = None
            what = f"{what} ({error})"
        if found:
            return found
        assert time.monotonic() < give_up, f"not within {seconds:.0f} s: {what[:500]}"
        time.sleep(0.05)


class Stage:
    """The running system and its people."""

    def __init__(self) -> None:
        # HS256 and NORMAL only save time; the server is what `baton server` starts.
        self.stack = Stack.embedded(
            BATON_SQLITE_SYNCHRONOUS="NORMAL", BATON_LOG_LEVEL="WARNING", BATON_ACCESS_TOKEN_SECONDS="86400"
        )
        self.known: dict[str, str] = {}

    def open(self) -> None:
        """Start everything, and have the tickets filed and worked that the pages are looked at with."""
        self.stack.start(seeds=("seed_all",), fronts=FRONTS)
        stories = [story for story in STORIES if story.subject in _TOLD.values()]
        assert demo_day.tell_day(self.settings, stories) == len(stories)
        mine = self.as_(ADAEZE).get("helpdesk", "/api/v1/tickets", limit=100)["items"]
        everybodys = self.as_(COORDINATOR).get("workflow", "/api/v1/triage", limit=100)["items"]
        by_subject = {ticket["subject"]: ticket["ticket_number"] for ticket in [*everybodys, *mine]}
        self.known |= {name: by_subject[subject] for name, subject in _TOLD.items()}
        self.known["assignee"] = self.holder(self.known["assigned"])
        self.known["person"] = self.item(self.known["assigned"])["assignee"]
        clocks = self.as_(COORDINATOR).get("workflow", f"/api/v1/tickets/{self.known['talked']}/sla")["clocks"]
        self.known["clock"] = str(clocks[0]["id"])
        self.known["hostile"] = self._file_hostile()

    def close(self) -> None:
        """End it; its files are gone."""
        self.stack.stop()

    @property
    def settings(self) -> Settings:
        """The settings of the running system."""
        return self.stack.settings

    def url(self, front: str, path: str = "/") -> str:
        """Return a page's address."""
        return self.settings.url(front) + path.format(**self.known)

    @functools.cache  # noqa: B019 - one stage for the whole run
    def as_(self, address: str) -> Services:
        """Return the services in somebody's name."""
        tokens = Services(self.settings, None, "test").post("auth", "/api/v1/sign-in", {"email": address, "password": PASSWORD})
        return Services(self.settings, tokens["access_token"], "test")

    def file(self, subject: str, description: str = "", **fields: Any) -> str:
        """File a ticket of Adaeze's; return its number."""
        body = {"subject": subject, "description": description, "category": "IT Support", "department": "IT Department"}
        number: str = self.as_(ADAEZE).post("helpdesk", "/api/v1/tickets", {**body, **fields})["ticket_number"]
        return number

    def item(self, number: str) -> dict[str, Any]:
        """Return the ticket's newest item, once somebody has it."""

        def look() -> dict[str, Any] | None:
            items = self.as_(COORDINATOR).get("workflow", f"/api/v1/tasks/{number}")["items"]
            return items[-1] if items and items[-1]["assignee"] else None

        found: dict[str, Any] = eventually(look, f"somebody has {number}")
        return found

    def holder(self, number: str) -> str:
        """Return the address of whoever has the ticket."""
        return self.address_of(self.item(number)["assignee"])

    def next_in_turn(self, role: str) -> str:
        """Return the address of who gets the role's next item."""
        everybody = self.as_(COORDINATOR).get("workflow", "/api/v1/members", limit=200)["items"]
        able = [each for each in everybody if each["role"] == role and each["is_active"] and not each["is_away"]]
        return self.address_of(min(able, key=lambda each: (each["last_turn"], int(each["user_id"])))["user_id"])

    def address_of(self, user: str) -> str:
        """Return a member of staff's address."""
        address: str = self.as_(ADMIN).get("auth", f"/api/v1/users/{user}")["email"]
        return address

    def say(self, address: str, number: str, text: str, *, internal: bool = False) -> None:
        """Write a comment, once the ticket's conversation is open."""
        body = {"body": text, "visibility": "internal" if internal else "public", "client_id": uuid.uuid4().hex}
        path = f"/api/v1/tickets/{number}/comments"
        eventually(lambda: self.as_(address).post("messaging", path, body), f"a comment on {number}")

    def _file_hostile(self) -> str:
        """File tickets whose every text is hostile; return the number of the one with the whole conversation."""
        for text in HOSTILE:
            self.file(text[:300], text, subcategory=text[:60])
        extras = {"location": HOSTILE[1], "issue_type": HOSTILE[2], "asset_name": HOSTILE[0]}
        number = self.file(" ".join(HOSTILE[:6])[:490], "\n\n".join(HOSTILE), **extras)
        for text in (*HOSTILE, *from_real_people(DATA)):
            self.say(ADAEZE, number, text)
        self.say(COORDINATOR, number, HOSTILE[0], internal=True)
        return number
