"""What follows from presenting a refresh token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from baton.pipelines.sessions import LONGEST_SESSION_SECONDS, PresentedToken, decide_refresh, family_expiry, token_expiry

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
DAY = 86_400
GOOD = PresentedToken(
    expires_at=NOW + timedelta(days=1),
    used_at=None,
    family_expires_at=NOW + timedelta(days=30),
    family_revoked_at=None,
    owner_active=True,
)


def test_a_good_token_is_replaced() -> None:
    decision = decide_refresh(GOOD, NOW, 14 * DAY)

    assert decision.rotate and not decision.end_family
    assert decision.expires_at == NOW + timedelta(days=14)


def test_a_session_never_outlives_its_family() -> None:
    assert decide_refresh(GOOD, NOW, 60 * DAY).expires_at == GOOD.family_expires_at
    assert token_expiry(NOW, 365 * DAY, family_expiry(NOW)) == NOW + timedelta(seconds=LONGEST_SESSION_SECONDS)


@pytest.mark.parametrize(
    ("presented", "why", "ends"),
    [
        (None, "unknown", False),
        (replace(GOOD, used_at=NOW), "reused", True),
        (replace(GOOD, used_at=NOW, expires_at=NOW - timedelta(days=1)), "reused", True),
        (replace(GOOD, used_at=NOW, owner_active=False), "reused", True),
        (replace(GOOD, family_revoked_at=NOW), "session ended", False),
        (replace(GOOD, family_revoked_at=NOW, used_at=NOW), "session ended", False),
        (replace(GOOD, expires_at=NOW), "expired", False),
        (replace(GOOD, family_expires_at=NOW), "expired", False),
        (replace(GOOD, owner_active=False), "account inactive", True),
    ],
)
def test_anything_else_is_refused(presented: PresentedToken | None, why: str, ends: bool) -> None:
    decision = decide_refresh(presented, NOW, DAY)

    assert (decision.rotate, decision.why, decision.end_family, decision.expires_at) == (False, why, ends, None)
