"""
Writing a mail: subject, text and HTML in the recipient's language, and the headers that keep threads together and loops apart.

Templates are part of the program. Texts of users are values: the HTML template escapes them, headers take one line of them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from importlib import resources
from typing import Any
from urllib.parse import quote

import jinja2

from baton.pipelines.emails.identity import thread_id
from baton.pipelines.emails.recipients import Recipient
from baton.pipelines.emails.texts import FALLBACK, kind_of, language_of, reason_of, say, say_of_type

#: Longest subject, in characters. Longer ones are cut: mail programs show some sixty.
LONGEST_SUBJECT = 200
#: Longest text of one notification in a mail, in characters. The whole of it is in the application.
LONGEST_MESSAGE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """
    One notification of a mail, told for a reason of the table of audiences.

    `detail` holds what its words may name, such as `step_name` and `workflow_name`.
    """

    type: str
    reason: str = ""
    subject: str
    message: str
    ticket_number: str | None = None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """
    What is to be mailed: one notification, or several as a digest.

    `message_id` in brackets; `public_url` is where people reach the application; `unsubscribe_url` ends mails of this `kind` (a
    type, or `digest`).
    """

    message_id: str
    kind: str
    items: Sequence[Item]
    sender: str
    domain: str
    public_url: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A finished mail: what a transport needs, whichever it is. `headers` beside From, To, Subject and Date."""

    message_id: str
    sender_name: str
    sender: str
    to_name: str
    to: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]


def write(letter: Letter, recipient: Recipient) -> Mail:
    """Return the letter as a mail for the recipient. The same letter and recipient give the same mail."""
    language = language_of(recipient.language)
    many = letter.kind == "digest"
    subject = one_line(_subject(letter, language, many))[:LONGEST_SUBJECT]
    values = {
        "language": language,
        "subject": subject,
        "greeting": _greeting(language, one_line(recipient.name)),
        "lead": say(language, "digest_lead") if many else "",
        "many": many,
        "items": [_shown(item, letter, language) for item in letter.items],
        **_footer(letter, language, many),
    }
    name, address = parseaddr(letter.sender)
    return Mail(
        message_id=letter.message_id,
        sender_name=name,
        sender=address,
        to_name=one_line(recipient.name)[:200],
        to=recipient.address,
        subject=subject,
        text=_template("mail.txt.j2").render(values),
        html=_template("mail.html.j2").render(values),
        headers=tuple(_headers(letter)),
    )


class _WholeHeader(UnstructuredHeader):
    """A header that stays in one piece: folding would encode a long address or link, and nobody could follow it."""

    def fold(self, *, policy: Any) -> str:
        """Return the header as one line."""
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references", "list-id", "list-unsubscribe"):
    _HEADERS.map_to_type(_name, _WholeHeader)  # type: ignore[arg-type]  # a mixin, as the registry wants it
_POLICY = SMTP.clone(header_factory=_HEADERS)


def as_message(mail: Mail, date: datetime) -> EmailMessage:
    """Return the mail as a MIME message, text and HTML side by side, to go out at `date`; in UTF-8 where the address needs it."""
    message = EmailMessage(policy=_POLICY if mail.to.isascii() else _POLICY.clone(utf8=True))
    message["From"] = _mailbox(mail.sender_name, mail.sender)
    message["To"] = _mailbox(mail.to_name, mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = mail.message_id
    for name, value in mail.headers:
        message[name] = value
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message.set_boundary("=_" + mail.message_id.strip("<>").replace("@", ".")[:60])
    return message


def one_line(text: str) -> str:
    """Return a text as one line that can be shown in a header: without line breaks and control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _subject(letter: Letter, language: str, many: bool) -> str:
    if many:
        return say(language, "digest_subject", count=len(letter.items))
    return _subject_of(letter.items[0], language)


def _subject_of(item: Item, language: str) -> str:
    # English is the language that notifications are announced in; their own words say more than the catalogue's.
    own = None if language == FALLBACK else say_of_type(language, item.type, "subject", _values(item))
    return own or item.subject or say(language, "digest_subject", count=1)


def _shown(item: Item, letter: Letter, language: str) -> dict[str, str]:
    lead = say_of_type(language, item.type, "lead", _values(item)) if language != FALLBACK or not item.message.strip() else None
    shown = {"subject": one_line(_subject_of(item, language)), "lead": lead or "", "message": _readable(item.message), "url": ""}
    if item.ticket_number and letter.public_url:
        shown["url"] = f"{letter.public_url}/tickets/{quote(item.ticket_number, safe='')}"
        shown["open"] = say(language, "open_ticket", ticket=item.ticket_number)
    return shown


def _values(item: Item) -> dict[str, str]:
    named = {"ticket": item.ticket_number, "step": item.detail.get("step_name"), "workflow": item.detail.get("workflow_name")}
    return {name: value for name, value in named.items() if isinstance(value, str) and value}


def _readable(text: str) -> str:
    """Return a text without control characters but line breaks and tabs, cut where it is too long for a mail."""
    kept = "".join(char for char in text.replace("\r\n", "\n").replace("\r", "\n") if char in "\n\t" or ord(char) >= 0x20)
    return kept if len(kept) <= LONGEST_MESSAGE else kept[:LONGEST_MESSAGE] + " […]"


def _greeting(language: str, name: str) -> str:
    return say(language, "greeting", name=name) if name else say(language, "greeting_without_name")


def _footer(letter: Letter, language: str, many: bool) -> dict[str, str]:
    why = say(language, "digest_why") if many else reason_of(language, letter.items[0].reason)
    return {
        "why": say(language, "why", reason=why),
        "automatic": say(language, "automatic"),
        "unsubscribe": say(language, "unsubscribe", kind=kind_of(language, letter.kind)),
        "unsubscribe_url": letter.unsubscribe_url,
        "preferences": say(language, "preferences"),
        "preferences_url": f"{letter.public_url}/profile" if letter.public_url else "",
    }


def _headers(letter: Letter) -> list[tuple[str, str]]:
    headers = [
        # RFC 3834: nobody's vacation program answers this, and our own intake would know it.
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("List-Id", f"<notifications.{letter.domain}>"),
        ("List-Unsubscribe", f"<{letter.unsubscribe_url}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Baton-Type", one_line(letter.kind)[:100] or "other"),
    ]
    tickets = {item.ticket_number for item in letter.items}
    ticket = tickets.pop() if len(tickets) == 1 else None
    if ticket:
        root = thread_id(ticket, letter.domain)
        headers += [("In-Reply-To", root), ("References", root), ("X-Baton-Ticket", one_line(ticket)[:100])]
    return headers


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


@functools.cache
def _template(name: str) -> jinja2.Template:
    source = resources.files(__package__).joinpath("templates", name).read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=name.endswith(".html.j2"), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)
