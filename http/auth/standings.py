"""How people stand now: for services that hold connections open longer than what a token says stays true."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

from pydantic import Field

from baton.http.api import Body, Call, Operation, View
from baton.http.auth.accounts import EMPLOYEE_ROLE
from baton.http.types import BIGGEST_INTEGER, Name
from baton.models.auth import Employee, User, grants


class Subjects(Body):
    """Whom to tell about: subjects of tokens, such as `user:7` and `employee:3`."""

    subjects: Annotated[list[Name], Field(max_length=500)]


class Standing(View):
    """One of them: whether the account may be used, and the roles (`system:Role`) it holds now."""

    subject: str
    is_active: bool
    roles: list[str]


class Standings(View):
    """Those asked for, in the order of the question. An account that does not exist is not active."""

    standings: list[Standing]


def read_standings(call: Call, body: Subjects) -> Standings:
    """Return how users and employees stand now: three questions to the database, however many are asked for."""
    users, employees = _ids(body.subjects, "user"), _ids(body.subjects, "employee")
    active = {f"user:{row.id}" for row in User.select(User.id).where(User.id.in_(users), User.is_active)}
    active |= {f"employee:{row.id}" for row in Employee.select(Employee.id).where(Employee.id.in_(employees), Employee.is_active)}
    held: dict[str, list[str]] = defaultdict(list)
    for user_id, system, role in grants.roles_in_force(users):
        held[f"user:{user_id}"].append(f"{system}:{role}")
    found = []
    for subject in body.subjects:
        roles = [EMPLOYEE_ROLE] if subject.startswith("employee:") else sorted(held[subject])
        there = subject in active
        found.append(Standing(subject=subject, is_active=there, roles=roles if there else []))
    return Standings(standings=found)


def _ids(subjects: list[str], kind: str) -> list[int]:
    numbers = (subject.removeprefix(f"{kind}:") for subject in subjects if subject.startswith(f"{kind}:"))
    return [int(number) for number in numbers if number.isascii() and number.isdigit() and int(number[:20]) <= BIGGEST_INTEGER]


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/standings",
        read_standings,
        permission="internal.read",
        body=Subjects,
        returns=Standings,
        transaction="read",
        summary="Read how people stand now (services)",
        description="Whether accounts may still be used and which roles they hold, for up to 500 at a time.",
        tag="look-ups",
    ),
)
