"""Finding tickets: all of them in one list, and by what they say, for whoever may see them."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models import database, full_text
from baton.models.workflow import TicketSnapshot, TicketWords, TriageEntry, finding
from baton.pipelines.searching import Wanted
from tests.conversing import counted
from tests.factories import BACKENDS, bearer
from tests.http.work.conftest import Office, person

HOSTILE = [
    "'", '"', "''; drop table ticket_words; --", "* * *", "jam*", "NOT jam", "jam OR", "(", "a:*b & | !", "<->", "^", "NEAR(",
    "😀", "שלום עולם", "\u202ejam", "%_", "\\", "x" * 500, "ﬀ ½ Å", "jam\u0301", ":*", "words:jam", "-", " ", "{jam}", "' & '",
]  # fmt: skip


def ask(office: Office, who: Any, path: str, **query: Any) -> Any:
    return office.front.simulate_get(f"/api/v1/{path}", params=query, headers=bearer(who))


def found(office: Office, words: str, who: Any = None, **query: Any) -> list[str]:
    answer = ask(office, who or office.who(21), "search", q=words, **query)
    assert answer.status_code == 200, answer.text
    return [each["ticket_number"] for each in answer.json["items"]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_words_must_be_there_the_last_may_be_the_beginning_of_one(office: Office) -> None:
    (jam,) = office.file(subject="Printer jam", description="In Zürich, on floor 3.")
    (other,) = office.file(subject="Printer ink", description="user@example.com asks")
    assert found(office, "printer") == [other, jam], "newest first"
    assert found(office, "PRINTER jam") == [jam]
    assert found(office, "zur") == found(office, "ZÜRICH") == [jam]
    assert found(office, "prin jam") == []
    assert found(office, "ink example") == [other]
    assert found(office, "eve employee print") == [other, jam], "the requester is found"
    assert found(office, "nothing") == found(office, "!?") == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_number_that_was_typed_comes_first(office: Office) -> None:
    (first,) = office.file(subject="One")
    others = office.file(3, subject=f"As {first} again")
    for typed in (first, first.lower(), f" {first} "):
        assert found(office, typed)[0] == first
        assert sorted(found(office, typed)) == sorted([first, *others])
    assert found(office, str(int(first[3:])))[0] == first
    seen, cursor = [], ""
    while True:
        page = ask(office, office.who(21), "search", q=first, limit=1, **({"cursor": cursor} if cursor else {})).json
        seen += [each["ticket_number"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [first, *reversed(others)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_that_is_typed_is_an_error(office: Office) -> None:
    office.file(subject="jam")
    for words in HOSTILE:
        for path in ("search", "tickets"):
            assert ask(office, office.who(21), path, q=words).status_code == 200, words
    assert ask(office, office.who(21), "search", q="a\0b").status_code == 422
    assert ask(office, office.who(21), "search", q="x" * 501).status_code == 422
    assert ask(office, office.who(21), "search", q="jam", cursor="x").status_code == 400


@pytest.mark.parametrize("backend", BACKENDS)
def test_staff_find_and_list_only_what_they_see(office: Office) -> None:
    office.file(subject="secret plan", category="nobody's", department="nobody's")
    number, item = office.at_step_two()
    subject = TicketSnapshot.get(TicketSnapshot.ticket_number == number).subject
    worker = office.who(item.assignee)
    stranger = person(91, "Budget Manager")
    assert found(office, subject, worker) == [number]
    assert found(office, "secret", worker) == found(office, number, stranger) == found(office, subject, stranger) == []
    listed = [each["ticket_number"] for each in ask(office, worker, "tickets").json["items"]]
    assert listed == [number]
    assert ask(office, stranger, "tickets").json["items"] == []
    assert len(ask(office, office.who(21), "tickets").json["items"]) == 2
    nobody = person(92)
    assert ask(office, nobody, "search", q="secret").status_code == 403


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_list_holds_tickets_in_triage_and_is_narrowed_and_paged(office: Office) -> None:
    (triaged,) = office.file(category="nobody's", department="nobody's", priority="Critical")
    assert TriageEntry.select().count() == 1
    numbers = office.file(5)
    coordinator = office.who(21)

    def listed(**query: Any) -> list[str]:
        answer = ask(office, coordinator, "tickets", **query)
        assert answer.status_code == 200, answer.text
        return [each["ticket_number"] for each in answer.json["items"]]

    assert sorted(listed()) == sorted([triaged, *numbers])
    assert listed(priority="Critical") == listed(category="nobody's") == [triaged]
    assert listed(sort="received_at") == list(reversed(listed()))
    row = ask(office, coordinator, "tickets", status=office.status(numbers[0])).json["items"][0]
    holder = row["holders"][0]
    mine = listed(assignee=holder["assignee"])
    assert mine and triaged not in mine
    assert sorted(listed(workflow_id=row["workflow_id"])) == sorted(numbers)
    assert set(listed(owner=row["owner_user_id"])) <= set(numbers)
    assert listed(role="no such role") == listed(filed_to="2000-01-01T00:00:00Z") == []
    assert len(listed(filed_from="2000-01-01T00:00:00Z")) == 6
    assert listed(q="printer", priority="Critical") == [triaged]
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = ask(office, coordinator, "tickets", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += [each["ticket_number"] for each in page["items"]]
        cursor = page["next"]
    assert seen == listed()


def test_the_statements_do_not_grow_with_what_is_found(office: Office) -> None:
    counts = set()
    for more in (1, 12):
        office.file(more)
        for path, query in (("search", {"q": "printer"}), ("tickets", {})):
            with counted("workflow") as statements:
                ask(office, office.who(31), path, **query)
            counts.add(len(statements))
    assert max(counts) <= 6


def test_tickets_are_taken_in_with_one_statement_more_however_many(office: Office) -> None:
    with counted("workflow") as statements:
        office.file(20)
    assert sum("ticket_words" in sql for sql in statements) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_search_reads_the_index(office: Office) -> None:
    rows = [{"id": n, "words": f"printer case{n} of{n % 7}"} for n in range(1_000, 51_000)]
    for start in range(0, len(rows), 10_000):
        TicketWords.insert_many(rows[start : start + 10_000]).execute()
    kept = database.service_database("workflow").obj
    sqlite = database.is_sqlite(kept)
    if not sqlite:
        kept.execute_sql("analyze ticket_words")
    with counted("workflow") as asked:
        query, key = full_text.search(TicketWords.select(TicketWords.id), TicketWords, Wanted(("printer", "case4321")))
    sql, parameters = query.order_by(key.desc()).limit(51).sql()
    found = [row[0] for row in kept.execute_sql(sql, parameters).fetchall()]
    assert found == [4321]
    if not sqlite:
        assert len(asked) == 3
        kept.execute_sql("begin")
        kept.execute_sql("set local enable_seqscan = off")
        sql, parameters = asked[1], ["'printer' & 'case4321'"]
    rows = kept.execute_sql(f"{'explain query plan' if sqlite else 'explain'} {sql}", parameters).fetchall()
    plan = "\n".join(str(row[-1]) for row in rows)
    if not sqlite:
        kept.execute_sql("rollback")
    assert ("VIRTUAL TABLE INDEX" if sqlite else "ticket_words_vector") in plan, plan
    assert "TEMP B-TREE" not in plan and "SCAN t1" not in plan and "Seq Scan" not in plan, plan


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_list_holds_the_same_however_it_is_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    person = office.item(office.file(5)[0]).assignee
    filters = (
        {},
        {"assignee": person},
        {"assignee": "nobody"},
        {"owner": "21"},
        {"role": "1"},
        {"role": "none"},
        {"workflow_id": 1},
        {"workflow_id": 99},
        {"q": "printer"},
    )
    few = [ask(office, office.who(who), "tickets", **each).json for who in (11, 21, 31) for each in filters]
    assert len(few[0]["items"]) == 5
    assert 0 < len(few[1]["items"]) < 5
    monkeypatch.setattr(finding, "FEW", -1)
    many = [ask(office, office.who(who), "tickets", **each).json for who in (11, 21, 31) for each in filters]
    assert many == few
