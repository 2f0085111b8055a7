"""
Celery's message protocol, version 2: task name, id and times in AMQP headers, a JSON body of [args, kwargs, embed].

What Celery would do beyond running the task is honoured or refused with a reason, never dropped: `eta` and `countdown` wait in
the database, `expires` counts at every look at the message, priorities are the consumer's affair; callbacks, chains and chords
are refused, since nobody here would call what comes next. Ids of groups, roots and parents, time limits and where a result
should go are left aside: they change nothing about the task.
"""

from __future__ import annotations

import uuid
from typing import Any

from baton.actors.broker_api import UnreadableMessageError, WireMessage
from baton.actors.wire_body import expect, kind_of, parse

#: The Celery header in which our envelope travels; Celery workers ignore it.
ENVELOPE_HEADER = "baton_envelope"
#: Celery's embed: no callbacks, no error callbacks, no chain, no chord.
_EMBED = '{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'
#: What follows on a task, by the key under which it travels in the embed.
_SEQUELS = {"callbacks": "callbacks (link)", "errbacks": "error callbacks (link_error)", "chain": "a chain", "chord": "a chord"}
#: Values that Celery writes as {"__type__": ..., "__value__": text}; here they are the text.
_AS_TEXT = frozenset({"datetime", "date", "time", "decimal", "bytes"})


def encode_celery(queue: str, name: str, kwargs: str, envelope: str, message_id: str) -> WireMessage:
    """Return an outbox row as a Celery message; its task id is the message id, so that a repeat bears the same."""
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


def is_celery(wire: WireMessage) -> bool:
    """Whether a message bears Celery's headers."""
    return "task" in wire.headers


def parse_celery(text: str) -> Any:
    """Return the JSON value of a Celery body, with the values that Celery marks by their type as plain texts."""
    return parse(text, _plain if '"__type__"' in text else None)


def read_celery(wire: WireMessage, value: Any) -> tuple[str, list[Any], dict[str, Any], dict[str, Any]]:
    """
    Return the task's name, its positional and keyword arguments, and what is known about the message.

    Raises:
        UnreadableMessageError: it is no message of protocol 2, or wants what nobody here would do.
    """
    headers = wire.headers
    name = headers["task"]
    expect("the header task", name, str)
    if not isinstance(value, list) or len(value) != 3:
        raise UnreadableMessageError("a Celery body must be [args, kwargs, embed]")
    args, kwargs, embed = value
    expect("args", args, list)
    expect("kwargs", kwargs, dict)
    _refuse_sequels(embed)
    stored = headers.get(ENVELOPE_HEADER)
    envelope = parse(stored) if isinstance(stored, str) else {}
    expect(f"the header {ENVELOPE_HEADER}", envelope, dict)
    facts = {"message_id": headers.get("id") or wire.properties.get("correlation_id"), **envelope}
    for time in ("eta", "expires"):
        if headers.get(time) is not None:
            facts[time] = headers[time]
    return name, args, kwargs, facts


def refuse_protocol_1(value: Any) -> None:
    """Raise UnreadableMessageError if the value is the body of a message of Celery's protocol 1."""
    if isinstance(value, dict) and {"task", "id"} <= value.keys() and "actor_name" not in value:
        raise UnreadableMessageError("Celery's message protocol 1 is not read here: set task_protocol = 2 at the sender")


def _refuse_sequels(embed: Any) -> None:
    if embed is None:
        return
    expect("embed", embed, dict)
    wanted = [what for key, what in _SEQUELS.items() if embed.get(key)]
    if wanted:
        raise UnreadableMessageError(f"the message carries {' and '.join(wanted)}, which nobody here would call")


def _plain(value: dict[str, Any]) -> Any:
    if value.keys() != {"__type__", "__value__"}:
        return value
    kind, content = value["__type__"], value["__value__"]
    if kind in _AS_TEXT and isinstance(content, str):
        return content
    if kind == "uuid" and isinstance(content, dict):
        try:
            return str(uuid.UUID(hex=content.get("hex")))
        except (ValueError, TypeError, AttributeError):
            pass
    raise UnreadableMessageError(f"a value of type {str(kind)[:60]!r} ({kind_of(content)}) has no place in a message")
