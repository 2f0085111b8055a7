"""What mails say: two languages, users' texts as they are and never as code, headers that keep threads together."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.audience import AUDIENCES, REASONS
from baton.pipelines.emails.identity import message_id, thread_id
from baton.pipelines.emails.recipients import Recipient
from baton.pipelines.emails.texts import kind_of, language_of, languages, reason_of, say, say_of_type
from baton.pipelines.emails.writing import Item, Letter, Mail, as_message, write

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINK = "https://desk.example.com/api/v1/notifications/unsubscribe/" + "t" * 120


def item(**changes: Any) -> Item:
    values: dict[str, Any] = {
        "type": "task_transfer_in", "reason": "assignee", "subject": "HD-1: Prüfen is yours",
        "message": "It was transferred. Urgent!",
        "ticket_number": "HD-1", "detail": {"step_name": "Prüfen", "workflow_name": "IT Support"},
    }  # fmt: skip
    return Item(**{**values, **changes})


def written(*items: Item, language: str = "en", name: str = "Ann", address: str = "ann@example.com", kind: str = "") -> Mail:
    letter = Letter(
        message_id=message_id("a" * 40, "example.com"),
        kind=kind or ("digest" if len(items) > 1 else items[0].type),
        items=items,
        sender="Help desk <desk@example.com>",
        domain="example.com",
        public_url="https://desk.example.com",
        unsubscribe_url=LINK,
    )
    return write(letter, Recipient(user_id="user:7", address=address, name=name, language=language))


def parsed(mail: Mail) -> Any:
    return email.message_from_bytes(as_message(mail, NOON).as_bytes(), policy=email.policy.default)


def test_english_uses_the_notifications_own_words() -> None:
    mail = written(item())
    assert mail.subject == "HD-1: Prüfen is yours"
    assert "Hello Ann,\n\nIt was transferred. Urgent!\n\nOpen ticket HD-1: https://desk.example.com/tickets/HD-1\n" in mail.text
    assert "You get this mail because you are the assignee." in mail.text


def test_german_says_it_in_german_and_keeps_what_people_wrote() -> None:
    mail = written(item(), language="de_AT")
    assert mail.subject == "HD-1: Prüfen gehört Ihnen"
    assert "Guten Tag Ann," in mail.text
    assert "Der Schritt Prüfen von Ticket HD-1 wurde Ihnen übergeben." in mail.text
    assert "It was transferred. Urgent!" in mail.text
    assert '<html lang="de">' in mail.html


def test_a_language_without_words_is_english() -> None:
    assert (language_of("fr"), language_of(""), language_of(None), language_of("DE")) == ("en", "en", "en", "de")


@pytest.mark.parametrize("language", languages())
def test_every_type_and_reason_has_words_in_every_language(language: str) -> None:
    values = {"ticket": "HD-1", "step": "Triage", "workflow": "IT Support"}
    for type_ in AUDIENCES:
        assert say_of_type(language, type_, "kind", {}) == kind_of(language, type_)
        assert say_of_type(language, type_, "subject", values)
        assert say_of_type(language, type_, "lead", values)
    assert say(language, "other_why") not in {reason_of(language, reason) for reason in REASONS}
    assert say(language, "language")


def test_a_text_whose_values_are_not_known_gives_way_to_the_notifications_own() -> None:
    assert written(item(detail={}), language="de").subject == "HD-1: Prüfen is yours"


def test_a_digest_has_every_notification_in_one_mail_and_no_thread_of_its_own() -> None:
    mail = written(item(), item(subject="HD-2 is completed", ticket_number="HD-2"), item(type="test", ticket_number=None))
    assert mail.subject == "3 notifications"
    assert mail.text.count("* ") == 3
    assert "References" not in dict(mail.headers)


def test_a_digest_about_one_ticket_belongs_to_its_thread() -> None:
    assert dict(written(item(), item()).headers)["References"] == "<ticket.HD-1@example.com>"


def test_users_texts_are_never_code_nor_markup() -> None:
    evil = "<script>alert(1)</script> {{ 7*7 }} {% raw %} {ticket} {0.__class__}"
    for language in languages():
        mail = written(item(subject=evil, message=evil, detail={"step_name": evil}), name=evil, language=language)
        assert evil in mail.text
        assert "<script>" not in mail.html
        assert "49" not in mail.html


def test_headers_take_one_line_and_links_stay_whole() -> None:
    mail = parsed(written(item(subject="Hello\r\nBcc: all@example.com\n\n.", ticket_number="HD-1\r\nX: y"), name="A\r\nTo: b@x"))
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert len(mail.get_all("To")) == 1
    assert mail["Subject"] == "Hello Bcc: all@example.com ."
    raw = as_message(written(item()), NOON).as_bytes().decode()
    assert f"List-Unsubscribe: <{LINK}>\r\n" in raw
    assert max(len(line) for line in raw.split("\r\n")) <= 998


def test_the_same_letter_gives_the_same_mail_to_the_byte() -> None:
    assert as_message(written(item()), NOON).as_bytes() == as_message(written(item()), NOON).as_bytes()


def test_an_address_beyond_ascii_makes_the_headers_utf_8() -> None:
    raw = as_message(written(item(), address="jörg@bücher.example"), NOON).as_bytes().decode()
    assert "jörg@bücher.example" in raw


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60), st.sampled_from(["en", "de"]))
def test_whatever_people_write_makes_a_mail_that_reads_back(subject: str, message: str, name: str, language: str) -> None:
    if re.search("[\ud800-\udfff]", subject + message + name):
        return
    mail = parsed(written(item(subject=subject, message=message, ticket_number=None, detail={}), name=name, language=language))
    assert mail["Message-ID"] == f"<{'a' * 40}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@given(st.text(max_size=100))
def test_a_tickets_thread_is_one_valid_message_id(number: str) -> None:
    assert re.fullmatch(r"<ticket\.[A-Za-z0-9_-]+@example\.com>", thread_id(number, "example.com"))
