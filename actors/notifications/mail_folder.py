"""Mails as files, where no mail server is set: `.eml` files that any mail program opens. The same mail again is the same file."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from baton.pipelines.emails.attempts import Outcome

log = structlog.get_logger("baton.mail")


def write_file(folder: Path, delivery: int, message_id: str, content: bytes) -> Outcome:
    """The mail is a whole file in the folder, whatever dies when; several attempts leave one."""
    name = f"{delivery:08d}-{message_id.strip('<>').partition('@')[0][:16]}.eml"
    unfinished = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / name)
    except OSError as error:
        return Outcome(kind="unreachable", detail=f"the mail folder: {error}")
    log.info("mail_written", delivery=delivery, file=str(folder / name), remedy="set BATON_SMTP_URL or BATON_SENDGRID_KEY")
    return Outcome(kind="taken", reference=name)
