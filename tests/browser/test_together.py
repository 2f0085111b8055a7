"""Several people on one ticket: who is there and who types, and a page that stays true while somebody else acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import PHONE
from tests.browser.places import ADAEZE, ADMIN, COORDINATOR
from tests.browser.stage import Stage, eventually

HERE, TYPING = "#others [data-others=here]", "#others [data-others=typing]"
#: What a page waits for, in milliseconds: a crash is noticed by the second sign of life that reaches nobody, twice.
PATIENCE_MS = 90_000


@pytest.fixture
def number(stage: Stage) -> str:
    """A ticket that somebody has."""
    made = stage.file("The meeting room's screen stays black", "Since this morning.")
    stage.item(made)
    return made


@pytest.fixture
def open_as(stage: Stage, visit: Callable[..., Any], number: str) -> Callable[..., Any]:
    """Open the ticket's page in a browser of one's own, following it live."""

    def make(who: str, front: str = "console", **options: Any) -> Any:
        page = visit(front, who, **options)
        page.set_default_timeout(PATIENCE_MS)
        page.goto(stage.url(front, f"/tickets/{number}"))
        page.wait_for_selector("body[data-live=on]")
        return page

    return make


def name_of(stage: Stage, address: str) -> str:
    """Return a member of staff's name as colleagues read it."""
    found = stage.as_(ADMIN).get("auth", "/api/v1/users", limit=200)["items"]
    name: str = next(each["full_name"] for each in found if each["email"] == address)
    return name


def expect(page: Any, selector: str, text: str) -> None:
    """Wait until the element's whole text is this."""
    page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.textContent.trim() === text", arg=[selector, text], timeout=PATIENCE_MS
    )


def test_staff_see_who_else_is_on_a_ticket_and_who_types_until_they_leave(
    stage: Stage, open_as: Callable[..., Any], screenshots: Path
) -> None:
    admin, nadia = name_of(stage, ADMIN), name_of(stage, COORDINATOR)
    first = open_as(ADMIN)
    expect(first, HERE, "")
    second = open_as(COORDINATOR)
    expect(first, HERE, f"{nadia} is also here")
    expect(second, HERE, f"{admin} is also here")
    assert first.locator(HERE).get_attribute("role") == "status"

    second.fill("#say-body", "I am looking into it")
    expect(first, TYPING, f"{nadia} is typing …")
    first.screenshot(path=screenshots / "together-light-desk.png")
    expect(second, TYPING, "")
    # Whoever stops writing is soon said to have stopped.
    expect(first, TYPING, "")

    second.goto(stage.url("console", "/"))
    expect(first, HERE, "")


def test_whose_connection_dies_is_there_no_longer(stage: Stage, open_as: Callable[..., Any], browser: Any) -> None:
    first, second = open_as(ADMIN), open_as(COORDINATOR)
    expect(first, HERE, f"{name_of(stage, COORDINATOR)} is also here")
    # Nothing is said by the page: its requests are cut off, and then it is closed.
    second.route("**/leave", lambda route: route.abort())
    second.evaluate("navigator.sendBeacon = () => true")
    second.close(run_before_unload=False)
    expect(first, HERE, "")


def test_the_others_are_named_in_the_readers_language_and_fit_on_a_phone(
    stage: Stage, open_as: Callable[..., Any], screenshots: Path
) -> None:
    first = open_as(ADMIN, size=PHONE, theme="dark")
    first.select_option("#looks-language", "de")
    first.wait_for_selector("html[lang=de] body[data-live=on]")
    open_as(COORDINATOR)
    expect(first, HERE, f"{name_of(stage, COORDINATOR)} ist auch hier")
    first.screenshot(path=screenshots / "together-dark-phone.png")
    assert first.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_requester_is_not_told_which_staff_look_or_write(stage: Stage, open_as: Callable[..., Any]) -> None:
    requester = open_as(ADAEZE, "portal")
    heard: list[str] = []
    requester.expose_function("heard", lambda text: heard.append(text))
    requester.evaluate(
        "['presence', 'typing'].forEach((kind) => {"
        " const stream = new EventSource(location.pathname.replace('/tickets/', '/live/tickets/') + '?watch=me');"
        " stream.addEventListener(kind, (event) => window.heard(event.data)); })"
    )
    first, second = open_as(ADMIN), open_as(COORDINATOR)
    expect(first, HERE, f"{name_of(stage, COORDINATOR)} is also here")
    second.fill("#say-body", "Hm.")
    expect(first, TYPING, f"{name_of(stage, COORDINATOR)} is typing …")
    assert requester.locator("#others").count() == 0
    assert heard == []
    assert name_of(stage, COORDINATOR) not in requester.content()


