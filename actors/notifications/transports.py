"""The way out for mails that the settings name: an SMTP server, SendGrid, or a folder of files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from baton.actors.notifications.mail_folder import write_file
from baton.actors.notifications.sendgrid import SendGridSession
from baton.actors.notifications.smtp import SmtpSession
from baton.models.settings import Settings
from baton.pipelines.emails.attempts import Outcome
from baton.pipelines.emails.writing import Mail, as_message

log = structlog.get_logger("baton.mail")


class Transport(Protocol):
    """
    A way out. `name` is that of its breaker, and `MailSettings.transport`.

    `deliver` hands one mail over, dated `date`, calling `handing_over` right before the other side may take it.
    """

    name: str

    def deliver(self, mail: Mail, delivery: int, date: datetime, handing_over: Callable[[], None]) -> Outcome: ...
    def close(self) -> None: ...


class SmtpTransport:
    """Mails over one SMTP connection."""

    name = "smtp"

    def __init__(self, settings: Settings) -> None:
        assert settings.mail.smtp is not None
        self._session = SmtpSession(settings.mail.smtp, settings.mail.domain)

    def deliver(self, mail: Mail, delivery: int, date: datetime, handing_over: Callable[[], None]) -> Outcome:
        """Hand the mail to the server."""
        return self._session.deliver(mail.sender, mail.to, as_message(mail, date).as_bytes(), handing_over)

    def close(self) -> None:
        """End the connection."""
        self._session.close()


class SendGridTransport:
    """Mails through SendGrid's API."""

    name = "sendgrid"

    def __init__(self, settings: Settings) -> None:
        self._session = SendGridSession(settings.mail)

    def deliver(self, mail: Mail, delivery: int, date: datetime, handing_over: Callable[[], None]) -> Outcome:
        """Hand the mail to the API, which dates it itself."""
        return self._session.deliver(mail, delivery, handing_over)

    def close(self) -> None:
        """End the connections."""
        self._session.close()


class FolderTransport:
    """Mails as files under the data folder. Writing one again is harmless, so nothing is noted before."""

    name = "folder"

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.data_dir / "mail"

    def deliver(self, mail: Mail, delivery: int, date: datetime, handing_over: Callable[[], None]) -> Outcome:
        """Write the mail into the folder."""
        return write_file(self._folder, delivery, mail.message_id, as_message(mail, date).as_bytes())

    def close(self) -> None:
        """Nothing is open."""


def open_transport(settings: Settings) -> Transport:
    """Return the way out that the settings name. It connects when the first mail goes."""
    if settings.mail.transport == "smtp":
        return SmtpTransport(settings)
    if settings.mail.transport == "sendgrid":
        return SendGridTransport(settings)
    return FolderTransport(settings)

