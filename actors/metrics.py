"""What a worker counts about its messages, for `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

#: Outcomes: done, retried, deferred, refused, unreadable, released (handed back unhandled).
MESSAGES = Counter("baton_messages_total", "Messages by actor and outcome", ["actor", "outcome"])
SECONDS = Histogram(
    "baton_message_seconds",
    "Time per message, its share of the batch's transaction",
    ["actor"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30),
)
BATCH = Histogram("baton_batch_messages", "Messages per transaction", ["actor"], buckets=(1, 2, 5, 10, 20, 50, 100))
WAITS = Counter("baton_handler_waits_total", "Times a handler waited for a database or broker", ["actor"])


def observe(actor: str, messages: int, seconds: float) -> None:
    """Note a committed transaction that handled so many messages."""
    BATCH.labels(actor).observe(messages)
    SECONDS.labels(actor).observe(seconds / messages)
    MESSAGES.labels(actor, "done").inc(messages)
