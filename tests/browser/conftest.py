"""
Chromium, and something to look at.

`stage`    the running system (tests/browser/stage.py), one for the whole run.
`visit`    `visit(front, address)`: a page in a browser context of its own, signed in as somebody; whatever goes wrong in it (an
           error on the console, a script that fails, a dialog) fails the test at its end.

Pictures are kept in `build/screenshots` (or BATON_SCREENSHOTS).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.browser.stage import PASSWORD, Stage

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
#: Milliseconds that a page may take for anything: machines that run tests are busy.
PATIENCE = 120_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium; skips (in CI: fails) the test where there is none."""
    program = servers.chromium()
    from playwright.sync_api import sync_playwright

    from baton.scripts.private_servers.chromium import ARGUMENTS

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def stage(browser: Any) -> Iterator[Stage]:
    """The system in the browser, with people and tickets."""
    one = Stage()
    try:
        one.open()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder that pictures are kept in."""
    folder = Path(os.environ.get("BATON_SCREENSHOTS", Path(__file__).parents[2] / "build" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def _sessions() -> dict[tuple[str, str], Any]:
    return {}


@pytest.fixture
def visit(browser: Any, stage: Stage, _sessions: dict[tuple[str, str], Any]) -> Iterator[Callable[..., Any]]:
    """Open a browser context of one's own: `visit("portal", address)`, nobody signed in without an address."""
    contexts: list[Any] = []
    troubles: list[str] = []

    def make(front: str, address: str | None = None, *, theme: str = "light", scripts: bool = True, size: Any = None) -> Any:
        session = _signed_in(browser, stage, _sessions, front, address) if address else None
        context = browser.new_context(
            storage_state=session, java_script_enabled=scripts, viewport=size or DESK, color_scheme=theme, locale="en-GB"
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch(page, troubles)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not troubles


def watch(page: Any, troubles: list[str]) -> None:
    """Note what goes wrong in a page: errors on its console (a refusal by its CSP is one), failed scripts, dialogs."""

    def heard(message: Any) -> None:
        # A page that answers "not found" on purpose is noted as an error of the page itself.
        is_the_page = message.location.get("url", "").partition("#")[0] == page.url.partition("#")[0]
        if message.type == "error" and not ("Failed to load resource" in message.text and is_the_page):
            troubles.append(f"{page.url}: {message.text} ({message.location.get('url', '')})")

    def asked(dialog: Any) -> None:
        troubles.append(f"{page.url}: a dialog says {dialog.message}")
        dialog.dismiss()

    page.on("console", heard)
    page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
    page.on("dialog", asked)


def _signed_in(browser: Any, stage: Stage, sessions: dict[tuple[str, str], Any], front: str, address: str) -> Any:
    """Sign in once for the whole run, by the form; return the cookies."""
    if (front, address) not in sessions:
        context = browser.new_context(locale="en-GB")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(stage.url(front, "/sign-in"))
        page.fill("#f-email", address)
        page.fill("#f-password", PASSWORD)
        page.click("main button.main")
        page.wait_for_selector("header nav")
        sessions[front, address] = context.storage_state()
        context.close()
    return sessions[front, address]
