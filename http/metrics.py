"""
Figures for Prometheus: requests by operation, and how a service's outbox, deferred messages and queues stand.

Everything this process counts is in the default registry (the workers' figures too, when they run in the same process); the
service's own state is read when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import peewee as pw
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from baton.http import health
from baton.models.database import DatabaseUnavailableError, read_tx

_requests = Histogram(
    "baton_http_request_seconds",
    "Time from a request's headers read to its answer ready",
    ["service", "method", "path", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
_children: dict[tuple[str, str, str, int], Any] = {}
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def count_request(service: str, method: str, path: str, status: int, seconds: float) -> None:
    """Count one answered request under its path template; unknown methods and paths share one series each."""
    key = (service, method if method in _METHODS else "OTHER", path, status)
    child = _children.get(key)
    if child is None:
        child = _children[key] = _requests.labels(key[0], key[1], path, str(status))
    child.observe(seconds)


def metrics_text(service: str, own: Mapping[str, health.ServiceCheck]) -> bytes:
    """Return this process's figures, the service's state and what its own checks count, in Prometheus' text format."""
    state = CollectorRegistry()
    state.register(_State(service, own))
    return generate_latest(REGISTRY) + generate_latest(state)


class _State:
    """Reads the state of a service's tables and queues when Prometheus asks."""

    def __init__(self, service: str, own: Mapping[str, health.ServiceCheck]) -> None:
        self._service = service
        self._own = own

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: the names are known when they are read."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge per figure; the tables' are missing while the database cannot be reached."""
        try:
            with read_tx(self._service) as database:
                figures = health.runtime_figures(self._service)
                for check, count in self._own.items():
                    figures |= {f"{check}_{name}": value for name, value in count(database).items() if _is_figure(value)}
        except (DatabaseUnavailableError, pw.PeeweeException):
            figures = {}
        yield self._gauge("baton_database_up", "Whether the service's tables can be read", 1 if figures else 0)
        for name, value in figures.items():
            if value is not None:
                yield self._gauge(f"baton_{name}", f"{name.replace('_', ' ')} (rows are counted up to 10,000)", value)
        yield from self._queues()

    def _gauge(self, name: str, text: str, value: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, text, labels=["service"])
        family.add_metric([self._service], value)
        return family

    def _queues(self) -> Iterator[GaugeMetricFamily]:
        states = health.queue_states(self._service) or ()
        for name, text in (
            ("ready", "Messages waiting in a queue"),
            ("consumers", "Processes consuming a queue"),
            ("dead", "Dead letters of a queue"),
        ):
            family = GaugeMetricFamily(f"baton_queue_{name}", text, labels=["queue"])
            for queue in states:
                family.add_metric([queue.queue], getattr(queue, name))
            yield family


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
