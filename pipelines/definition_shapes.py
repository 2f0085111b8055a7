"""Reading a document field by field, so that everything wrong with its shape is named at once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

#: Longest name of a workflow, step, role, category or way, in characters.
NAME_LENGTH = 255
#: Longest description or instructions, in characters.
TEXT_LENGTH = 100_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REQUIRED: Any = object()


class Shape:
    """
    A table of a document at a path such as `steps.2`. Each look-up notes what is wrong in `errors` and goes on with a stand-in,
    so what was read counts only while `errors` is empty.
    """

    def __init__(self, source: Any, path: str, errors: list[str]) -> None:
        self.path = path
        self._errors = errors
        self._known: set[str] = set()
        self._source: Mapping[str, Any] = source if isinstance(source, Mapping) else {}
        if not isinstance(source, Mapping):
            self._wrong("", "must be a table")

    def name(self, key: str) -> str:
        """Return a name that must be there and not be blank."""
        value = self._take(key)
        if value is None:
            self._errors.append(f"{self._at(key)} is missing")
            return ""
        return self._name(key, value)

    def optional(self, key: str) -> str | None:
        """Return a name, or None where there is none."""
        value = self._take(key)
        return None if value is None else self._name(key, value)

    def text(self, key: str, default: str = "") -> str:
        """Return a text, which may be empty."""
        value = self._take(key)
        return default if value is None else self._text(key, value, TEXT_LENGTH)

    def number(self, key: str) -> float | None:
        """Return a finite number, or None where there is none."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._wrong(key, "must be a number")
            return None
        if abs(value) > 1e6:
            self._wrong(key, "is out of any range")
            return None
        return float(value)

    def count(self, key: str, most: int) -> int:
        """Return a whole number from 0, which is also what stands for none."""
        value = self._take(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            self._wrong(key, f"must be a whole number from 0 to {most}")
            return 0
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return whether something holds; `default` where nothing is said."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            self._wrong(key, "must be true or false")
            return default
        return default if value is None else value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """Return one of the choices; `default` where nothing is said."""
        value = self._take(key)
        if value is None or value in choices:
            return default if value is None else str(value)
        self._wrong(key, f"must be one of {', '.join(choices)}")
        return default

    def table(self, key: str) -> Mapping[str, Any]:
        """Return a table with keys of its own, empty where there is none."""
        value = self._take(key)
        if value is not None and not isinstance(value, Mapping):
            self._wrong(key, "must be a table")
        return value if isinstance(value, Mapping) else {}

    def wrong(self, key: str, what: str) -> None:
        """Note that what stands under a key is wrong; `what` reads on from its name."""
        self._wrong(key, what)

    def list(self, key: str, most: int, default: Any = _REQUIRED) -> Any:
        """Return a list of at most so many entries; `default` where there is none, unless it must be there."""
        value = self._take(key)
        if value is None:
            if default is _REQUIRED:
                self._errors.append(f"{self._at(key)} is missing")
                return ()
            return default
        if isinstance(value, str) or not isinstance(value, Sequence):
            self._wrong(key, "must be a list")
            return ()
        if len(value) > most:
            self._wrong(key, f"must have at most {most} entries")
            return ()
        return value

    def nothing_else(self) -> None:
        """Note every key that nobody asked for: most likely a misspelt one."""
        for key in self._source:
            if key not in self._known:
                known = ", ".join(sorted(self._known))
                self._errors.append(f"{self._at(_shown(key))} is not known; there are {known}")

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._source.get(key)

    def _name(self, key: str, value: Any) -> str:
        text = self._text(key, value, NAME_LENGTH)
        if isinstance(value, str) and not value.strip():
            self._wrong(key, "must not be blank")
        return text

    def _text(self, key: str, value: Any, most: int) -> str:
        if not isinstance(value, str):
            self._wrong(key, "must be a text")
        elif len(value) > most:
            self._wrong(key, f"must have at most {most} characters")
        elif _UNSTORABLE.search(value):
            self._wrong(key, "must not contain the NUL character or a lone surrogate")
        else:
            return value
        return ""

    def _wrong(self, key: str, what: str) -> None:
        self._errors.append(f"{self._at(key) or 'the document'} {what}")

    def _at(self, key: str) -> str:
        return ".".join(part for part in (self.path, key) if part)


def _shown(key: Any) -> str:
    return _UNSTORABLE.sub("\ufffd", str(key))[:100]
