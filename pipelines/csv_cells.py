"""
Cells of a CSV that people open in a spreadsheet: text stays text.

A spreadsheet runs what begins like a formula, whoever wrote it. Such a cell gets an apostrophe in front, which spreadsheets take
for "this is text"; plain numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

#: Tells spreadsheets that the file is UTF-8.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?\Z")


def safe_cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula; None is empty."""
    text = "" if value is None else str(value)
    if text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.match(text):
        return "'" + text
    return text


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows as lines of a CSV in UTF-8, every cell safe."""
    out = io.StringIO()
    csv.writer(out).writerows([safe_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")
