"""Fixtures of the commands' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from baton.scripts import import_sender, importing
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
