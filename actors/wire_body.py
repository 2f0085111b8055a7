"""From bytes to a JSON value, whoever sent them: content types, compression, texts that nobody could store."""

from __future__ import annotations

import json
import zlib
from typing import Any

from baton.actors.broker_api import UnreadableMessageError, WireMessage

#: What a compressed body may grow to. Above this it is an attack or a mistake: messages carry ids and tickets, not files.
MAX_INFLATED_BYTES = 16_000_000
#: Celery names both of its deflating compressions `application/x-gzip`; the body itself says which it is.
_DEFLATED = frozenset({"gzip", "application/x-gzip", "zlib", "application/x-zlib", "deflate"})
#: Content types of serializers that Celery offers beside JSON. Unpickling runs whatever code the sender likes.
_SERIALIZERS = {
    "application/x-python-serialize": "pickle",
    "application/x-yaml": "YAML",
    "application/x-msgpack": "msgpack",
    "application/data": "signed",
}
_KINDS: dict[type, str] = {str: "a string", dict: "an object", list: "a list"}


def text_of(wire: WireMessage) -> str:
    """Return the body as text. Raises UnreadableMessageError, naming what else it is."""
    content_type = str(wire.properties.get("content_type") or "").lower()
    if content_type in _SERIALIZERS:
        kind = _SERIALIZERS[content_type]
        raise UnreadableMessageError(f"the body is {kind} ({content_type}); only JSON is read: send it with serializer='json'")
    body = wire.body
    compression = str(wire.headers.get("compression") or "").lower()
    encoding = compression or str(wire.properties.get("content_encoding") or "").lower()
    if encoding in _DEFLATED or body[:2] == b"\x1f\x8b":
        body = _inflate(body, encoding)
    elif compression:
        raise UnreadableMessageError(f"the body is compressed as {compression}, which is not read here: use gzip or zlib")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableMessageError(f"the body is not UTF-8: {error}") from None


def _inflate(body: bytes, encoding: str) -> bytes:
    inflater = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, told apart by their headers
    try:
        inflated = inflater.decompress(body, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise UnreadableMessageError(f"the body is marked as {encoding or 'gzip'} but is not: {error}") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise UnreadableMessageError("the compressed body is cut short or larger than 16 MB")
    if inflater.unused_data:
        raise UnreadableMessageError("something follows the compressed body")
    return inflated


def parse(text: str, object_hook: Any = None) -> Any:
    """Return the JSON value of a text. Raises UnreadableMessageError; NaN and the infinities are no JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON value")

    try:
        return json.loads(text, parse_constant=refuse, object_hook=object_hook)
    except RecursionError:
        raise UnreadableMessageError("the body is nested too deeply") from None
    except ValueError as error:
        raise UnreadableMessageError(f"the body is not JSON: {error}") from None


def expect(what: str, value: Any, kind: type) -> None:
    """Raise UnreadableMessageError unless the value is of this kind: str, dict or list."""
    if not isinstance(value, kind):
        raise UnreadableMessageError(f"{what} must be {_KINDS[kind]}, not {kind_of(value)}")


def kind_of(value: Any) -> str:
    """Return in words what kind of JSON value this is."""
    kinds = {**_KINDS, bool: "a boolean", int: "a number", float: "a number", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)
