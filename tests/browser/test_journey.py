"""The main path by keyboard alone: an employee files, staff work it to its end, the employee watches live and rates it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.places import ADAEZE
from tests.browser.stage import PASSWORD, Stage, eventually

SUBJECT = "The label printer prints the labels upside down"


def test_a_ticket_is_filed_worked_and_rated_by_keyboard_and_everybody_sees_it_live(
    stage: Stage, visit: Callable[..., Any]
) -> None:
    first = stage.next_in_turn("Admin")
    worker = visit("console")
    sign_in(worker, stage.url("console"), first)
    unmoved(worker)

    # When the employee files it ...
    employee = visit("portal")
    sign_in(employee, stage.url("portal"), ADAEZE)
    number = file_by_keyboard(employee)

    # ... then whoever is next in turn sees it arrive, without a reload, ...
    expect_text(worker, "#list", SUBJECT)
    assert is_unmoved(worker)

    # ... and so does the employee see whatever is done with it.
    unmoved(employee)
    people = [first]
    for step, status in (("Triage", "In progress"), ("Resolve", "In progress"), ("Finalize", "Resolved")):
        work_by_keyboard(worker, number, step)
        if step != "Finalize":
            eventually(lambda step=step: stage.item(number)["step"] != step, f"{number} leaves {step}")
            people.append(stage.holder(number))
            worker = visit("console")
            sign_in(worker, stage.url("console"), people[-1])
            expect_text(worker, "#list", SUBJECT)
        expect_text(employee, "#head", status)
    expect_text(employee, "#talk", "Done: Resolve")
    assert is_unmoved(employee), "the page was loaded again"
    assert len(set(people)) > 1

    rate_by_keyboard(employee)
    assert stage.as_(ADAEZE).get("helpdesk", f"/api/v1/tickets/{number}/rating")["stars"] == 4


@pytest.mark.parametrize(("front", "key"), [("portal", "g n"), ("console", "g n")])
def test_the_palette_and_the_shortcuts_lead_everywhere(front: str, key: str, stage: Stage, visit: Callable[..., Any]) -> None:
    page = visit(front, ADAEZE if front == "portal" else stage.known["assignee"])
    page.goto(stage.url(front))
    for each in key.split():
        page.keyboard.press(each)
    page.wait_for_url("**/notifications")
    page.keyboard.press("Control+k")
    page.keyboard.type("profile")
    page.keyboard.press("Enter")
    page.wait_for_url("**/profile")
    page.keyboard.press("?")
    assert page.locator("#shortcuts dt").count() > 2
    page.keyboard.press("Escape")
    assert not page.locator("#shortcuts").is_visible()


def sign_in(page: Any, address: str, who: str) -> None:
    page.goto(address)
    page.keyboard.type(who)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("header nav")


def file_by_keyboard(page: Any) -> str:
    page.keyboard.press("n")
    page.wait_for_url("**/new")
    page.keyboard.press("1")
    page.wait_for_url("**/new?category=it")
    page.keyboard.type(SUBJECT)
    page.keyboard.press("Tab")
    page.keyboard.type("Since the new roll. Everything else about them is right.")
    tab_to(page, "main form button.main")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/*")
    found = re.search(r"/tickets/([^?#]+)", page.url)
    assert found
    return found[1]


def work_by_keyboard(page: Any, number: str, step: str) -> None:
    """From the list: to the ticket, start, and out of the step by its only way, with a word to the colleagues."""
    for _ in range(60):
        page.keyboard.press("j")
        if number in (page.evaluate("document.activeElement.getAttribute('href')") or ""):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{number}")
    if step == "Resolve":
        comment_by_keyboard(page, f"Done: {step}")
    page.keyboard.press("s")
    page.wait_for_selector(".told")
    page.keyboard.press("1")
    page.wait_for_selector("dialog[open] textarea:focus")
    page.keyboard.type(f"{step} is finished")
    tab_to(page, "dialog[open] button.main")
    page.keyboard.press("Enter")
    # Whoever leads may start the next step as well, so the button says nothing; the page that comes next does.
    expect_text(page, ".told", "Go on")


def comment_by_keyboard(page: Any, text: str) -> None:
    page.keyboard.press("r")
    page.wait_for_selector("textarea[name=body]:focus")
    page.keyboard.type(text)
    tab_to(page, "form[action$='/comments'] button.main")
    page.keyboard.press("Enter")
    expect_text(page, "#talk", text)


def rate_by_keyboard(page: Any) -> None:
    page.keyboard.press("e")
    page.wait_for_selector("input[name=stars]", state="attached")
    tab_to(page, "input[name=stars]")
    for _ in range(5):
        if page.evaluate("document.activeElement.value") == "4" and page.evaluate("document.activeElement.checked"):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Quick.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".told")


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until what the selector names has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def expect_text(page: Any, selector: str, text: str) -> None:
    """Wait until the part of the page shows the text."""
    page.wait_for_function("([where, text]) => document.querySelector(where)?.textContent.includes(text)", arg=[selector, text])


def unmoved(page: Any) -> None:
    """Mark the page, so that it is noticed if it is loaded again."""
    page.evaluate("window.unmoved = true")


def is_unmoved(page: Any) -> bool:
    """Whether the page is still the one that was marked."""
    return bool(page.evaluate("window.unmoved === true"))
