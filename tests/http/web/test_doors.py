"""What every page of the fronts is behind: sessions, forms that come from us, and headers that forbid what we do not do."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import falcon.testing
import jwt
import pytest

from baton.http.tokens import SharedSecret, claims_of
from baton.http.web import account, session
from baton.http.web.assets import assets
from baton.http.web.services import ServiceRefusedError, Services
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

SECRET = "a secret of thirty-two characters and more"
EMPLOYEE = Principal("employee", "3", "Adaeze Abara", "adaeze@example.com", frozenset({"hdts:Employee"}))


@pytest.fixture
def settings() -> Settings:
    return Settings(environment="test", token_algorithm="HS256", token_secret=SECRET)


def token(principal: Principal = EMPLOYEE, *, seconds: int = 900) -> str:
    claims = claims_of(principal, issued_at=int(time.time()) - 1000, seconds=1000 + seconds, token_id="t")
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str]]]:
    """Answer the services' calls in their place, and keep what was called."""
    made: list[tuple[str, str, str]] = []

    def call(self: Services, method: str, service: str, path: str, **options: Any) -> Any:
        made.append((method, service, path))
        if path == "/api/v1/sign-in":
            if options["body"]["password"] != "right":
                raise ServiceRefusedError("auth", 401, {"title": "wrong"})
            return {"access_token": token(), "refresh_token": "first"}
        if path == "/api/v1/refresh":
            time.sleep(0.05)
            return {"access_token": token(), "refresh_token": f"after {options['body']['refresh_token']}"}
        if service == "helpdesk" and path == "/api/v1/tickets":
            return {"items": [], "next": None}
        if path == "/api/v1/tickets/none":
            raise ServiceRefusedError(service, 404, {"detail": "there is no such ticket"})
        return {"unread": 0, "items": [], "next": None}

    monkeypatch.setattr(Services, "call", call)
    yield made


@pytest.fixture
def portal(settings: Settings, calls: list[Any]) -> falcon.testing.TestClient:
    from baton.http.portal import create_app

    return falcon.testing.TestClient(create_app(settings, SharedSecret(SECRET)))


def form_token(client: falcon.testing.TestClient, cookies: dict[str, str]) -> tuple[str, dict[str, str]]:
    page = client.simulate_get("/sign-in", cookies=cookies)
    kept = {**cookies, **{name: cookie.value for name, cookie in page.cookies.items() if cookie.value}}
    found = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1], kept


def send(client: falcon.testing.TestClient, path: str, fields: dict[str, str], cookies: dict[str, str], **headers: str) -> Any:
    from urllib.parse import urlencode

    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return client.simulate_post(path, body=urlencode(fields), headers=sent, cookies=cookies)


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back(portal: falcon.testing.TestClient) -> None:
    answer = portal.simulate_get("/", query_string="status=Open")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Fstatus%3DOpen"


def test_signing_in_sets_cookies_that_no_script_reads(portal: falcon.testing.TestClient) -> None:
    csrf, cookies = form_token(portal, {})
    answer = send(portal, "/sign-in", {"csrf": csrf, "email": "a@example.com", "password": "right", "next": "/new"}, cookies)
    assert (answer.status_code, answer.headers["location"]) == (303, "/new")
    assert answer.cookies["baton_portal_renewal"].value == "first"
    for name in ("baton_portal", "baton_portal_renewal", "baton_portal_browser"):
        assert answer.cookies[name].http_only
        assert answer.cookies[name].same_site == "Lax"


def test_a_wrong_password_says_so_and_keeps_the_address_not_the_password(portal: falcon.testing.TestClient) -> None:
    csrf, cookies = form_token(portal, {})
    answer = send(portal, "/sign-in", {"csrf": csrf, "email": "a@example.com", "password": "h4rd to guess"}, cookies)
    assert answer.status_code == 422
    assert "a@example.com" in answer.text
    assert "h4rd to guess" not in answer.text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://falconframework.org.evil.example"}]
)
def test_a_form_of_another_site_changes_nothing(
    portal: falcon.testing.TestClient, calls: list[Any], headers: dict[str, str]
) -> None:
    csrf, cookies = form_token(portal, {})
    answer = send(portal, "/sign-in", {"csrf": csrf, "email": "a@example.com", "password": "right"}, cookies, **headers)
    assert answer.status_code == 403
    assert ("POST", "auth", "/api/v1/sign-in") not in calls


def test_a_form_without_our_token_or_with_another_browsers_changes_nothing(
    portal: falcon.testing.TestClient, calls: list[Any]
) -> None:
    _, cookies = form_token(portal, {})
    foreign, _ = form_token(portal, {})
    for given in ("", foreign, "0" * 40):
        answer = send(portal, "/sign-in", {"csrf": given, "email": "a@example.com", "password": "right"}, cookies)
        assert answer.status_code == 403
    assert ("POST", "auth", "/api/v1/sign-in") not in calls


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x=1\r\nX: y",
        "javascript:alert(1)",
        "/sign-out",
    ],
)
def test_a_link_sends_nobody_elsewhere_after_signing_in(portal: falcon.testing.TestClient, wanted: str) -> None:
    csrf, cookies = form_token(portal, {})
    answer = send(portal, "/sign-in", {"csrf": csrf, "email": "a@example.com", "password": "right", "next": wanted}, cookies)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert account.here("/tickets/HD-1?since=3") == "/tickets/HD-1?since=3"


def test_every_answer_forbids_foreign_scripts_and_frames(portal: falcon.testing.TestClient) -> None:
    for path in ("/sign-in", "/", "/no-such-page", "/assets/none.js"):
        headers = portal.simulate_get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_pages_hold_no_inline_script_style_or_handler(portal: falcon.testing.TestClient) -> None:
    text = portal.simulate_get("/sign-in").text
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text) == []


def test_assets_are_kept_for_ever_and_come_compressed(portal: falcon.testing.TestClient) -> None:
    for asset in assets().values():
        answer = portal.simulate_get(asset.path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"


def test_an_expired_session_is_renewed_on_the_way(portal: falcon.testing.TestClient, calls: list[Any]) -> None:
    answer = portal.simulate_get("/", cookies={"baton_portal": token(seconds=-10), "baton_portal_renewal": "first"})
    assert answer.status_code == 200
    assert answer.cookies["baton_portal_renewal"].value == "after first"


def test_requests_at_the_same_moment_renew_a_session_once(settings: Settings, calls: list[Any]) -> None:
    renewals = session.Renewals()
    services = Services(settings, None, "trace")
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(renewals.renew("first", services)["refresh_token"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["after first"] * 8
    assert calls.count(("POST", "auth", "/api/v1/refresh")) == 1


def test_staff_do_not_get_into_the_portal(portal: falcon.testing.TestClient) -> None:
    staff = token(Principal("user", "7", "Nadia", "n@example.com", frozenset({"tts:Admin"})))
    answer = portal.simulate_get("/", cookies={"baton_portal": staff})
    assert answer.status_code == 404


def test_an_unknown_page_is_answered_with_a_page(portal: falcon.testing.TestClient) -> None:
    answer = portal.simulate_get("/no/such/page")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
