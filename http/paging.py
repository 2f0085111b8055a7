"""
Lists by page: keyset pagination, so that the thousandth page costs what the first does and nothing is skipped or shown twice.

A cursor is opaque to callers: the sort key of the last item, encoded.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import peewee as pw

from baton.http.problems import BadRequest
from baton.http.types import BIGGEST_INTEGER, Page, is_storable
from baton.models.database import InstantField

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def page(
    query: pw.ModelSelect[Any],
    *,
    key: pw.Field | Sequence[pw.Field],
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    descending: bool = False,
    view: Callable[[Any], Any] | None = None,
) -> Page[Any]:
    """
    Return one page of the query, sorted by `key` (fields that together are unique, indexed in this order).

    `view` turns a row into an item; without it rows must be views already. `limit` is cut to 1..200.

    Raises:
        BadRequest: the cursor is not one of this list's.
    """
    fields = [key] if isinstance(key, pw.Field) else list(key)
    limit = max(1, min(limit, MAX_LIMIT))
    if cursor is not None:
        values = decode_cursor(cursor, fields)
        query = query.where(_beyond(fields, values, descending))
    ordered = query.order_by(*(field.desc() if descending else field.asc() for field in fields))
    rows = list(ordered.limit(limit + 1))
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = encode_cursor([_value(rows[-1], field.name) for field in fields])
    return Page[Any](items=[view(row) for row in rows] if view else rows, next=following)


def _value(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _beyond(fields: Sequence[pw.Field], values: Sequence[Any], descending: bool) -> Any:
    """Return `(a, b) > (x, y)` written out: `a > x or (a = x and b > y)`, which both databases index."""
    first, value = fields[0], values[0]
    further = first < value if descending else first > value
    if len(fields) == 1:
        return further
    bound = first <= value if descending else first >= value
    return bound & (further | _beyond(fields[1:], values[1:], descending))


def encode_cursor(values: Sequence[Any]) -> str:
    """Return an opaque text for the sort key of a page's last item: texts, integers and instants."""
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, fields: Sequence[pw.Field]) -> list[Any]:
    """Return the sort key in a cursor; raises BadRequest unless it has the types of these fields."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(fields):
            raise ValueError("not a sort key")
        return [_checked(field, value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error, RecursionError):
        raise BadRequest("the cursor is not one that this list gave out") from None


def _checked(field: pw.Field, value: Any) -> Any:
    if isinstance(field, InstantField):
        instant = datetime.fromisoformat(value["t"])
        if instant.tzinfo is None:
            raise ValueError("a naive time")
        return instant.astimezone(UTC)
    if isinstance(field, pw.IntegerField | pw.AutoField | pw.BigIntegerField):
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > BIGGEST_INTEGER:
            raise ValueError("not an integer")
        return value
    if not isinstance(value, str) or not is_storable(value):
        raise ValueError("not a text")
    return value
