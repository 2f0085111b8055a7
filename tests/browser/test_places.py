"""Every page, in light and dark, at a desk and on a phone: it opens, fits, is accessible, and complains about nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.places import PLACES, Place
from tests.browser.stage import Stage

#: WCAG 2.2 AA, and what is good practice besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [("desk", "light"), ("desk", "dark"), ("phone", "dark"), ("phone", "light")]
SIZES = {"desk": DESK, "phone": PHONE}


def axe() -> str:
    """Return the source of axe-core, for `evaluate`: the browser's debugger, which the page's security policy does not bind."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def findings(page: Any) -> list[str]:
    """Return what axe, which the page has loaded, finds that is serious or worse, a line for each."""
    found = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})" for each in serious for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_opens_fits_and_is_accessible_however_it_is_looked_at(
    place: Place, stage: Stage, visit: Callable[..., Any], screenshots: Path
) -> None:
    page = visit(place.front, place.who.format(**stage.known) if place.who else None)
    answer = page.goto(stage.url(place.front, place.path))
    assert answer.status == place.status
    assert page.locator("h1").count() == 1
    page.evaluate(axe())
    wrong: list[str] = []
    # Loaded once, then looked at in four ways: the style sheet follows the window and the system's theme as they change.
    for size, theme in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(SIZES[size])
        page.screenshot(path=screenshots / f"{place.name}-{theme}-{size}.png", full_page=True)
        wrong += [f"{theme}, {size}: {each}" for each in findings(page)]
    page.set_viewport_size({"width": 320, "height": 640})
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert too_wide <= 0, f"{too_wide} px wider than a window of 320 px"
    assert page.evaluate("window.pwned") is None
    assert not wrong
