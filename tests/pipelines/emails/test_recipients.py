"""Whom a mail may go to, and links that only we can make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.emails.recipients import Recipient, is_still_told, why_not
from baton.pipelines.emails.unsubscribing import read, sign

OWN = frozenset({"desk@example.com"})


@pytest.mark.parametrize("address", ["ann@example.com", "o'brien+x@sub.example.co.uk", "jörg@bücher.example", "a@localhost"])
def test_an_address_that_can_be_used(address: str) -> None:
    assert why_not(Recipient(user_id="user:7", address=address), OWN) is None


@pytest.mark.parametrize(
    "address",
    ["", "ann", "a@b@c", "a b@example.com", "a@x.com\r\nRCPT TO:<b@x.com>", "a@x.com, b@x.com", "<a@x.com>", "@x.com", "a@"],
)
def test_an_address_that_cannot_be_used_is_a_failure_to_be_seen_to(address: str) -> None:
    reason = why_not(Recipient(user_id="user:7", address=address), OWN)
    assert reason is not None
    assert reason[1]


def test_n9_our_own_mailbox_and_closed_accounts_get_no_mail_and_that_is_no_failure() -> None:
    assert why_not(Recipient(user_id="user:7", address="DESK@example.com"), OWN) == (
        "the address is the one that our mail comes from", False,
    )  # fmt: skip
    assert why_not(Recipient(user_id="user:7", address="a@example.com", is_active=False), OWN) == (
        "the account is not active",
        False,
    )


def test_whoever_lost_access_or_switched_such_mails_off_is_not_mailed() -> None:
    holder = Recipient(user_id="user:7", address="a@example.com", roles=frozenset({"tts:Admin"}))
    assert is_still_told(holder, "sla_breach", ["tts:Admin"], {})
    assert not is_still_told(holder, "sla_breach", ["tts:Budget Manager"], {})
    assert not is_still_told(holder, "sla_breach", [], {("sla_breach", "email"): False})
    assert is_still_told(holder, "sla_breach", [], {("sla_breach", "in_app"): False, ("sla_warning", "email"): False})
    assert is_still_told(Recipient(user_id="employee:3", address="e@example.com"), "reply", ["tts:Admin"], {})


@given(st.text(max_size=60).filter(lambda text: "\x1f" not in text), st.sampled_from(["comment_added", "digest"]))
def test_a_link_reads_back_under_its_secret_and_under_no_other(recipient: str, type_: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in recipient):
        return
    token = sign(recipient, type_, "secret")
    assert read(token, "secret") == (recipient, type_)
    assert read(token, "other") is None


@given(st.text(max_size=80), st.integers(0, 200), st.characters())
def test_no_other_text_counts(text: str, place: int, char: str) -> None:
    assert read(text, "secret") is None
    token = sign("user:7", "comment_added", "secret")
    changed = token[: place % len(token)] + char + token[place % len(token) + 1 :]
    assert changed == token or read(changed, "secret") is None
