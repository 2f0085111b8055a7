"""
Queries that are built once: what differs from call to call is only the values that one of their columns is among.

Having peewee build a query takes it several times as long as PostgreSQL takes to run it; on the path of every action that is
most of the time. The text is kept for each kind of database and does not depend on how many values there are.

    _TOLD = Statement(lambda among: f.select(f.ticket_number, f.version).where(among(f.ticket_number)))
    rows = _TOLD.tuples(numbers)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import peewee as pw

from baton.models.database import is_sqlite

#: Stands for the values while a query is built; compared by identity.
_GIVEN = object()
#: PostgreSQL's name for the kinds of column that can be asked for.
_KINDS = {"TEXT": "text", "BIGINT": "bigint", "INT": "bigint", "BIGAUTO": "bigint"}
Among = Callable[[pw.Field], Any]


class _Built(NamedTuple):
    """A statement's text, its parameters, the names of its columns, and what reads those that are not taken as they come."""

    sql: str
    parameters: tuple[Any, ...]
    names: tuple[str, ...]
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]


class Statement:
    """A query of one service. `build` is given `among(field)`, the condition that the field is one of a call's values."""

    def __init__(self, build: Callable[[Among], Any]) -> None:
        self._build = build
        self._built: dict[tuple[bool, bool], _Built] = {}
        self._model: Any = None

    def tuples(self, values: Iterable[Any] = (), *, lock: bool = False) -> list[tuple[Any, ...]]:
        """Return the rows; `lock`: each locked until the commit (on SQLite a write transaction is alone anyway)."""
        return self._run(values, lock)[1]

    def dicts(self, values: Iterable[Any] = (), *, lock: bool = False) -> list[dict[str, Any]]:
        """Return the rows as dicts by column."""
        names, rows = self._run(values, lock)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _run(self, values: Iterable[Any], lock: bool) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        if self._model is None:
            self._model = self._build(lambda _field: pw.SQL("true")).model
        database = self._model._meta.database
        sqlite = is_sqlite(database)
        built = self._built.get((sqlite, lock))
        if built is None:
            built = self._built[sqlite, lock] = _compile(self._build, sqlite, lock)
        wanted = list(values)
        given = json.dumps(wanted) if sqlite else wanted
        cursor = database.execute_sql(built.sql, [given if each is _GIVEN else each for each in built.parameters])
        rows = cursor.fetchall()
        return built.names, _read(rows, built.readers) if built.readers else rows


def _compile(build: Callable[[Among], Any], sqlite: bool, lock: bool) -> _Built:
    def among(field: pw.Field) -> Any:
        if sqlite:
            return pw.NodeList((field, pw.SQL("in (select value from json_each(?))", [_GIVEN])))
        return pw.NodeList((field, pw.SQL(f"= any(%s::{_KINDS[field.field_type]}[])", [_GIVEN])))

    query = build(among)
    sql, parameters = (query.for_update() if lock and not sqlite else query).sql()
    names, readers = [], []
    for place, column in enumerate(query._returning):
        names.append(getattr(column, "_alias", None) or column.name)
        field = column if isinstance(column, pw.Field) else getattr(column, "node", None)
        # psycopg gives values of the column's type; only instants are stored without what they mean.
        if isinstance(field, pw.DateTimeField) or (sqlite and isinstance(field, pw.Field)):
            readers.append((place, field.python_value))
    return _Built(sql, tuple(parameters), tuple(names), tuple(readers))


def _read(rows: Iterable[tuple[Any, ...]], readers: tuple[tuple[int, Callable[[Any], Any]], ...]) -> list[tuple[Any, ...]]:
    found = []
    for row in rows:
        values = list(row)
        for place, read in readers:
            values[place] = read(values[place])
        found.append(tuple(values))
    return found
