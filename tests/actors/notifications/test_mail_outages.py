"""Mail server or auth away: a breaker holds calls back, mails wait and none is lost, no retry is used up meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.settings import get_settings
from tests.factories import BACKENDS
from tests.outside import MailServer, free_port

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def unreachable(desk: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of a mail server that is not there."""
    port = free_port()
    monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    return port


def test_five_failures_open_the_breaker_and_then_one_call_a_minute_is_made(desk: Any, unreachable: int) -> None:
    rows = [desk.mail_to(f"p{name}@example.com") for name in range(8)]
    for _ in range(12):
        desk.send()
    assert desk.breaker("smtp") == "open"
    assert sum(desk.row(row).attempts for row in rows) == 5
    used = sum(desk.row(row).retries for row in rows)
    desk.later(61)
    for _ in range(5):
        desk.send()
    assert sum(desk.row(row).attempts for row in rows) == 6
    assert sum(desk.row(row).retries for row in rows) == used  # the trial told of the server, not of the mail
    assert desk.breaker("smtp") == "open"


def test_an_hour_of_outage_loses_nothing(desk: Any, unreachable: int) -> None:
    rows = [desk.mail_to(f"p{name}@example.com") for name in range(8)]
    for _ in range(60):
        desk.send()
        desk.later(60)
    with MailServer(unreachable) as back:
        desk.eventually(lambda: all(desk.row(row).state == "sent" for row in rows))
        assert sorted(recipient for recipient, _ in back.kept) == sorted(f"p{name}@example.com" for name in range(8))
    assert desk.breaker("smtp") == "closed"


def test_a_single_mail_uses_its_retries_up_and_stays_visible(desk: Any, unreachable: int) -> None:
    row = desk.mail_to("ann@example.com")
    for _ in range(8):
        desk.send()
        desk.later(181)
    failure = desk.failure(row)
    assert (failure.given_up, failure.retry_count) == (True, 3)
    assert "ConnectionRefusedError" in failure.error


def test_auth_away_delays_mail_and_loses_none(desk: Any) -> None:
    rows = [desk.mail_to(f"p{name}@example.com") for name in range(8)]
    desk.auth.down = True
    for _ in range(10):
        desk.send()
        desk.later(10)
    assert desk.breaker("auth") == "open"
    assert desk.mail.attempts == []
    assert {(desk.row(row).state, desk.row(row).retries, desk.row(row).attempts) for row in rows} == {("pending", 0, 0)}
    assert [desk.failure(row) for row in rows] == [None] * 8
    desk.auth.down = False
    desk.eventually(lambda: all(desk.row(row).state == "sent" for row in rows))
    assert len(desk.mail.kept) == 8
    assert desk.breaker("auth") == "closed"


def test_one_recipient_that_auth_cannot_tell_of_holds_no_other_up(desk: Any) -> None:
    first = desk.mail_to("ann@example.com")
    del desk.auth.people[desk.row(first).recipient]["is_active"]
    others = [desk.mail_to(f"p{name}@example.com") for name in range(3)]
    desk.send()
    assert {desk.row(row).state for row in others} == {"sent"}
    assert (desk.row(first).state, desk.row(first).retries) == ("pending", 0)


def test_auth_is_asked_once_about_somebody_who_gets_several_mails(desk: Any) -> None:
    for _ in range(5):
        desk.mail_to("ann@example.com", "user:77")
    desk.send()
    assert len(desk.mail.to("ann@example.com")) == 5
    assert [path for _, path, _ in desk.auth.requests].count("/api/v1/users/internal/77/") == 1


def test_a_token_that_counts_no_more_is_renewed(desk: Any) -> None:
    from baton.actors.notifications.mailing import directory

    desk.mail_to("ann@example.com")
    people = directory(get_settings())
    people._token, people._renew_at = "old", float("inf")
    desk.send()
    assert len(desk.mail.kept) == 1


def test_employees_are_looked_up_in_their_register(desk: Any) -> None:
    row = desk.mail_to("eve@example.com", "employee:3")
    desk.send()
    assert desk.row(row).state == "sent"
    assert desk.mail.kept[0][1].get_body(("plain",)).get_content().count("http://127.0.0.1:5173/tickets/HD-1") == 1


def test_nobody_of_that_id_is_a_failure_and_somebody_inactive_is_not(desk: Any) -> None:
    gone, inactive, nameless = desk.mail_to("x@example.com"), desk.mail_to("y@example.com"), desk.mail_to("")
    del desk.auth.people[desk.row(gone).recipient]
    desk.auth.people[desk.row(inactive).recipient]["is_active"] = False
    desk.send()
    assert (desk.row(gone).state, desk.failure(gone).given_up) == ("failed", True)
    assert (desk.row(inactive).state, desk.failure(inactive)) == ("skipped", None)
    assert (desk.row(nameless).state, desk.failure(nameless).error) == ("failed", "the account has no e-mail address")
    assert desk.mail.attempts == []


def test_n9_our_own_mailbox_is_never_written_to(desk: Any) -> None:
    row = desk.mail_to("Desk@Example.com")
    desk.send()
    assert (desk.row(row).state, desk.mail.attempts) == ("skipped", [])
