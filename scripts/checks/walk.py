"""Walking over a table newest first in keyset batches, so that a check costs the same however much is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from baton.models import database as db

#: Rows per batch, and rows looked at in all unless everything is asked for.
BATCH = 1_000
NEWEST = 20_000


def walk(
    service: str, model: Any, columns: Sequence[Any], at: Any, older_than: float, full: bool, *conditions: Any
) -> Iterator[list[dict[str, Any]]]:
    """
    Yield batches of rows that are at least `older_than` seconds old by the column `at`, newest first; `columns` holds `id`.

    The newest NEWEST rows, or with `full` all. Each batch is read in a transaction of its own.
    """
    limit = db.now(service) - timedelta(seconds=older_than)
    last: int | None = None
    seen = 0
    while full or seen < NEWEST:
        query = model.select(*columns).where(at <= limit, *conditions).order_by(model.id.desc()).limit(BATCH)
        with db.read_tx(service):
            batch = list((query if last is None else query.where(model.id < last)).dicts())
        if not batch:
            return
        seen += len(batch)
        last = batch[-1]["id"]
        yield batch


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """Return what a query selects as plain tuples."""
    return list(query.tuples())
