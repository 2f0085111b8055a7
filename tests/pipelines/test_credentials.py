"""What may be called what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.credentials import (
    email_refused,
    password_refused,
    role_edit_refused,
    role_name_refused,
    slug_refused,
)


@pytest.mark.parametrize("email", ["a@b.example", "Adminhdts@example.com", "jörg@müller.example", "a+b.c@x", "o'neil@x.example"])
def test_addresses_that_may_exist_are_taken(email: str) -> None:
    assert email_refused(email) is None


@pytest.mark.parametrize("email", ["", "a", "@b", "a@", "a b@c", "a@b@c", "a@b\n", "a@b\u200b", "a@" + "b" * 254, "<a@b>"])
def test_what_cannot_be_an_address_is_refused(email: str) -> None:
    assert email_refused(email)


@pytest.mark.parametrize("name", ["Admin", "Ticket Coordinator", "Prüfer", "R&D / Finance", "経理"])
def test_roles_may_be_named_in_any_language(name: str) -> None:
    assert role_name_refused(name) is None


@pytest.mark.parametrize("name", ["", " ", " x", "x ", "*", "tts:Admin", "a,b", "a\tb", "a\u202eb", "a\u200bb", "x" * 61])
def test_names_that_could_be_taken_for_another_role_are_refused(name: str) -> None:
    assert role_name_refused(name)


@given(st.text())
def test_an_accepted_role_name_survives_being_written_as_system_and_role(name: str) -> None:
    if role_name_refused(name) is None:
        assert f"tts:{name}".partition(":") == ("tts", ":", name)
        assert name != "*"


@pytest.mark.parametrize(
    ("slug", "accepted"),
    [("tts", True), ("a1_b", True), *((bad, False) for bad in ("a", "1a", "TTS", "a-b", "a:b", "", "tts\n"))],
)
def test_slugs(slug: str, accepted: bool) -> None:
    assert (slug_refused(slug) is None) is accepted


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        *((good, True) for good in ("Password123", "ten chars!", "пароль из слов")),
        *((bad, False) for bad in ("nine char", "a" * 12, "x" * 201)),
    ],
)
def test_passwords(password: str, accepted: bool) -> None:
    assert (password_refused(password) is None) is accepted


def test_the_admin_role_keeps_its_name_and_stays_active() -> None:
    assert role_edit_refused("Admin", "Boss", True)
    assert role_edit_refused("Admin", "admin", True)
    assert role_edit_refused("Admin", "Admin", False)
    assert role_edit_refused("Admin", "Admin", True) is None
    assert role_edit_refused("Auditor", "Reviewer", False) is None
