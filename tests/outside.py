"""
Stand-ins for the outside, as real servers on this machine: a mail server that speaks SMTP, auth's look-ups, SendGrid's API.

`MailServer.script["a@example.com"] = ["rcpt 550", "drop"]` says how that address's next attempts go; then they are taken.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import logging
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.ERROR)  # the stand-in's own, which commands under test would show


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MailServer:
    """
    An SMTP server. `kept` are the mails that it stored, as (recipient, message); `attempts` every RCPT that it was asked;
    `sessions` the ports that clients came from.

    Actions: `rcpt CODE`, `data CODE` answer so; `drop` breaks off after the mail without storing it, `keep and drop` having
    stored it; `slow` answers late; `hook` calls `on_kept` after storing and before answering, `rcpt hook` before the mail comes.
    """

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.script: dict[str, list[str]] = defaultdict(list)
        self.kept: list[tuple[str, EmailMessage]] = []
        self.attempts: list[str] = []
        self.senders: list[str] = []
        self.sessions: set[int] = set()
        self.on_kept: Callable[[], None] = lambda: None
        self.port = port or free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True, **options)
        self._current: dict[int, str] = {}

    @property
    def url(self) -> str:
        """The setting that leads here."""
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails kept for an address."""
        return [message for recipient, message in self.kept if recipient == address]

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.attempts.append(address)
        self.sessions.add(session.peer[1])
        action = self.script[address].pop(0) if self.script[address] else "take"
        if action == "rcpt hook":
            self.on_kept()
        elif action.startswith("rcpt "):
            return f"{action[5:]} 5.1.1 no thanks"
        self._current[id(session)] = action
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        action = self._current[id(session)]
        if action.startswith("data "):
            return f"{action[5:]} not this mail"
        if action != "drop":
            message: Any = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.kept += [(address, message) for address in envelope.rcpt_tos]
            self.senders.append(envelope.mail_from)
        if action == "hook":
            self.on_kept()
        if action in ("drop", "keep and drop"):
            server.transport.abort()
        if action == "slow":
            await asyncio.sleep(0.5)
        return "250 2.0.0 queued as Q1"


class WebServer:
    """An HTTP server of one function: (method, path, headers, body) -> (status, document), with the requests it was asked."""

    def __init__(self, answer: Callable[[str, str, dict[str, str], Any], tuple[int, Any]]) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                body = json.loads(raw) if raw else None
                owner.requests.append((self.command, self.path, body))
                status, document = answer(self.command, self.path, dict(self.headers), body)
                data = json.dumps(document).encode() if document is not None else b""
                self.send_response(status)
                self.send_header("X-Message-Id", f"sg-{len(owner.requests)}")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _do

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> WebServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class AuthServer(WebServer):
    """Auth's look-ups: `people` by path's last part, such as `user 7`; `down` answers 503 to everything."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {}
        self.down = False
        super().__init__(self._answer)

    def add(self, recipient: str, address: str, **details: Any) -> None:
        """Have auth know somebody: `user:7` or `employee:3`."""
        person = {"id": 1, "email": address, "full_name": "", "is_active": True, "roles": [], **details}
        self.people[recipient] = person

    def _answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        if self.down:
            return 503, {"title": "unavailable"}
        if path == "/api/v1/service-token":
            return 200, {"access_token": "token", "token_type": "Bearer", "expires_in": 900}
        if headers.get("Authorization") != "Bearer token":
            return 401, {"title": "invalid token"}
        kind = "employee" if "/employees/" in path else "user"
        person = self.people.get(f"{kind}:{path.rstrip('/').rpartition('/')[2]}")
        return (200, person) if person is not None else (404, {"title": "not found"})
