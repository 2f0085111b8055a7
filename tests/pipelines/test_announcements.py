"""What auth tells the other services."""

from __future__ import annotations

from baton.pipelines.announcements import about_employee, about_grant, about_role, about_user


def test_roles_and_grants_of_tts_are_told_and_of_other_systems_not() -> None:
    for system in ("hdts", "ams", "bms"):
        assert about_role(system=system, role_id=1, name="Admin", is_active=True) is None
        assert about_grant(system=system, user_id=1, role_id=1, user_full_name="A", user_email="a@b", is_active=True) is None
    role = about_role(system="tts", role_id=7, name="Admin", is_active=True)
    assert role is not None
    assert role.to_kwargs() == {"payload": {"role": {"id": 7, "name": "Admin", "system": "tts", "is_active": True}}}


def test_of_several_hdts_roles_the_highest_is_the_role() -> None:
    def told(*roles: str, active: bool = True) -> tuple[str | None, bool]:
        news = about_user(user_id=1, email="a@b", full_name="A", is_active=active, hdts_roles=roles)
        return news.payload["user"]["role"], news.payload["user"]["is_active"]

    assert told("Employee", "Ticket Coordinator", "Admin") == ("Admin", True)
    assert told("Zebra keeper", "Employee") == ("Employee", True)
    assert told("Zebra keeper", "Auditor") == ("Auditor", True)
    assert told() == (None, False)
    assert told("Admin", active=False) == ("Admin", False)


def test_what_is_told_is_plain_json_without_secrets() -> None:
    news = about_employee(employee_id=3, email="a@b", full_name="A", department="IT", job_title="Analyst", is_active=False)

    assert news.to_kwargs()["payload"]["employee"] == {
        "id": 3,
        "email": "a@b",
        "full_name": "A",
        "department": "IT",
        "job_title": "Analyst",
        "is_active": False,
    }
