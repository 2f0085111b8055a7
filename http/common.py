"""The operations that every front has: health, metrics, the runtime, and its own description for machines and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from baton.http import runtime
from baton.http.documentation import POLICY, page_of
from baton.http.health import ServiceCheck, health
from baton.http.metrics import metrics_text
from baton.http.openapi import describe
from baton.http.operations import Call, Operation, Reply
from baton.http.tokens import KeySource
from baton.http.types import Query, View


class HealthQuery(Query):
    """`strict` 1 answers 503 when the service is failing, for load balancers."""

    strict: Annotated[int, Field(ge=0, le=1)] = 0


class HealthView(View):
    """How a service stands: `status` is ok, degraded or failing; `checks` has the same for each thing it needs."""

    status: str
    service: str
    version: str
    checks: dict[str, dict[str, Any]]


def common_operations(
    service: str, operations: Sequence[Operation], own_checks: Mapping[str, ServiceCheck], keys: KeySource
) -> tuple[Operation, ...]:
    """Return the operations that every front has, for a front with these operations and checks of its own."""
    rendered: dict[str, Any] = {}

    def read_health(call: Call, query: HealthQuery) -> Reply:
        found = health(service, call.settings, own_checks, keys)
        return Reply(found, status=503 if query.strict and found["status"] == "failing" else 200)

    def read_metrics(call: Call) -> Reply:
        return Reply(metrics_text(service, own_checks))

    def read_description(call: Call) -> Any:
        if "document" not in rendered:
            document = describe(service, (*operations, *common))
            answers = document["paths"]["/health"]["get"]["responses"]
            answers["503"]["content"].update(answers["200"]["content"])
            rendered["document"] = document
        return rendered["document"]

    def read_documentation(call: Call) -> Reply:
        if "page" not in rendered:
            rendered["page"] = page_of(read_description(call))
        return Reply(rendered["page"], headers={"Content-Security-Policy": POLICY})

    common = (
        Operation(
            "GET", "/health", read_health, "health.read", query=HealthQuery, returns=HealthView, transaction="none",
            summary="Whether the service lives, and how each thing it needs stands", tag="service",
        ),
        Operation(
            "GET", "/metrics", read_metrics, "metrics.read", transaction="none", media_type="text/plain; version=0.0.4",
            summary="Figures for Prometheus", tag="service",
        ),
        Operation(
            "GET", "/openapi.json", read_description, "documentation.read", returns=dict, transaction="none",
            summary="This description", tag="service",
        ),
        Operation(
            "GET", "/docs", read_documentation, "documentation.read", transaction="none", media_type="text/html; charset=utf-8",
            summary="This description as a page", tag="service",
        ),
        *runtime.OPERATIONS,
    )
    return common
