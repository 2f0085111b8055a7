"""Streams of events, handed on from the services to the page: the browser talks to its own front only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from baton.http.web.pages import EMPLOYEE, Page, Raw, Visit
from baton.http.web.services import ServiceAwayError, ServiceRefusedError, quietly

#: What a browser is told that follows a ticket whose conversation is not open yet: nothing, and to come back in so many ms.
_COME_BACK = b"retry: 1500\n\n"
#: A page's name for itself, in characters.
WATCH_LENGTH = 64
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def live_pages(who: str) -> tuple[Page, ...]:
    """
    Return the streams of a front: one for each ticket, and one for what concerns the visitor.

    Among staff the first also tells who else is on the ticket's page; what requesters see of that is whatever staff say.
    """
    streams = (
        Page("GET", "/live/tickets/{number}", ticket_stream, who),
        Page("GET", "/live/me", own_stream, who),
    )
    if who == EMPLOYEE:
        return streams
    return (
        *streams,
        Page("POST", "/live/tickets/{number}/typing", tell_typing, who),
        Page("POST", "/live/tickets/{number}/leave", tell_left, who),
    )


def tell_typing(visit: Visit) -> Raw:
    """The visitor types, or stopped."""
    body = {
        "active": visit.form.get("active") == "1",
        "visibility": "public" if visit.form.get("visibility") == "public" else "internal",
    }
    return _told(visit, "typing", body)


def tell_left(visit: Visit) -> Raw:
    """The visitor left the page that follows the ticket under this name."""
    return _told(visit, "leave", {"watch": visit.form.get("watch")[:WATCH_LENGTH] or "-"})


def _told(visit: Visit, what: str, body: dict[str, Any]) -> Raw:
    """Tell the conversation service. Nobody waits for the answer, so what it refuses is not said."""
    path = f"/api/v1/tickets/{quote(visit.params['number'], safe='')}/{what}"
    quietly(lambda: visit.api.post("messaging", path, body), None)()
    return Raw(b"", "text/plain", status=204)


def ticket_stream(visit: Visit) -> Raw:
    """What happens on a ticket, to those who may see it. It opens seconds after filing: until then, to come back."""
    number = quote(visit.params["number"], safe="")
    watch = visit.query("watch")[:WATCH_LENGTH] if visit.page.who != EMPLOYEE else ""
    named = f"?{urlencode({'watch': watch})}" if watch else ""
    try:
        return _handed_on(visit, "messaging", f"/api/v1/tickets/{number}/stream{named}")
    except ServiceRefusedError as error:
        if error.status != 404:
            raise
    # Whoever may not see the ticket is refused here.
    if visit.page.who == EMPLOYEE:
        visit.api.get("helpdesk", f"/api/v1/tickets/{number}")
    else:
        visit.api.get("workflow", f"/api/v1/tasks/{number}")
    return Raw(_COME_BACK, "text/event-stream", HEADERS)


def own_stream(visit: Visit) -> Raw:
    """The visitor's notifications as they come."""
    return _handed_on(visit, "notifications", "/api/v1/notifications/stream")


def _handed_on(visit: Visit, service: str, path: str) -> Raw:
    since = visit.request.get_header("Last-Event-ID")
    stream = visit.api.stream(service, path, {"Last-Event-ID": since} if since else None)
    # The first step opens it: a refusal is answered before anything streams.
    next(stream)
    return Raw(_quietly(stream), "text/event-stream", HEADERS)


def _quietly(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the stream; when its service goes away it ends, and the browser comes back for another."""
    try:
        yield from stream
    except ServiceAwayError:
        return
