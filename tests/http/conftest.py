"""Fixtures of the fronts' tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import TestClient

from tests.http.demo import demo_client


@pytest.fixture
def demo(databases: Any) -> Iterator[TestClient]:
    """A client of the demonstration service."""
    with demo_client(databases) as client:
        yield client
