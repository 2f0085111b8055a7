"""People and their load: who has how much, who is away, who stands in for them, and whose work must be handed over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from baton.http.console.colleagues import chosen
from baton.http.console.finding import views_of
from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import COORDINATOR, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.http.web.times import parse, zone_of

_REFUSED = (404, 409, 422)
_COLUMNS = (
    "name", "user_id", "role", "open_items", "capacity", "turns", "is_active", "is_away", "away_from", "away_to",
    "substitute_name",
)  # fmt: skip


def people(visit: Visit) -> Shown | Raw:
    """People in their roles, all or those whose name or address is typed."""
    filters = visit.filters("q", "role")
    if wants_csv(visit):
        columns = titled(visit, *_COLUMNS)
        return export(visit, pages_of(visit, "workflow", "/api/v1/members", **filters), columns, "people")
    found, roles, views = visit.api.together(
        lambda: visit.api.get("workflow", "/api/v1/members", limit=100, **filters, **visit.filters("cursor")),
        lambda: [] if visit.part else visit.api.get("workflow", "/api/v1/roles", limit=200)["items"],
        lambda: views_of(visit, "/people"),
    )
    values = {"found": found, "roles": [(each["role_id"], each["name"]) for each in roles], "views": views}
    return Shown("people_part.html" if visit.part == "list" else "people.html", values)


def person(visit: Visit) -> Shown:
    """One person: their roles, open work, absence and substitute."""
    user = visit.params["user"]
    roles, work, substitute = visit.api.together(
        lambda: visit.api.get("workflow", "/api/v1/members", user_id=user, limit=200)["items"],
        lambda: visit.api.get("workflow", "/api/v1/work", assignee=user),
        lambda: visit.api.get("workflow", f"{_member(user)}/substitute"),
    )
    colleagues = visit.api.together(*(members_of(visit, each["role_id"]) for each in roles))
    named = {each["user_id"]: each for found in colleagues for each in found if each["user_id"] != user}
    stand_in = substitute["substitute"]
    if stand_in is not None and stand_in not in named:
        named[stand_in] = {"user_id": stand_in, "name": roles[0]["substitute_name"], "is_away": False, "open_items": 0}
    values = {
        "user": user,
        "name": roles[0]["name"] or user,
        "roles": roles,
        "work": work,
        "substitute": substitute,
        "colleagues": sorted(named.values(), key=lambda each: (each["name"] or each["user_id"]).casefold()),
        "away_from": _wall_clock(roles[0]["away_from"], visit.zone),
        "away_to": _wall_clock(roles[0]["away_to"], visit.zone),
    }
    return Shown("person.html", values)


def set_absence(visit: Visit) -> Go:
    """The person is away from, until, as the form says; neither: present."""
    body = {name: _instant(visit.form.get(name).strip(), visit.zone) for name in ("away_from", "away_to")}
    if visit.form.get("present"):
        body = {"away_from": None, "away_to": None}
    return _put(visit, "availability", body)


def set_substitute(visit: Visit) -> Go | Shown:
    """Whoever was chosen stands in for the person."""
    person = chosen(visit, "substitute")
    return person if isinstance(person, Shown) else _put(visit, "substitute", {"substitute": person or None})


def set_capacity(visit: Visit) -> Go:
    """The person may have so many items of the role at once; nothing given: any number."""
    given = visit.form.get("capacity").strip()
    user = visit.params["user"]
    if given and not given.isdecimal():
        return Go(_page(user), "people.capacity_wrong")
    path = f"/api/v1/roles/{quote(visit.params['role'], safe='')}/members/{quote(user, safe='')}/capacity"
    return _sent(visit, path, {"capacity": int(given) if given else None})


def handovers(visit: Visit) -> Shown | Raw:
    """Who has open work and is not there."""
    if wants_csv(visit):
        columns = titled(visit, "name", "user_id", "open_items", "is_active", "away_from", "away_to", "substitute_name")
        return export(visit, pages_of(visit, "workflow", "/api/v1/handovers"), columns, "handovers")
    found = visit.api.get("workflow", "/api/v1/handovers", limit=50, **visit.filters("cursor"))
    return Shown("handovers.html", {"found": found})


def handover(visit: Visit) -> Shown:
    """A person's open items, and who would get each."""
    found = visit.api.get("workflow", f"{_member(visit.params['user'])}/handover")
    return Shown("handover.html", {"found": found})


def hand_over(visit: Visit) -> Go | Shown:
    """The chosen items go to the substitute or to the rotation; what stays is listed with its reason."""
    user = visit.params["user"]
    here = f"/handovers/{quote(user, safe='')}"
    chosen = [int(each) for each in visit.form.all("item") if each.isdecimal()]
    if not chosen:
        return Go(here, "handovers.choose")
    body = {"to": visit.form.get("to"), "items": chosen}
    done = visit.api.post("workflow", f"{_member(user)}/handover", body, key=visit.form.get("key"))
    if not done["refused"]:
        return Go("/handovers", "handovers.done", {"count": str(done["done"])})
    refused = [each for each in done["results"] if each["status"] != 200]
    return Shown("handed_over.html", {"done": done["done"], "refused": refused, "user": user})


def members_of(visit: Visit, role: str) -> Callable[[], list[dict[str, Any]]]:
    """Return a call that reads who is active in a role."""

    def read() -> list[dict[str, Any]]:
        found = visit.api.get("workflow", "/api/v1/members", role=role, limit=200)["items"]
        return [each for each in found if each["is_active"]]

    return read


def _put(visit: Visit, what: str, body: dict[str, Any]) -> Go:
    return _sent(visit, f"{_member(visit.params['user'])}/{what}", body)


def _sent(visit: Visit, path: str, body: dict[str, Any]) -> Go:
    here = _page(visit.params["user"])
    try:
        visit.api.call("PUT", "workflow", path, body=body)
    except ServiceRefusedError as error:
        if error.status not in _REFUSED:
            raise
        return Go(here, "coordination.refused", {"why": " ".join(error.fields.values()) or error.detail})
    return Go(here, "people.saved")


def _member(user: str) -> str:
    return f"/api/v1/members/{quote(user, safe='')}"


def _page(user: str) -> str:
    return f"/people/{quote(user, safe='')}"


def _wall_clock(value: str | None, zone: str) -> str:
    """Return an instant as the browser's field takes it, in the visitor's zone."""
    moment = parse(value)
    return "" if moment is None else moment.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M")


def _instant(text: str, zone: str) -> str | None:
    """Return the instant of a wall-clock time as the browser's field gives it; as it is where it is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone_of(zone)).isoformat() if text else None
    except ValueError:
        return text


PAGES = (
    Page("GET", "/people", people, COORDINATOR),
    Page("GET", "/people/{user}", person, COORDINATOR),
    Page("POST", "/people/{user}/absence", set_absence, COORDINATOR),
    Page("POST", "/people/{user}/substitute", set_substitute, COORDINATOR),
    Page("POST", "/people/{user}/capacity/{role}", set_capacity, COORDINATOR),
    Page("GET", "/handovers", handovers, COORDINATOR),
    Page("GET", "/handovers/{user}", handover, COORDINATOR),
    Page("POST", "/handovers/{user}", hand_over, COORDINATOR),
)
