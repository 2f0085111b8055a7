"""People found by what somebody types of their name or address."""

from __future__ import annotations

from typing import Any

import peewee as pw

from baton.models.full_text import search
from baton.pipelines.searching import wanted_in


def named(query: Any, table: type[pw.Model], text: str | None) -> Any:
    """
    Return the query, which has this table with its `words`, limited to whom the text means; as it is without a text.

    Every word of the text is the beginning of a word of the name or address. A text without a word means nobody.
    """
    if not (text or "").strip():
        return query
    wanted = wanted_in(text or "")
    if wanted is None:
        return query.where(pw.SQL("1 = 0"))
    found, _ = search(query, table, wanted, beginnings=True)
    return found
