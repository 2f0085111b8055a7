"""`baton keys`: what it says where there is nothing to list."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from baton.models.settings import get_settings
from baton.scripts.keys import keys


@pytest.mark.parametrize("command", ["list", "rotate"])
def test_before_the_tables_are_there_it_names_the_command_to_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    result = CliRunner().invoke(keys, [command])
    assert (result.exit_code, result.stderr) == (1, "the tables of auth are not up to date: run `baton migrate` first\n")
