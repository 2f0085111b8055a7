"""
What the services say in English, said in the reader's language.

Services answer with sentences: why something is refused, why a person was chosen. The catalogue has each such sentence under a
code (the groups `said_...`): in English as the service says it, with `{name}` places, and as it is said in the other languages.

1. A sentence is known by the English text that fits it, the one with the most fixed letters first.
2. What stands in its places is said in the same way: `{why...}`, `{what...}` and `{who...}` are sentences themselves,
   `{list_...}` are several with commas between them, `{state}`, `{status}`, `{priority}` and others are words of the
   catalogue. The rest are names, which stay.
3. Several sentences with semicolons between them are said one by one.
4. A sentence that no code knows stays as the service says it.
"""

from __future__ import annotations

import functools
import re
import string

from baton.http.web.texts import FALLBACK, Catalogue, catalogue

#: Longer texts are no sentences of the services.
LONGEST = 1_000
#: Beginnings of the names of places that hold sentences.
_SENTENCES = ("why", "what", "who")
#: Place -> the group of words that what stands there belongs to.
_WORDS = {"state": "state", "status": "status", "priority": "priority", "action": "action", "verdict": "clock_state"}
_LIST = "list_"
#: What a place may hold that does not hold just anything.
_SHAPES = {"count": "[0-9]+", "ticket": r"[^\s:]+", "user": r"\S+"}


def in_language(texts: Catalogue, text: str) -> str:
    """Return a sentence of the services in the language of the catalogue."""
    if texts.language == FALLBACK or not text or len(text) > LONGEST:
        return text
    return _said(texts.language, text)


@functools.lru_cache(maxsize=2_000)
def _said(language: str, text: str) -> str:
    texts = catalogue(language)
    return _known(texts, text) or "; ".join(_known(texts, part) or part for part in text.split("; "))


def _known(texts: Catalogue, text: str) -> str | None:
    for code, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            said = {name: _place(texts, name, value) for name, value in found.groupdict().items()}
            if None not in said.values():
                return texts.text(code, **said)
    return None


def _place(texts: Catalogue, name: str, value: str) -> str | None:
    """Return what stands in a place, None where it should be a status and is none."""
    if name.startswith(_LIST):
        kind = name.removeprefix(_LIST)
        return ", ".join(_place(texts, kind, each) or each for each in re.split(r", | or ", value))
    word = name.partition("_")[0]
    if word in _WORDS:
        known = texts.has(f"{_WORDS[word]}.{value.lower().replace(' ', '_')}")
        return texts.word(_WORDS[word], value) if known or word != "status" else None
    if word in _SENTENCES:
        return in_language(texts, value)
    return value


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    known = [(code, str(text)) for code, text in catalogue(FALLBACK).entries.items() if code.startswith("said_")]
    return [(code, _pattern(text)) for code, text in sorted(known, key=lambda each: -len(_fixed(each[1])))]


def _fixed(text: str) -> str:
    return "".join(literal for literal, *_ in string.Formatter().parse(text))


def _pattern(text: str) -> re.Pattern[str]:
    """Return what fits the English text with anything in its places; the last place takes the rest."""
    parts = [
        re.escape(literal) + (f"(?P<{name}>{_SHAPES.get(name, '.+?')})" if name else "")
        for literal, name, _, _ in string.Formatter().parse(text)
    ]
    return re.compile("".join(parts), re.DOTALL)
