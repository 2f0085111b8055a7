"""The files of a replay: the event log grouped by case, the mapping, the journal of a run that was stopped, and the report."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from baton.pipelines.csv_rows import Row, read_header, read_rows
from baton.pipelines.import_mapping import MappingError, TicketMapping
from baton.pipelines.replay import Case, read_case
from baton.pipelines.replay_mapping import ReplayMapping, ReplayMappingError, parse_replay_mapping
from baton.scripts.import_files import MAPPINGS, load_mapping, open_source
from baton.scripts.replay_player import Played

REPORT_HEADER = ["case", "update", "kind", "reason"]


class ReplayFileError(Exception):
    """The file cannot be replayed; the message says why."""


def known_replay_mappings() -> list[str]:
    """Return the names of the mappings for replays that come with Baton."""
    return sorted(path.stem for path in MAPPINGS.glob("*-replay.toml"))


def load_replay_mapping(name_or_file: str) -> tuple[ReplayMapping, TicketMapping]:
    """Return a mapping by name or by file, and the one that makes its tickets. Raises ReplayFileError."""
    path = MAPPINGS / f"{name_or_file}.toml" if name_or_file in known_replay_mappings() else Path(name_or_file)
    try:
        mapping = parse_replay_mapping(tomllib.loads(path.read_text(encoding="utf-8")))
        return mapping, load_mapping(mapping.intake)
    except FileNotFoundError:
        known = ", ".join(known_replay_mappings())
        raise ReplayFileError(f"there is no mapping {name_or_file!r}; there are {known}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ReplayMappingError, MappingError) as error:
        raise ReplayFileError(f"{path}: {error}") from None


def read_cases(path: Path, mapping: ReplayMapping, limit: int | None) -> list[Case]:
    """
    Return the cases in the order of the file, at most `limit`.

    Raises:
        ReplayFileError: a column is missing, a row cannot be read, or a case's rows are not together.
    """
    with open_source(path, "utf-8") as source:
        header = read_header(source.lines)
        missing = [column for column in mapping.columns if column not in header]
        if missing:
            raise ReplayFileError(f"{path.name} lacks the columns {', '.join(missing)}, which the mapping needs")
        grouped = groupby(_whole(read_rows(source.lines, header)), key=lambda row: row.values[mapping.case])
        return list(_cases(islice(grouped, limit), mapping))


def _whole(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        if row.faults:
            raise ReplayFileError(f"row {row.number}: {row.faults[0].reason}")
        yield row


def _cases(grouped: Iterator[tuple[str, Iterator[Row]]], mapping: ReplayMapping) -> Iterator[Case]:
    seen: set[str] = set()
    for name, group in grouped:
        rows = list(group)
        if name in seen:
            raise ReplayFileError(f"row {rows[0].number}: the rows of {name} are not together")
        seen.add(name)
        try:
            yield read_case(name, [row.values for row in rows], mapping)
        except (KeyError, ValueError) as error:
            raise ReplayFileError(f"rows {rows[0].number} to {rows[-1].number}: the mapping does not know {error}") from None


class ReplayJournal:
    """
    The cases that a run has carried out, a line each. It saves time and decides nothing: the histories of the cases say which
    updates were carried out, so a run without it comes to the same end.
    """

    def __init__(self, directory: Path, source: Path, identity: str) -> None:
        self.path = directory / f"{hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:24]}.jsonl"
        self._identity = identity
        self._handle: Any = None

    def begin(self, *, resume: bool) -> dict[str, Played]:
        """Open the journal; return what an earlier run of the same file, mapping and servers noted, if it is to be resumed."""
        noted = self._noted() if resume else {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = self.path.open("w", encoding="utf-8")
        self._handle.write(json.dumps({"identity": self._identity}) + "\n")
        for played in noted.values():
            self.note(played)
        return noted

    def note(self, played: Played) -> None:
        """Take note that a case was carried out; one with faults is played again by the next run."""
        if not played.faults:
            self._handle.write(json.dumps({each.name: getattr(played, each.name) for each in fields(played)}) + "\n")
            self._handle.flush()

    def close(self, *, finished: bool) -> None:
        """Close the journal, and remove it when there is nothing left to resume."""
        self._handle.close()
        if finished:
            self.path.unlink(missing_ok=True)

    def _noted(self) -> dict[str, Played]:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return {}
        found: dict[str, Played] = {}
        for place, line in enumerate(lines):
            try:
                row = json.loads(line)
            except ValueError:
                break  # the line that was being written when the run was killed
            if place == 0 and row.get("identity") != self._identity:
                return {}
            if place:
                row["actions"] = Counter(row["actions"])
                row["impossible"] = [tuple(each) for each in row["impossible"]]
                found[row["case"]] = Played(**row)
        return found


def identity_of(path: Path, mapping: ReplayMapping, *urls: str) -> str:
    """Return what must be unchanged for a run to be resumed: the file, the mapping, the servers."""
    digest = hashlib.sha256(path.read_bytes())
    digest.update(f"{urls!r} {mapping!r}".encode())
    return digest.hexdigest()


def write_report(path: Path, rows: list[tuple[str, int, str, str]]) -> None:
    """Write what a replay has to tell: (case, update or 0, kind, reason) each."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(REPORT_HEADER)
        writer.writerows(rows)
