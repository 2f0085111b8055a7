"""Masking: what people wrote and what opens doors stays out; what helps to find the fault stays in."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.masking import mask

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyOjEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot find eve.employee+x@example.co.uk in auth", "eve.employee"),
        ("invalid literal: 'My knee hurts and I cannot come to work'", "knee"),
        ('bad subject "The printer near Oscar is jammed again"', "Oscar"),
        (r"bad 'it\'s my colleague Oscar who did this to me'", "Oscar"),
        ("unterminated 'My knee hurts and I cannot come to wo", "knee"),
        ("password='hunter2' refused", "hunter2"),
        ("{'password': 'hunter2'}", "hunter2"),
        ("BATON_SERVICE_SECRET=hunter2", "hunter2"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh"),
        (f"token {TOKEN} expired", "eyJ"),
        ("cannot reach amqp://admin:hunter2@broker:5672/", "hunter2"),
        ("DETAIL:  Key (email)=(eve) already exists.", "eve"),
        ("DETAIL:  Failing row contains (1, Eve, my knee\nhurts).", "knee"),
        ("1 error for X\n  Input should be a string [type=string_type, input_value=['knee'], input_type=list]", "knee"),
        ("key 0123456789abcdef0123456789abcdef0123456789abcdef is wrong", "abcdef0123"),
    ],
)
def test_what_must_not_be_told_is_masked(text: str, secret: str) -> None:
    assert secret not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "'category'",
        "KeyError: 'ticket_number'",
        'relation "workflow.task_item" does not exist',
        "role 5 is unknown",
        "HD-00000001",
    ],
)
def test_what_helps_is_kept(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=300))
def test_what_is_left_is_short_and_can_be_sent(text: str) -> None:
    found = mask(text, 100)
    assert len(found) <= 100
    assert "\x00" not in found
    found.encode("utf-8")


@pytest.mark.parametrize(
    "unit", ["a.", "'a", '"', "a@", "x=", "password", "Key (", "input_value=", "://", "a" * 50, "\\'", "Bearer "]
)
def test_no_text_takes_long(unit: str) -> None:
    started = time.thread_time()
    mask(unit * 100_000)
    assert time.thread_time() - started < 0.5
