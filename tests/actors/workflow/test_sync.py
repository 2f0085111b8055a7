"""Roles and members converge whatever the order of the news; turns and places survive."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from baton.actors.handling import delivery_of
from baton.models.workflow import Member, PendingGrant, Role, Step
from baton.pipelines.messages import SeedWorkflows, SyncRole, SyncUserSystemRole
from baton.pipelines.sync import UnusableNewsError, read_role
from tests.factories import BACKENDS, incompressible, sync_grant, sync_role

pytestmark = pytest.mark.parametrize("backend", BACKENDS)

NEWS = (
    (SyncRole(payload=sync_role(7, "Desk")), 1),
    (SyncRole(payload=sync_role(7, "Service Desk")), 2),
    (SyncUserSystemRole(payload=sync_grant(11, 7)), 1),
    (SyncUserSystemRole(payload=sync_grant(11, 7, is_active=False)), 2),
    (SyncUserSystemRole(payload=sync_grant(11, 7, user_full_name="Ada")), 3),
)


def state() -> Any:
    role = Role.get(Role.role_id == "7")
    members = [(m.user_id, m.name, m.is_active, m.version) for m in Member.select().where(Member.role == role.id)]
    return role.name, role.version, members, PendingGrant.select().count()


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(NEWS))))[::7])
def test_news_in_any_order_and_twice_end_in_the_same_state(empty_desk: Any, order: tuple[int, ...]) -> None:
    for index in [*order, *order]:
        message, version = NEWS[index]
        empty_desk.send(message, version=version)
    empty_desk.run()
    assert state() == ("Service Desk", 2, [("11", "Ada", True, 3)], 0)


def test_a_grant_before_its_role_waits_for_it(empty_desk: Any) -> None:
    empty_desk.grant(11, "7")
    assert PendingGrant.get().user_id == "11" and Member.select().count() == 0
    empty_desk.role("7", "Desk")
    assert empty_desk.member(11, "7").is_active and PendingGrant.select().count() == 0


def test_the_longest_names_that_are_taken_fit_into_every_index(empty_desk: Any) -> None:
    long = incompressible(255)
    empty_desk.grant(long, long, user_full_name=long, user_email=long)
    empty_desk.send(SyncRole(payload=sync_role(long, long[::-1], system=long)))
    empty_desk.run()
    assert Role.get().name == long[::-1] and empty_desk.member(long, long).is_active
    with pytest.raises(UnusableNewsError, match="longer than 255"):
        read_role(sync_role(long + "x"))


def test_news_of_a_sender_without_versions_apply_as_they_come(empty_desk: Any) -> None:
    empty_desk.role("7", "Desk", version=None)
    empty_desk.grant(11, "7", version=5)
    empty_desk.grant(11, "7", is_active=False, version=None)
    assert not empty_desk.member(11, "7").is_active
    empty_desk.grant(11, "7", version=4)
    assert not empty_desk.member(11, "7").is_active


def test_a_seeded_role_takes_the_id_that_auth_gives_it_and_keeps_its_steps(seeded_desk: Any) -> None:
    seeded = Role.get(Role.name == "Admin")
    assert seeded.is_provisional and seeded.role_id == "tts:Admin"
    seeded_desk.role("42", "Admin", 11)
    role = Role.get(Role.name == "Admin")
    assert (role.id, role.role_id, role.is_provisional) == (seeded.id, "42", False)
    assert Step.select().where(Step.role == role.id).count() == 10


def test_a_role_renamed_into_a_seeded_one_takes_its_place(seeded_desk: Any) -> None:
    (number,) = seeded_desk.file()
    seeded_desk.role("42", "Boss", 11, version=1)
    seeded_desk.role("42", "Admin", version=2)
    role = Role.get(Role.role_id == "42")
    assert [r.id for r in Role.select().where(Role.name == "Admin")] == [role.id]
    assert Step.select().where(Step.role == role.id).count() == 10
    assert seeded_desk.assignees() == ["11"] and seeded_desk.status(number) == "Assigned"


def test_whoever_comes_back_keeps_their_turn_and_absence_follows_into_new_roles(desk: Any) -> None:
    desk.file(3)
    desk.grant(11, is_active=False)
    desk.grant(11)
    assert (desk.member(11).last_turn, desk.member(11).turns, desk.member(11).open_items) == (1, 1, 1)
    from baton.models.transaction import write_tx
    from baton.models.workflow import sync_store

    with write_tx("workflow") as tx:
        sync_store.store_absence(tx, "11", tx.now, None)
    desk.grant(11, "2")
    assert desk.member(11, "2").away_from is not None


def test_members_of_an_inactive_role_get_nothing_until_it_is_active_again(desk: Any) -> None:
    desk.send(SyncRole(payload=sync_role(1, "Admin", is_active=False)), version=2)
    (number,) = desk.file()
    assert desk.status(number) == "Pending"
    desk.send(SyncRole(payload=sync_role(1, "Admin")), version=3)
    desk.run()
    assert desk.status(number) == "Assigned"


@pytest.mark.parametrize(
    "payload", [{}, {"role": None}, {"role": {"id": 1}}, {"role": {"id": 1, "name": "a\0"}}, {"role": {"id": True, "name": "a"}}]
)
def test_news_that_tell_of_nothing_are_refused_and_the_others_apply(empty_desk: Any, payload: dict[str, Any]) -> None:
    bad, good = delivery_of(SyncRole(payload=payload)), delivery_of(SyncRole(payload=sync_role(9, "Good")))
    empty_desk.handle(bad, good)
    assert bad.refusal and good.refusal is None and Role.get().role_id == "9"


def test_seeding_by_message_can_be_repeated_and_drains_what_came_before_it(empty_desk: Any) -> None:
    (number,) = empty_desk.file()
    assert empty_desk.status(number) == "In Triage"
    for _ in range(3):
        empty_desk.send(SeedWorkflows())
    empty_desk.run()
    assert empty_desk.counts() == (1, 1, 1, 0, 2) and Role.select().count() == 5
