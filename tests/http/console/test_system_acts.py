"""What operators do: deciding about dead letters, failed mails, calls and issues, with what the services answer shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from baton.http.web.services import ServiceRefusedError, Services
from tests.http.console.system_desk import COORDINATOR, Desk

AT = "2026-06-01T08:00:00Z"
LETTERS = "/api/v1/dead-letters"
LETTER = {
    "queue": "Q", "id": "7", "actor": "tts.intake", "ticket_number": "HD-1", "attempts": 4, "died_at": AT,
    "reason": "<b>no</b> such ticket",
}  # fmt: skip
WHOLE = {
    **LETTER, "message_id": "m1", "traceback": "ValueError: nine", "envelope": {"attempt": 4}, "fields": {"name": "Résolu"},
    "body": "{}", "encoding": "text", "cut": False,
}  # fmt: skip
FAILURE = {
    "id": 5, "recipient": "user:7", "type": "mention", "ticket_number": None, "task_item_id": None, "error": "550 no such user",
    "retry_count": 3, "last_retry": AT, "next_retry": None, "given_up": True, "bounced": True, "resolved": False,
    "resolved_at": None, "resolved_by": "", "created_at": AT,
}  # fmt: skip
HOOK = {
    "id": 3, "ticket_number": "HD-1", "hook": "asset", "state": "gave up", "detail": "the ticket lacks asset_name", "queue": None,
    "name": None, "idempotency_key": "k", "attempts": 1, "payload": None, "corrections": {}, "created_at": AT, "sent_at": None,
    "next_try_at": None, "history": [{"at": AT, "actor": "system", "outcome": "gave up", "detail": "lacks"}],
}  # fmt: skip
ISSUE = {
    "id": "9", "title": "It broke", "type": "bug", "priority": "High", "status": "open", "tags": ["hook"],
    "component": "workflow",
    "ticket_number": "HD-1", "message_id": None, "count": 2, "first_seen": AT, "last_seen": AT, "description": "why",
    "reporter": "service:workflow", "status_at": AT, "created_at": AT,
}  # fmt: skip


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk()
    monkeypatch.setattr(Services, "call", lambda self, *names, **options: desk.answer(*names, **options))
    counts = {"items": [{"queue": "Q", "receiver": "workflow", "ready": 0, "consumers": 1, "dead": 2}]}
    desk.answers |= {
        ("issues", LETTERS): {"items": [LETTER], "dead": 2, "at": AT},
        ("issues", f"{LETTERS}/queues"): counts,
        ("issues", f"{LETTERS}/Q/7"): WHOLE,
        ("issues", f"{LETTERS}/Q/requeue"): {"queue": "Q", "done": 2},
        ("issues", f"{LETTERS}/Q/purge"): {"queue": "Q", "done": 2},
        ("issues", f"{LETTERS}/P/purge"): {"queue": "P", "done": 1},
        ("notifications", "/api/v1/notifications/failed"): {"items": [FAILURE], "next": "abc"},
        ("notifications", "/api/v1/notifications/failed/5"): FAILURE,
        ("notifications", "/api/v1/notifications/failed/5/retry"): FAILURE,
        ("notifications", "/api/v1/notifications/failed/5/resolve"): FAILURE,
        ("notifications", "/api/v1/notifications/bounces"): {"recorded": True},
        ("workflow", "/api/v1/hooks"): {"items": [HOOK], "next": None},
        ("workflow", "/api/v1/hooks/3"): HOOK,
        ("workflow", "/api/v1/hooks/3/replay"): {**HOOK, "state": "sent"},
        ("workflow", "/api/v1/hooks/3/settle"): {**HOOK, "state": "done"},
        ("issues", "/api/v1/issues"): {"items": [ISSUE], "next": None},
        ("issues", "/api/v1/issues/recent"): {"items": [], "next": None},
        ("issues", "/api/v1/issues/9"): ISSUE,
        ("issues", "/api/v1/issues/9/comments"): {
            "items": [{"id": "1", "kind": "comment", "author": "user:1", "content": "I look", "created_at": AT}], "next": None,
        },
        ("issues", "/api/v1/issues/9/status"): ISSUE,
    }  # fmt: skip
    yield desk


def test_the_list_of_dead_letters_leads_to_each_and_shows_texts_as_texts(desk: Desk) -> None:
    text = desk.get("/system/dead-letters?queue=Q").text
    assert 'href="/system/dead-letters/Q/7"' in text
    assert "&lt;b&gt;no&lt;/b&gt;" in text and "<b>no</b>" not in text
    assert 'href="/system/dead-letters?queue=Q&amp;limit=100"' in text, "there is one more than is shown"
    assert f'name="until" value="{AT}"' in text, "all means those that had died by now"


def test_a_dead_letter_shows_reason_traceback_fields_and_envelope(desk: Desk) -> None:
    text = desk.get("/system/dead-letters/Q/7").text
    for piece in ("such ticket", "ValueError: nine", "Résolu", "m1"):
        assert piece in text
    desk.answers["issues", f"{LETTERS}/Q/7"] = {**WHOLE, "fields": None, "envelope": None, "traceback": ""}
    text = desk.get("/system/dead-letters/Q/7").text
    assert "cannot be read" in text and "refused, not broken" in text
    assert desk.get("/system/dead-letters/Q/8").status_code == 404


@pytest.mark.parametrize("act", ["requeue", "purge"])
def test_a_decision_is_confirmed_before_it_is_done(desk: Desk, act: str) -> None:
    chosen = [("letter", "Q:7"), ("letter", "Q:8"), ("act", act)]
    asked = desk.post("/system/dead-letters", chosen)
    assert (asked.status_code, desk.asked("POST")) == (200, [])
    assert "Are you sure?" in asked.text and 'value="Q:8"' in asked.text
    done = desk.post("/system/dead-letters", [*chosen, ("sure", "1")])
    assert (done.status_code, done.headers["location"]) == (303, "/system/dead-letters")
    assert desk.asked("POST") == [("issues", f"{LETTERS}/Q/{act}", {"ids": ["7", "8"]})]


def test_letters_of_several_queues_are_decided_about_queue_by_queue(desk: Desk) -> None:
    desk.post("/system/dead-letters", [("letter", "Q:7"), ("letter", "P:1"), ("act", "purge"), ("sure", "1")])
    assert [path for _, path, _ in desk.asked("POST")] == [f"{LETTERS}/Q/purge", f"{LETTERS}/P/purge"]


def test_all_of_a_queue_are_those_that_had_died_when_the_page_was_shown(desk: Desk) -> None:
    every = [("every", "Q"), ("until", AT), ("number", "2"), ("act", "purge")]
    assert "2 messages are deleted" in desk.post("/system/dead-letters", every).text
    desk.post("/system/dead-letters", [*every, ("sure", "1")])
    assert desk.asked("POST") == [("issues", f"{LETTERS}/Q/purge", {"died_before": AT})]


@pytest.mark.parametrize(
    "fields", [[], [("act", "purge")], [("letter", "Q:7")], [("letter", "Q:7"), ("act", "burn"), ("sure", "1")]]
)
def test_nothing_chosen_or_nothing_to_do_changes_nothing(desk: Desk, fields: list[tuple[str, str]]) -> None:
    answer = desk.post("/system/dead-letters", fields)
    assert (answer.status_code, desk.asked("POST")) == (303, [])


def test_a_failed_mail_is_sent_again_or_set_aside_with_a_reason(desk: Desk) -> None:
    assert 'href="/system/mail/5"' in desk.get("/system/mail?given_up=true").text
    assert "550 no such user" in desk.get("/system/mail/5").text
    assert desk.post("/system/mail/5/retry", []).status_code == 303
    desk.post("/system/mail/5/resolve", [("reason", " left ")])
    assert desk.asked("POST") == [("notifications", "/api/v1/notifications/failed/5/resolve", {"reason": "left"})]
    refusal = {"errors": [{"field": "reason", "message": "must not be blank"}]}
    desk.answers["notifications", "/api/v1/notifications/failed/5/resolve"] = ServiceRefusedError("notifications", 422, refusal)
    answer = desk.post("/system/mail/5/resolve", [("reason", "")])
    assert (answer.status_code, "must not be blank" in answer.text) == (422, True)


def test_filters_are_passed_on_and_kept_on_the_next_page(desk: Desk) -> None:
    text = desk.get("/system/mail?resolved=true&ticket=HD-1").text
    [(_, _, _, options)] = [call for call in desk.calls if call[2].endswith("/failed")]
    assert {"resolved": "true", "ticket": "HD-1"}.items() <= options["query"].items()
    assert "/system/mail?resolved=true&amp;ticket=HD-1&amp;cursor=abc" in text


def test_a_bounce_is_told_once_it_is_whole(desk: Desk) -> None:
    desk.post("/system/mail/bounces", [("message_id", "<a@b>"), ("reason", "")])
    assert desk.asked("POST") == []
    desk.post("/system/mail/bounces", [("message_id", "<a@b>"), ("reason", "550")])
    body = {"message_id": "<a@b>", "reason": "550"}
    assert desk.asked("POST") == [("notifications", "/api/v1/notifications/bounces", body)]


def test_a_call_is_made_again_with_what_the_ticket_lacks_or_settled(desk: Desk) -> None:
    assert 'href="/system/hooks/3"' in desk.get("/system/hooks?state=gave+up").text
    shown = desk.get("/system/hooks/3").text
    assert 'name="asset_name"' in shown and 'name="cost_items"' not in shown
    answer = desk.post("/system/hooks/3/replay", [("asset_name", "ThinkPad"), ("serial_number", " "), ("key", "once")])
    assert (answer.status_code, answer.headers["location"]) == (303, "/system/hooks/3")
    assert desk.asked("POST") == [("workflow", "/api/v1/hooks/3/replay", {"asset_name": "ThinkPad"})]
    assert [options["key"] for *_, options in desk.calls if "key" in options] == ["once"], "a double click is one replay"
    desk.post("/system/hooks/3/settle", [("reason", "by telephone")])
    assert desk.asked("POST")[-1][2] == {"reason": "by telephone"}


def test_what_a_call_cannot_use_is_said_at_its_field_and_kept(desk: Desk) -> None:
    refusal = {"errors": [{"field": "asset_name", "message": "is too long"}]}
    desk.answers["workflow", "/api/v1/hooks/3/replay"] = ServiceRefusedError("workflow", 422, refusal)
    answer = desk.post("/system/hooks/3/replay", [("asset_name", "ThinkPad")])
    assert answer.status_code == 422
    assert "is too long" in answer.text and 'value="ThinkPad"' in answer.text
    answer = desk.post("/system/hooks/3/replay", [("cost_items", "{")])
    assert (answer.status_code, desk.asked("POST")) == (422, [])


def test_a_call_that_was_sent_can_only_be_repeated_as_it_was(desk: Desk) -> None:
    desk.answers["workflow", "/api/v1/hooks/3"] = {**HOOK, "state": "sent", "payload": {"serial_number": "SN-1"}}
    text = desk.get("/system/hooks/3").text
    assert "SN-1" in text and 'name="asset_name"' not in text and "/settle" not in text


def test_an_issue_is_read_commented_on_and_given_a_status(desk: Desk) -> None:
    assert 'href="/system/issues/9"' in desk.get("/system/issues?status=open").text
    assert "No issues." in desk.get("/system/issues?recent=1").text
    text = desk.get("/system/issues/9").text
    assert "It broke" in text and "I look" in text
    answer = desk.post("/system/issues/9/comments", [("content", "seen")])
    assert (answer.status_code, answer.headers["location"]) == (303, "/system/issues/9")
    assert desk.asked("POST") == [("issues", "/api/v1/issues/9/comments", {"content": "seen"})]
    desk.post("/system/issues/9/status", [("status", "resolved"), ("reason", "fixed")])
    assert desk.asked("PUT") == [("issues", "/api/v1/issues/9/status", {"status": "resolved", "reason": "fixed"})]


@pytest.mark.parametrize(
    "path", ["/system/dead-letters", "/system/mail/5/retry", "/system/hooks/3/replay", "/system/issues/9/status"]
)
def test_nobody_but_administrators_acts(desk: Desk, path: str) -> None:
    fields = [("letter", "Q:7"), ("act", "purge"), ("sure", "1"), ("status", "closed")]
    # The form's token is the browser's, so that the refusal is about the person.
    answer = desk.post(path, fields, COORDINATOR)
    assert answer.status_code == 404
    assert desk.asked("POST") + desk.asked("PUT") == []
