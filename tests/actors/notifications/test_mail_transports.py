"""The ways out: encrypted SMTP with a password, SendGrid's API, a folder of files."""

from __future__ import annotations

import email
import email.policy
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from baton.actors.notifications import mail_folder
from baton.actors.notifications.smtp import SmtpSession, _UnusableError
from baton.models.mail_settings import SmtpServer
from baton.models.settings import get_settings
from tests.outside import MailServer, WebServer


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def closed_server(tls: ssl.SSLContext) -> Iterator[MailServer]:
    """A mail server that takes mail only encrypted and with a password."""

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"baton", b"p@ss/word"), handled=False)

    options = {"tls_context": tls, "require_starttls": True, "authenticator": sign_in, "auth_required": True}
    with MailServer(**options) as server:
        yield server


def use(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


def test_smtp_encrypts_and_signs_in(desk: Any, closed_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, BATON_SMTP_URL=f"smtp+starttls://baton:p%40ss%2Fword@127.0.0.1:{closed_server.port}")
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert len(closed_server.to("ann@example.com")) == 1
    assert desk.row(row).state == "sent"


def test_a_wrong_password_is_told_of_and_never_shown(
    desk: Any, closed_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, BATON_SMTP_URL=f"smtp://baton:wrong-secret@127.0.0.1:{closed_server.port}")
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert desk.row(row).error.startswith("sign-in: 535")
    assert "wrong-secret" not in desk.row(row).error


def test_no_encryption_no_mail_where_it_is_required(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, BATON_SMTP_URL=f"smtp+starttls://127.0.0.1:{desk.mail.port}")
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert "STARTTLS" in desk.row(row).error
    assert desk.mail.attempts == []


def test_a_password_goes_to_no_other_machine_unencrypted(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = SmtpServer(host="127.0.0.1", port=mail_server.port, encryption="offered", user="baton", password="secret")
    monkeypatch.setattr(SmtpServer, "local", property(lambda self: False))
    with pytest.raises(_UnusableError, match="the password was not sent"):
        SmtpSession(server, "desk.example.com")._connect()


def test_an_address_beyond_ascii_is_sent_in_utf8(desk: Any) -> None:
    row = desk.mail_to("jörg@example.com")
    desk.send()
    (mail,) = desk.mail.to("jörg@example.com")
    assert desk.row(row).state == "sent"
    assert mail["Message-ID"].endswith("@example.com>")


@pytest.fixture
def sendgrid(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that speaks SendGrid's API; `answers` are its next ones, then it takes everything."""
    answers: list[tuple[int, Any]] = []

    def answer(method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if (method, path) != ("POST", "/v3/mail/send") or headers.get("Authorization") != "Bearer SG.key":
            return 401, {"errors": [{"message": "The provided authorization grant is invalid"}]}
        return answers.pop(0) if answers else (202, None)

    with WebServer(answer) as server:
        monkeypatch.delenv("BATON_SMTP_URL")
        use(monkeypatch, BATON_SENDGRID_KEY="SG.key", BATON_SENDGRID_URL=server.url)
        server.answers = answers  # type: ignore[attr-defined]
        yield server


def test_sendgrid_takes_a_mail(desk: Any, sendgrid: Any) -> None:
    row = desk.mail_to("ann@example.com")
    desk.send()
    ((_, _, body),) = sendgrid.requests
    assert body["personalizations"][0]["to"] == [{"email": "ann@example.com"}]
    assert body["personalizations"][0]["custom_args"]["delivery_id"] == str(row)
    assert body["from"] == {"email": "desk@example.com", "name": "Help desk"}
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["headers"]["Message-ID"] == f"<{desk.row(row).message_id}@example.com>"
    assert (desk.row(row).state, desk.row(row).reference) == ("sent", "sg-1")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_sendgrid_busy_or_broken_is_tried_again(desk: Any, sendgrid: Any, status: int) -> None:
    sendgrid.answers.append((status, {"errors": [{"message": "later"}]}))
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert (desk.row(row).state, desk.row(row).retries, desk.row(row).error) == ("pending", 1, f"SendGrid: {status} later")
    desk.later(61)
    desk.send()
    assert desk.row(row).state == "sent"


def test_sendgrid_refusing_one_mail_harms_no_other(desk: Any, sendgrid: Any) -> None:
    sendgrid.answers.append((400, {"errors": [{"message": "Does not contain a valid address."}]}))
    refused, other = desk.mail_to("ann@example.com"), desk.mail_to("bob@example.com")
    desk.send()
    assert (desk.row(refused).state, desk.row(other).state) == ("failed", "sent")
    assert desk.breaker("sendgrid") == "closed"


def test_a_key_that_sendgrid_refuses_opens_the_breaker(desk: Any, sendgrid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, BATON_SENDGRID_KEY="SG.other")
    rows = [desk.mail_to(f"p{name}@example.com") for name in range(7)]
    for _ in range(8):
        desk.send()
    assert desk.breaker("sendgrid") == "open"
    assert len(sendgrid.requests) == 5
    assert "failed" not in {desk.row(row).state for row in rows}


def test_without_a_mail_server_mails_are_files_and_the_log_says_so(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    # What the log shows is for whoever configured it; here only that it is told.
    monkeypatch.setattr(mail_folder, "log", SimpleNamespace(info=lambda event, **said: told.append(f"{event}: {said['remedy']}")))
    monkeypatch.delenv("BATON_SMTP_URL")
    get_settings.cache_clear()
    row = desk.mail_to("ann@example.com")
    desk.send()
    folder: Path = get_settings().data_dir / "mail"
    (file,) = folder.iterdir()
    message: Any = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ann@example.com", "HD-1: Triage is yours")
    assert desk.row(row).state == "sent"
    assert told == ["mail_written: set BATON_SMTP_URL or BATON_SENDGRID_KEY"]


def test_a_folder_that_cannot_be_written_is_tried_again(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BATON_SMTP_URL")
    get_settings.cache_clear()
    folder: Path = get_settings().data_dir / "mail"
    folder.write_text("a file is in the way")
    row = desk.mail_to("ann@example.com")
    desk.send()
    assert (desk.row(row).state, desk.row(row).retries) == ("pending", 1)
