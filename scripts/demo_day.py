"""
A day at the demo organisation: its people file the tickets of `demo_stories` and work them, through the services' interfaces.

Everything is a real action of somebody who may do it. Each has an Idempotency-Key of its own: a day that was cut short is told
again from its start, and what was done stays done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import structlog

from baton.http.web.services import ServiceAwayError, ServiceRefusedError, Services
from baton.models.settings import Settings, get_settings
from baton.pipelines.statuses import FINAL_ITEM_STATES
from baton.scripts.demo_stories import STORIES, Story
from baton.scripts.seed_people import TTS_STAFF
from baton.scripts.welcome import print_links

PASSWORD = "Password123"
COORDINATOR = "nadia.haddad@example.com"
#: Seconds that a ticket may take to get to somebody, or its conversation to open, before its story is left.
PATIENCE = 20.0
LOOK_SECONDS = 0.1
log = structlog.get_logger("baton.demo")


@click.command()
def seed_demo() -> None:
    """Have the demo organisation file and work a few dozen tickets. Baton must be running; not in production."""
    settings = get_settings()
    if settings.production:
        raise click.ClickException("this is production: the demo organisation does not exist here")
    click.echo(f"demo tickets: {tell_day(settings)} of {len(STORIES)} told")


def is_due(settings: Settings) -> bool:
    """Return whether the day has begun and not ended."""
    return _unfinished(settings).exists()


def begin(settings: Settings) -> None:
    """Note that the day is to be told once everything runs."""
    _unfinished(settings).parent.mkdir(parents=True, exist_ok=True)
    _unfinished(settings).touch()


def tell_beside(settings: Settings, stop: threading.Event) -> None:
    """
    Begin to tell the day, if it is due, beside whatever else this process does; what goes wrong with it stops nothing.

    Much is logged meanwhile: at its end the links are said again.
    """

    def tell() -> None:
        try:
            tell_day(settings, stopped=stop.is_set)
            if not is_due(settings):
                click.echo("\nThe demo organisation's tickets are there to be looked at.")
                print_links(settings)
        except Exception as error:
            log.warning("demo_day_failed", error=str(error))

    if is_due(settings):
        threading.Thread(target=tell, name="demo-day", daemon=True).start()


def tell_day(settings: Settings, stories: Sequence[Story] = STORIES, stopped: Callable[[], bool] = lambda: False) -> int:
    """
    Tell the stories; return how many could be told to their end.

    One that cannot be is left as it stands. Where a service is away, the day goes on with the next start.
    """
    day = Day(settings)
    told = 0
    try:
        filed = [(story, day.file(story, f"demo-{number}")) for number, story in enumerate(stories, start=1)]
        for story, number in filed:
            if stopped():
                return told
            told += day.tell(story, number)
    except ServiceAwayError as error:
        log.warning("demo_day_interrupted", service=error.service)
        return told
    _unfinished(settings).unlink(missing_ok=True)
    log.info("demo_day_told", stories=told)
    return told


class Day:
    """The people of the demo organisation, signed in when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signed_in: dict[str, Services] = {}
        self._addresses = {name: address for people in TTS_STAFF.values() for name, address in people}

    def file(self, story: Story, key: str) -> str:
        """File the story's ticket, unless it is there; return its number."""
        body = {name: getattr(story, name) for name in ("subject", "description", "category", "department", "priority")}
        employee = self._as(f"{story.by}@example.com")
        number: str = employee.post("helpdesk", "/api/v1/tickets", {**body, **story.extras}, key=key)["ticket_number"]
        return number

    def tell(self, story: Story, number: str) -> bool:
        """Do the story's acts in order; return whether all could be done."""
        employee = self._as(f"{story.by}@example.com")
        for place, (what, text) in enumerate(story.acts):
            key = f"demo-{number}-{place}"
            try:
                if what in ("reply", "rate", "reopen", "withdraw"):
                    self._ask(employee, number, what, text, key)
                elif what in ("priority", "close", "cancel"):
                    self._lead(number, what, text, key)
                else:
                    self._work(number, what, text, key)
            except ServiceRefusedError as error:
                log.info("demo_story_left", ticket_number=number, act=what, reason=error.detail)
                return False
        return True

    def _ask(self, employee: Services, number: str, what: str, text: str, key: str) -> None:
        path = f"/api/v1/tickets/{number}"
        if what == "reply":
            _say(employee, number, text, key)
        elif what == "rate":
            stars, _, why = text.partition(" ")
            _patiently(lambda: employee.call("PUT", "helpdesk", f"{path}/rating", body={"stars": int(stars), "comment": why}))
        else:
            _patiently(lambda: employee.post("helpdesk", f"{path}/{what}", {"reason": text}, key=key))

    def _lead(self, number: str, what: str, text: str, key: str) -> None:
        self._item(number)
        body = {"priority": text} if what == "priority" else {"comment" if what == "close" else "reason": text}
        given = {name: value for name, value in body.items() if value}
        self._as(COORDINATOR).post("workflow", f"/api/v1/tasks/{number}/{what}", given, key=key)

    def _work(self, number: str, what: str, text: str, key: str) -> None:
        item = self._item(number)
        person = self._as(self._addresses.get(item["assignee_name"], "Admintts@example.com"))
        if what in ("say", "note"):
            _say(person, number, text, key, internal=what == "note")
            return
        body = {"reason": text} if text else {}
        if what == "transfer":
            body["to_user"] = self._colleague(item)
        person.post("workflow", f"/api/v1/items/{item['id']}/{what}", body, key=key)

    def _item(self, number: str) -> dict[str, Any]:
        """Return the ticket's open item once somebody has it, or the last one if nothing is open."""
        give_up = time.monotonic() + PATIENCE
        while True:
            items = _patiently(lambda: self._as(COORDINATOR).get("workflow", f"/api/v1/tasks/{number}"))["items"]
            open_items = [item for item in items if item["state"] not in FINAL_ITEM_STATES]
            found: dict[str, Any] | None = (open_items or items or [None])[-1]
            if (found is not None and found["assignee"]) or time.monotonic() > give_up:
                break
            time.sleep(LOOK_SECONDS)
        if found is None:
            raise ServiceRefusedError("workflow", 404, {"detail": "nobody has the ticket"})
        return found

    def _colleague(self, item: dict[str, Any]) -> str:
        members = self._as(COORDINATOR).get("workflow", "/api/v1/members", role=item["role_id"])["items"]
        return next(str(each["user_id"]) for each in members if each["user_id"] != item["assignee"])

    def _as(self, address: str) -> Services:
        """Return the services as this person may use them."""
        if address not in self._signed_in:
            anybody = Services(self._settings, None, "demo")
            tokens = anybody.post("auth", "/api/v1/sign-in", {"email": address, "password": PASSWORD})
            self._signed_in[address] = Services(self._settings, tokens["access_token"], "demo")
        return self._signed_in[address]


def _say(person: Services, number: str, text: str, key: str, *, internal: bool = False) -> None:
    body = {"body": text, "visibility": "internal" if internal else "public", "client_id": key}
    _patiently(lambda: person.post("messaging", f"/api/v1/tickets/{number}/comments", body))


def _patiently(call: Callable[[], Any]) -> Any:
    """Return what the call answers once what it needs has arrived: news of a ticket takes a moment from service to service."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except ServiceRefusedError as error:
            if error.status not in (404, 409) or time.monotonic() > give_up:
                raise
        time.sleep(LOOK_SECONDS)


def _unfinished(settings: Settings) -> Path:
    return settings.data_dir / "demo-day"
