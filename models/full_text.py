"""
Full text: how each database finds the rows whose `words` hold what is looked for.

A table that can be searched has a column `words`: what `searching.words_of` made of its texts. The database keeps an index of it
in the transaction that writes the row: PostgreSQL a generated `tsvector` with a GIN index, SQLite an FTS5 table that triggers
fill. Words are prepared by us and taken as they are, so both find the same, in any language.

The index holds nothing of its own: `ensure` makes what is missing, and fills it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import peewee as pw

from baton.models.database import is_sqlite

#: The tables that can be searched.
SEARCHED = {
    "auth": ("user_account", "employee"),
    "workflow": ("ticket_words", "member"),
    "helpdesk": ("ticket_words",),
    "messaging": ("entry",),
}

#: Matches up to which PostgreSQL is given their ids instead of being left to find them.
FEW = 2_000

_POSTGRESQL = (
    'alter table "{table}" add column if not exists vector tsvector'
    " generated always as (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) stored",
    # Searches read what waits to be merged into the index from end to end: not too much of it.
    'create index if not exists "{table}_vector" on "{table}" using gin (vector) with (gin_pending_list_limit = 1024)',
)
# With detail=none a word's places are not kept: nobody looks for phrases, and the index is a third of the size.
_SQLITE = (
    'create virtual table "{table}_index" using fts5('
    "words, content='{table}', content_rowid='id', detail=none, columnsize=0, tokenize='ascii')",
    'create trigger "{table}_index_add" after insert on "{table}" when new.words <> \'\' begin'
    ' insert into "{table}_index" (rowid, words) values (new.id, new.words); end',
    'create trigger "{table}_index_change" after update of words on "{table}" when old.words <> new.words begin'
    " insert into \"{table}_index\" (\"{table}_index\", rowid, words) select 'delete', old.id, old.words where old.words <> '';"
    " insert into \"{table}_index\" (rowid, words) select new.id, new.words where new.words <> ''; end",
    'create trigger "{table}_index_remove" after delete on "{table}" when old.words <> \'\' begin'
    ' insert into "{table}_index" ("{table}_index", rowid, words) values (\'delete\', old.id, old.words); end',
    'insert into "{table}_index" (rowid, words) select id, words from "{table}" where words <> \'\'',
)


def ensure(service: str, database: pw.Database) -> None:
    """Make the service's indexes where they are missing, of all rows that are there."""
    for table in SEARCHED.get(service, ()):
        _ensure(table, database)


def _ensure(table: str, database: pw.Database) -> None:
    if not database.table_exists(table):
        return
    if is_sqlite(database) and f"{table}_index" in database.get_tables():
        return
    with database.atomic():
        for statement in _SQLITE if is_sqlite(database) else _POSTGRESQL:
            database.execute_sql(statement.format(table=table))


class Wanted(Protocol):
    """What is looked for: `searching.Wanted`."""

    @property
    def words(self) -> Sequence[str]:
        """The words, as they are kept."""

    @property
    def beginning(self) -> bool:
        """Whether the last may be the beginning of a word."""


def search(query: Any, table: Any, wanted: Wanted, *, beginnings: bool = False) -> tuple[Any, Any]:
    """
    Return the query of a table limited to the rows that hold what is wanted, and the column to sort it by.

    Sorted by that column, which is the rows' id, a page costs what it shows: no match behind it is looked at. With `beginnings`
    every word may be the beginning of one, as in the names of people.
    """
    if not is_sqlite(table._meta.database):
        told = (":* & " if beginnings else " & ").join(f"'{word}'" for word in wanted.words)
        told += ":*" if wanted.beginning or beginnings else ""
        few = _few(table, told)
        if few is not None:
            return query.where(table.id.in_(few)), table.id
        vector = pw.Column(table._meta.table, "vector")
        return query.where(pw.Expression(vector, "@@", pw.Cast(pw.Value(told), "tsquery"))), table.id
    name = f"{table._meta.table_name}_index"
    index: Any = pw.Table(name, ("rowid", name))
    told = ("* AND " if beginnings else " AND ").join(f'"{word}"' for word in wanted.words)
    told += "*" if wanted.beginning or beginnings else ""
    found = query.join_from(table, index, on=(index.rowid == table.id))
    return found.where(pw.Expression(getattr(index, name), "MATCH", pw.Value(told))), index.rowid


_SETTINGS = "select set_config('enable_seqscan', %s, true), set_config('gin_fuzzy_search_limit', %s, true)"


def _few(table: Any, told: str) -> list[int] | None:
    """
    Return the ids of the rows that hold what is told, None where they are many.

    PostgreSQL takes rare words for more frequent than they are, and would walk back along the key past all rows to find one. So
    its index is asked first, and gives up early where a word is common: there the walk is short.
    """
    database = table._meta.database
    with database.atomic():
        database.execute_sql(_SETTINGS, ["off", str(10 * FEW)])
        statement = f'select id from "{table._meta.table_name}" where vector @@ %s::tsquery limit {FEW + 1}'
        found = [row[0] for row in database.execute_sql(statement, [told]).fetchall()]
        # The transaction may be the caller's, and go on.
        database.execute_sql(_SETTINGS, ["on", "0"])
    return found if len(found) <= FEW else None
