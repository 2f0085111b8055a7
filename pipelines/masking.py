"""
Leaving secrets and personal text out of what is told about a fault.

An exception's text often quotes the very value it choked on. Masked are: e-mail addresses; quoted texts longer than a name of
the program; what follows words such as `password` or `token`; bearer tokens and JSON Web Tokens; passwords in URLs; and the
row values that databases quote.
"""

from __future__ import annotations

import re

#: Longest quoted text that is kept, in characters: names of fields, roles and states are shorter, what people write is longer.
LONGEST_QUOTE = 24
#: Longest text of an exception that is kept, in characters.
LONGEST_TEXT = 500

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(failing row contains)\b.*", re.DOTALL), r"\1 (…)"),
    (re.compile(r"(\bKey \([^()]{1,200}\)=)\(.*?\)(?= |$)", re.MULTILINE), r"\1(…)"),
    (re.compile(r"(?i)\binput_value=.{0,2000}?(?=, input_type=|\]|$)", re.DOTALL), "input_value=…"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"), "<token>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 <token>"),
    (re.compile(r"(?i)([a-z][\w+.-]{1,20}://)[^\s/@'\"]{1,300}@"), r"\1<secret>@"),
    (
        re.compile(
            r"(?i)\b([\w-]{0,40}(?:password|passwd|secret|token|api_?key|authorization)\w{0,20}['\"]?\s{0,3}[:=]\s{0,3})"
            r"(?:'[^']*'|\"[^\"]*\"|[^\s,;)\]}]+)"
        ),
        r"\1<secret>",
    ),
    (re.compile(r"[\w.!#$%&*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "<e-mail>"),
    (re.compile(rf"'(?:[^'\\\n]|\\.){{{LONGEST_QUOTE + 1},}}(?:'|$)"), "'…'"),
    (re.compile(rf'"(?:[^"\\\n]|\\.){{{LONGEST_QUOTE + 1},}}(?:"|$)'), '"…"'),
    (re.compile(r"\b[0-9A-Za-z_-]{40,}\b"), "<long word>"),
)


def mask(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text without secrets and personal text, and cut to `longest` characters. It can be stored and sent."""
    # A very long text is cut first, so that no rule has to look at megabytes.
    found = storable(text[: longest * 8])
    for pattern, replacement in _RULES:
        found = pattern.sub(replacement, found)
    return found if len(found) <= longest else found[: longest - 1] + "…"


def storable(text: str) -> str:
    """Return the text without what no database keeps: the NUL character and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
