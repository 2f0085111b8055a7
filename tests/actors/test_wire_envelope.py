"""The envelope as foreign hands write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from baton.actors.broker_api import UnreadableMessageError
from baton.actors.wire_envelope import MAX_WAIT, read_envelope


@pytest.mark.parametrize("eta", [253_402_300_799_000, "9999-12-31T23:59:59Z"])
def test_a_message_that_would_wait_for_ever_is_refused(eta: object) -> None:
    with pytest.raises(UnreadableMessageError, match="not due before 9999"):
        read_envelope({"message_id": "1", "eta": eta})


def test_a_message_may_wait_for_months() -> None:
    due = datetime.now(UTC) + MAX_WAIT - timedelta(days=1)
    assert read_envelope({"message_id": "1", "eta": due.isoformat()})["not_before"] == due.isoformat()
