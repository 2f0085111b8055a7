"""What `baton server` does before it serves."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.auth import User
from baton.models.settings import get_settings
from baton.scripts.cli import cli
from baton.scripts.run import _seed_demo


def test_seeding_that_was_cut_off_is_finished_by_the_next_start_and_then_left(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def seed(words: list[str], **_: Any) -> None:
        asked.append(words[0])
        if words[0] == "seed_hdts" and asked.count("seed_hdts") == 1:
            raise KeyboardInterrupt
        if words[0] == "seed_systems":
            monkeypatch.setattr(User, "select", lambda: Somebody)

    class Somebody:
        @staticmethod
        def exists() -> bool:
            return True

    monkeypatch.setattr(cli, "main", seed)

    with pytest.raises(KeyboardInterrupt):
        _seed_demo(get_settings())
    assert asked == ["seed_systems", "seed_tts", "seed_hdts"]

    assert _seed_demo(get_settings())
    assert asked[-1] == "seed_workflows" and asked.count("seed_systems") == 2
    assert not _seed_demo(get_settings())
    assert asked.count("seed_systems") == 2
