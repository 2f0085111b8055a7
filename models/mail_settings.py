"""
How mail leaves: through an SMTP server, through SendGrid, or, when neither is set, as `.eml` files in a folder.

    BATON_SMTP_URL      smtp://USER:PASSWORD@HOST:PORT      encrypted whenever the server offers it (port 587 by default)
                        smtp+starttls://...                 encrypted, or no mail
                        smtps://...                         encrypted from the first byte (port 465)
    BATON_SENDGRID_KEY  an API key with the right to send mail

A password is never sent unencrypted, except to this machine. Certificates are checked, except this machine's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

_PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_SENDGRID = "https://api.sendgrid.com"


class MailSettingsError(Exception):
    """A setting about mail cannot be used; the message names the variable and the remedy, and shows no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """An SMTP server: `encryption` is `offered` (taken when offered), `starttls` (required) or `tls`."""

    host: str
    port: int
    encryption: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def local(self) -> bool:
        """Whether the server is this machine, to which a password may go unencrypted."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """
    One immutable value. `sender` is a mailbox (`Name <address>`), `domain` what Message-IDs end in.

    `console_url` and `portal_url` are where staff and requesters open links, `public_url` where the world reaches the
    notifications front, whose `/api/v1/notifications/` ends mails; empty: where other processes reach these fronts.
    """

    smtp: SmtpServer | None = None
    sendgrid_key: str = field(default="", repr=False)
    sendgrid_url: str = _SENDGRID
    sender: str = "Baton <baton@localhost>"
    domain: str = "localhost"
    public_url: str = ""
    console_url: str = ""
    portal_url: str = ""

    @property
    def transport(self) -> str:
        """Return `smtp`, `sendgrid` or `folder`: the first that is set."""
        return "smtp" if self.smtp else "sendgrid" if self.sendgrid_key else "folder"

    @property
    def address(self) -> str:
        """The address that mail comes from."""
        return parseaddr(self.sender)[1]


def load_mail_settings(env: Mapping[str, str]) -> MailSettings:
    """
    Read what the environment says about mail.

    Raises:
        MailSettingsError: a value is malformed.
    """
    sender = env.get("BATON_MAIL_FROM") or "Baton <baton@localhost>"
    address = parseaddr(sender)[1]
    if not address.isascii() or not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not sender.isprintable():
        raise MailSettingsError("BATON_MAIL_FROM must be a mailbox such as: Help desk <helpdesk@example.com>")
    domain = env.get("BATON_MAIL_DOMAIN") or address.rpartition("@")[2]
    if not _DOMAIN.fullmatch(domain):
        raise MailSettingsError("BATON_MAIL_DOMAIN must be a domain name such as example.com")
    public_url = _web_url(env, "BATON_PUBLIC_URL")
    return MailSettings(
        smtp=_smtp_server(env.get("BATON_SMTP_URL", "")),
        sendgrid_key=env.get("BATON_SENDGRID_KEY", "").strip(),
        sendgrid_url=_web_url(env, "BATON_SENDGRID_URL") or _SENDGRID,
        sender=sender,
        domain=domain.lower(),
        public_url=public_url,
        console_url=_web_url(env, "BATON_CONSOLE_URL") or public_url,
        portal_url=_web_url(env, "BATON_PORTAL_URL") or public_url,
    )


def _smtp_server(url: str) -> SmtpServer | None:
    if not url:
        return None
    # Neither the URL nor an error about it is shown: it may hold the password.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MailSettingsError(
            "BATON_SMTP_URL cannot be read: the port must be a number, and special characters in the password percent-encoded"
        ) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise MailSettingsError("BATON_SMTP_URL must be smtp://, smtp+starttls:// or smtps://, with a host")
    return SmtpServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        encryption={"smtp": "offered", "smtp+starttls": "starttls", "smtps": "tls"}[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _web_url(env: Mapping[str, str], name: str) -> str:
    url = env.get(name, "").rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise MailSettingsError(f"{name} must start with http:// or https:// and name a host")
    return url
