"""Rows written in bulk are the rows that peewee would write, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models import database as db
from baton.models.transaction import write_tx
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import insert_rows, update_rows


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.distributed)])
def test_columns_that_are_not_named_get_the_defaults_of_their_model(databases: Any, backend: str) -> None:
    with write_tx("workflow") as tx:
        given = [("r'1", "tts", "Admin"), ("r2", "tts", "Other")]
        written = insert_rows(tx, [Role.role_id, Role.system, Role.name], given, returning=[Role.role_id])
        Role.insert(role_id="r3", system="tts", name="By peewee").execute()
    assert written == [("r'1",), ("r2",)]
    with db.read_tx("workflow"):
        rows = {row.pop("role_id"): row for row in Role.select().order_by(Role.id).dicts()}
    distinguishing = ("id", "name")
    plain = [{key: value for key, value in row.items() if key not in distinguishing} for row in rows.values()]
    assert plain[0] == plain[1] == plain[2]


def test_a_row_is_updated_by_its_key_and_may_add_to_what_is_there(databases: Any) -> None:
    with write_tx("workflow") as tx:
        insert_rows(tx, [Member.role, Member.user_id], [(1, "a"), (1, "b")])
        ids = [row[0] for row in Member.select(Member.id).order_by(Member.id).tuples()]
        update_rows(tx, Member.id, [Member.last_turn], [(ids[1], 7, 2)], add=[Member.turns])
    with db.read_tx("workflow"):
        members = list(Member.select(Member.user_id, Member.last_turn, Member.turns).order_by(Member.id).tuples())
    assert members == [("a", 0, 0), ("b", 7, 2)]
