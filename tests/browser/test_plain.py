"""The main paths without a line of JavaScript; and the hostile texts with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hostile import HOSTILE
from tests.browser.places import ADAEZE, COORDINATOR
from tests.browser.stage import PASSWORD, Stage, eventually


def test_without_scripts_a_ticket_is_filed_commented_and_worked(stage: Stage, visit: Callable[..., Any]) -> None:
    employee = visit("portal", scripts=False)
    sign_in(employee, stage.url("portal"), ADAEZE)
    employee.click("header nav >> text=New ticket")
    employee.click("text=IT support")
    employee.fill("#f-subject", "Filed without scripts")
    employee.fill("#f-description", "A text browser will do.")
    employee.click("main form button.main")
    number = re.search(r"/tickets/([^?#]+)", employee.url)[1]

    def open_() -> bool:
        employee.goto(stage.url("portal", f"/tickets/{number}"))
        return bool(employee.locator("#say-body").count())

    eventually(open_, "the conversation is open")
    employee.fill("#say-body", "One more thing.")
    employee.click("#say button.main")
    assert "One more thing." in employee.text_content("#talk")

    worker = visit("console", scripts=False)
    sign_in(worker, stage.url("console"), stage.holder(number))
    worker.goto(stage.url("console", "/?q=nothing+has+these+words"))
    assert worker.text_content("#list").strip().startswith("None of your work fits")
    worker.goto(stage.url("console"))
    worker.click(f"#list a[href='/tickets/{number}']")
    worker.click("form[action$='/start'] button")
    assert worker.locator(".told").count() == 1
    worker.click("noscript form[action$='/follow'] button, form[action$='/follow'] >> visible=true >> button")
    assert stage.item(number)["step"] == "Resolve"


@pytest.mark.parametrize(
    ("front", "who", "path"),
    [
        ("portal", ADAEZE, "/"),
        ("portal", ADAEZE, "/tickets/{hostile}"),
        ("portal", ADAEZE, "/notifications"),
        ("console", "{assignee}", "/"),
        ("console", COORDINATOR, "/tickets/{hostile}"),
        ("console", COORDINATOR, "/notifications"),
    ],
)
def test_hostile_texts_are_shown_and_never_run(front: str, who: str, path: str, stage: Stage, visit: Callable[..., Any]) -> None:
    page = visit(front, who.format(**stage.known))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(stage.url(front, path))
    page.evaluate("document.body.dispatchEvent(new CustomEvent('live'))")
    page.wait_for_load_state("load")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")

    assert page.evaluate("window.pwned") is None
    assert not [url for url in asked if "pwned" in url or "evil" in url]
    assert page.locator("main [onerror], main [onload], main iframe, main script, main style, main meta").count() == 0
    assert page.locator("main a[href^='javascript:'], main a[href^='data:']").count() == 0
    if path.endswith("{hostile}"):
        assert HOSTILE[0] in page.text_content("main")


@pytest.mark.parametrize("code", ["<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=1>"])
def test_the_security_policy_stops_what_would_get_past_the_escaping(
    code: str, stage: Stage, visit: Callable[..., Any], browser: Any
) -> None:
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.route("**/sign-in", lambda route: _with(route, code))
    page.goto(stage.url("portal", "/sign-in"))
    eventually(lambda: [text for text in refused if "Content Security Policy" in text], "the browser refuses it")
    assert page.evaluate("window.pwned") is None
    context.close()


def sign_in(page: Any, address: str, who: str) -> None:
    page.goto(address)
    page.fill("#f-email", who)
    page.fill("#f-password", PASSWORD)
    page.click("main form button.main")
    page.wait_for_selector("header nav")


def _with(route: Any, code: str) -> None:
    """Answer with the page as it is, and the code in its middle, as if it had got there."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("</main>", f"{code}</main>"))
