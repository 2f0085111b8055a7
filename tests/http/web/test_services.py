"""Calling the services for visitors: what one of them is given never goes with another's calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from baton.http.web.services import ServiceAwayError, ServiceRefusedError, Services, quietly
from baton.models.settings import Settings


class Answering(BaseHTTPRequestHandler):
    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        body = b'{"detail": "no such thing"}' if self.path == "/none" else b'{"ok": true}'
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "access_token=of-the-first; Path=/")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def settings() -> Iterator[Settings]:
    Answering.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Settings(
        environment="test", urls={"auth": f"http://127.0.0.1:{server.server_address[1]}", "issues": "http://127.0.0.1:9"}
    )
    server.shutdown()
    server.server_close()


def test_a_cookie_given_to_one_visitor_goes_with_nobody_elses_calls(settings: Settings) -> None:
    Services(settings, "first", "t").post("auth", "/sign-in", {})
    Services(settings, "second", "t").get("auth", "/tickets")
    list(Services(settings, None, "t").stream("auth", "/stream"))
    assert [call.get("cookie") for call in Answering.seen] == [None, None, None]
    assert [call.get("authorization") for call in Answering.seen] == ["Bearer first", "Bearer second", None]


def test_every_write_bears_a_key_of_its_own(settings: Settings) -> None:
    services = Services(settings, "one", "t")
    services.post("auth", "/a", {})
    services.post("auth", "/a", {})
    services.post("auth", "/a", {}, key="chosen")
    keys = [call["idempotency-key"] for call in Answering.seen]
    assert len(set(keys)) == 3
    assert keys[2] == "chosen"


def test_refusals_and_absence_are_told_apart(settings: Settings) -> None:
    services = Services(settings, None, "t")
    with pytest.raises(ServiceRefusedError) as refused:
        services.get("auth", "/none")
    assert (refused.value.status, refused.value.detail) == (404, "no such thing")
    with pytest.raises(ServiceAwayError):
        services.get("issues", "/")
    assert quietly(lambda: services.get("issues", "/"), "nothing")() == "nothing"
    assert quietly(lambda: services.get("auth", "/none"), None, 404)() is None
    with pytest.raises(ServiceRefusedError):
        quietly(lambda: services.get("auth", "/none"), None, 409)()


def test_calls_made_together_answer_in_their_order(settings: Settings) -> None:
    services = Services(settings, None, "t")
    assert services.together(lambda: 1, lambda: services.get("auth", "/"), lambda: 3) == [1, {"ok": True}, 3]


def test_what_a_service_refuses_is_said_as_the_visitor_reads_it(settings: Settings) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        Services(settings, None, "t", str.upper).get("auth", "/none")
    assert refused.value.detail == "NO SUCH THING"


def test_calls_made_together_have_all_ended_when_one_of_them_is_refused(settings: Settings) -> None:
    ended: list[int] = []
    going = threading.Event()

    def refused() -> None:
        going.wait(60)
        raise ServiceAwayError("auth")

    def slow() -> None:
        going.set()
        ended.append(1)

    with pytest.raises(ServiceAwayError):
        Services(settings, None, "t").together(refused, slow)
    assert ended == [1]
