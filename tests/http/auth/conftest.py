"""Fixtures of auth's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import TestClient

from tests.http.auth import organisation
from tests.http.auth.organisation import Organisation


@pytest.fixture
def auth(client: Callable[[str], Any]) -> TestClient:
    """A client of auth's front."""
    found: TestClient = client("auth")
    return found


@pytest.fixture
def org(databases: Any) -> Organisation:
    """A small organisation."""
    return organisation.build()
