"""The texts of the fronts: whole in every language, and every key that a page names is there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from baton.http.web.texts import LANGUAGES, UnknownTextError, catalogue, choose

ROOT = Path(__file__).resolve().parents[3]
#: `t("some.key")` in templates, `visit.t("some.key"` in code, and keys named as data (`"text": "nav.work"`).
NAMED = re.compile(
    r"""\bt\(\s*["']([a-z_]+(?:\.[a-z_0-9]+)+)["']\s*[,)]"""
    r"""|"text": "([a-z_.]+)"|Go\([^)]*?, "([a-z_]+\.[a-z_]+)\""""
)
FOLDERS = ("http/web", "http/portal", "http/console")


def named_keys() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".html", ".py"):
                found |= {next(filter(None, match)) for match in NAMED.findall(path.read_text())}
    return found


def places(text: object) -> set[str]:
    texts = text.values() if isinstance(text, dict) else [str(text)]
    return {name for each in texts for _, name, _, _ in string.Formatter().parse(str(each)) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_a_page_names_is_in_the_catalogue(language: str) -> None:
    texts = catalogue(language)
    assert len(named_keys()) > 30
    assert sorted(key for key in named_keys() if key not in texts.entries) == []


def test_every_language_has_the_same_keys_with_the_same_places() -> None:
    english = catalogue("en").entries
    for language in LANGUAGES:
        entries = catalogue(language).entries
        assert sorted(english.keys() ^ entries.keys()) == []
        assert [key for key in english if places(english[key]) != places(entries[key])] == []


def test_a_number_of_things_chooses_its_form() -> None:
    texts = catalogue("en")
    assert texts.text("time.ago_hour", count=1) == "1 hour ago"
    assert texts.text("time.ago_hour", count=3) == "3 hours ago"


def test_an_unknown_key_is_an_error_and_an_unknown_word_stays() -> None:
    with pytest.raises(UnknownTextError):
        catalogue("de").text("no.such.key")
    assert catalogue("de").word("status", "In Progress") == "In Arbeit"
    assert catalogue("de").word("status", "Quite New") == "Quite New"


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [("de", "en", "de"), (None, "fr;q=0.9, de-AT;q=0.8", "de"), ("xx", None, "en"), (None, None, "en"), ("../x", "de", "de")],
)
def test_the_language_is_the_chosen_one_or_the_first_accepted(wanted: str | None, accepted: str | None, language: str) -> None:
    assert choose(wanted, accepted) == language
