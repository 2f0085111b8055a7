"""The console with services whose answers a test writes: what it shows an administrator, and what it asks of whom."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlencode

import falcon.testing
import jwt

from baton.http.console import create_app
from baton.http.tokens import SharedSecret, claims_of
from baton.http.web.services import ServiceAwayError, ServiceRefusedError
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

SECRET = "a secret of thirty-two characters and more"
ADMIN = Principal("user", "1", "Ada Admin", "ada@example.com", frozenset({"tts:Admin"}))
COORDINATOR = Principal("user", "2", "Cora", "cora@example.com", frozenset({"tts:Ticket Coordinator"}))


class Desk:
    """The console, the `answers` of the services by (service, path), who is `away`, and every call that was made."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.away: set[str] = set()
        self.calls: list[tuple[str, str, str, dict[str, Any]]] = []
        settings = Settings(environment="test", token_algorithm="HS256", token_secret=SECRET)
        self.client = falcon.testing.TestClient(create_app(settings, SharedSecret(SECRET)))

    def answer(self, method: str, service: str, path: str, **options: Any) -> Any:
        """Answer in a service's place."""
        self.calls.append((method, service, path, options))
        if service in self.away:
            raise ServiceAwayError(service)
        known = {("notifications", "/api/v1/notifications/unread-count"): {"unread": 0}, **self.answers}
        found = known.get((service, path))
        if callable(found):
            found = found(options.get("query") or {})
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise ServiceRefusedError(service, 404, {"detail": "there is no such thing"})
        return found

    def get(self, path: str, who: Principal = ADMIN, language: str = "en", **headers: str) -> Any:
        """Return a page as somebody sees it."""
        page, _, query = path.partition("?")
        cookies = {**self._signed_in(who), "baton_language": language}
        return self.client.simulate_get(page, query_string=query, cookies=cookies, headers=headers)

    def post(self, path: str, fields: list[tuple[str, str]], who: Principal = ADMIN) -> Any:
        """Return the answer to a form of ours."""
        cookies = self._signed_in(who)
        page = self.client.simulate_get("/system", cookies=cookies)
        cookies |= {name: cookie.value for name, cookie in page.cookies.items() if cookie.value}
        found = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)
        assert found is not None
        self.calls.clear()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.client.simulate_post(path, body=urlencode([("csrf", found[1]), *fields]), headers=headers, cookies=cookies)

    def asked(self, method: str) -> list[tuple[str, str, Any]]:
        """Return the calls of this method: service, path, body."""
        return [(service, path, options.get("body")) for used, service, path, options in self.calls if used == method]

    def _signed_in(self, who: Principal) -> dict[str, str]:
        claims = claims_of(who, issued_at=int(time.time()), seconds=900, token_id="t")
        return {"baton_console": jwt.encode(claims, SECRET, algorithm="HS256")}
