"""Figures for Prometheus: requests by operation, and how a service's outbox, deferred messages and queues stand."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest

registry = CollectorRegistry()
_requests = Histogram(
    "baton_http_request_seconds",
    "Time to answer, from the first byte read to the answer ready",
    ["service", "method", "path", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    registry=registry,
)
_children: dict[tuple[str, str, str, int], Any] = {}


def count_request(service: str, method: str, path: str, status: int, seconds: float) -> None:
    """Count one answered request under its path template."""
    key = (service, method if method.isalpha() and len(method) < 10 else "OTHER", path, status)
    child = _children.get(key)
    if child is None:
        child = _children[key] = _requests.labels(key[0], key[1], path, str(status))
    child.observe(seconds)


def request_metrics() -> bytes:
    """Return the requests of all fronts in this process, in Prometheus' text format."""
    return generate_latest(registry)
