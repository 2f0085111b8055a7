"""
The catalogue of texts: one TOML file per language under `languages/`, English the one that others fall back to.

A key is a dotted path: `ticket.reopen`. A text may hold `{name}` places. A number of things is a table with `one` and `other`,
chosen by the value `count`.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Languages there are, as they call themselves.
LANGUAGES = {"en": "English", "de": "Deutsch"}
FALLBACK = "en"


class UnknownTextError(KeyError):
    """The catalogue has no text of this key: a mistake in a template."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language."""

    language: str
    entries: Mapping[str, Any]

    def text(self, key: str, **values: Any) -> str:
        """
        Return the text with its places filled.

        Raises:
            UnknownTextError: no language has it.
        """
        found = self.entries.get(key)
        if found is None and self.language != FALLBACK:
            found = catalogue(FALLBACK).entries.get(key)
        if found is None:
            raise UnknownTextError(key)
        if isinstance(found, Mapping):
            found = found["one"] if values.get("count") == 1 else found["other"]
        return str(found).format_map(values) if values else str(found)

    def has(self, key: str) -> bool:
        """Return whether there is such a text."""
        return key in self.entries or (self.language != FALLBACK and catalogue(FALLBACK).has(key))

    def word(self, group: str, value: str) -> str:
        """Return a value of the services (a status, a priority) in the reader's language, as it is where it has no word."""
        key = f"{group}.{value.lower().replace(' ', '_')}"
        return self.text(key) if self.has(key) else value


@functools.cache
def catalogue(language: str) -> Catalogue:
    """Return the texts of a language that there is."""
    folder = importlib.resources.files("baton.http.web") / "languages"
    entries: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.startswith((f"{language}.", f"{language}-")) and file.name.endswith(".toml"):
            _flatten(tomllib.loads(file.read_text()), "", entries)
    return Catalogue(language, entries)


def choose(wanted: str | None, accepted: str | None) -> str:
    """Return the language: the one the visitor chose, else the first that their browser accepts and there is."""
    if wanted in LANGUAGES:
        return str(wanted)
    for part in (accepted or "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return FALLBACK


def _flatten(table: Mapping[str, Any], prefix: str, into: dict[str, Any]) -> None:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and set(value) != {"one", "other"}:
            _flatten(value, f"{key}.", into)
        else:
            into[key] = value
