"""The demo organisation's day: who may tell it, when it is over, and what the server says at its end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from baton.http.web.services import ServiceAwayError, ServiceRefusedError, Services
from baton.models.settings import Settings, get_settings
from baton.scripts import demo_day
from baton.scripts.demo_stories import STORIES, Story
from baton.scripts.seed_people import employees
from baton.scripts.welcome import print_welcome

ACTS = {"start", "complete", "hold", "escalate", "transfer", "say", "note", "reply", "rate", "reopen", "withdraw"}
LED = {"priority", "close", "cancel"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="test", data_dir=tmp_path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Answer every service's calls, and keep what was called with which key."""
    made: list[tuple[str, str, str]] = []

    def call(self: Services, method: str, service: str, path: str, **options: Any) -> Any:
        made.append((service, path, options.get("key", "")))
        if path == "/api/v1/sign-in":
            return {"access_token": "token"}
        if path == "/api/v1/tickets":
            return {"ticket_number": f"HD-{options['key']}"}
        if path == "/api/v1/members":
            return {"items": [{"user_id": "5"}, {"user_id": "6"}]}
        return {"items": [{"id": 1, "state": "new", "assignee": "5", "assignee_name": "Maria Santos", "role_id": "2"}]}

    monkeypatch.setattr(Services, "call", call)
    return made


def test_the_stories_are_about_people_who_exist_and_acts_that_are_known() -> None:
    known = {each.email.partition("@")[0] for each in employees(60)}
    assert {story.by for story in STORIES} <= known
    assert {what for story in STORIES for what, _ in story.acts} <= ACTS | LED
    assert 24 <= len(STORIES) <= 60


def test_a_day_that_was_told_is_not_due_any_more(settings: Settings, calls: list[Any]) -> None:
    demo_day.begin(settings)
    assert demo_day.is_due(settings)
    assert demo_day.tell_day(settings) == len(STORIES)
    assert not demo_day.is_due(settings)
    keys = [key for _, path, key in calls if path == "/api/v1/tickets"]
    assert len(keys) == len(set(keys)) == len(STORIES)


def test_a_day_told_twice_asks_for_the_same_things_under_the_same_keys(settings: Settings, calls: list[Any]) -> None:
    demo_day.tell_day(settings)
    first = list(calls)
    calls.clear()
    demo_day.tell_day(settings)
    assert calls == first


def test_a_day_that_a_stop_or_a_missing_service_cuts_short_stays_due(
    settings: Settings, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo_day.begin(settings)
    assert demo_day.tell_day(settings, stopped=lambda: True) == 0
    assert demo_day.is_due(settings)

    def away(*_: Any, **__: Any) -> Any:
        raise ServiceAwayError("helpdesk")

    monkeypatch.setattr(Services, "call", away)
    assert demo_day.tell_day(settings) == 0
    assert demo_day.is_due(settings)


def test_a_story_that_is_refused_is_left_and_the_others_are_told(
    settings: Settings, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Story("adaeze.abara", "IT Support", "Low", "good", "", (("withdraw", "because"),))
    call = Services.call

    def refusing(self: Services, method: str, service: str, path: str, **options: Any) -> Any:
        if path == "/api/v1/tickets/HD-demo-1/withdraw":
            raise ServiceRefusedError(service, 422, {"detail": "no"})
        return call(self, method, service, path, **options)

    monkeypatch.setattr(Services, "call", refusing)
    assert demo_day.tell_day(settings, [good, good]) == 1


def test_what_goes_wrong_with_the_day_stops_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def fail(*_: Any, **__: Any) -> Any:
        over.set()
        raise RuntimeError("a fault")

    monkeypatch.setattr(demo_day, "tell_day", fail)
    demo_day.begin(settings)
    demo_day.tell_beside(settings, threading.Event())
    assert over.wait(5)


def test_production_has_no_demo_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_ENV", "production")
    for name in ("BATON_SERVICE_SECRET", "BATON_TOKEN_SECRET"):
        monkeypatch.setenv(name, "a secret of thirty-two characters and more")
    get_settings.cache_clear()
    answer = CliRunner().invoke(demo_day.seed_demo)
    assert answer.exit_code == 1
    assert "production" in answer.output


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_welcome_ends_with_the_two_links(environment: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(environment=environment)
    print_welcome(settings, seeded=True)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    links = [place for place, line in enumerate(lines) if line.startswith(("For employees:", "For staff:"))]
    assert lines[links[0]].endswith(settings.url("portal")) and lines[links[1]].endswith(settings.url("console"))
    shown = [line for line in lines if "@example.com" in line]
    assert bool(shown) is (environment == "development")
    assert all("http" not in line for line in lines[links[1] + 1 :])
