"""What operators see of the running system: each service in words, those that are away, queues, and the scheduler's jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.http.console.system.findings import findings, span
from baton.http.web.services import ServiceRefusedError, Services
from baton.http.web.texts import catalogue
from baton.models.settings import SERVICES
from tests.http.console.system_desk import COORDINATOR, Desk

WELL = {"status": "ok", "version": "1.2", "checks": {"database": {"status": "ok", "kind": "sqlite"}}}
AT = "2026-06-01T08:00:00Z"
PAGES = ("/system", "/system/queues", "/system/schedule", "/system/deferred", "/system/dead-letters", "/system/mail")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk()
    monkeypatch.setattr(Services, "call", lambda self, *names, **options: desk.answer(*names, **options))
    for service in (*SERVICES, "portal"):
        desk.answers[service, "/health"] = WELL
        desk.answers[service, "/api/v1/runtime"] = runtime(service)
    yield desk


def runtime(service: str, **changes: Any) -> dict[str, Any]:
    return {
        "service": service,
        "at": AT,
        "outbox": {"rows": 0, "oldest_seconds": 0.0, "queues": []},
        "deferred": {"rows": 0, "overdue_seconds": 0.0},
        "inbox": {"rows": 0, "last_at": None},
        "queues": [],
        "processes": [],
        "leader": None,
        "jobs": [],
        **changes,
    }


def test_every_service_is_shown_and_one_that_is_away_is_said_to_be(desk: Desk) -> None:
    desk.away = {"workflow"}
    text = desk.get("/system").text
    for service in (*SERVICES, "portal"):
        assert f'id="s-{service}"' in text
    assert "1 part needs a look." in text
    assert "The service does not answer." in text
    assert "baton serve workflow" in text
    assert text.index('id="s-workflow"') < text.index('id="s-auth"'), "what is in trouble comes first"


def test_all_well_is_said_and_nothing_else_is_alarming(desk: Desk) -> None:
    text = desk.get("/system").text
    assert "Everything works." in text
    assert "→" not in text


def test_a_check_in_trouble_says_what_to_do_and_where_to_look(desk: Desk) -> None:
    broken = {"broker": {"status": "degraded", "kind": "rabbitmq", "dead_letters": 3, "queues": {}}}
    desk.answers["helpdesk", "/health"] = {"status": "degraded", "version": "1", "checks": broken}
    text = desk.get("/system").text
    assert "3 messages were given up on and wait for a decision." in text
    assert 'href="/system/dead-letters"' in text
    assert "3 Nachrichten sind unzustellbar" in desk.get("/system", language="de").text


def test_polling_replaces_the_part_only(desk: Desk) -> None:
    part = desk.get("/system", **{"HX-Request": "true", "HX-Target": "health"}).text
    assert "<html" not in part
    assert 'id="s-auth"' in part
    assert 'hx-trigger="every 10s"' in desk.get("/system").text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("database", {"status": "failing", "reason": "x"}),
        ("outbox", {"status": "failing", "rows": 7, "oldest_seconds": 700.0}),
        ("deferred", {"status": "degraded", "rows": 1, "overdue_seconds": 90.0}),
        ("relay", {"status": "degraded", "seen_seconds_ago": 90.0}),
        ("relay", {"status": "degraded", "reason": "no relay has been seen yet"}),
        ("broker", {"status": "degraded", "kind": "rabbitmq", "reason": "cannot be reached"}),
        ("auth", {"status": "degraded", "known_keys": 0, "url": "http://auth"}),
        ("queues", {"status": "degraded", "in_triage": 1, "waiting": 2, "oldest_waiting_since": AT}),
        ("hooks", {"status": "degraded", "pending": 1, "gave_up": 2}),
        ("clocks", {"status": "failing", "overdue": 1, "oldest_seconds": 70.0, "failing": 2}),
        ("mail", {"status": "degraded", "failed": 1, "retrying": 2, "overdue_seconds": 0.0}),
        ("breakers", {"status": "degraded", "breakers": {"smtp": {"state": "open"}, "auth": {"state": "closed"}}}),
        ("scans", {"status": "degraded", "waiting": 3, "oldest_seconds": 400.0}),
    ],
)
def test_each_check_has_its_words_and_its_remedy(name: str, facts: dict[str, Any], language: str) -> None:
    texts = catalogue(language)
    [found] = findings(texts, {"checks": {name: facts}})
    assert found.status == facts["status"]
    assert found.remedy, "what is not well has a remedy"
    assert "status:" not in found.words and "{" not in found.words
    [well] = findings(texts, {"checks": {name: {**facts, "status": "ok"}}})
    assert well.remedy == ""


def test_a_check_that_is_new_is_told_by_its_facts() -> None:
    [found] = findings(catalogue("en"), {"checks": {"moon": {"status": "degraded", "phase": "full"}}})
    assert (found.check, found.words, found.remedy) == ("moon", "phase: full", "")


def test_a_length_of_time_is_in_words() -> None:
    texts = catalogue("en")
    assert [span(texts, seconds) for seconds in (1, 59, 60, 7200, 200000)] == [
        "1 second", "59 seconds", "1 minute", "2 hours", "2 days",
    ]  # fmt: skip


def test_queues_show_what_waits_who_works_and_whom_nobody_serves(desk: Desk) -> None:
    queue = {"queue": "Q", "ready": 4, "consumers": 0, "dead": 2, "oldest_seconds": 90.0}
    process = {"kind": "relay", "instance": "h:1", "detail": "", "seen_at": AT, "silent_seconds": 2.0}
    outbox = {"rows": 3, "oldest_seconds": 45.0, "queues": [{"queue": "Q", "rows": 3, "oldest_at": AT}]}
    desk.answers["helpdesk", "/api/v1/runtime"] = runtime("helpdesk", queues=[queue], processes=[process], outbox=outbox)
    desk.answers["tickets", "/api/v1/runtime"] = runtime("tickets", processes=[{**process, "silent_seconds": 90.0}], queues=None)
    desk.away = {"issues"}
    text = desk.get("/system/queues").text
    assert "No answer from: issues." in text
    assert "nobody" in text and "2 minutes: too long" in text
    assert 'href="/system/dead-letters?queue=Q"' in text
    assert "helpdesk, tickets" in text and "silent" not in text, "one process, heard of two seconds ago"
    assert "The broker cannot be asked about the queues of: tickets." in text


def test_jobs_in_trouble_come_first_with_why(desk: Desk) -> None:
    job = {"about": "Does it.", "every_seconds": 60.0, "last_run_at": AT, "took_seconds": 0.1, "rows": 1, "next_run_at": None}
    well = {**job, "job": "a_well", "state": "ok", "error": "", "by": "h:1"}
    bad = {**job, "job": "b_broken", "state": "failed", "error": "ValueError: nine", "by": "h:1"}
    desk.answers["helpdesk", "/api/v1/runtime"] = runtime("helpdesk", jobs=[well, bad])
    text = desk.get("/system/schedule").text
    assert text.index("b_broken") < text.index("a_well")
    assert "ValueError: nine" in text and "Nobody: start the scheduler" in text
    assert "b_broken" not in desk.get("/system/schedule?service=tickets").text


def test_a_session_that_is_over_leads_to_signing_in(desk: Desk) -> None:
    desk.answers["auth", "/api/v1/runtime"] = ServiceRefusedError("auth", 401, {})
    answer = desk.get("/system/queues")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("path", PAGES)
def test_only_administrators_find_these_pages(desk: Desk, path: str) -> None:
    assert desk.get(path, COORDINATOR).status_code == 404
    assert [call for call in desk.calls if "unread" not in call[2]] == []
