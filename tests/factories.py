"""Values for tests: principals and their tokens, ticket bodies, roles with members. Every value is complete and valid."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from typing import Any

import jwt
import pytest

from baton.models import database as db
from baton.models.settings import get_settings
from baton.pipelines.permissions import Principal

#: For `@pytest.mark.parametrize("backend", BACKENDS)`: the same test on SQLite and on PostgreSQL.
BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.distributed)]

ADMIN = Principal("user", "1", "Ada Admin", "ada@example.com", frozenset({"auth:Admin", "hdts:Admin", "tts:Admin"}))
COORDINATOR = Principal(
    "user", "2", "Cora Coordinator", "cora@example.com", frozenset({"hdts:Ticket Coordinator", "tts:Ticket Coordinator"})
)
TECHNICIAN = Principal("user", "3", "Tom Technician", "tom@example.com", frozenset({"tts:IT Manager"}))
EMPLOYEE = Principal("employee", "101", "Eve Employee", "eve@example.com", frozenset({"hdts:Employee"}))
OTHER_EMPLOYEE = Principal("employee", "102", "Oscar Other", "oscar@example.com", frozenset({"hdts:Employee"}))
SERVICE = Principal("service", "workflow", "workflow")

_numbers = itertools.count(1)


def token_for(principal: Principal, *, seconds: int = 900, **claims: Any) -> str:
    """Return an access token as auth would sign it under the test settings; `claims` replace or add, None removes."""
    now = int(time.time())
    content: dict[str, Any] = {
        "iss": "baton-auth",
        "aud": "baton",
        "sub": principal.subject,
        "name": principal.name,
        "email": principal.email,
        "roles": sorted(principal.roles),
        "iat": now,
        "exp": now + seconds,
        "jti": uuid.uuid4().hex,
        **claims,
    }
    content = {key: value for key, value in content.items() if value is not None}
    return jwt.encode(content, get_settings().token_secret, algorithm="HS256", headers={"kid": "hs256"})


def bearer(principal: Principal, **claims: Any) -> dict[str, str]:
    """Return the headers that sign a call as the principal."""
    return {"Authorization": f"Bearer {token_for(principal, **claims)}"}


def ticket_body(**changes: Any) -> dict[str, Any]:
    """Return a valid body for `POST /api/v1/tickets` of helpdesk; each has a subject of its own."""
    return {
        "subject": f"The printer is jammed, case {next(_numbers)}",
        "description": "It says PC LOAD LETTER.\nNobody knows what that means.",
        "category": "IT Support",
        "subcategory": "Hardware",
        "department": "IT Department",
        "priority": "Medium",
        **changes,
    }


def gateway_body(**changes: Any) -> dict[str, Any]:
    """Return a valid body for `POST /send/` of the submission gateway."""
    employee = {"id": EMPLOYEE.id, "name": EMPLOYEE.name, "email": EMPLOYEE.email}
    return ticket_body(employee=employee, source_service="hdts", **changes)


def ticket_data(number: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return a ticket as helpdesk sends it to the workflow side."""
    return ticket_body(
        ticket_number=number or f"HD-{next(_numbers):08d}",
        status="Open",
        employee={"id": EMPLOYEE.id, "name": EMPLOYEE.name, "email": EMPLOYEE.email},
        source_service="hdts",
        submitted_at="2026-06-01T08:00:00+00:00",
        **changes,
    )


def sync_role(role_id: int | str = 1, name: str = "Admin", **changes: Any) -> dict[str, Any]:
    """Return the payload of a SyncRole message."""
    return {"role": {"id": role_id, "name": name, "system": "tts", "is_active": True, **changes}}


def sync_grant(user_id: int | str, role_id: int | str = 1, **changes: Any) -> dict[str, Any]:
    """Return the payload of a SyncUserSystemRole message."""
    grant = {"user_id": user_id, "role_id": role_id, "user_full_name": f"User {user_id}", "is_active": True, **changes}
    return {"user_system_role": grant}


def incompressible(length: int, seed: int = 1) -> str:
    """Return a text of so many characters that takes four bytes for each and that no database makes smaller."""
    rng = random.Random(seed)
    return "".join(chr(rng.randint(0x20000, 0x2A000)) for _ in range(length))


def how_many(service: str, query: Any) -> int:
    """Return how many rows a query on a service's tables finds."""
    with db.read_tx(service):
        return int(query.count())
