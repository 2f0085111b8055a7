"""`baton notifications`: an operator sees mails that failed, sends them again, tries the mail server, feeds bounces in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models import database
from baton.models.notifications import EmailDelivery, failure_store
from baton.models.notifications.email_tables import FailedNotification
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from tests.outside import MailServer, free_port

KEY = "0123456789abcdef0123456789abcdef01234567"
REPORT = f"""From: MAILER-DAEMON@mx.example.net
To: desk@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ann@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
--=b
Content-Type: text/rfc822-headers

From: desk@example.com
Message-ID: <{KEY}@example.com>
--=b--
"""


@pytest.fixture
def baton(databases: Any) -> Callable[..., Result]:
    """`baton("failed")` runs `baton notifications failed`."""
    from baton.scripts.notifications import notifications

    return lambda *arguments, **options: CliRunner().invoke(notifications, arguments, **options)


def mail(key: str, state: str = "failed") -> int:
    """Have a mail in this state; one that failed has its failure."""
    with write_tx("notifications") as tx:
        row = EmailDelivery.create(
            recipient="user:7", ticket_number="HD-1", type="task_assignment", message_id=key, send_after=tx.now,
            created_at=tx.now, state=state,
        )  # fmt: skip
        if state == "failed":
            failure_store.note(tx, row, "RCPT TO: 550 no such user", next_retry=None, retries=0)
    return int(row.id)


def state(delivery: int) -> str:
    with database.read_tx("notifications"):
        return str(EmailDelivery.get_by_id(delivery).state)


def failure(delivery: int) -> FailedNotification:
    with database.read_tx("notifications"):
        return FailedNotification.get(FailedNotification.delivery == delivery)


def test_failures_are_listed(baton: Callable[..., Result]) -> None:
    assert baton("failed").output == "No failed notifications.\n"
    row = mail("a")
    (line,) = baton("failed").output.splitlines()
    assert "user:7  task_assignment  HD-1  0 retries, given up  RCPT TO: 550 no such user" in line
    assert [each["delivery"] for each in json.loads(baton("failed", "--json").output)] == [row]
    assert baton("failed", "--resolved").output == "No failed notifications.\n"


def test_one_or_all_are_sent_again(baton: Callable[..., Result]) -> None:
    rows = [mail(key) for key in "abc"]
    done = baton("retry", str(failure(rows[1]).id))
    assert (done.exit_code, "is sent again" in done.output) == (0, True)
    assert [state(row) for row in rows] == ["failed", "pending", "failed"]
    assert baton("retry", "--all").exit_code == 0
    assert {state(row) for row in rows} == {"pending"}
    assert baton("retry", "--all").output == "No mail was given up.\n"
    assert baton("retry", "999").exit_code == 1
    assert baton("retry").exit_code == 2


def test_a_failure_is_set_aside_with_a_reason(baton: Callable[..., Result]) -> None:
    row = mail("a")
    assert baton("resolve", str(failure(row).id), "--reason", " ").exit_code == 1
    assert baton("resolve", str(failure(row).id), "--reason", "called them").exit_code == 0
    assert (state(row), failure(row).resolved_by) == ("skipped", "operator: called them")
    assert baton("retry", str(failure(row).id)).exit_code == 1


def test_a_test_mail_tells_whether_mail_works(baton: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer() as server:
        server.script["bad@example.com"] = ["rcpt 550"]
        monkeypatch.setenv("BATON_SMTP_URL", server.url)
        get_settings.cache_clear()
        done = baton("test-mail", "ann@example.com")
        assert (done.exit_code, done.output) == (0, "smtp: taken 2.0.0 queued as Q1\n")
        assert server.to("ann@example.com")[0]["Subject"] == "A test mail"
        done = baton("test-mail", "bad@example.com")
        assert (done.exit_code, done.output) == (1, "smtp: refused RCPT TO: 550 5.1.1 no thanks\n")
    monkeypatch.setenv("BATON_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    get_settings.cache_clear()
    done = baton("test-mail", "ann@example.com")
    assert (done.exit_code, "smtp: unreachable ConnectionRefusedError" in done.output) == (1, True)
    assert baton("test-mail", "nobody").exit_code == 1


def test_a_bounce_is_recorded_once(baton: Callable[..., Result]) -> None:
    row = mail(KEY, "sent")
    done = baton("bounce", input=REPORT)
    assert (done.exit_code, done.output) == (0, f"{KEY}: 5.1.1 smtp; 550 5.1.1 user unknown\n")
    assert (state(row), failure(row).bounced, failure(row).given_up) == ("failed", True, True)
    assert failure(row).error == "came back: 5.1.1 smtp; 550 5.1.1 user unknown"
    assert "known already" in baton("bounce", input=REPORT).output


@pytest.mark.parametrize(
    "content",
    [
        "", "\x00\xff", "Subject: I am away until Monday\nAuto-Submitted: auto-replied\n\nBye",
        REPORT.replace("Action: failed", "Action: delayed"), REPORT.replace(KEY, "somebody-elses"),
    ],
)  # fmt: skip
def test_what_is_no_bounce_of_ours_changes_nothing(baton: Callable[..., Result], content: str) -> None:
    row = mail(KEY, "sent")
    assert baton("bounce", input=content).exit_code == 0
    assert state(row) == "sent"
