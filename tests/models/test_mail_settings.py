"""The settings about mail: what is read, what is refused, and that no secret shows."""

from __future__ import annotations

import pytest

from baton.models.settings import SettingsError, load_settings


def test_without_settings_mail_goes_to_a_folder() -> None:
    assert load_settings({}).mail.transport == "folder"


@pytest.mark.parametrize(
    ("url", "host", "port", "encryption"),
    [
        ("smtp://mail.example.com", "mail.example.com", 587, "offered"),
        ("smtp+starttls://mail.example.com:2525", "mail.example.com", 2525, "starttls"),
        ("smtps://mail.example.com", "mail.example.com", 465, "tls"),
    ],
)
def test_the_scheme_of_the_smtp_url_says_how_it_is_encrypted(url: str, host: str, port: int, encryption: str) -> None:
    mail = load_settings({"BATON_SMTP_URL": url}).mail
    assert mail.smtp is not None
    assert (mail.smtp.host, mail.smtp.port, mail.smtp.encryption, mail.transport) == (host, port, encryption, "smtp")


def test_user_and_password_are_percent_decoded_and_the_password_does_not_show() -> None:
    settings = load_settings({"BATON_SMTP_URL": "smtp://a%40b:p%2Fw@localhost:25", "BATON_SENDGRID_KEY": "SG.key"})
    assert settings.mail.smtp is not None
    assert (settings.mail.smtp.user, settings.mail.smtp.password) == ("a@b", "p/w")
    assert "p/w" not in repr(settings.mail)
    assert "SG.key" not in repr(settings.mail)


def test_the_domain_of_message_ids_is_the_senders_unless_it_is_set() -> None:
    assert load_settings({"BATON_MAIL_FROM": "Desk <desk@Example.com>"}).mail.domain == "example.com"
    assert load_settings({"BATON_MAIL_FROM": "desk@example.com", "BATON_MAIL_DOMAIN": "mx.example"}).mail.domain == "mx.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATON_SMTP_URL", "http://mail.example.com"),
        ("BATON_SMTP_URL", "smtp://"),
        ("BATON_SMTP_URL", "smtp://user:secret/word@mail.example.com"),
        ("BATON_MAIL_FROM", "nobody"),
        ("BATON_MAIL_FROM", "a@example.com\r\nBcc: everyone@example.com"),
        ("BATON_MAIL_DOMAIN", "no spaces"),
        ("BATON_PUBLIC_URL", "javascript:alert(1)"),
        ("BATON_SENDGRID_URL", "ftp://x"),
    ],
)
def test_what_cannot_be_used_is_refused_without_showing_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings({name: value})
    assert "secret" not in str(caught.value)