def test_what_can_be_done_follows_what_others_do_and_a_draft_stays(
    stage: Stage, open_as: Callable[..., Any], number: str, screenshots: Path
) -> None:
    page = open_as(ADMIN)
    page.evaluate("window.unmoved = true")
    page.fill("#say-body", "A long answer that is not finished")
    assert page.locator("#actions [data-dialog=do-hold]").count() == 1
    page.click("#actions [data-dialog=do-hold]")
    page.fill("#do-hold textarea", "The part has to be ordered")
    page.keyboard.press("Escape")

    # When somebody else starts the work, the buttons, the state and the picture follow.
    act(stage, number, "start")
    page.wait_for_selector("#actions form[action$='/start']", state="detached")
    page.wait_for_function("() => document.querySelector('#state').textContent.includes('In progress')")
    # Both drafts are there, the one in a form that was made anew in between as well.
    assert page.input_value("#say-body") == "A long answer that is not finished"
    page.click("#actions [data-dialog=do-hold]")
    assert page.input_value("#do-hold textarea") == "The part has to be ordered"

    # While a form is open it is left as it is, and says that it is outdated.
    act(stage, number, "hold", reason="Waiting for the supplier")
    page.wait_for_function("() => document.querySelector('#do-hold [data-stale]').textContent.includes('has changed')")
    page.screenshot(path=screenshots / "outdated-form-light-desk.png")
    assert page.input_value("#do-hold textarea") == "The part has to be ordered"
    assert page.evaluate("window.unmoved") is True

    # Sent all the same, everything that happened since is shown, before and after, with the draft.
    act(stage, number, "resume")
    page.click("#do-hold form button.main")
    page.wait_for_selector("[role=alert]")
    assert page.locator("main textarea").input_value() == "The part has to be ordered"
    assert "Waiting for the supplier" in page.inner_text("main")
    assert page.locator("main .happened").count() == 2
    assert page.locator("main .happened del").all_inner_texts() == ["In progress", "On hold"]
    assert page.locator("main .happened ins").all_inner_texts() == ["On hold", "In progress"]
    page.screenshot(path=screenshots / "outdated-sent-light-desk.png")
    page.goto(stage.url("console", f"/tickets/{number}"))
    assert page.input_value("#say-body") == "A long answer that is not finished"


def test_a_form_that_is_closed_is_brought_up_to_date_and_its_text_is_shown_where_no_form_takes_it(
    stage: Stage, open_as: Callable[..., Any], number: str
) -> None:
    page = open_as(ADMIN)
    page.click("#actions [data-dialog=do-escalate]")
    page.fill("#do-escalate textarea", "Nobody answers me")
    act(stage, number, "hold", reason="Waiting for the supplier")
    page.wait_for_function("() => document.querySelector('#do-escalate [data-stale]').textContent !== ''")
    page.keyboard.press("Escape")
    # An item on hold cannot be escalated: the form is gone, and what was written is not.
    page.wait_for_selector("#actions [data-dialog=do-resume]")
    assert page.locator("#do-escalate").count() == 0
    assert "Nobody answers me" in page.inner_text("#leftover")


def test_why_and_what_happened_are_fetched_when_they_are_unfolded_and_are_pages_without_scripts(
    stage: Stage, open_as: Callable[..., Any], visit: Callable[..., Any], number: str
) -> None:
    page = open_as(ADMIN)
    page.click("summary:has-text('History')")
    page.wait_for_selector("#history li")
    act(stage, number, "start")
    page.wait_for_function("() => document.querySelector('#history').textContent.includes('started')")
    plain = visit("console", ADMIN, scripts=False)
    plain.goto(stage.url("console", f"/tickets/{number}/why"))
    assert plain.locator("main .card p").count() >= 1


def act(stage: Stage, number: str, action: str, **body: Any) -> None:
    """Act on the ticket's item as whoever has it."""
    item = stage.item(number)
    path = f"/api/v1/items/{item['id']}/{action}"
    eventually(lambda: stage.as_(stage.holder(number)).post("workflow", path, body), f"{action} on {number}")
