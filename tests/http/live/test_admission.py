"""Who gets into a ticket's room, what they are shown there, and when they have to leave."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import simple_websocket

from baton.http import lasting, socket_line, standings
from baton.http.messaging import live_rooms
from baton.http.problems import Unauthorized
from baton.models.messaging import Room
from baton.models.transaction import write_tx
from tests.factories import ADMIN, COORDINATOR, EMPLOYEE, OTHER_EMPLOYEE, TECHNICIAN, bearer, token_for
from tests.http.live.conftest import eventually, streamed
from tests.http.live.talk import Join, Talker, add_room

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def asked(front: str, headers: dict[str, str], ticket: str = "HD-1") -> httpx.Response:
    return httpx.get(f"http{front.removeprefix('ws')}/ws/comments/{ticket}/", headers=HANDSHAKE | headers)


def test_unknown_and_forbidden_tickets_answer_alike_before_the_upgrade(front: str) -> None:
    forbidden = asked(front, bearer(OTHER_EMPLOYEE))
    unknown = asked(front, bearer(OTHER_EMPLOYEE), "HD-2")
    assert (forbidden.status_code, unknown.status_code) == (404, 404)
    assert forbidden.json()["detail"].replace("HD-1", "HD-2") == unknown.json()["detail"]
    assert asked(front, {}).json()["title"] == "authentication required"
    assert asked(front, bearer(EMPLOYEE, seconds=-60)).json()["title"] == "token expired"
    assert asked(front, {"Authorization": "Bearer x"}).json()["title"] == "invalid token"
    assert asked(front, bearer(EMPLOYEE) | {"Sec-WebSocket-Key": "short"}).status_code == 400
    assert asked(front, bearer(EMPLOYEE) | {"Sec-WebSocket-Version": "8"}).status_code == 426


def test_a_cookie_counts_from_our_own_pages_only(front: str) -> None:
    cookie = {"Cookie": f"access_token={token_for(EMPLOYEE)}"}
    assert asked(front, cookie | {"Origin": "https://evil.example"}).status_code == 403
    assert asked(front, cookie).status_code == 403
    host = front.removeprefix("ws://")
    line = simple_websocket.Client(f"{front}/ws/comments/HD-1/", headers=cookie | {"Origin": "http://127.0.0.1:8005"})
    assert json.loads(line.receive(5))["you"]["side"] == "requester", host
    line.close()


def test_a_browsers_token_comes_as_a_subprotocol_and_is_not_echoed(front: str) -> None:
    offered = ["baton", f"bearer.{token_for(EMPLOYEE)}"]
    line = simple_websocket.Client(f"{front}/ws/comments/HD-1/", subprotocols=offered)
    assert (json.loads(line.receive(5))["type"], line.subprotocol) == ("joined", "baton")
    line.close()


def test_n_7_an_internal_note_never_reaches_a_requester(join: Join, front: str) -> None:
    staff, requester = join(TECHNICIAN), join(EMPLOYEE)
    staff.write("The customer is wrong", visibility="internal", client_id="n")
    staff.say(type="typing", visibility="internal")
    assert staff.next("ack")["number"] == 1
    staff.write("We are on it")
    assert requester.next("comment_message")["number"] == 2
    late = join(EMPLOYEE, "?since=0")
    assert late.next("comment_message")["number"] == 2
    url = f"http{front.removeprefix('ws')}/api/v1/tickets/HD-1/stream?since=0"
    with streamed(url, bearer(EMPLOYEE)) as (_, events):
        assert next(event for event in events if "data" in event)["id"] == "2"
    requester.write("I may not", visibility="internal")
    assert requester.next("error")["errors"][0]["field"] == "visibility"
    for talker in (requester, late):
        assert "wrong" not in json.dumps(talker.frames)
        assert [frame for frame in talker.frames if frame["type"] == "typing"] == []
    again = join(COORDINATOR, "?since=0")
    assert [again.next("comment_message")["comment"]["visibility"] for _ in range(2)] == ["internal", "public"]


def test_requesters_learn_that_staff_are_there_but_not_who(join: Join) -> None:
    requester = join(EMPLOYEE)
    eventually(lambda: requester.next("presence") == {"type": "presence", "staff": False, "requester": True})
    staff = join(TECHNICIAN)
    assert requester.next("presence") == {"type": "presence", "staff": True, "requester": True}
    people = staff.next("presence")["people"]
    assert [person["name"] for person in people] == ["Eve Employee", "Tom Technician"]
    staff.say(type="typing")
    assert requester.next("typing") == {"type": "typing", "side": "staff", "active": True}
    requester.say(type="typing")
    assert staff.next("typing")["name"] == "Eve Employee"
    staff.close()
    assert requester.next("presence")["staff"] is False


def test_whoever_may_not_see_the_ticket_any_more_is_closed_out(join: Join, front: str) -> None:
    add_room("HD-7")
    staff, requester = join(TECHNICIAN, ticket="HD-7"), join(EMPLOYEE, ticket="HD-7")
    url = f"http{front.removeprefix('ws')}/api/v1/tickets/HD-7/stream"
    with streamed(url, bearer(TECHNICIAN)) as (_, events):
        with write_tx("messaging"):
            Room.update(participants="[]").where(Room.ticket_number == "HD-7").execute()
        assert staff.until_closed() == 4403
        assert list(events)[-1]["event"] == "end"
    requester.write("Still here")
    assert requester.next("ack")
    assert [frame for frame in staff.frames if frame["type"] == "comment_message"] == []


def test_s_3_an_expired_token_closes_the_socket(join: Join) -> None:
    # Clocks may differ by five seconds, so that the token counts for two more.
    assert join(TECHNICIAN, seconds=-3).until_closed() == 4401


def test_s_3_half_a_minute_is_what_the_waits_add_up_to() -> None:
    of_roles = standings.ASK_SECONDS + standings.ANSWER_SECONDS
    of_rooms = live_rooms.CHECK_SECONDS
    assert max(of_roles, of_rooms) + lasting.CHECK_SECONDS + socket_line.LISTEN_SECONDS <= lasting.LIMIT_SECONDS == 30


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have auth tell of people: subject -> their roles, None for an account that is not active; nobody else is known of."""
    for name, empty in (("_connected", Counter()), ("_known", {}), ("_left", {})):
        monkeypatch.setattr(standings, name, empty)

    def learn(**roles: list[str] | None) -> None:
        standings._learn(
            [
                {"subject": subject.replace("_", ":"), "is_active": held is not None, "roles": held or []}
                for subject, held in roles.items()
            ]
        )

    return learn


