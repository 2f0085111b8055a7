"""
The words of mails, by language: a TOML file each in the folder `texts`. English is complete and stands in for what others lack.

The files are part of the program. Nothing that a user writes is ever a template: their texts are values, put in as they are.
"""

from __future__ import annotations

import functools
import string
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

FALLBACK = "en"
_FOLDER = "texts"


@functools.cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages there are words for, such as `en`."""
    names = (entry.name for entry in resources.files(__package__).joinpath(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def language_of(wanted: str | None) -> str:
    """Return the language to write in: the wanted one (`de`, `de-AT`) if there are words for it, else English."""
    code = (wanted or "").replace("_", "-").partition("-")[0].lower()
    return code if code in languages() else FALLBACK


@functools.cache
def _words(language: str) -> Mapping[str, Any]:
    words = tomllib.loads(resources.files(__package__).joinpath(_FOLDER, f"{language}.toml").read_text("utf-8"))
    return words


def say(language: str, key: str, **values: str | int) -> str:
    """
    Return the text under a key such as `greeting` or `page.title`, with the values put in.

    Raises:
        KeyError: there is no such text in English either, or a value is missing.
    """
    text = _find(_words(language_of(language)), key) or _find(_words(FALLBACK), key)
    if text is None:
        raise KeyError(key)
    return text.format_map(values)


def say_of_type(language: str, type_: str, key: str, values: Mapping[str, str]) -> str | None:
    """Return the text about a type of notification; None: there is none, or one of its values is not known."""
    text = _find(_words(language_of(language)), f"types.{type_}.{key}")
    if text is None or not all(values.get(name) for name in _names(text)):
        return None
    return text.format_map(values)


def kind_of(language: str, type_: str) -> str:
    """Return what mails of a type are called in a sentence, such as `new assignments`."""
    if type_ == "digest":
        return say(language, "digest_kind")
    return say_of_type(language, type_, "kind", {}) or say(language, "other_kind")


def reason_of(language: str, reason: str) -> str:
    """Return why somebody was told, as the end of a sentence; `reason` is a key of the table of audiences."""
    for words in (_words(language_of(language)), _words(FALLBACK)):
        if text := _find(words, f"reasons.{reason}"):
            return text
    return say(language, "other_why")


def _names(text: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


def _find(words: Mapping[str, Any], key: str) -> str | None:
    found: Any = words
    for part in key.split(".", 2):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None
