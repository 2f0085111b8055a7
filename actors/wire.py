"""
The edge where messages become bytes and bytes become messages: Dramatiq's JSON form and Celery's protocol, version 2.

Nothing else in the project knows a wire format. What cannot be read raises UnreadableMessageError, whose text is the reason a
person finds beside the dead letter. Stored JSON texts are spliced into a message without being parsed again: the outbox wrote
them, and the fields travel byte for byte.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from baton.actors.broker_api import RawDelivery, UnreadableMessageError, WireMessage
from baton.actors.wire_envelope import moment, read_envelope, unreadable_text
from baton.pipelines.messages import CATALOGUE

#: The Celery header in which our envelope travels; Celery workers ignore it.
ENVELOPE_HEADER = "baton_envelope"
#: What a compressed body may grow to. Above this it is an attack or a mistake: messages carry ids and tickets, not files.
MAX_INFLATED_BYTES = 16_000_000
#: Celery's embed: no callbacks, no error callbacks, no chain, no chord.
_EMBED = '{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'


def encode(queue: str, name: str, kwargs: str, envelope: str, celery_queues: Collection[str] = ()) -> WireMessage:
    """
    Return an outbox row as it travels: Dramatiq's form, or Celery's for the queues named in `celery_queues`.

    `kwargs` and `envelope` are the JSON texts as stored.
    """
    facts = json.loads(envelope)
    message_id = facts["message_id"]
    if queue in celery_queues:
        return _encode_celery(queue, name, kwargs, envelope, message_id)
    sent = moment(facts["sent_at"]) if facts.get("sent_at") else datetime.now(UTC)
    body = (
        f'{{"queue_name":{json.dumps(queue)},"actor_name":{json.dumps(name)},"args":[],"kwargs":{kwargs},'
        f'"options":{{"envelope":{envelope}}},"message_id":{json.dumps(message_id)},'
        f'"message_timestamp":{int(sent.timestamp() * 1000)}}}'
    )
    return WireMessage(queue=queue, body=body.encode(), message_id=message_id)


def _encode_celery(queue: str, name: str, kwargs: str, envelope: str, message_id: str) -> WireMessage:
    headers = {
        "lang": "py",
        "task": name,
        "id": message_id,
        "root_id": message_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "timelimit": [None, None],
        "eta": None,
        "expires": None,
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "origin": "baton",
        "ignore_result": True,
        ENVELOPE_HEADER: envelope,
    }
    properties = {"content_type": "application/json", "content_encoding": "utf-8", "correlation_id": message_id}
    return WireMessage(queue, f"[[],{kwargs},{_EMBED}]".encode(), message_id, headers, properties)


def decode(wire: WireMessage, redelivered: bool = False) -> RawDelivery:
    """
    Return what a body says, in whichever of the two forms it came. The envelope is complete and well-typed afterwards.

    A message that is not due yet carries `not_before` (ISO 8601) in its envelope.

    Raises:
        UnreadableMessageError: it is not a message; dead-letter it with the error's text.
    """
    text = _text(wire)
    value = _parse(text)
    if (reason := unreadable_text(text, value)) is not None:
        raise UnreadableMessageError(reason)
    if "task" in wire.headers:
        name, args, kwargs, facts = _read_celery(wire, value)
    else:
        name, args, kwargs, facts = _read_dramatiq(value)
    if args:
        kwargs = _by_name(name, args, kwargs)
    envelope = read_envelope(facts)
    if wire.message_id != envelope["message_id"]:
        wire = replace(wire, message_id=envelope["message_id"])
    return RawDelivery(wire.queue, name, kwargs, envelope, wire, redelivered)


def _text(wire: WireMessage) -> str:
    body = wire.body
    encoding = str(wire.headers.get("compression") or wire.properties.get("content_encoding") or "").lower()
    if encoding in ("gzip", "application/x-gzip", "zlib", "application/x-zlib", "deflate") or body[:2] == b"\x1f\x8b":
        inflater = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, told apart by their headers
        try:
            body = inflater.decompress(body, MAX_INFLATED_BYTES)
        except zlib.error as error:
            raise UnreadableMessageError(f"the body is marked as {encoding or 'gzip'} but is not: {error}") from None
        if inflater.unconsumed_tail or not inflater.eof:
            raise UnreadableMessageError("the compressed body is cut short or larger than 16 MB")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableMessageError(f"the body is not UTF-8: {error}") from None


def _parse(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON value")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise UnreadableMessageError("the body is nested too deeply") from None
    except ValueError as error:
        raise UnreadableMessageError(f"the body is not JSON: {error}") from None


def _read_dramatiq(value: Any) -> tuple[str, Any, dict[str, Any], dict[str, Any]]:
    if not isinstance(value, dict):
        raise UnreadableMessageError(f"the body is not a JSON object but {_kind(value)}, and no Celery headers came with it")
    missing = [field for field in ("actor_name", "kwargs", "message_id") if field not in value]
    if missing:
        raise UnreadableMessageError(f"the message lacks {', '.join(missing)}")
    name, kwargs, options = value["actor_name"], value["kwargs"], value.get("options") or {}
    _expect("actor_name", name, str)
    _expect("kwargs", kwargs, dict)
    _expect("options", options, dict)
    _expect("args", value.get("args") or [], list)
    envelope = options.get("envelope") or {}
    _expect("options.envelope", envelope, dict)
    facts = {"message_id": value["message_id"], **envelope, "sent_ms": value.get("message_timestamp"), "eta": options.get("eta")}
    return name, value.get("args"), kwargs, facts


def _read_celery(wire: WireMessage, value: Any) -> tuple[str, Any, dict[str, Any], dict[str, Any]]:
    headers = wire.headers
    name = headers["task"]
    _expect("the header task", name, str)
    if not isinstance(value, list) or len(value) != 3:
        raise UnreadableMessageError("a Celery body must be [args, kwargs, embed]")
    args, kwargs, embed = value
    _expect("args", args, list)
    _expect("kwargs", kwargs, dict)
    if isinstance(embed, dict) and any(embed.get(key) for key in ("chain", "chord", "callbacks", "errbacks")):
        raise UnreadableMessageError("the message carries Celery callbacks, which nobody here would call")
    stored = headers.get(ENVELOPE_HEADER)
    envelope = _parse(stored) if isinstance(stored, str) else {}
    _expect(f"the header {ENVELOPE_HEADER}", envelope, dict)
    message_id = headers.get("id") or wire.properties.get("correlation_id")
    facts = {"message_id": message_id, **envelope, "eta": headers.get("eta"), "expires": headers.get("expires")}
    return name, args, kwargs, facts


def _by_name(name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Give positional arguments the names of the catalogue's fields, in their order there."""
    message = CATALOGUE.get(name)
    fields = [field.name for field in dataclasses.fields(message)] if message else []
    if len(args) > len(fields):
        raise UnreadableMessageError(f"{len(args)} positional arguments, but {name} has {len(fields)} fields: name them")
    named = dict(zip(fields, args, strict=False))
    if doubled := sorted(named.keys() & kwargs.keys()):
        raise UnreadableMessageError(f"{', '.join(doubled)} came by position and by name")
    return named | kwargs


