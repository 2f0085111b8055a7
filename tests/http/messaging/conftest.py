"""Two tickets' conversations, and everybody who might want to read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baton.actors.messaging.rooms import follow_ticket, tell_ticket_event
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.pipelines.permissions import ANONYMOUS, Principal
from tests.conversing import followed, happened
from tests.factories import EMPLOYEE, OTHER_EMPLOYEE, bearer


def staff(user: str, *roles: str, email: str = "") -> Principal:
    """Return a member of staff with these `system:Role` pairs."""
    return Principal("user", user, f"User {user}", email or f"u{user}@example.com", frozenset(roles))


NUMBER, OTHER = "HD-00000001", "HD-00000002"
MANAGER = staff("31", "tts:IT Manager")
#: Holds the role of the ticket's step without ever having had the ticket.
COLLEAGUE = staff("32", "tts:IT Manager")
COORDINATOR = staff("2", "tts:Ticket Coordinator")
#: Signs in with the address that the ticket has for its requester.
REQUESTER_AT_DESK = staff("31", "tts:IT Manager", "tts:Admin", email=EMPLOYEE.email.upper())
PEOPLE: dict[str, Principal] = {
    "anonymous": ANONYMOUS,
    "requester": EMPLOYEE,
    "requester, as staff": REQUESTER_AT_DESK,
    "another requester": OTHER_EMPLOYEE,
    "staff of the ticket": MANAGER,
    "staff with the role": COLLEAGUE,
    "staff elsewhere": staff("41", "tts:Budget Manager", "ams:Admin"),
    "former staff": staff("31", "ams:Asset User"),
    "coordinator": COORDINATOR,
    "help desk coordinator": staff("51", "hdts:Ticket Coordinator"),
    "admin": staff("1", "tts:Admin", "hdts:Admin", "auth:Admin"),
    "operator": Principal("service", "operator", "operator"),
    "another service": Principal("service", "workflow", "workflow"),
}
#: Who sees NUMBER's public conversation, and who sees its notes.
SEE = {"requester", "requester, as staff", "staff of the ticket", "staff with the role", "coordinator", "help desk coordinator",
       "admin", "operator"}  # fmt: skip
SEE_NOTES = {"staff of the ticket", "staff with the role", "coordinator", "admin", "operator"}


class Talk:
    """The conversation service's front, asked as anybody."""

    def __init__(self, front: Any) -> None:
        self.front = front

    def follow(self, number: str, version: int = 1, **changes: Any) -> None:
        """Have the workflow side tell of a ticket."""
        with write_tx("messaging") as tx:
            follow_ticket.handle(tx, [followed(number, version, **changes)])

    def tell(self, number: str, event_id: str, **changes: Any) -> None:
        """Have the workflow side tell of an event."""
        with write_tx("messaging") as tx:
            tell_ticket_event.handle(tx, [happened(number, event_id, **changes)])

    def ask(self, who: Principal, method: str, path: str, **options: Any) -> Any:
        """Send a request as somebody; `path` begins after the API's root."""
        headers = {**(bearer(who) if who.kind != "anonymous" else {}), **options.pop("headers", {})}
        return self.front.simulate_request(method, f"/api/v1{path}", headers=headers, **options)

    def write(self, who: Principal, body: str, number: str = NUMBER, *, headers: Any = None, **fields: Any) -> Any:
        """Post a comment; return the answer."""
        content = {"body": body, **fields}
        return self.ask(who, "POST", f"/tickets/{number}/comments", json=content, headers=headers or {})

    def written(self, who: Principal, body: str, number: str = NUMBER, **fields: Any) -> dict[str, Any]:
        """Post a comment that is taken; return it."""
        answer = self.write(who, body, number, **fields)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    def note(self, body: str, number: str = NUMBER, **fields: Any) -> dict[str, Any]:
        """Have the manager write an internal note."""
        return self.written(MANAGER, body, number, visibility="internal", **fields)

    def entries(self, who: Principal, number: str = NUMBER, query: str = "since=0&limit=200") -> list[dict[str, Any]]:
        """Return what somebody sees of a stream."""
        answer = self.ask(who, "GET", f"/tickets/{number}/comments", query_string=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json["items"]
        return found

    def attach(self, who: Principal, content: bytes, filename: str = "report.txt", number: str = NUMBER) -> Any:
        """Send a file; return the answer."""
        options = {"params": {"filename": filename}, "body": content, "headers": {"Content-Type": "application/octet-stream"}}
        return self.ask(who, "POST", f"/tickets/{number}/attachments", **options)

    def attached(self, who: Principal, content: bytes, filename: str = "report.txt", number: str = NUMBER) -> str:
        """Send a file that is taken; return its id."""
        answer = self.attach(who, content, filename, number)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def announced(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the fields of the messages that wait to leave, of one name."""
        outbox = runtime_tables("messaging").Outbox
        rows = outbox.select().order_by(outbox.id)
        return [{"name": row.name, **json.loads(row.kwargs)} for row in rows if kind in ("", row.name)]


@pytest.fixture
def talk(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> Iterator[Talk]:
    """The front with two tickets: NUMBER of EMPLOYEE's, OTHER of OTHER_EMPLOYEE's, which nobody has."""
    front = client("messaging")
    with database.connection("messaging"):
        found = Talk(front)
        found.follow(NUMBER)
        requester = {"employee_id": OTHER_EMPLOYEE.id, "user_id": None, "email": OTHER_EMPLOYEE.email, "name": "Oscar"}
        nobody: dict[str, Any] = {"owner": None, "participants": [], "assignees": [], "roles": ["tts:Asset Manager"]}
        found.follow(OTHER, requester=requester, **nobody)
        yield found
