"""
What each page is behind, page by page, over the wire: every address of both fronts, read from their own tables.

Anonymous visitors are shown in by signing in, forms that are not ours change nothing, other people's tickets do not exist, and
every answer forbids foreign scripts and frames.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import httpx
import pytest

from baton.http.web.pages import ANYONE, Page
from baton.models.settings import WEB_PORTS
from tests.browser.places import ADAEZE, ADMIN, COORDINATOR, IT_MANAGER, OTHER_DEPARTMENT, OTHER_EMPLOYEE, PLACES, Place
from tests.browser.stage import PASSWORD, Stage

PAGES: tuple[tuple[str, Page], ...] = tuple(
    (front, page) for front in WEB_PORTS for page in importlib.import_module(f"baton.http.{front}").PAGES
)
#: Whom a form of somebody else's ticket is sent by.
STRANGERS = {"portal": OTHER_EMPLOYEE, "console": OTHER_DEPARTMENT}
Sessions = dict[tuple[str, str], httpx.Client]


def named(given: Any) -> str | None:
    if isinstance(given, Page):
        return f"{given.method} {given.path}"
    return given.name if isinstance(given, Place) else None


@pytest.fixture(scope="module")
def _clients() -> Sessions:
    return {}


@pytest.fixture
def client(stage: Stage, _clients: Sessions) -> Any:
    """`client(front, address)`: a browser without a window, signed in as somebody."""

    def make(front: str, address: str | None = None) -> httpx.Client:
        if address is None:
            return httpx.Client(base_url=stage.settings.url(front), timeout=120)
        if (front, address) not in _clients:
            one = _clients[front, address] = make(front)
            sent = {"email": address, "password": PASSWORD, "csrf": token(one)}
            assert one.post("/sign-in", data=sent).status_code == 303
        return _clients[front, address]

    return make


def token(client: httpx.Client, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf" content="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


def address_of(page: Page, stage: Stage) -> str:
    """Return the page's address for a ticket of somebody else's that is being worked."""
    number = stage.known["talked"]
    values = {"number": number, "item": str(stage.item(number)["id"]), "entry": "1", "clock": stage.known["clock"]}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values.get(found[1], "1"), page.path.replace("{action}", "start"))


def told(answer: httpx.Response) -> list[str]:
    """Return what a page says is wrong, without the numbers that were asked for."""
    return [re.sub(r"[0-9]+", "", each) for each in re.findall(r'<p class="trouble".*?</p>', answer.text)]


def is_guarded(answer: httpx.Response) -> bool:
    """Whether the answer forbids what our pages do not do."""
    policy = answer.headers["content-security-policy"]
    ours = "default-src 'none'" in policy and "unsafe-inline' 'unsafe" not in policy and "unsafe-eval" not in policy
    return ours and answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(("front", "page"), PAGES, ids=named)
def test_a_page_is_behind_its_doors(front: str, page: Page, stage: Stage, client: Any) -> None:
    path = address_of(page, stage)
    anonymous = client(front)
    if page.method == "GET":
        answer = anonymous.get(path)
        assert is_guarded(answer)
        if page.who == ANYONE:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
        return
    insider = client(front, ADAEZE if front == "portal" else ADMIN)
    for sent, headers in (
        ({}, {}),
        ({"csrf": "0" * 40}, {}),
        ({"csrf": token(anonymous)}, {}),
        ({"csrf": token(insider, "/")}, {"Origin": "https://evil.example"}),
    ):
        answer = insider.post(path, data=sent, headers=headers)
        assert answer.status_code == 403, (sent, headers)
        assert is_guarded(answer)


@pytest.mark.parametrize(
    ("front", "page"), [(front, page) for front, page in PAGES if re.search(r"\{(number|item|clock)", page.path)], ids=named
)
def test_what_is_somebody_elses_does_not_exist_for_others(front: str, page: Page, stage: Stage, client: Any) -> None:
    number = stage.known["talked"]
    before = (
        stage.as_(COORDINATOR).get("workflow", f"/api/v1/tasks/{number}"),
        stage.as_(ADAEZE).get("messaging", f"/api/v1/tickets/{number}/comments"),
    )
    stranger = client(front, STRANGERS[front])
    path = address_of(page, stage)
    elsewhere = path.replace(number, "HD-99999999").replace(stage.known["clock"], "99999999")
    sent = {
        "csrf": token(stranger, "/"),
        "body": "x",
        "reason": "x",
        "stars": "1",
        "comment": "x",
        "priority": "Low",
        "version": "1",
    }
    ask = (lambda where: stranger.post(where, data=sent)) if page.method == "POST" else stranger.get
    answer, unknown = ask(path), ask(elsewhere)

    assert answer.status_code == unknown.status_code
    assert told(answer) == told(unknown)
    assert answer.status_code in (303, 404, 200, 204), answer.text[:300]
    assert "invoices" not in answer.text and "switched the invoice page off" not in answer.text
    assert before == (
        stage.as_(COORDINATOR).get("workflow", f"/api/v1/tasks/{number}"),
        stage.as_(ADAEZE).get("messaging", f"/api/v1/tickets/{number}/comments"),
    )


@pytest.mark.parametrize(("place", "other"), [(place, other) for place in PLACES for other in place.hidden_from], ids=named)
def test_a_page_that_is_not_for_somebody_is_not_there(place: Place, other: str, stage: Stage, client: Any) -> None:
    answer = client(place.front, other).get(place.path.format(**stage.known))
    assert answer.status_code == 404
    assert answer.text.count("<h1>") == 1 and "<table" not in answer.text


@pytest.mark.parametrize("front", ["console", "portal"])
def test_the_other_fronts_people_are_not_let_in(front: str, stage: Stage, client: Any) -> None:
    one = client(front)
    who = IT_MANAGER if front == "portal" else ADAEZE
    answer = one.post("/sign-in", data={"email": who, "password": PASSWORD, "csrf": token(one)})
    assert answer.status_code == 403
    assert one.get("/").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(wanted: str, stage: Stage, client: Any) -> None:
    one = client("portal")
    shown = one.get("/sign-in", params={"next": wanted})
    assert 'value="https://evil' not in shown.text and "javascript:alert" not in shown.text
    answer = one.post("/sign-in", data={"email": ADAEZE, "password": PASSWORD, "csrf": token(one), "next": wanted})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/") and answer.headers["location"][1:2] not in ("/", "\\")
    assert "x" not in answer.cookies


def test_cookies_are_not_for_scripts_or_other_sites_and_end_with_the_session(stage: Stage, client: Any) -> None:
    one = client("console")
    answer = one.post("/sign-in", data={"email": COORDINATOR, "password": PASSWORD, "csrf": token(one)})
    kept = [value.lower() for value in answer.headers.get_list("set-cookie") if value.startswith("baton_console")]
    assert kept and all("httponly" in value and "samesite=lax" in value for value in kept)
    access = one.cookies["baton_console"]

    assert one.post("/sign-out", data={"csrf": token(one, "/")}).status_code == 303
    assert one.get("/").headers["location"].startswith("/sign-in")
    assert access not in str(one.cookies)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}"])
@pytest.mark.parametrize("front", ["console", "portal"])
def test_what_an_address_says_comes_back_as_text(front: str, text: str, stage: Stage, client: Any) -> None:
    one = client(front, ADAEZE if front == "portal" else COORDINATOR)
    for path in ("/", "/new", "/notifications", "/profile", f"/tickets/{stage.known['talked']}", "/nowhere", "/sign-in"):
        for name in ("q", "status", "cursor", "category", "said", "next", "before", "urgency"):
            answer = one.get(path, params={name: text})
            assert answer.status_code < 500, (path, name)
            assert text not in answer.text.replace("{{7*7}}", "") or text == "'-alert(1)-'", (path, name)
            assert "'-alert(1)-'" not in answer.text.replace("&#39;", "&apos;"), (path, name)
            assert is_guarded(answer)
