"""What a front is made of: operations, and the call and reply that pass through their handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import falcon
import peewee as pw
from pydantic import BaseModel

from baton.http.problems import NotFound, PreconditionFailed
from baton.http.types import BIGGEST_INTEGER
from baton.models import database as db
from baton.models.settings import Settings
from baton.models.transaction import Transaction
from baton.pipelines.permissions import ANONYMOUS, Principal

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many requests of one caller per so many seconds; more are answered 429. Counted in this process only."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set: HttpOnly, SameSite=Lax, and Secure in production. `seconds` 0 removes it."""

    name: str
    value: str
    seconds: int
    path: str = "/"
    same_site: Literal["Lax", "Strict"] = "Lax"
    http_only: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One endpoint: method and path, who may call it, what it takes and returns, and the function that does it.

    The handler is called with the `Call`, and with `body=` and `query=` when those are given. `transaction` is `write`, `read`
    or `none`; by default writes have a write transaction and reads a read transaction. `problems` names the statuses it may
    answer besides those that every operation may. `rate` limits each caller.

    `live` makes it one that lasts, always without a transaction: `events` (the handler returns a `streaming.EventStream`) or
    `socket` (it returns `sockets.Accepted`), or `tunnel` (it returns the name of the service whose WebSocket this is).
    """

    method: str
    path: str
    handler: Callable[..., Any]
    permission: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    returns: Any = None
    status: int = 200
    summary: str = ""
    description: str = ""
    transaction: Literal["write", "read", "none"] | None = None
    problems: Sequence[int] = ()
    rate: Rate | None = None
    media_type: str = "application/json"
    #: Other forms that the answer may be asked for in, all of them text.
    other_media_types: Sequence[str] = ()
    tag: str = ""
    live: Literal["", "events", "socket", "tunnel"] = ""

    @property
    def scope(self) -> str:
        """The kind of transaction it runs in: `write`, `read` or `none`."""
        if self.live:
            return "none"
        return self.transaction or ("write" if self.method in WRITES else "read")

    @property
    def idempotent(self) -> bool:
        """Whether it honours Idempotency-Key: every write that runs in a transaction."""
        return self.method in WRITES and self.scope == "write"


@dataclass(slots=True)
class Reply:
    """
    An answer: a body (model, dict, list, bytes or None), its status (the operation's if None), ETag, headers and cookies.

    `stream` takes the body's place: pieces that are made while they are sent, outside any transaction, and closed in the end.
    """

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | int | None = None
    cookies: Sequence[Cookie] = ()
    stream: Iterable[bytes] | None = None


@dataclass(slots=True)
class Call:
    """A request as a handler sees it: who calls, with what, in which transaction."""

    request: falcon.Request
    operation: Operation
    service: str
    settings: Settings
    params: dict[str, str]
    trace_id: str
    principal: Principal = ANONYMOUS
    transaction: Transaction | None = None
    reading: pw.Database | None = None

    @property
    def tx(self) -> Transaction:
        """The open write transaction."""
        if self.transaction is None:
            raise RuntimeError(f"{self.operation.path}: no write transaction is open")
        return self.transaction

    @property
    def database(self) -> pw.Database:
        """The database of the open transaction, reading or writing."""
        if self.transaction is not None:
            return self.transaction.database
        if self.reading is None:
            raise RuntimeError(f"{self.operation.path}: no transaction is open")
        return self.reading

    @property
    def now(self) -> datetime:
        """The instant of this call, by the database's clock: that of the write transaction if there is one."""
        return self.transaction.now if self.transaction is not None else db.now(self.service)

    @property
    def address(self) -> str:
        """The network address the request came from (a proxy's, when one stands in front)."""
        return str(self.request.env.get("REMOTE_ADDR") or "unknown")

    def integer(self, name: str) -> int:
        """Return a path parameter that is a row id; raises NotFound when it cannot be one."""
        text = self.params[name]
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > BIGGEST_INTEGER:
            raise NotFound()
        return int(text)

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie of the request; None when it is missing or given more than once."""
        values = self.request.get_cookie_values(name)
        return values[0] if values and len(values) == 1 else None

    def require_match(self, version: str | int) -> None:
        """
        Raise PreconditionFailed unless the caller's If-Match names this version. Without If-Match the call goes on.
        """
        given = self.request.get_header("If-Match")
        if given is None or given.strip() == "*":
            return
        offered = {tag.strip() for tag in given.split(",")}
        if f'"{version}"' not in offered:
            raise PreconditionFailed(current=str(version))
