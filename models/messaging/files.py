"""
The store of attachments: their rows, and their bytes under random names outside any web root.

A file is written first and becomes known by its row; a row goes first and its file afterwards. What a dying process leaves
behind is therefore a file without a row (swept by age) or a row marked removed (swept again). The functions that take no
directory run inside the caller's transaction.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import peewee as pw

from baton.models.database import is_sqlite
from baton.models.messaging.tables import Attachment, Entry
from baton.models.settings import Settings
from baton.models.transaction import Transaction

NONE, WAITING, CLEAN, INFECTED = "none", "waiting", "clean", "infected"
#: Bytes read or written at once.
CHUNK_BYTES = 65_536
#: First bytes that are looked at to say what a file is.
HEAD_BYTES = 2_048
#: Directories that files are spread over, by the first byte of their random names.
SHELVES = 256


def directory(settings: Settings) -> Path:
    """Return where attachments lie."""
    return settings.data_dir / "attachments"


def new_name() -> str:
    """Return a random name that nobody guesses: 192 bits in hexadecimal."""
    return secrets.token_hex(24)


def path_of(folder: Path, stored_as: str) -> Path:
    """Return where the file of this name lies; names are ours, never a caller's."""
    return folder / stored_as[:2] / stored_as


def store_bytes(folder: Path, stored_as: str, pieces: Iterable[bytes]) -> tuple[int, str, bytes]:
    """
    Write a file's bytes as they come; return their number, their SHA-256 and the first HEAD_BYTES. On any error nothing is left.

    When this returns, the file survives a power cut, its name in the directory included.
    """
    path = path_of(folder, stored_as)
    path.parent.mkdir(parents=True, exist_ok=True)
    size, digest, head = 0, hashlib.sha256(), b""
    try:
        with path.open("xb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
                head = (head + piece)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest(), head


def read_bytes(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in pieces; it is opened with the first."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def shelf_files(folder: Path, shelf: int) -> list[Path]:
    """Return the files that lie on one of the SHELVES among which their names spread them."""
    place = folder / f"{shelf:02x}"
    return [each for each in place.iterdir() if each.is_file()] if place.is_dir() else []


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def add_file(values: dict[str, Any]) -> Attachment:
    """Store a file's row; `values` are its columns."""
    return Attachment.create(**values)


def find_file(ticket_number: str, file_id: str) -> Attachment | None:
    """Return a ticket's file that was not removed, None when there is none of this id."""
    named = (Attachment.id == file_id) & (Attachment.ticket_number == ticket_number)
    return Attachment.get_or_none(named & Attachment.removed_at.is_null())


def count_unclaimed(author: str) -> int:
    """Return how many files somebody has sent that no comment has yet."""
    own = (Attachment.author == author) & Attachment.entry_number.is_null() & Attachment.removed_at.is_null()
    return Attachment.select().where(own).count()


def claim(entry: Entry, file_ids: Sequence[str]) -> int:
    """Give the author's files to their comment; return how many there were to give: none that is infected, or another's."""
    if not file_ids:
        return 0
    theirs = (Attachment.ticket_number == entry.ticket_number) & (Attachment.author == entry.author)
    free = Attachment.entry_number.is_null() & Attachment.removed_at.is_null() & (Attachment.scan != INFECTED)
    change = Attachment.update(entry_number=entry.number, sweep_at=None)
    return int(change.where(Attachment.id.in_(list(file_ids)) & theirs & free).execute())


def remove_file(tx: Transaction, attachment: Attachment) -> None:
    """Have nobody get a file any more; its bytes go with the next sweep."""
    gone = Attachment.update(removed_at=tx.now, sweep_at=tx.now, scan_due_at=None)
    gone.where(Attachment.id == attachment.id).execute()


def due_for_sweep(tx: Transaction, limit: int) -> list[Attachment]:
    """Return files whose time is over, locked: removed, or never claimed."""
    query = Attachment.select().where(Attachment.sweep_at <= tx.now).order_by(Attachment.sweep_at).limit(limit)
    return list(query if is_sqlite(tx.database) else query.for_update(skip_locked=True))


def mark_removed(tx: Transaction, attachments: Iterable[Attachment]) -> None:
    """Have nobody claim or get these files any more."""
    ids = [each.id for each in attachments]
    Attachment.update(removed_at=tx.now, scan_due_at=None).where(Attachment.id.in_(ids)).execute()


def forget_rows(file_ids: Sequence[str]) -> int:
    """Delete the rows of files whose bytes are gone."""
    return int(Attachment.delete().where(Attachment.id.in_(list(file_ids))).execute())


def known_names(names: Sequence[str]) -> set[str]:
    """Return which of these stored names have a row."""
    query = Attachment.select(Attachment.stored_as).where(Attachment.stored_as.in_(list(names)))
    return {row.stored_as for row in query}


def scans_waiting(now: datetime | None) -> bool:
    """Whether a file is due to be scanned at `now`; None: whether any waits at all."""
    due = Attachment.scan_due_at.is_null(False) if now is None else Attachment.scan_due_at <= now
    return bool(Attachment.select().where(due).exists())


def scan_backlog() -> tuple[int, datetime | None]:
    """Return how many files wait for their scan, and since when the oldest does."""
    waiting = Attachment.select(pw.fn.COUNT(Attachment.id), pw.fn.MIN(Attachment.created_at)).where(
        Attachment.scan_due_at.is_null(False)
    )
    count, oldest = waiting.scalar(as_tuple=True)
    return int(count), None if oldest is None else Attachment.created_at.python_value(oldest)


def pass_unscanned() -> int:
    """Let files go that wait for a scanner there is none of; return how many."""
    change = Attachment.update(scan=NONE, scan_due_at=None)
    return int(change.where(Attachment.scan_due_at.is_null(False) & (Attachment.scan == WAITING)).execute())


def claim_scans(tx: Transaction, limit: int, again_at: datetime) -> list[Attachment]:
    """Return files that are due to be scanned, and have nobody else scan them until `again_at`."""
    query = Attachment.select().where(Attachment.scan_due_at <= tx.now).order_by(Attachment.scan_due_at).limit(limit)
    found = list(query if is_sqlite(tx.database) else query.for_update(skip_locked=True))
    Attachment.update(scan_due_at=again_at).where(Attachment.id.in_([each.id for each in found])).execute()
    return found


def note_scan(file_id: str, scan: str, again_at: datetime | None) -> None:
    """Store what a scan found; `again_at` is when one that found nothing out is repeated."""
    change = Attachment.update(scan=scan, scan_attempts=Attachment.scan_attempts + 1, scan_due_at=again_at)
    change.where((Attachment.id == file_id) & Attachment.removed_at.is_null()).execute()
