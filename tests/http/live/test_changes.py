"""Comments that are changed and deleted while people follow: told in order, by number, and never a word that was taken back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from baton.pipelines.permissions import Principal
from tests.factories import BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN, bearer
from tests.http.live.conftest import streamed
from tests.http.live.talk import Join, Talker

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
SECRET = "my password is 12345"


@pytest.fixture
def base(front: str) -> str:
    """The address of the ticket HD-1 over HTTP."""
    return f"http{front.removeprefix('ws')}/api/v1/tickets/HD-1"


def write(base: str, who: Principal, text: str, **more: Any) -> int:
    answer = httpx.post(f"{base}/comments", headers=bearer(who), json={"body": text, **more}, timeout=60)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["number"])


def edit(base: str, who: Principal, number: int, text: str) -> None:
    answer = httpx.patch(f"{base}/comments/{number}", headers=bearer(who), json={"body": text}, timeout=60)
    assert answer.status_code == 200, answer.text


def delete(base: str, who: Principal, number: int) -> None:
    answer = httpx.delete(f"{base}/comments/{number}", headers=bearer(who), timeout=60)
    assert answer.status_code == 200, answer.text


def told(frames: list[dict[str, Any]]) -> list[tuple[int, str, int, str, bool]]:
    """Return what frames say: number, type, the comment that is meant, its text, whether it is deleted."""
    return [
        (frame["number"], frame["type"], *(frame["comment"][name] for name in ("number", "body", "deleted")))
        for frame in frames
        if "comment" in frame
    ]


def until(talker: Talker, number: int) -> list[tuple[int, str, int, str, bool]]:
    """Return what a talker was told, once the entry of this number has come."""
    while not any(frame.get("number") == number for frame in talker.frames if "comment" in frame):
        talker.next("comment_message", 60)
    return told(talker.frames)


def streamed_until(base: str, who: Principal, since: int, number: int) -> list[tuple[int, str, int, str, bool]]:
    """Return what a stream of events tells after an entry, up to another."""
    frames = []
    with streamed(f"{base}/stream?since={since}", bearer(who)) as (_, events):
        for event in events:
            if "data" in event:
                assert (int(event["id"]), event["event"]) == (event["data"]["number"], event["data"]["type"])
                frames.append(event["data"])
                if event["data"]["number"] >= number:
                    break
    return told(frames)


def test_a_change_and_a_deletion_reach_sockets_and_streams_in_order(base: str, join: Join) -> None:
    staff, requester = join(), join(EMPLOYEE)
    with streamed(f"{base}/stream", bearer(EMPLOYEE)) as (_, events):
        assert write(base, EMPLOYEE, "first words") == 1
        edit(base, EMPLOYEE, 1, "second words")
        write(base, TECHNICIAN, "an answer")
        delete(base, COORDINATOR, 1)
        last = write(base, EMPLOYEE, "the end")
        wanted = [
            (1, "comment_message", 1, False),
            (2, "entry_edited", 1, False),
            (3, "comment_message", 3, False),
            (4, "entry_deleted", 1, True),
            (5, "comment_message", 5, False),
        ]
        found = []
        for event in events:
            if "data" in event:
                found.append(event["data"])
                if event["data"]["number"] == last:
                    break
    for frames in (until(staff, last), until(requester, last), told(found)):
        assert [(number, kind, of, gone) for number, kind, of, _, gone in frames] == wanted
        assert frames[3][3] == "" and (frames[4][3], frames[2][3]) == ("the end", "an answer")


def test_whoever_comes_back_reads_what_comments_say_now_and_nothing_that_was_deleted(base: str, join: Join) -> None:
    witness = join()
    write(base, EMPLOYEE, "first words")
    edit(base, EMPLOYEE, 1, "second words")
    write(base, EMPLOYEE, "what is my account?")
    edit(base, EMPLOYEE, 3, SECRET)
    edit(base, EMPLOYEE, 3, f"{SECRET}, or so")
    delete(base, EMPLOYEE, 3)
    last = write(base, EMPLOYEE, "the end")
    until(witness, last)
    everything = [
        (1, "comment_message", 1, "second words", False),
        (2, "entry_edited", 1, "second words", False),
        (3, "comment_message", 3, "", True),
        (4, "entry_edited", 3, "", True),
        (5, "entry_edited", 3, "", True),
        (6, "entry_deleted", 3, "", True),
        (7, "comment_message", 7, "the end", False),
    ]
    for since in (0, 1, 2, 3, 4):
        back = join(EMPLOYEE, f"?since={since}")
        assert until(back, last) == everything[since:]
        assert SECRET not in str(back.frames)
        assert streamed_until(base, EMPLOYEE, since, last) == everything[since:]


def test_a_deleted_file_is_not_told_again_with_its_comment(base: str, join: Join) -> None:
    witness = join()
    sent = httpx.post(f"{base}/attachments?filename=a.txt", headers=bearer(EMPLOYEE), content=b"words", timeout=60)
    assert sent.status_code in (200, 201), sent.text
    write(base, EMPLOYEE, "see the file", attachments=[sent.json()["id"]])
    assert [each["filename"] for each in witness.next("comment_message", 60)["comment"]["attachments"]] == ["a.txt"]
    gone = httpx.delete(f"{base}/attachments/{sent.json()['id']}", headers=bearer(EMPLOYEE), timeout=60)
    assert gone.status_code == 204, gone.text
    assert witness.next("ticket_event", 60)["event"]["event"]["kind"] == "attachment_deleted"
    assert join(EMPLOYEE, "?since=0").next("comment_message", 60)["comment"]["attachments"] == []


def test_n_7_no_change_of_a_note_ever_reaches_the_requester(base: str, join: Join) -> None:
    staff, requester = join(), join(EMPLOYEE)
    write(base, TECHNICIAN, "between us", visibility="internal")
    edit(base, TECHNICIAN, 1, "still between us")
    delete(base, TECHNICIAN, 1)
    last = write(base, TECHNICIAN, "for everybody")
    assert [kind for _, kind, *_ in until(staff, last)] == [
        "comment_message", "entry_edited", "entry_deleted", "comment_message"
    ]  # fmt: skip
    only = [(last, "comment_message", last, "for everybody", False)]
    assert until(requester, last) == only
    assert until(join(EMPLOYEE, "?since=0"), last) == only
    assert streamed_until(base, EMPLOYEE, 0, last) == only
    assert "between us" not in str(requester.frames) and not any(f["type"].startswith("entry") for f in requester.frames)
