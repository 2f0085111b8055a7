"""
What happens to files by themselves: the scan of new ones, where a scanner is set, and the sweep of those nobody wants.

Both run on a machine that has the attachments' directory. No transaction is open while a scanner works or a file is deleted.
"""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta

import structlog

from baton.actors.scheduler import every
from baton.models import database as db
from baton.models.attachment_settings import AttachmentSettings
from baton.models.messaging import Attachment, files
from baton.models.settings import get_settings
from baton.models.transaction import write_tx

#: Files that one run scans at most, and the seconds after which it begins no further one.
SCANS, SCAN_SECONDS = 20, 30.0
#: Longest pause before a file is scanned again whose scan found nothing out, in seconds.
LONGEST_PAUSE = 3_600
#: Files that one run sweeps at most.
SWEEPS = 200
#: Age at which a file without a row is no upload under way any more, in seconds.
STRAY_SECONDS = 86_400
#: What a scanner's exit status says; every other one says nothing.
VERDICTS = {0: files.CLEAN, 1: files.INFECTED}

log = structlog.get_logger("baton.attachments")


@every(2, "messaging")
def scan_attachments(service: str) -> int:
    """Have the files that wait for it scanned; return how many scans found something out."""
    settings = get_settings()
    with db.read_tx(service):
        if not files.scans_waiting(db.now(service) if settings.attachments.scan else None):
            return 0
    if not settings.attachments.scan:
        return _pass_unscanned(service)
    # Claimed for longer than all scans of this run may take: a scheduler that dies hands them on.
    lease = timedelta(seconds=SCAN_SECONDS + 2 * settings.attachments.scan_seconds)
    with write_tx(service) as tx:
        due = files.claim_scans(tx, SCANS, tx.now + lease)
    found, began = 0, time.monotonic()
    for attachment in due:
        if time.monotonic() - began > SCAN_SECONDS:
            break
        verdict = _scan(settings.attachments, str(files.path_of(files.directory(settings), attachment.stored_as).resolve()))
        found += verdict is not None
        _note(service, attachment, verdict)
    return found


@every(60, "messaging")
def sweep_attachments(service: str) -> int:
    """Delete files that were removed or that no comment claimed in time; return how many."""
    folder = files.directory(get_settings())
    with write_tx(service) as tx:
        due = files.due_for_sweep(tx, SWEEPS)
        files.mark_removed(tx, due)
    for attachment in due:
        files.path_of(folder, attachment.stored_as).unlink(missing_ok=True)
    if due:
        with write_tx(service):
            files.forget_rows([attachment.id for attachment in due])
    return len(due)


@every(60, "messaging")
def sweep_strays(service: str) -> int:
    """Delete files that uploads left behind whose process died: those of one shelf each time, all within a few hours."""
    # The machine's own clock, because files' times are its own too.
    now = time.time()
    shelf = int(now // 60) % files.SHELVES
    old = [
        path for path in files.shelf_files(files.directory(get_settings()), shelf) if now - path.stat().st_mtime > STRAY_SECONDS
    ]
    known: set[str] = set()
    with db.read_tx(service):
        for start in range(0, len(old), SWEEPS):
            known |= files.known_names([path.name for path in old[start : start + SWEEPS]])
    strays = [path for path in old if path.name not in known]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _pass_unscanned(service: str) -> int:
    """Hand out what waits for a scanner that is set no longer."""
    with write_tx(service):
        return files.pass_unscanned()


def _scan(settings: AttachmentSettings, path: str) -> str | None:
    """Return what the scanner says of a file; None when it says nothing."""
    try:
        done = subprocess.run([*settings.scan, path], capture_output=True, timeout=settings.scan_seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("scanner_failed", reason=str(error)[:300])
        return None
    if done.returncode not in VERDICTS:
        log.warning("scanner_failed", status=done.returncode, reason=done.stderr.decode("utf-8", "replace").strip()[:300])
    return VERDICTS.get(done.returncode)


def _note(service: str, attachment: Attachment, verdict: str | None) -> None:
    if verdict == files.INFECTED:
        log.warning("attachment_infected", attachment=attachment.id, ticket=attachment.ticket_number, author=attachment.author)
    pause = min(60 * 2 ** min(attachment.scan_attempts, 10), LONGEST_PAUSE)
    with write_tx(service) as tx:
        again_at = None if verdict else tx.now + timedelta(seconds=pause)
        files.note_scan(attachment.id, verdict or files.WAITING, again_at)
