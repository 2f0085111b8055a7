"""Keyset pages: everything once, in order, whatever is written in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from baton.http.paging import encode_cursor
from baton.models.transaction import write_tx
from tests.factories import BACKENDS, EMPLOYEE, bearer
from tests.http.demo import DemoNote

START = datetime(2026, 6, 1, 8, tzinfo=UTC)


def notes(count: int, subject: str = "n") -> None:
    """Write notes, seven to an instant."""
    with write_tx("helpdesk"):
        DemoNote.insert_many(
            [{"subject": subject, "text": str(n), "written_at": START + timedelta(microseconds=n // 7)} for n in range(count)]
        ).execute()


def pages(demo: Any, limit: int) -> Any:
    cursor: str | None = None
    while True:
        params = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        answer = demo.simulate_get("/notes", params=params, headers=bearer(EMPLOYEE))
        assert answer.status_code == 200
        yield answer.json["items"]
        cursor = answer.json["next"]
        if cursor is None:
            return


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("limit", [1, 10, 30, 200])
def test_pages_show_everything_once_in_order(demo: Any, limit: int) -> None:
    notes(60)
    seen = [item["text"] for page in pages(demo, limit) for item in page]
    assert seen == [str(n) for n in range(60)]


def test_what_is_written_in_between_moves_nothing(demo: Any) -> None:
    notes(20)
    seen = []
    for number, page in enumerate(pages(demo, 5)):
        seen += [item["text"] for item in page]
        if number == 1:
            DemoNote.create(subject="early", text="early", written_at=START - timedelta(days=1))
    assert seen == [str(n) for n in range(20)]


def test_a_page_has_fifty_items_unless_asked(demo: Any) -> None:
    notes(60)
    assert len(demo.simulate_get("/notes", headers=bearer(EMPLOYEE)).json["items"]) == 50


@pytest.mark.parametrize("values", [[1, 2], ["x", 1], [START], [START, "1"], [START, 1, 1], [START, 2**70], [START, True], []])
def test_a_cursor_of_another_list_is_refused(demo: Any, values: list[Any]) -> None:
    answer = demo.simulate_get("/notes", params={"cursor": encode_cursor(values)}, headers=bearer(EMPLOYEE))
    assert answer.status_code == 400
