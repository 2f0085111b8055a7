"""How far an import came that was stopped, so that the next run need not ask the server about what is done."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from baton.pipelines.answer_mapping import AnswerMapping
from baton.pipelines.import_mapping import TicketMapping


class Journal:
    """
    How far an import that was stopped came: every row up to `mark` is done, but for those in `rejected`.

    It exists only until the import is finished. It saves time and decides nothing: whoever starts over from the first row
    gets the same tickets. `witness` is the last ticket of the run, by which the next one sees that the server still has it.
    """

    def __init__(self, directory: Path, source: Path, identity: str) -> None:
        self.path = directory / f"{hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:24]}.json"
        self.identity = identity
        self.mark = 0
        self.rejected: set[int] = set()
        self.witness: dict[str, str] = {}

    def load(self) -> bool:
        """Take up what an earlier run of the same file, mapping and server left; return whether there was such."""
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            if state["identity"] != self.identity or not state["witness"]:
                return False
            self.mark, self.rejected = int(state["mark"]), set(state["rejected"])
            self.witness = dict(state["witness"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def forget(self) -> None:
        """Start from the first row."""
        self.mark, self.rejected, self.witness = 0, set(), {}

    def done(self, number: int) -> bool:
        """Whether an earlier run has filed this row."""
        return number <= self.mark and number not in self.rejected

    def note(self, number: int, *, refused: bool, ticket: str, key: str) -> None:
        """Take note that a row is done, in the order of the rows; a refused one is to be tried again by the next run."""
        if number > self.mark:
            self.mark = number
        if refused:
            self.rejected.add(number)
        else:
            self.rejected.discard(number)
            self.witness = {"ticket": ticket, "source_id": key}

    def save(self) -> None:
        """Write it in one act: a run that is killed leaves the old state or the new."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {"identity": self.identity, "mark": self.mark, "rejected": sorted(self.rejected), "witness": self.witness}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self.path)

    def remove(self) -> None:
        """Remove it: the import is finished."""
        self.path.unlink(missing_ok=True)


def identity_of(path: Path, mapping: TicketMapping | AnswerMapping, url: str) -> str:
    """Return what must be unchanged for a stopped import to be taken up: the file's size and ends, the mapping, the server."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        head = handle.read(65_536)
        handle.seek(max(size - 65_536, 0))
        digest = hashlib.sha256(head + handle.read())
    digest.update(f"{size} {url} {mapping!r}".encode())
    return digest.hexdigest()
