"""Many items at once: the same as one by one, in a number of statements that grows with nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peewee as pw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.http.workflow import acting
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.transaction import Transaction, write_tx
from baton.models.workflow import TABLES, Member, Step, TaskItem
from baton.pipelines.asking import Asked
from baton.pipelines.messages import CATALOGUE
from baton.pipelines.work import ACTIONS, ITEM_ACTIONS, Refusal
from tests.factories import BACKENDS
from tests.http.work.conftest import person

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
ACTORS = {"11": person(11, "Admin"), "21": person(21, "Ticket Coordinator"), "31": person(31, "IT Manager"), "99": person(99)}
WORDS = {"comment": "a word", "reason": "because", "transition": "Accept"}
#: What differs between two runs of the same: ids that a sequence gave, instants, and what is random.
_OWN = ("id", "at", "since", "created_at", "assigned_at", "closed_at", "waiting_since", "decided_at", "handled_at", "request_id")


class _UndoneError(Exception):
    """Rolls the transaction back."""


@contextmanager
def undone() -> Iterator[Transaction]:
    """Give a transaction that leaves nothing."""
    try:
        with write_tx("workflow") as tx:
            yield tx
            raise _UndoneError
    except _UndoneError:
        pass


@pytest.fixture
def full_office(office: Any) -> Any:
    """An office with items in every state, two of one ticket, people at their capacity, away and stood in for."""
    office.escalates_to("1")
    numbers = office.file(8)
    items = [office.item(number) for number in numbers]
    for item in items[:6]:
        office.act(item.assignee, item.id, "complete")
    seconds = [office.item(number) for number in numbers[:6]]
    office.act(seconds[0].assignee, seconds[0].id, "start")
    office.act(seconds[1].assignee, seconds[1].id, "hold", reason="x")
    office.act(seconds[2].assignee, seconds[2].id, "escalate", reason="x")
    office.need_approvals(1)
    away = {"away_from": "2020-01-01T00:00:00Z", "away_to": None}
    office.post(21, "/members/33/availability", away, method="PUT")
    office.post(21, "/members/33/substitute", {"substitute": "11"}, method="PUT")
    Member.update(capacity=3).where(Member.user_id == "32").execute()
    waiting = office.file(2)
    office.act(office.item(waiting[0]).assignee, office.item(waiting[0]).id, "complete", carry=False)
    office.run()
    TaskItem.update(assignee=None).where(TaskItem.id == office.item(waiting[0]).id).execute()
    Member.update(open_items=Member.open_items - 1).where(Member.user_id == seconds[0].assignee).execute()
    return office


def asked_of(action: Any, who: str, to: str, versions: dict[int, int | None], tx: Transaction) -> dict[int, Asked]:
    """Return what is asked of each item."""
    given_words = {name: WORDS[name] for name in (*action.required, *action.optional) if name in WORDS}
    if "to_user" in action.required:
        given_words["to_user"] = to
    return {
        item: Asked(action=action, actor=ACTORS[who], now=tx.now, version=version, **given_words)
        for item, version in versions.items()
    }


def seen(tx: Transaction, results: list[Any], new_from: int) -> dict[str, Any]:
    """Return what a run answered and left: results, rows, and messages, without what every run has of its own."""
    tx.flush()
    outbox = runtime_tables("workflow").Outbox
    said = [(each.kind, each.reason, each.field) if isinstance(each, Refusal) else each.outcome for each in results]
    rows = {table.__name__: sorted(map(str, _plain(table, new_from))) for table in TABLES}
    sent = [(row.name, json.loads(row.kwargs)) for row in outbox.select().order_by(outbox.id)]
    about_tickets = sorted(str(each) for each in sent if each[0] in _PER_TICKET and "task_item_id" not in each[1])
    opened = sum("task_item_id" in kwargs for _, kwargs in sent)
    roles = {kwargs["role_id"] for _, kwargs in sent if "role_id" in kwargs}
    named = {number for _, kwargs in sent for number in kwargs.get("ticket_numbers", ())}
    return {"said": said, "rows": rows, "messages": about_tickets, "opened": opened, "roles": roles, "followed": named}


_PER_TICKET = {name for name in CATALOGUE if name.endswith(("send_ticket_status", "update_status", "end_task"))}


def _plain(table: type[pw.Model], new_from: int) -> Iterator[dict[str, Any]]:
    for row in table.select().dicts():
        if table is TaskItem or row.get("item", 0) < new_from:
            yield {name: value for name, value in row.items() if name not in _OWN}
        else:
            yield {name: value for name, value in row.items() if name not in (*_OWN, "item")}


def test_many_items_at_once_are_the_same_as_one_by_one(full_office: Any) -> None:
    known = {item.id: item.version for item in TaskItem.select()}
    new_from = max(known) + 1

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        action=st.sampled_from(ITEM_ACTIONS),
        who=st.sampled_from(sorted(ACTORS)),
        to=st.sampled_from(("31", "32", "33", "12")),
        wanted=st.lists(st.sampled_from([*known, 10**9]), unique=True, min_size=1, max_size=8),
        with_versions=st.lists(st.sampled_from(("none", "right", "stale")), min_size=8, max_size=8),
    )
    def check(action: Any, who: str, to: str, wanted: list[int], with_versions: list[str]) -> None:
        by_word = {"none": lambda item: None, "right": known.get, "stale": lambda item: 77}
        versions = {item: by_word[word](item) for item, word in zip(wanted, with_versions, strict=False)}
        with undone() as tx:
            together = seen(tx, acting.act_on_items(tx, asked_of(action, who, to, versions, tx)), new_from)
        with undone() as tx:
            each = asked_of(action, who, to, versions, tx)
            results = [acting.act_on_item(tx, asked, item) for item, asked in each.items()]
            alone = seen(tx, results, new_from)
        assert together == alone

    check()


def test_each_action_is_done_by_somebody_in_what_is_compared(full_office: Any) -> None:
    done = set()
    for action in ITEM_ACTIONS:
        for who in ACTORS:
            for to in ("31", "32"):
                with undone() as tx:
                    versions = dict.fromkeys((item.id for item in TaskItem.select()), None)
                    results = acting.act_on_items(tx, asked_of(action, who, to, versions, tx))
                    if any(not isinstance(each, Refusal) for each in results):
                        done.add(action.name)
    assert done == {action.name for action in ITEM_ACTIONS}


def test_a_bulk_transfer_stops_where_the_colleague_is_at_their_capacity(office: Any) -> None:
    items = [office.at_step_two()[1] for _ in range(4)]
    Member.update(capacity=2).where(Member.user_id == "33").execute()
    theirs = TaskItem.select().where(TaskItem.assignee == "33").count()
    wanted = [{"id": item.id} for item in items if office.item(item.ticket_number).assignee != "33"]
    answer = office.post(21, "/items/bulk", {"action": "transfer", "to_user": "33", "items": wanted})
    assert [each["status"] for each in answer.json["results"]] == [200] * (2 - theirs) + [409] * (len(wanted) - 2 + theirs)
    assert office.member(33, "3").open_items == 2


def test_an_item_that_the_request_opens_is_not_there_for_it(office: Any) -> None:
    (number,) = office.file()
    item = office.item(number)
    following = item.id + 1
    answer = office.post(21, "/items/bulk", {"action": "note", "comment": "x", "items": [{"id": item.id}, {"id": following}]})
    assert [each["status"] for each in answer.json["results"]] == [200, 404]


@pytest.mark.parametrize("action", [action.name for action in ITEM_ACTIONS])
def test_neither_the_items_asked_for_nor_the_tasks_stored_make_more_statements(
    full_office: Any, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Step.update(approvals_needed=1).execute()
    statements: list[str] = []
    real = database.service_database("workflow").obj
    execute = real.execute_sql
    monkeypatch.setattr(real, "execute_sql", lambda sql, *rest: statements.append(sql) or execute(sql, *rest))

    def counted(items: list[int]) -> list[str]:
        with undone() as tx:
            statements.clear()
            who = "31" if action in ("approve", "reject", "take") else "21"
            acting.act_on_items(tx, asked_of(ACTIONS["item", action], who, "31", dict.fromkeys(items), tx))
            tx.flush()
            # Lists of ids are as long as they are; what counts is which statements there are.
            return [sql[:40] for sql in statements]

    every = [item.id for item in TaskItem.select().order_by(TaskItem.id)]
    alone, together = [counted([item]) for item in every], counted(every)
    full_office.file(30)
    assert [counted([item]) for item in every] == alone
    assert counted(every) == together
    # The thirty are of a kind that was among them before.
    assert counted([item.id for item in TaskItem.select()]) == together
    assert len(together) <= 18
