"""What `baton trace` says of a conversation: who wrote when, never what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from baton.models import database
from baton.models.messaging import Attachment, Entry, EntryRevision
from baton.models.messaging.journeys import journey
from baton.models.transaction import write_tx
from tests.factories import BACKENDS

NUMBER = "HD-00000001"
_COMMENT = {"ticket_number": NUMBER, "kind": "comment", "visibility": "public", "author": "employee:3", "side": "requester"}


@pytest.fixture
def spoken(databases: Any) -> Iterator[None]:
    """A ticket with an event, a comment that was edited, a note that was imported and a file that no comment has."""
    with database.connection("messaging"):
        with write_tx("messaging") as tx:
            times = [tx.now + timedelta(seconds=second) for second in range(5)]
            Entry.insert(
                **{**_COMMENT, "kind": "event", "author": "system:workflow"}, number=1, event_kind="status", created_at=times[0]
            ).execute()
            Entry.insert(**_COMMENT, number=2, body="my secret", created_at=times[1]).execute()
            note = {**_COMMENT, "visibility": "internal", "author": "user:7", "side": "staff", "imported": True}
            Entry.insert(**note, number=3, body="a secret too", created_at=times[2]).execute()
            Entry.insert(**{**_COMMENT, "ticket_number": "HD-00000002"}, number=1, body="other", created_at=times[2]).execute()
            EntryRevision.insert(
                ticket_number=NUMBER, number=2, version=1, what="edited", body="older secret", changed_by="employee:3",
                changed_at=times[3],
            ).execute()  # fmt: skip
            Attachment.insert(
                id="f1", ticket_number=NUMBER, author="employee:3", filename="secret.txt", media_type="text/plain", size=12,
                sha256="0", stored_as="s1", created_at=times[4],
            ).execute()  # fmt: skip
        yield


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_journey_names_who_wrote_when_and_not_what(spoken: None) -> None:
    told = journey(NUMBER)

    assert [(each["service"], each["event"], each["detail"]) for each in told] == [
        ("messaging", "comment", "2 by employee:3"),
        ("messaging", "note", "3 by user:7, imported"),
        ("messaging", "comment edited", "2 by employee:3"),
        ("messaging", "file sent", "12 bytes by employee:3, not used yet, scan: none"),
    ]
    assert "secret" not in str(told)


def test_a_ticket_without_a_conversation_has_no_journey(spoken: None) -> None:
    assert journey("HD-00000009") == []
