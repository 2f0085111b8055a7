"""
Errors as the caller sees them: `application/problem+json` (RFC 9457), and the one place where exceptions become answers.

Every problem has a stable `type` (`urn:baton:problem:<slug>`), so that programs need not read the title. Rules raise `Problem` or
one of its shortcuts; a problem rolls the request's transaction back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import peewee as pw
import structlog
from pydantic import ValidationError

from baton.http.types import UNSTORABLE_MESSAGE
from baton.models.database import DatabaseUnavailableError

TYPE_PREFIX = "urn:baton:problem:"
MEDIA_TYPE = "application/problem+json"
#: Seconds after which a caller is told to come back when the database cannot be reached.
RETRY_AFTER_SECONDS = 5

log = structlog.get_logger("baton.http")


class Problem(Exception):
    """
    An answer that says what is wrong. `type` is a slug or a full URN; `extra` become members of the document.

    `headers` are sent with it.
    """

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002 - the name RFC 9457 gives it
        title: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.type = type if ":" in type else TYPE_PREFIX + type
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self, trace_id: str | None = None) -> dict[str, Any]:
        """Return the problem document."""
        found: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            found["detail"] = self.detail
        if trace_id:
            found["trace_id"] = trace_id
        return {**found, **self.extra}

    def body(self, trace_id: str | None = None) -> bytes:
        """Return the problem document as JSON; characters beyond ASCII are escaped, lone surrogates included."""
        return json.dumps(self.document(trace_id), default=str).encode("ascii")


class BadRequest(Problem):
    """400: the request cannot be read."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(400, "bad-request", "the request cannot be read", detail, **extra)


class Unauthorized(Problem):
    """401: nobody is signed in, or the token does not count. `title` is the contract's text."""

    def __init__(self, title: str = "authentication required", detail: str | None = None, slug: str = "unauthenticated"):
        super().__init__(401, slug, title, detail, headers={"WWW-Authenticate": 'Bearer realm="baton"'})


class Forbidden(Problem):
    """403: the caller is known and may not."""

    def __init__(self, detail: str = "your roles do not allow this", **extra: Any) -> None:
        super().__init__(403, "forbidden", "not allowed", detail, **extra)


class NotFound(Problem):
    """404: there is no such thing, or none that the caller may see."""

    def __init__(self, detail: str = "there is nothing at this address", **extra: Any) -> None:
        super().__init__(404, "not-found", "not found", detail, **extra)


class Conflict(Problem):
    """409: the thing is not in a state that allows this."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(409, "conflict", "conflict with the present state", detail, **extra)


class PreconditionFailed(Problem):
    """412: the thing has changed since the caller read it."""

    def __init__(self, detail: str = "it has been changed in between; read it again", **extra: Any) -> None:
        super().__init__(412, "precondition-failed", "the version does not match", detail, **extra)


class Invalid(Problem):
    """422: fields are wrong; `errors` lists each: `{field, message, type}`. A field is a dotted path, "" the whole body."""

    def __init__(self, errors: Sequence[Mapping[str, str]], detail: str | None = None) -> None:
        counted = f"{len(errors)} field{'s' if len(errors) != 1 else ''} cannot be accepted"
        super().__init__(422, "invalid-fields", "invalid fields", detail or counted, errors=list(errors))

    @classmethod
    def of(cls, field: str, message: str, kind: str = "value_error") -> Invalid:
        """Return the problem of one field."""
        return cls([{"field": field, "message": message, "type": kind}])


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """Return pydantic's findings as `{field, message, type}`; values are not repeated, they may be secrets or huge."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"field": dotted(item["loc"]), "message": item["msg"], "type": item["type"]} for item in found]


def unstorable_errors(paths: Sequence[Sequence[str | int]]) -> list[dict[str, str]]:
    """Return errors for texts that cannot be stored."""
    return [{"field": dotted(path), "message": UNSTORABLE_MESSAGE, "type": "unstorable_text"} for path in paths]


def dotted(path: Sequence[str | int]) -> str:
    """Return a path within a body as text: `employee.id`, `items.0.name`."""
    return ".".join(str(part)[:100] for part in path)


def unavailable(what: str) -> Problem:
    """Return the 503 for a dependency that cannot be reached at present."""
    return Problem(
        503,
        "unavailable",
        "temporarily unavailable",
        f"{what} cannot be reached at present; nothing was changed, try again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def problem_of(error: BaseException) -> Problem:
    """
    Return the answer for any exception. What nobody expected becomes a 500 that tells nothing; the log has the traceback.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        # Raised by a rule of ours on data of ours: requests are validated where they are read.
        log.error("request_failed", exc_info=error)
        return Problem(500, "internal", "internal error", "the fault has been logged")
    if isinstance(error, DatabaseUnavailableError):
        log.warning("database_unavailable", reason=str(error).splitlines()[0] if str(error) else "")
        return unavailable("the database")
    if isinstance(error, pw.IntegrityError) and _is_duplicate(error):
        # Two callers created the same thing at the same instant; the database let one through.
        log.warning("duplicate_refused", reason=str(error).splitlines()[0])
        return Conflict("it exists already")
    if isinstance(error, pw.OperationalError) and "locked" in str(error):
        log.error("database_locked", reason=str(error))
        return unavailable("the database")
    log.error("request_failed", exc_info=error)
    return Problem(500, "internal", "internal error", "the fault has been logged under the trace id")


def _is_duplicate(error: pw.IntegrityError) -> bool:
    text = str(error).lower()
    return "unique constraint" in text or "duplicate key" in text
