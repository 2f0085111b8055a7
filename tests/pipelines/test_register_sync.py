"""Register sync: who is told of, as the newest news have them."""

from __future__ import annotations

from typing import Any

import pytest

from baton.pipelines.register_sync import UnreadableError, newest, read_employee, read_hdts_user


def test_a_person_is_read_under_its_key_or_bare() -> None:
    person = {"id": 7, "email": "a@b.c", "full_name": "A", "department": "IT Department", "is_active": False, "more": 1}
    expected = {"id": "7", "email": "a@b.c", "full_name": "A", "department": "IT Department", "is_active": False}
    assert read_employee({"employee": person}) == read_employee(person) == expected


def test_what_is_missing_is_empty_and_active() -> None:
    assert read_employee({"id": "7"}) == {"id": "7", "email": "", "full_name": "", "department": "", "is_active": True}


@pytest.mark.parametrize(
    ("told", "role", "roles"),
    [
        ({"role": "Admin"}, "Admin", ["Admin"]),
        ({"role": "Admin", "roles": ["Admin", "Employee"]}, "Admin", ["Admin", "Employee"]),
        ({"role": None, "roles": []}, None, []),
        ({}, None, []),
    ],
)
def test_a_member_of_staff_may_hold_several_roles(told: dict[str, Any], role: str | None, roles: list[str]) -> None:
    user = read_hdts_user({"user": {"id": 1, **told}})
    assert (user["role"], user["roles"]) == (role, roles)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"employee": None},
        {"employee": []},
        {"employee": {"id": None}},
        {"employee": {"id": True}},
        {"employee": {"id": " "}},
        {"employee": {"id": "1\x00"}},
        {"employee": {"id": "1" * 201}},
        {"employee": {"id": 1, "is_active": "no"}},
        {"employee": {"id": 1, "email": 5}},
        {"employee": {"id": 1, "full_name": "\ud800"}},
    ],
)
def test_a_payload_that_names_nobody_is_unreadable(payload: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        read_employee(payload)


def test_of_several_news_about_one_person_the_newest_counts() -> None:
    rows = [
        {"id": "1", "version": 2, "name": "new"},
        {"id": "1", "version": 1, "name": "old"},
        {"id": "2", "version": None, "name": "first"},
        {"id": "2", "version": None, "name": "second"},
        {"id": "3", "version": 5, "name": "ours"},
        {"id": "3", "version": None, "name": "foreign"},
        {"id": "3", "version": 4, "name": "late"},
    ]
    assert newest(rows) == [
        {"id": "1", "version": 2, "name": "new"},
        {"id": "2", "version": None, "name": "second"},
        {"id": "3", "version": 5, "name": "foreign"},
    ]
