"""
Finding text: which words of a text are kept for searching, which are looked for, and where they stand in what is shown.

1. A word is a run of letters and digits. It is compared without case and without accents: "Zürich" is found by "zurich".
2. Everything else only separates words, so nothing that somebody types has a meaning of its own: no operators, no quotes.
3. All words that are looked for must be there; the last may be the beginning of one.
4. What is kept has bounds, so that no text, however long, makes storing it slow: the first words of a text are found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: How much of a text is looked at, in characters, and how many different words of it are kept.
TEXT_LENGTH = 100_000
MOST_WORDS = 2_000
#: Longest word in characters: longer ones are kept, and looked for, by their beginning.
WORD_LENGTH = 60
#: Most words that one search looks for.
MOST_WANTED = 10
#: Shortest last word that may be the beginning of a longer one.
SHORTEST_BEGINNING = 2
SNIPPET_LENGTH = 180

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[^\W_]+")
#: A word as written: its letters may bear marks that stand beside them.
_WRITTEN = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")
_NUMBER = re.compile(r"(?:HD-)?([0-9]{1,18})\Z", re.IGNORECASE)
#: Begins a tag. Not a letter: no search that somebody types holds it.
_TAG = "\ue000"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: whole words, and the last one, of which the beginning is enough where `beginning` says so."""

    words: tuple[str, ...]
    beginning: bool = False

    def tagged(self, tag: str) -> Wanted:
        """Return the same among what bears the tag."""
        return Wanted((tag_word(tag), *self.words), self.beginning)

    def fits(self, word: str) -> bool:
        """Return whether this word, as it is kept, is one of those looked for."""
        return word in self.words or (self.beginning and word.startswith(self.words[-1]))


def words_in(text: str) -> Iterator[str]:
    """Yield the words of a text in their order, as they are compared."""
    text = text[:TEXT_LENGTH]
    if text.isascii():
        found = _ASCII_WORD.findall(text.lower())
    else:
        plain = unicodedata.normalize("NFKD", text.casefold()).casefold()
        found = _WORD.findall("".join(each for each in plain if not unicodedata.combining(each)))
    for word in found:
        yield word[:WORD_LENGTH]


def words_of(*texts: str | None, tags: Iterable[str] = ()) -> str:
    """Return the different words of these texts, and the tags, as they are stored: with single spaces between them."""
    found = {tag_word(tag): None for tag in tags}
    for text in texts:
        for word in words_in(text or ""):
            if len(found) >= MOST_WORDS:
                return " ".join(found)
            found[word] = None
    return " ".join(found)


def tag_word(tag: str) -> str:
    """Return the word that stands for a tag, such as whose ticket it is: searches by tag never meet a word of a text."""
    return _TAG + tag.encode().hex()


def wanted_in(text: str) -> Wanted | None:
    """Return what a text that somebody typed looks for; None when it holds no word."""
    words = tuple(dict.fromkeys(words_in(text)))[:MOST_WANTED]
    return Wanted(words, len(words[-1]) >= SHORTEST_BEGINNING) if words else None


def person_words(*, full_name: str | None, email: str | None) -> str:
    """Return the words by which a person is found, as they are stored: those of the name and of the address."""
    return words_of(full_name, email)


def number_meant(text: str) -> str | None:
    """Return the ticket number that a text names: in full, or by its digits; None when it is no number."""
    text = text.strip()
    match = _NUMBER.match(text) if text.isascii() else None
    return f"HD-{int(match[1]):08d}" if match else None


def marked(text: str, wanted: Wanted | None) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is a word that is looked for. The pieces joined are the text."""
    pieces: list[tuple[str, bool]] = []
    start = 0
    for match in _WRITTEN.finditer(text) if wanted else ():
        if wanted is not None and any(wanted.fits(word) for word in words_in(match[0])):
            if match.start() > start:
                pieces.append((text[start : match.start()], False))
            pieces.append((match[0], True))
            start = match.end()
    if start < len(text):
        pieces.append((text[start:], False))
    return pieces


def snippet(text: str, wanted: Wanted | None, length: int = SNIPPET_LENGTH) -> str:
    """Return about `length` characters of the text, in one line, around the first word that is looked for."""
    text = " ".join(text[:TEXT_LENGTH].split())
    if len(text) <= length:
        return text
    place = 0
    for piece, found in marked(text, wanted):
        if found:
            break
        place += len(piece)
    begin = max(0, min(place - length // 3, len(text) - length)) if place < len(text) else 0
    end = min(len(text), begin + length)
    return ("… " if begin else "") + text[begin:end].strip() + (" …" if end < len(text) else "")
