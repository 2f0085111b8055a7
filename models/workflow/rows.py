"""Reading plain rows: what a query of chosen columns gives, without a model object for each."""

from __future__ import annotations

from typing import Any


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query, or of a statement with RETURNING, as tuples in the order of its columns."""
    return list(query.tuples().execute())


def dicts(query: Any) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts by column."""
    return list(query.dicts().execute())
