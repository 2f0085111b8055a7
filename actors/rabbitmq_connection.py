"""How Baton connects to RabbitMQ, and how a message's own headers and properties travel with it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
import pika.exceptions

from baton.actors.broker_api import BrokerUnavailableError, WireMessage

#: A silent connection is dead after about this long. Lower notices sooner, and mistakes a stalled machine for a dead one.
HEARTBEAT_SECONDS = 30
#: How long RabbitMQ may hold a connection that publishes (memory or disk alarm) before it is given up.
BLOCKED_SECONDS = 30

#: AMQP properties that stay with a message wherever it goes. Left out: `expiration` (nothing of ours may expire), `user_id`
#: (RabbitMQ refuses another user's), `delivery_mode` (always persistent).
KEPT_PROPERTIES = (
    "content_type",
    "content_encoding",
    "correlation_id",
    "reply_to",
    "priority",
    "message_id",
    "timestamp",
    "type",
    "app_id",
)


def parameters_of(url: str, role: str) -> list[pika.URLParameters]:
    """Return connection parameters for each broker of a URL (several are separated by `;`). What the URL says itself stays."""
    found = []
    for part in url.split(";"):
        parameters = pika.URLParameters(part)
        if parameters.heartbeat is None:
            parameters.heartbeat = HEARTBEAT_SECONDS
        if parameters.blocked_connection_timeout is None:
            parameters.blocked_connection_timeout = BLOCKED_SECONDS
        parameters.client_properties = {"connection_name": f"baton {role} {socket.gethostname()}:{os.getpid()}"}
        found.append(parameters)
    return found


def basic_properties(message: WireMessage) -> pika.BasicProperties:
    """Return a message's AMQP properties: its own, made persistent and named by its id."""
    kept = {name: value for name, value in message.properties.items() if name in KEPT_PROPERTIES}
    kept["message_id"] = amqp_message_id(message)
    return pika.BasicProperties(headers=message.headers or None, delivery_mode=2, **kept)


def amqp_message_id(message: WireMessage) -> str:
    """Return the id under which a message travels: its own property, else the message id, cut to what AMQP can carry."""
    own = message.properties.get("message_id")
    # A short string holds 255 bytes; a foreign sender's id may be anything.
    return own or message.message_id.encode("utf-8", "replace")[:255].decode("utf-8", "ignore")


def wire_message(queue: str, body: bytes, properties: pika.BasicProperties) -> WireMessage:
    """Return a received message as it came."""
    kept = {name: getattr(properties, name) for name in KEPT_PROPERTIES}
    return WireMessage(
        queue=queue,
        body=body,
        message_id=properties.message_id or "",
        headers=dict(properties.headers or {}),
        properties={name: value for name, value in kept.items() if value is not None},
    )


@contextmanager
def short_connection(parameters: list[pika.URLParameters]) -> Iterator[Any]:
    """
    Give a connection for the length of the block. For questions and repairs; it sends no heartbeats while the block is busy.

    Raises:
        BrokerUnavailableError: RabbitMQ cannot be reached, or the connection broke.
    """
    try:
        connection = pika.BlockingConnection(parameters)
    except (pika.exceptions.AMQPError, OSError) as error:
        raise BrokerUnavailableError(f"RabbitMQ cannot be reached: {error!r}") from error
    try:
        yield connection
    except (pika.exceptions.AMQPError, OSError) as error:
        raise BrokerUnavailableError(f"the connection to RabbitMQ broke: {error!r}") from error
    finally:
        if connection.is_open:
            connection.close()
