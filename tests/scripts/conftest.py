"""Fixtures of the commands' tests."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from baton.scripts import import_sender, importing
from baton.scripts.checks import convergence
from tests.scripts.import_desk import Desk


@pytest.fixture
def run_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """`run_import(desk, file, *options)` runs `baton import` in a directory of its own, against a stand-in for the help desk."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_sender, "LONGEST_PAUSE", 0.01)

    def call(desk: Desk, file: Path, *options: str) -> Result:
        monkeypatch.setattr(importing, "_front", desk.client)
        result = CliRunner().invoke(importing.import_tickets, [str(file), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return call


@pytest.fixture
def quick_doctor(monkeypatch: pytest.MonkeyPatch, unused_ports: None) -> None:
    """Have differences settle at once, and nothing answer at the ports of the fronts."""
    monkeypatch.setattr(convergence, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(convergence, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def unused_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the fronts ports at which nothing answers."""
    from baton.models.settings import SERVICES, get_settings

    for service in SERVICES:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"BATON_{service.upper()}_PORT", str(probe.getsockname()[1]))
    get_settings.cache_clear()
