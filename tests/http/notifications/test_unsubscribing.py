"""The link in every mail that ends mails of its kind: who holds it may do that and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from baton.models import database
from baton.models.notifications import recipients
from baton.models.settings import get_settings
from baton.pipelines.audience import AUDIENCES
from baton.pipelines.emails.unsubscribing import sign
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def front(client: Callable[[str], Any]) -> Any:
    return client("notifications")


def path(recipient: str = "user:7", type_: str = "comment_added") -> str:
    return f"/api/v1/notifications/unsubscribe/{sign(recipient, type_, get_settings().service_secret)}"


def choices(recipient: str = "user:7") -> dict[tuple[str, str], bool]:
    with database.read_tx("notifications"):
        return recipients.read_choices([recipient]).get(recipient, {})


def test_following_the_link_asks_and_changes_nothing(front: Any) -> None:
    answer = front.simulate_get(path())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "comments" in answer.text
    assert '<form method="post">' in answer.text
    assert "user:7" not in answer.text
    assert choices() == {}


def test_one_click_ends_mails_of_the_type_and_of_no_other(front: Any) -> None:
    for _ in range(2):
        answer = front.simulate_post(
            path(), body="List-Unsubscribe=One-Click", headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 200
    assert choices() == {("comment_added", "email"): False}
    assert choices("user:8") == {}


def test_the_link_of_a_digest_ends_all_mails(front: Any) -> None:
    assert front.simulate_post(path(type_="digest")).status_code == 200
    assert choices() == {(type_, "email"): False for type_ in AUDIENCES}


def test_the_page_speaks_the_recipients_language(front: Any) -> None:
    assert "Kommentare" in front.simulate_get(path(), params={"lang": "de-AT"}).text
    assert "comments" in front.simulate_get(path(), params={"lang": "xx"}).text


@pytest.mark.parametrize("change", ["cut", "other", "none"])
def test_a_token_that_we_did_not_sign_answers_like_an_unknown_one(front: Any, change: str) -> None:
    token = path().rpartition("/")[2]
    content, _, mac = token.partition(".")
    others = sign("user:8", "comment_added", "x").partition(".")[0]
    broken = {"cut": token[:-1], "other": f"{others}.{mac}", "none": content}[change]
    answer = front.simulate_post(f"/api/v1/notifications/unsubscribe/{broken}")
    assert answer.status_code == 404
    assert choices("user:8") == choices() == {}
