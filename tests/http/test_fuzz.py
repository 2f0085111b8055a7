"""
A schema-driven fuzzer over every front: whatever is sent, no answer is a 5xx and every answer is one that the description names.

Each operation gets valid and invalid requests from every kind of caller. `BATON_TEST_FUZZ_EXAMPLES` sets how many per operation;
the long form (`-m long`) tries many.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from falcon.testing import TestClient
from hypothesis import strategies as st
from schemathesis import GenerationMode

from baton.http.tokens import key_source
from baton.models.settings import SERVICES
from baton.pipelines.permissions import may
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, SERVICE, TECHNICIAN, bearer
from tests.http.demo import demo_client

CALLERS = (ADMIN, COORDINATOR, TECHNICIAN, EMPLOYEE, SERVICE)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


def written() -> list[str]:
    """Return the fronts that can be imported: while one is being written, the others are still tried."""
    found = []
    for service in SERVICES:
        if importlib.util.find_spec(f"baton.http.{service}") is not None:
            found.append(service)
    return ["demo", *found]


@pytest.fixture
def app(front: str, databases: Any) -> Iterator[Any]:
    """The WSGI application of a front, on empty tables."""
    if front == "demo":
        with demo_client(databases) as client:
            yield client.app
    else:
        yield importlib.import_module(f"baton.http.{front}").create_app(databases, key_source(databases))


def operations_of(app: Any) -> list[Any]:
    """Return the operations that the front's own description names."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    # A text beyond its longest may also be a body beyond its largest; too many attempts are refused whatever they hold.
    schema.config.checks.negative_data_rejection.expected_statuses = [
        "400",
        "401",
        "403",
        "404",
        "405",
        "409",
        "412",
        "413",
        "415",
        "422",
        "429",
    ]
    operations = [result.ok() for result in schema.get_all_operations()]
    # A stream does not end by itself, and behind a tunnel answers another service, which is away here; tests/http/live has those.
    return [operation for operation in operations if operation.definition.raw.get("x-live") not in ("events", "tunnel")]


def try_operation(operation: Any, examples: int) -> None:
    """Send generated requests to an operation; raises on the first answer that breaks a promise (shrunk)."""
    from schemathesis.checks import CHECKS as registered
    from schemathesis.checks import load_all_checks

    load_all_checks()
    checks = registered.get_by_names(list(CHECKS))
    permission = operation.definition.raw["x-permission"]
    allowed = [caller for caller in CALLERS if may(caller, permission)]
    headers = [bearer(caller) for caller in allowed or CALLERS]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        cases = operation.as_strategy(generation_mode=mode)

        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=examples < 100,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=cases, header=st.sampled_from(headers))
        def send(case: Any, header: dict[str, str]) -> None:
            case.call_and_validate(headers=header, checks=checks)

        # An operation that takes nothing cannot be asked wrongly.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            send()


def fuzz(app: Any, examples: int) -> None:
    faults = []
    for operation in operations_of(app):
        try:
            try_operation(operation, examples)
        except Exception as error:
            faults.append(
                f"{operation.label}: {type(error).__name__}: {error}\n{getattr(error, '__notes__', '')}\n{causes(error)}"
            )
    assert not faults, "\n\n".join(faults)


def causes(error: BaseException) -> str:
    return "\n".join(str(inner) for inner in getattr(error, "exceptions", ()))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("front", written())
def test_every_answer_is_one_that_the_description_names(front: str, app: Any) -> None:
    fuzz(app, int(os.environ.get("BATON_TEST_FUZZ_EXAMPLES", "8")))


@pytest.mark.long
@pytest.mark.parametrize("front", written())
def test_every_answer_is_one_that_the_description_names_at_length(front: str, app: Any) -> None:
    fuzz(app, 200)


@pytest.mark.parametrize("front", written())
def test_nobody_gets_past_the_door_without_a_token(front: str, app: Any) -> None:
    client = TestClient(app)
    document = client.simulate_get("/openapi.json").json
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["security"]:
                concrete = path.replace("{", "").replace("}", "")
                answer = client.simulate_request(
                    method.upper(), concrete, body=b"{}", headers={"Content-Type": "application/json"}
                )
                assert answer.status_code == 401, f"{method} {path} answered {answer.status_code}"
