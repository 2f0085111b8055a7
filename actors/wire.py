"""
The edge where messages become bytes and bytes become messages: Dramatiq's JSON form here, Celery's in `wire_celery`.

Nothing else in the project knows a wire format. What cannot be read raises UnreadableMessageError, whose text is the reason a
person finds beside the dead letter. Stored JSON texts are spliced into a message without being parsed again: the outbox wrote
them, and the fields travel byte for byte.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from baton.actors.broker_api import RawDelivery, UnreadableMessageError, WireMessage
from baton.actors.wire_body import expect, kind_of, parse, text_of
from baton.actors.wire_celery import (
    ENVELOPE_HEADER,
    encode_celery,
    is_celery,
    parse_celery,
    read_celery,
    refuse_protocol_1,
)
from baton.actors.wire_envelope import moment, read_envelope, unreadable_text
from baton.pipelines.external_messages import EXTERNAL_QUEUES
from baton.pipelines.messages import CATALOGUE


def encode(queue: str, name: str, kwargs: str, envelope: str, celery_queues: Collection[str] = ()) -> WireMessage:
    """
    Return an outbox row as it travels: Dramatiq's form, or Celery's for the queues named in `celery_queues` and for those that
    other departments' Celery workers consume.

    `kwargs` and `envelope` are the JSON texts as stored.
    """
    facts = json.loads(envelope)
    message_id = facts["message_id"]
    if queue in celery_queues or queue in EXTERNAL_QUEUES:
        return encode_celery(queue, name, kwargs, envelope, message_id)
    sent = moment(facts["sent_at"]) if facts.get("sent_at") else datetime.now(UTC)
    body = (
        f'{{"queue_name":{json.dumps(queue)},"actor_name":{json.dumps(name)},"args":[],"kwargs":{kwargs},'
        f'"options":{{"envelope":{envelope}}},"message_id":{json.dumps(message_id)},'
        f'"message_timestamp":{int(sent.timestamp() * 1000)}}}'
    )
    return WireMessage(queue=queue, body=body.encode(), message_id=message_id)


def decode(wire: WireMessage, redelivered: bool = False) -> RawDelivery:
    """
    Return what a body says, in whichever of the two forms it came. The envelope is complete and well-typed afterwards.

    A message that is not due yet carries `not_before` (ISO 8601) in its envelope.

    Raises:
        UnreadableMessageError: it is not a message; dead-letter it with the error's text.
    """
    text = text_of(wire)
    celery = is_celery(wire)
    value = parse_celery(text) if celery else parse(text)
    if (reason := unreadable_text(text, value)) is not None:
        raise UnreadableMessageError(reason)
    if celery:
        name, args, kwargs, facts = read_celery(wire, value)
    else:
        name, args, kwargs, facts = _read_dramatiq(value)
    if args:
        kwargs = _by_name(name, args, kwargs)
    envelope = read_envelope(facts)
    if wire.message_id != envelope["message_id"]:
        wire = replace(wire, message_id=envelope["message_id"])
    return RawDelivery(wire.queue, name, kwargs, envelope, wire, redelivered)


def _read_dramatiq(value: Any) -> tuple[str, Any, dict[str, Any], dict[str, Any]]:
    refuse_protocol_1(value)
    if not isinstance(value, dict):
        raise UnreadableMessageError(f"the body is not a JSON object but {kind_of(value)}, and no Celery headers came with it")
    missing = [field for field in ("actor_name", "kwargs", "message_id") if field not in value]
    if missing:
        raise UnreadableMessageError(f"the message lacks {', '.join(missing)}")
    name, kwargs, options = value["actor_name"], value["kwargs"], value.get("options") or {}
    expect("actor_name", name, str)
    expect("kwargs", kwargs, dict)
    expect("options", options, dict)
    expect("args", value.get("args") or [], list)
    envelope = options.get("envelope") or {}
    expect("options.envelope", envelope, dict)
    facts = {"message_id": value["message_id"], **envelope, "sent_ms": value.get("message_timestamp"), "eta": options.get("eta")}
    return name, value.get("args"), kwargs, facts


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
    if is_celery(wire):
        envelope = json.dumps({**raw.envelope, "attempt": 1}, separators=(",", ":"))
        return replace(wire, headers={**wire.headers, ENVELOPE_HEADER: envelope})
    value = json.loads(text_of(wire))
    value["options"]["envelope"]["attempt"] = 1
    headers: Mapping[str, Any] = {k: v for k, v in wire.headers.items() if k != "compression"}
    properties = {k: v for k, v in wire.properties.items() if k != "content_encoding"}
    return replace(wire, body=json.dumps(value, separators=(",", ":")).encode(), headers=dict(headers), properties=properties)
