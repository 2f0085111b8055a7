"""A ticket's conversation on a page: what was said and what happened, and the form to say more. Both fronts show it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from baton.http.web.pages import Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError

#: Entries shown at once; earlier ones are a click away.
SHOWN = 60
#: What of a file's headers is handed on. The rest is ours.
_HANDED_ON = ("content-disposition", "content-length")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}\Z")


def ticket_path(number: str) -> str:
    """Return the path of a ticket at the conversation service."""
    return f"/api/v1/tickets/{quote(number, safe='')}"


def read_talk(visit: Visit, number: str) -> dict[str, Any] | None:
    """
    Return the entries to show, and on which side the visitor stands; None while the conversation is not open yet.

    It opens when the workflow side has told of the ticket, seconds after filing.
    """
    before = visit.query("before")
    asked: dict[str, Any] = {"limit": SHOWN}
    if _NUMBER.match(before):
        asked["before"] = before
    try:
        talk = visit.api.get("messaging", f"{ticket_path(number)}/talk", **asked)
    except ServiceRefusedError as error:
        if error.status == 404:
            return None
        raise
    return {**talk, "me": visit.principal.subject}


def conversation_pages(who: str) -> tuple[Page, ...]:
    """Return the pages of a conversation for the visitors of a front."""
    return (
        Page("GET", "/tickets/{number}/talk", show_talk, who),
        Page("POST", "/tickets/{number}/comments", say, who),
        Page("POST", "/tickets/{number}/comments/{entry}/change", change, who),
        Page("POST", "/tickets/{number}/comments/{entry}/delete", delete, who),
        Page("GET", "/tickets/{number}/files/{file}", download, who),
    )


def show_talk(visit: Visit) -> Shown:
    """The entries alone: what the page fetches when something happened."""
    number = visit.params["number"]
    return Shown("talk_part.html", {"number": number, "talk": read_talk(visit, number)})


def say(visit: Visit) -> Go | Shown:
    """The comment is on the ticket, its files with it. What cannot be taken comes back with its text, and says why."""
    number, text = visit.params["number"], visit.form.get("body")
    try:
        say_on(visit, number, text, internal=visit.form.get("visibility") == "internal")
    except ServiceRefusedError as error:
        if error.status in (404, 401):
            raise
        detail = " ".join(error.fields.values()) or error.detail
        return Shown("say_again.html", {"number": number, "text": text, "wrong": detail}, status=422)
    return Go(f"/tickets/{quote(number, safe='')}?said={quote(number, safe='')}#talk")


def say_on(visit: Visit, number: str, text: str, *, internal: bool = False) -> None:
    """Send the form's files and the comment that claims them."""
    files = [
        visit.api.call(
            "POST",
            "messaging",
            f"{ticket_path(number)}/attachments",
            query={"filename": file.name or "file"},
            content=file.data,
            headers={"Content-Type": "application/octet-stream"},
        )["id"]
        for file in visit.form.uploads("files")
    ]
    body = {
        "body": text,
        "visibility": "internal" if internal else "public",
        "client_id": visit.form.get("client_id") or uuid.uuid4().hex,
        "mentions": visit.form.all("mentions"),
        "attachments": files,
    }
    visit.api.post("messaging", f"{ticket_path(number)}/comments", body)


def change(visit: Visit) -> Go:
    """The visitor's own comment says something else."""
    body = {"body": visit.form.get("body")}
    return _on_entry(visit, lambda path: visit.api.call("PATCH", "messaging", path, body=body, version=visit.form.get("version")))


def delete(visit: Visit) -> Go:
    """The comment is gone; its place stays."""
    return _on_entry(visit, lambda path: visit.api.call("DELETE", "messaging", path))


def _on_entry(visit: Visit, act: Callable[[str], Any]) -> Go:
    number = visit.params["number"]
    act(f"{ticket_path(number)}/comments/{quote(visit.params['entry'], safe='')}")
    return Go(f"/tickets/{quote(number, safe='')}#talk")


def download(visit: Visit) -> Raw:
    """A file, always as a download."""
    path = f"{ticket_path(visit.params['number'])}/attachments/{quote(visit.params['file'], safe='')}"
    told, pieces = visit.api.download("messaging", path)
    headers = {name: told[name] for name in _HANDED_ON if name in told}
    if not headers.get("content-disposition", "").startswith("attachment"):
        headers["content-disposition"] = "attachment"
    return Raw(pieces, "application/octet-stream", headers)
