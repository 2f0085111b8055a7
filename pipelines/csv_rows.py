"""
Records of a CSV as they come off a file, one at a time: text unchanged, line breaks inside quotes included.

A record that cannot be a row (wrong number of columns, NUL, bytes that are not text, broken quoting) is refused by itself, with
the reason; the records after it are read all the same. Memory does not grow with the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

#: Longest text of one column, in characters. An unclosed quote swallows no more than this before it is noticed.
FIELD_LIMIT = 4_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a row is refused: the ticket's field or the file's column (empty: the row as a whole) and what is wrong."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record of the file: `number` counts data records from 1, `line` is the line it ends on. With `faults` it is no row."""

    number: int
    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def read_header(lines: Iterator[str], delimiter: str = ",") -> list[str]:
    """
    Return the column names and leave `lines` at the first record; empty when there is no first line.

    Raises:
        csv.Error: the first line is not CSV.
    """
    csv.field_size_limit(FIELD_LIMIT)
    return next(csv.reader(lines, delimiter=delimiter, strict=True), [])


def read_rows(lines: Iterable[str], header: list[str], delimiter: str = ",") -> Iterator[Row]:
    """
    Yield every record that follows the header, refused ones among them; blank lines are no records.

    `lines` must keep their line ends, and show bytes that are not text as lone surrogates (`errors="surrogateescape"`).
    """
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Row(number=number, line=reader.line_num + 1, faults=(Fault("", f"broken CSV: {error}"),))
            continue
        if record:
            number += 1
            yield _row(number, reader.line_num + 1, header, record)


def _row(number: int, line: int, header: list[str], record: list[str]) -> Row:
    if len(record) != len(header):
        reason = f"{len(record)} columns where the header has {len(header)}"
        return Row(number=number, line=line, faults=(Fault("", reason),))
    faults = tuple(
        Fault(column, reason)
        for column, text in zip(header, record, strict=True)
        if not text.isascii() or "\0" in text
        for reason in _unreadable(text)
    )
    return Row(number=number, line=line, values=dict(zip(header, record, strict=True)), faults=faults)


def _unreadable(text: str) -> Iterator[str]:
    if "\0" in text:
        yield "holds the NUL character"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        yield f"bytes that are not text at character {error.start + 1}"


def first_rows(rows: Iterable[Row], column: str | None) -> Iterator[Row]:
    """Yield the first row of each run of rows with the same value in `column`; all of them when it is None."""
    last: str | None = None
    for row in rows:
        key = row.values.get(column) if column is not None else None
        if key is None or key != last:
            yield row
        last = key if key is not None else last