def test_s_3_whoever_loses_a_role_or_the_account_is_let_in_no_longer(learned: Callable[..., None], databases: Any) -> None:
    standings._connected.update({"user:2": 1, "user:1": 1})
    learned(user_2=["ams:Clerk"], user_1=None, user_9=None)
    assert standings.present(COORDINATOR).roles == {"ams:Clerk"}
    with pytest.raises(Unauthorized):
        standings.present(ADMIN)
    assert standings.present(TECHNICIAN) is TECHNICIAN


def test_s_3_whoever_was_closed_out_does_not_come_back_with_the_same_token(
    learned: Callable[..., None], databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(standings, "_ask_about", lambda client, subjects: asked.append(subjects))
    standings._connected.update({"user:2": 2, "user:1": 1, "user:3": 1})
    learned(user_2=["ams:Clerk"], user_1=None, user_3=["tts:IT Manager"])
    for principal in (COORDINATOR, standings.present(COORDINATOR), ADMIN, TECHNICIAN):
        standings.forget(databases, principal)
    assert standings.returning(databases, COORDINATOR).roles == {"ams:Clerk"}
    with pytest.raises(Unauthorized):
        standings.returning(databases, ADMIN)
    assert standings.returning(databases, TECHNICIAN) is TECHNICIAN
    assert asked == [["user:2"], ["user:1"]]
    # Asked again and again, auth is asked once a second; what it says then counts, here that the role was given back.
    assert standings.returning(databases, COORDINATOR).roles == {"ams:Clerk"} and len(asked) == 2
    learned(user_2=sorted(COORDINATOR.roles), user_3=None)
    assert standings.returning(databases, COORDINATOR) is COORDINATOR
    assert standings.returning(databases, TECHNICIAN) is TECHNICIAN
    # Their tokens have expired: nothing need be remembered.
    for left in standings._left.values():
        left.until = 0.0
    assert standings.returning(databases, ADMIN) is ADMIN and not (standings._left or standings._known)


def test_a_caller_holds_so_many_sockets(front: str, join: Join) -> None:
    talkers: list[Any] = [join(EMPLOYEE) for _ in range(20)]
    assert asked(front, bearer(EMPLOYEE)).status_code == 429
    talkers.pop().close()

    def again() -> bool:
        try:
            return isinstance(join(EMPLOYEE), Talker)
        except simple_websocket.ConnectionError:
            return False

    eventually(again)
