"""The files of an import: the CSV as it streams in, mappings, and refused rows as they stream out."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from baton.pipelines.csv_rows import FIELD_LIMIT, Fault
from baton.pipelines.import_mapping import MappingError, TicketMapping, parse_mapping

MAPPINGS = Path(__file__).resolve().parent / "mappings"
REJECT_HEADER = ["row", "line", "source_id", "field", "reason"]
_HEADER_LINE = ",".join(REJECT_HEADER) + "\n"


class Source:
    """An open CSV file, plain or gzip by its content. `lines` are its lines, `read_bytes` how much of the file was read."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._raw = path.open("rb")
        zipped = self._raw.peek(2)[:2] == b"\x1f\x8b"
        stream: Any = gzip.GzipFile(fileobj=self._raw) if zipped else self._raw
        # A byte order mark is no text; bytes that are not text become lone surrogates, which refuse their row, not the file.
        encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
        self.size = os.fstat(self._raw.fileno()).st_size

    @property
    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends; one longer than any record may be comes in pieces, so that memory stays flat."""
        return iter(lambda: self._text.readline(FIELD_LIMIT * 2), "")

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file were taken off the disk."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()


@contextmanager
def open_source(path: Path, encoding: str) -> Iterator[Source]:
    """Give the file for the length of the block. Raises OSError, LookupError (no such encoding)."""
    source = Source(path, encoding)
    try:
        yield source
    finally:
        source.close()


def base_name(path: Path) -> str:
    """Return a file's name without `.gz`: what `{#file}` stands for."""
    return path.name.removesuffix(".gz")


def known_mappings() -> list[str]:
    """Return the names of the mappings that come with Baton; -replay and -sla are for `baton replay` and `baton sla`."""
    return sorted(path.stem for path in MAPPINGS.glob("*.toml") if not path.stem.endswith(("-replay", "-sla", "-answers")))


def load_mapping(name_or_file: str) -> TicketMapping:
    """
    Return a mapping that comes with Baton, by name, or one of your own, by file.

    Raises:
        MappingError: there is none, or it cannot be used.
    """
    path = MAPPINGS / f"{name_or_file}.toml"
    if name_or_file not in known_mappings():
        path = Path(name_or_file)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(f"there is no mapping {name_or_file!r}; there are {', '.join(known_mappings())}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"{path}: {error}") from None
    try:
        return parse_mapping(path.stem, document)
    except MappingError as error:
        raise MappingError(f"{path.name}: {error}") from None


class Rejects:
    """The file of refused rows. It is made with the first of them; one that an earlier run left is replaced or removed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._handle: IO[str] | None = None
        self._writer: Any = None

    def add(self, number: int, line: int, source_id: str, faults: tuple[Fault, ...]) -> None:
        """Note a refused row, one line per fault."""
        if self._handle is None:
            # What could not be read is shown escaped: the reject file itself must be readable.
            self._handle = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
            self._writer = csv.writer(self._handle, lineterminator="\n")
            self._writer.writerow(REJECT_HEADER)
        self.rows += 1
        for fault in faults:
            self._writer.writerow([number, line, source_id, fault.field, fault.reason])
        self._handle.flush()

    def close(self) -> None:
        """Close the file; without any refused row, remove the one that an earlier run left."""
        if self._handle is not None:
            self._handle.close()
        elif self.path.is_file() and self.path.open(encoding="utf-8", errors="replace").readline() == _HEADER_LINE:
            self.path.unlink()
