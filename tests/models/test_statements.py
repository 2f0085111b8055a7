"""A query that is built once answers as peewee's own would, for any number of values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from baton.models import database as db
from baton.models.statements import Statement
from baton.models.transaction import write_tx
from baton.models.workflow.people import Member, Role
from baton.models.workflow.rows import insert_rows
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
ABSENT_FROM = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
COLUMNS = (Member.user_id, Member.away_from, Member.is_active, Role.name.alias("called"))


@pytest.fixture
def members(databases: Any) -> None:
    with write_tx("workflow") as tx:
        made = [("r1", "tts", "Admin"), ("r2", "tts", "Other")]
        roles = [row[0] for row in insert_rows(tx, [Role.role_id, Role.system, Role.name], made, returning=[Role.id])]
        rows = [(roles[0], "a", ABSENT_FROM, True), (roles[1], "b", None, False), (roles[1], "it's", None, True)]
        insert_rows(tx, [Member.role, Member.user_id, Member.away_from, Member.is_active], rows)


def wanted(condition: Any) -> Any:
    return Member.select(*COLUMNS).join(Role, on=(Role.id == Member.role)).where(condition).order_by(Member.user_id)


@pytest.mark.parametrize("users", [[], ["a"], ["a", "b", "it's", "nobody"]])
@pytest.mark.parametrize("lock", [False, True])
def test_the_rows_are_those_of_the_query_for_any_number_of_values(members: None, users: list[str], lock: bool) -> None:
    statement = Statement(lambda among: wanted(among(Member.user_id)))
    with write_tx("workflow"):
        expected = list(wanted(Member.user_id.in_(users)).dicts()) if users else []
        assert statement.dicts(users, lock=lock) == expected
        assert statement.tuples(users, lock=lock) == [tuple(row.values()) for row in expected]


def test_a_query_is_built_once_for_each_kind(members: None) -> None:
    built = []

    def build(among: Any) -> Any:
        built.append(among)
        return Member.select(Member.user_id).where(among(Member.id), Member.is_active)

    statement = Statement(build)
    with db.read_tx("workflow"):
        for count in range(5):
            statement.tuples(range(count))
        before = len(built)
        for count in range(5):
            statement.tuples(range(count))
    assert len(built) == before


def test_without_a_column_to_choose_by_all_rows_are_returned(members: None) -> None:
    with db.read_tx("workflow"):
        assert sorted(Statement(lambda _among: Member.select(Member.user_id)).tuples()) == [("a",), ("b",), ("it's",)]
