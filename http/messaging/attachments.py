"""
Files of a conversation: sent first, then claimed by a comment; handed out to whoever sees that comment, asked anew each time.

Bytes stream from the request to the disk and from the disk to the answer: memory does not grow with the file, and no transaction
is open meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Call, Conflict, Forbidden, Invalid, NotFound, Problem, Query, Reply
from baton.http.messaging.incoming import incoming
from baton.http.messaging.seeing import Seen, find_seen, lock_seen
from baton.http.messaging.views import AttachmentView
from baton.http.types import storable
from baton.models.database import read_tx
from baton.models.messaging import Attachment, Entry, files, stream
from baton.models.messaging.stream import NewEntry
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.conversation import EVENT, SYSTEM
from baton.pipelines.files import FileRefusedError, check_type, disposition, handed_out_as, media_type_of, safe_name

ONE = "/api/v1/tickets/{ticket_number}/attachments/{attachment_id}"
#: Nothing in a file may run even where a browser is led to show it.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


class UploadQuery(Query):
    """`filename` names a file whose bytes are the whole body; in multipart/form-data the part `file` has a name of its own."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(storable)] | None = None


def upload(call: Call, query: UploadQuery) -> Reply:
    """The file is kept, for a comment of the sender's on this ticket; one that no comment claims is deleted after a while."""
    settings = call.settings.attachments
    with read_tx(call.service):
        seen = find_seen(call.principal, call.params["ticket_number"])
        if files.count_unclaimed(call.principal.subject) >= settings.unclaimed:
            raise Conflict(f"{settings.unclaimed} files that you sent belong to no comment yet: write it, or delete some")
    stored_as, folder = files.new_name(), files.directory(call.settings)
    sent = incoming(call, query.filename, settings.max_bytes)
    size, digest, head = files.store_bytes(folder, stored_as, sent.pieces)
    filename = safe_name(sent.filename)
    try:
        media_type = media_type_of(head, filename)
        check_type(media_type, filename, settings.refused)
        if not size:
            raise FileRefusedError("the file is empty")
        with write_tx(call.service) as tx:
            kept = _keep(tx, call, seen.room.ticket_number, filename, media_type, size, digest, stored_as)
    except FileRefusedError as error:
        files.path_of(folder, stored_as).unlink(missing_ok=True)
        raise Invalid.of("file", str(error), "refused") from None
    except BaseException:
        files.path_of(folder, stored_as).unlink(missing_ok=True)
        raise
    location = f"/api/v1/tickets/{kept.ticket_number}/attachments/{kept.id}"
    return Reply(AttachmentView(**stream.attachment_view(kept)), headers={"Location": location})


def _keep(
    tx: Transaction, call: Call, number: str, filename: str, media_type: str, size: int, digest: str, stored_as: str
) -> Attachment:
    find_seen(call.principal, number)
    settings = call.settings.attachments
    return files.add_file(
        {
            "id": files.new_name(),
            "ticket_number": number,
            "author": call.principal.subject,
            "filename": filename,
            "media_type": media_type,
            "size": size,
            "sha256": digest,
            "stored_as": stored_as,
            "scan": files.WAITING if settings.scan else files.NONE,
            "scan_due_at": tx.now if settings.scan else None,
            "created_at": tx.now,
            "sweep_at": tx.now + timedelta(seconds=settings.keep_seconds),
        }
    )


def download(call: Call) -> Reply:
    """The file, to be saved and never shown; while it waits for its scan, or is infected, nobody gets it."""
    seen = find_seen(call.principal, call.params["ticket_number"])
    file, _ = _visible(call, seen)
    if file.scan == files.WAITING:
        raise Conflict("the file has not been scanned yet; try again in a moment", scan=file.scan)
    if file.scan == files.INFECTED:
        raise Conflict("the file is infected and is not handed out", scan=file.scan)
    path = files.path_of(files.directory(call.settings), file.stored_as)
    if not path.is_file():
        raise Problem(503, "unavailable", "temporarily unavailable", "the file's bytes cannot be reached at present")
    headers = {
        **_HEADERS,
        "Content-Type": handed_out_as(file.media_type),
        "Content-Length": str(file.size),
        "Content-Disposition": disposition(file.filename),
    }
    return Reply(stream=files.read_bytes(path), headers=headers, etag=file.sha256)


def delete(call: Call) -> Reply:
    """Nobody gets the file any more: for its sender, and for coordinators."""
    seen = lock_seen(call.tx, call.principal, call.params["ticket_number"])
    file, entry = _visible(call, seen)
    if file.author != seen.viewer.subject and not seen.viewer.coordinates:
        raise Forbidden("only its sender or a coordinator deletes a file")
    files.remove_file(call.tx, file)
    if entry is not None:
        told = NewEntry(
            kind=EVENT,
            visibility=entry.visibility,
            author=call.principal.subject,
            author_name=call.principal.name,
            side=seen.viewer.side or SYSTEM,
            event_kind="attachment_deleted",
            detail={"number": entry.number, "attachment": file.id},
        )
        stream.add_comment(call.tx, seen.room, told)
    return Reply(status=204)


def _visible(call: Call, seen: Seen) -> tuple[Attachment, Entry | None]:
    """Return the file the path names and the comment it belongs to; NotFound unless the caller sees that, or sent it just now."""
    file = files.find_file(seen.room.ticket_number, call.params["attachment_id"])
    if file is not None and file.entry_number is None and file.author == seen.viewer.subject:
        return file, None
    if file is not None and file.entry_number is not None:
        entry = stream.find_entry(file.ticket_number, file.entry_number, seen.viewer)
        if entry is not None and entry.deleted_at is None:
            return file, entry
    raise NotFound("there is no such file")
