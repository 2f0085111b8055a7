"""Messages that were given up on: the list, and one of them with all that is known."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from baton.http.web.export import export, titled, wants_csv
from baton.http.web.pages import ADMIN, Page, Raw, Shown, Visit

PATH = "/api/v1/dead-letters"
#: How many are shown at first, and at most: brokers list from the oldest on, and cannot start in the middle.
FEW, MOST = 50, 400


def list_letters(visit: Visit) -> Shown | Raw:
    """Dead letters of all queues or one, the oldest first, to be chosen. A file of them says where there are more."""
    if wants_csv(visit):
        return export(visit, lambda cursor: _oldest(visit), _columns(visit), "dead-letters", MOST)
    wanted = visit.query("limit")
    limit = min(MOST, max(FEW, int(wanted) if wanted.isdecimal() and len(wanted) < 6 else FEW))
    found, counts = visit.api.together(
        lambda: visit.api.get("issues", PATH, limit=limit, **visit.filters("queue")),
        lambda: visit.api.get("issues", f"{PATH}/queues"),
    )
    queues = sorted((each for each in counts["items"] if each["dead"]), key=lambda each: -each["dead"])
    more = min(MOST, limit * 2) if found["dead"] > len(found["items"]) and limit < MOST else None
    values = {"found": found, "queues": queues, "queue": visit.query("queue"), "more": more}
    return Shown("system/letters_part.html" if visit.part == "letters" else "system/letters.html", values)


def show_letter(visit: Visit) -> Shown:
    """One dead letter: reason, traceback, fields, envelope."""
    queue, letter_id = visit.params["queue"], visit.params["letter"]
    letter = visit.api.get("issues", f"{PATH}/{quote(queue, safe='')}/{quote(letter_id, safe='')}")
    return Shown("system/letter.html", {"letter": letter, "fields": pretty(letter["fields"])})


def _oldest(visit: Visit) -> tuple[list[dict[str, Any]], str | None]:
    found = visit.api.get("issues", PATH, limit=MOST, **visit.filters("queue"))
    return found["items"], "more" if found["dead"] > len(found["items"]) else None


def _columns(visit: Visit) -> dict[str, Any]:
    return titled(visit, "queue", "id", "actor", "reason", "ticket_number", "attempts", "died_at")


def pretty(value: Any) -> str:
    """Return a JSON value as people read it, empty for none."""
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


PAGES = (
    Page("GET", "/system/dead-letters", list_letters, ADMIN),
    Page("GET", "/system/dead-letters/{queue}/{letter}", show_letter, ADMIN),
)
