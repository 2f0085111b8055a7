"""
Rows in bulk: plain tuples out of a query, and many rows written by one statement whose text does not depend on how many.

The rows travel as one JSON parameter that the database unfolds. Built by peewee's `insert_many`, the same statements spend more
time in Python (a node and a placeholder per value) than in PostgreSQL; measured from intake to assignment, more than twice as
many tickets pass this way. The texts are made from the models' own columns, once.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import peewee as pw

from baton.models import database as db
from baton.models.transaction import Transaction

#: PostgreSQL's name for each kind of column.
_TYPES = {"TEXT": "text", "BIGINT": "bigint", "INT": "integer", "BOOL": "boolean", "DATETIME": "timestamp", "BIGAUTO": "bigint"}


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query, or of a statement with RETURNING, as tuples in the order of its columns."""
    return list(query.tuples().execute())


def dicts(query: Any) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts by column."""
    return list(query.dicts().execute())


def among(sqlite: bool, kind: str) -> str:
    """Return what follows a column that is to be one of the values of `select_rows`, of PostgreSQL's type `kind`."""
    return "in (select value from json_each(?))" if sqlite else f"= any(%s::{kind}[])"


def select_rows(tx: Transaction, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows of a statement as dicts; wherever it says `among`, the same `values` are meant. One text for any number."""
    sqlite = db.is_sqlite(tx.database)
    given: Any = json.dumps(values) if sqlite else list(values)
    cursor = tx.database.execute_sql(sql, (given,) * sql.count("?" if sqlite else "%s"))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def insert_rows(
    tx: Transaction,
    fields: Sequence[pw.Field],
    rows: Iterable[Sequence[Any]],
    *,
    ignore: bool = False,
    returning: Sequence[pw.Field] = (),
) -> list[tuple[Any, ...]]:
    """
    Insert rows, tuples in the order of `fields`; return the `returning` columns of those inserted.

    `ignore`: a row whose unique key is taken is left out. Columns that are not named get the default their model states, as
    with peewee's own inserts. Texts must not hold NUL.
    """
    sql = _insert_sql(db.is_sqlite(tx.database), tuple(fields), ignore, tuple(returning))
    return _run(tx, sql, rows, returning)


def update_rows(
    tx: Transaction,
    key: pw.Field | tuple[pw.Field, ...],
    fields: Sequence[pw.Field],
    rows: Iterable[Sequence[Any]],
    *,
    add: Sequence[pw.Field] = (),
    returning: Sequence[pw.Field] = (),
) -> list[tuple[Any, ...]]:
    """
    Update the rows that `key` names: each given row is the key, then the values of `fields`, then what to add to `add`.

    A key of several columns is a tuple of them. Returns the `returning` columns as they are afterwards.
    """
    keys = key if isinstance(key, tuple) else (key,)
    sql = _update_sql(db.is_sqlite(tx.database), keys, tuple(fields), tuple(add), tuple(returning))
    return _run(tx, sql, rows, returning)


def update_in_shapes(
    tx: Transaction, key: pw.Field, changes: Mapping[Any, Mapping[pw.Field, Any]], *, add: Sequence[pw.Field] = ()
) -> None:
    """
    Update rows that change in different columns: key -> field -> its new value; `add` are counters that each makes one higher.

    One statement for each set of columns that occurs.
    """
    shapes: dict[tuple[pw.Field, ...], list[tuple[Any, ...]]] = {}
    for name, values in sorted(changes.items()):
        shapes.setdefault(tuple(values), []).append((name, *values.values(), *(1 for _ in add)))
    for fields, rows in shapes.items():
        update_rows(tx, key, fields, rows, add=add)


def _run(tx: Transaction, sql: str, rows: Iterable[Sequence[Any]], returning: Sequence[pw.Field]) -> list[tuple[Any, ...]]:
    document = [{f"v{index}": value for index, value in enumerate(row)} for row in rows]
    if not document:
        return []
    cursor = tx.database.execute_sql(sql, (json.dumps(document, ensure_ascii=False, default=_instant),))
    if not returning:
        return []
    return [tuple(f.python_value(v) for f, v in zip(returning, row, strict=True)) for row in cursor.fetchall()]


def _instant(value: Any) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r} cannot be stored")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _quoted(field: pw.Field) -> str:
    return f'"{field.column_name}"'


def _returned(returning: Sequence[pw.Field]) -> str:
    return " returning " + ", ".join(map(_quoted, returning)) if returning else ""


def _source(sqlite: bool, fields: Sequence[pw.Field]) -> str:
    """Return the table expression that unfolds the parameter: columns v0, v1, ... of the fields' types."""
    if sqlite:
        columns = ", ".join(f"json_extract(value, '$.v{index}') as v{index}" for index in range(len(fields)))
        return f"(select {columns} from json_each(?)) as given"
    columns = ", ".join(f"v{index} {_TYPES[field.field_type]}" for index, field in enumerate(fields))
    return f"json_to_recordset(%s::json) as given({columns})"


@functools.cache
def _insert_sql(sqlite: bool, fields: tuple[pw.Field, ...], ignore: bool, returning: tuple[pw.Field, ...]) -> str:
    table = fields[0].model._meta.table_name
    defaults = _defaults(fields)
    columns = ", ".join([*map(_quoted, fields), *defaults])
    values = ", ".join([*(f"v{index}" for index in range(len(fields))), *defaults.values()])
    # "where true" keeps SQLite from reading "on conflict" as part of a join.
    sql = f'insert into "{table}" ({columns}) select {values} from {_source(sqlite, fields)} where true'
    return sql + (" on conflict do nothing" if ignore else "") + _returned(returning)


def _defaults(fields: Sequence[pw.Field]) -> dict[str, str]:
    """Return quoted column -> SQL literal of the table's columns that are not named and have a constant for a default."""
    others = [field for field in fields[0].model._meta.sorted_fields if field not in set(fields)]
    constants = {field: field.default for field in others if field.default is not None and not callable(field.default)}
    return {_quoted(field): _literal(value) for field, value in constants.items()}


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


@functools.cache
def _update_sql(
    sqlite: bool,
    keys: tuple[pw.Field, ...],
    fields: tuple[pw.Field, ...],
    add: tuple[pw.Field, ...],
    returning: tuple[pw.Field, ...],
) -> str:
    table = keys[0].model._meta.table_name
    changes = [f"{_quoted(field)} = v{index}" for index, field in enumerate(fields, start=len(keys))]
    changes += [f"{_quoted(field)} = {_quoted(field)} + v{i}" for i, field in enumerate(add, start=len(keys) + len(fields))]
    source = _source(sqlite, (*keys, *fields, *add))
    named = " and ".join(f"{_quoted(field)} = v{index}" for index, field in enumerate(keys))
    return f'update "{table}" set {", ".join(changes)} from {source} where {named}' + _returned(returning)
