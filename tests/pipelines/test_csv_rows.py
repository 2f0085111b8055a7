"""Records of a CSV: text unchanged, bad records refused by themselves."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines import csv_rows
from baton.pipelines.csv_rows import Row, first_rows, read_header, read_rows

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


def rows_of(text: str, delimiter: str = ",") -> tuple[list[str], list[Row]]:
    lines = iter(io.StringIO(text, newline=""))
    header = read_header(lines, delimiter)
    return header, list(read_rows(lines, header, delimiter))


@given(st.lists(st.tuples(texts, texts, texts), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_every_text_comes_back_as_it_was_written(records: list[tuple[str, str, str]], line_end: str) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(records)

    _, rows = rows_of(stream.getvalue())

    assert [tuple(row.values.values()) for row in rows] == records
    assert [row.number for row in rows] == list(range(1, len(records) + 1))
    assert all(not row.faults for row in rows)


@given(st.text(max_size=200))
def test_whatever_the_text_is_reading_it_does_not_fail(text: str) -> None:
    for row in rows_of("a,b\n" + text)[1]:
        assert row.faults or set(row.values) == {"a", "b"}


def test_a_record_with_the_wrong_number_of_columns_is_refused_by_itself() -> None:
    _, rows = rows_of("a,b\n1,2\n1\n1,2,3\n5,6\n")

    assert [bool(row.faults) for row in rows] == [False, True, True, False]
    assert rows[1].faults[0].reason == "1 columns where the header has 2"
    assert rows[2].line == 4


def test_nul_and_bytes_that_are_not_text_are_refused_with_the_column_named() -> None:
    text = b"a,b\nx,\xff\ny,n\0l\nz,\xc3\xa9\n".decode("utf-8", "surrogateescape")

    _, rows = rows_of(text)

    assert [(fault.field, fault.reason) for row in rows for fault in row.faults] == [
        ("b", "bytes that are not text at character 1"),
        ("b", "holds the NUL character"),
    ]
    assert rows[2].values["b"] == "é"


def test_broken_quoting_is_refused_and_the_next_record_is_read() -> None:
    _, rows = rows_of('a,b\n"x"y,2\n3,4\n')

    assert rows[0].faults and "broken CSV" in rows[0].faults[0].reason
    assert rows[1].values == {"a": "3", "b": "4"}


def test_a_quote_that_is_never_closed_is_refused_and_does_not_swallow_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(csv_rows, "FIELD_LIMIT", 1_000)
    try:
        _, rows = rows_of('a,b\n1,"open\n' + "x,y\n" * 1_000)
    finally:
        csv.field_size_limit(131_072)

    assert rows[0].faults
    assert rows[-1].values == {"a": "x", "b": "y"}


def test_blank_lines_are_no_records_and_an_empty_file_has_no_header() -> None:
    assert rows_of("a,b\n\n1,2\n\n")[1][0].number == 1
    assert rows_of("") == ([], [])


def test_the_first_row_of_each_case_is_kept() -> None:
    _, rows = rows_of("n,s\n1,a\n1,b\n2,c\n3\n2,d\n3,e\n")

    kept = list(first_rows(rows, "n"))

    assert [row.values.get("s") for row in kept] == ["a", "c", None, "e"]
    assert list(first_rows(rows, None)) == rows


def test_memory_does_not_grow_with_the_file() -> None:
    def lines(count: int) -> Iterator[str]:
        yield "n,s\n"
        for number in range(count):
            yield f'{number},"{"text " * 40}"\n'

    def peak(count: int) -> int:
        source = lines(count)
        header = read_header(source)
        tracemalloc.start()
        for _ in first_rows(read_rows(source, header), "n"):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(100)
    assert peak(20_000) < peak(1_000) + 100_000
