"""Who may change whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.administration import left_without_admin, managed_systems, may_change_account, may_manage

SYSTEMS = st.sampled_from(["hdts", "tts", "ams", "bms"])
ROLES = st.builds("{}:{}".format, SYSTEMS, st.sampled_from(["Admin", "admin", "IT Manager", "Employee"]))


def test_an_admin_manages_their_own_system() -> None:
    assert may_manage({"tts:Admin"}, "tts")
    assert not may_manage({"tts:Admin", "ams:Clerk", "ams:admin"}, "ams")
    assert may_manage({"auth:Admin"}, "ams"), "the platform's admin manages all"
    assert not may_manage(set(), "tts")


@given(st.sets(ROLES), st.sets(SYSTEMS, min_size=1))
def test_an_account_is_changed_only_by_who_manages_all_its_systems(roles: set[str], systems: set[str]) -> None:
    assert may_change_account(roles, systems) == all(may_manage(roles, system) for system in systems)
    assert may_change_account(roles | {"auth:Admin"}, systems)


@given(st.sets(ROLES))
def test_only_admin_roles_manage_anything(roles: set[str]) -> None:
    assert managed_systems(roles) == {role.split(":")[0] for role in roles if role.endswith(":Admin")}


def test_the_last_admin_is_missed_and_others_are_not() -> None:
    admins = {"tts": frozenset({1}), "ams": frozenset({1, 2}), "bms": frozenset({2}), "hdts": frozenset[int]()}

    assert left_without_admin(admins, 1) == ["tts"]
    assert left_without_admin(admins, 2) == ["bms"]
    assert left_without_admin(admins, 3) == []
