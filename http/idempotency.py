"""
Idempotency keys: the same key with the same request is answered once and replayed ever after; with another request it is refused.

The key is claimed at the start of the request's own transaction and bears the answer when that commits. A second request with
the key waits on the first one's row (PostgreSQL) or write lock (SQLite), then finds the answer. A refused request claims nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from baton.http.operations import Call
from baton.http.problems import BadRequest, Conflict, Problem
from baton.http.render import Answer
from baton.models.database import is_sqlite
from baton.models.runtime import runtime_tables

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
KEY_LENGTH = 255


def key_of(call: Call) -> str | None:
    """Return the caller's key for this operation, None if there is none; raises BadRequest on a malformed one."""
    key: str | None = call.request.env.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or not call.operation.idempotent or call.principal.kind == "anonymous":
        return None
    if not (0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()):
        raise BadRequest(f"{HEADER} must be 1 to {KEY_LENGTH} printable ASCII characters")
    return key


def fingerprint(call: Call, value: Any) -> str:
    """Return what makes two requests the same: method, path, query, If-Match and the JSON value of the body."""
    env = call.request.env
    parts = [call.operation.method, call.request.path, env.get("QUERY_STRING", ""), env.get("HTTP_IF_MATCH", ""), value]
    # Keyed, because a body may hold a password: whoever reads the table must not be able to try guesses against it.
    return hmac.new(call.settings.service_secret.encode(), json.dumps(parts, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def claim(call: Call, key: str, print_: str) -> Answer | None:
    """
    Claim the key for this request; return the answer to replay when an earlier request has it.

    Raises:
        Problem: 422, the key came with another request before; 409, that one has no answer yet.
    """
    table = runtime_tables(call.service).IdempotencyKey
    principal, created_at = call.principal.subject, table.created_at.db_value(call.tx.now)
    # Written as SQL: every create passes here, and peewee's query builder would cost more than the statement.
    claimed = call.database.execute_sql(
        _sql(
            call,
            "insert into idempotency_key (principal, key, fingerprint, status, headers, body, created_at)"
            " values (?, ?, ?, 0, '', '', ?) on conflict do nothing",
        ),
        (principal, key, print_, created_at),
    )
    if claimed.rowcount == 1:
        return None
    found = table.select(table.fingerprint, table.status, table.headers, table.body).where(
        (table.principal == principal) & (table.key == key)
    )
    stored = found.tuples().get()
    if stored[0] != print_:
        raise Problem(
            422,
            "idempotency-key-reused",
            "the idempotency key belongs to another request",
            "this key was used with another method, path or body; choose a new key",
        )
    if not stored[1]:
        raise Conflict("a request with this key is being worked on; try again shortly")
    headers = json.loads(stored[2])
    return Answer(stored[1], {**headers, REPLAYED_HEADER: "true"}, stored[3].encode())


def keep(call: Call, key: str, answer: Answer) -> None:
    """Store the answer under the claimed key, in the same transaction as what it reports."""
    call.database.execute_sql(
        _sql(call, "update idempotency_key set status = ?, headers = ?, body = ? where principal = ? and key = ?"),
        (answer.status, json.dumps(answer.headers), answer.body.decode(), call.principal.subject, key),
    )


def _sql(call: Call, statement: str) -> str:
    return statement if is_sqlite(call.database) else statement.replace("?", "%s")
