"""
Which mail it is: one Message-ID per delivery however often it is attempted, and one thread per ticket (RFC 5322, section 3.6.4).

A repeated attempt bears the same Message-ID, so that a receiver which already has the mail can tell the copy.
"""

from __future__ import annotations

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def message_id(key: str, domain: str) -> str:
    """Return the Message-ID of the delivery that has this key, which follows from what the mail is about and never changes."""
    return f"<{key}@{domain}>"


def thread_id(ticket_number: str, domain: str) -> str:
    """Return the Message-ID that all mails about a ticket refer to. No mail bears it: the thread has no first mail."""
    name = ticket_number if _SAFE.fullmatch(ticket_number) else _print(ticket_number)
    return f"<ticket.{name}@{domain}>"


def _print(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