def _expect(what: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise UnreadableMessageError(f"{what} must be {_KINDS[kind]}, not {_kind(value)}")


_KINDS: dict[type, str] = {str: "a string", dict: "an object", list: "a list"}


def _kind(value: Any) -> str:
    kinds = {**_KINDS, bool: "a boolean", int: "a number", float: "a number", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)


def describe(wire: WireMessage) -> tuple[str | None, str | None]:
    """Return the actor's name and the ticket number of a message as far as they can be told. Never raises."""
    try:
        raw = decode(wire)
    except UnreadableMessageError:
        task = wire.headers.get("task")
        return (task if isinstance(task, str) else None), None
    return raw.actor_name, raw.envelope["ticket_number"]


def with_fresh_attempts(wire: WireMessage) -> WireMessage:
    """Return the message as if it had never been tried; what cannot be read is returned as it is."""
    try:
        raw = decode(wire)
    except UnreadableMessageError:
        return wire
    if raw.envelope["attempt"] == 1:
        return wire
    if "task" in wire.headers:
        envelope = json.dumps({**raw.envelope, "attempt": 1}, separators=(",", ":"))
        return replace(wire, headers={**wire.headers, ENVELOPE_HEADER: envelope})
    value = json.loads(_text(wire))
    value["options"]["envelope"]["attempt"] = 1
    headers: Mapping[str, Any] = {k: v for k, v in wire.headers.items() if k != "compression"}
    properties = {k: v for k, v in wire.properties.items() if k != "content_encoding"}
    return replace(wire, body=json.dumps(value, separators=(",", ":")).encode(), headers=dict(headers), properties=properties)
