"""
What comes back: delivery reports (RFC 3464) about mails of ours, which some server took and could not deliver after all.

1. A report says of each recipient what became of the mail. Only `failed` is a bounce; `delayed` and `delivered` are not.
2. The mail is named by its Message-ID, in the part of it that the report returns.
3. What is no such report, or about no mail of ours, is none of our business: an answer, a vacation notice, somebody else's.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

_OURS = re.compile(r"\s*<?([0-9a-f]{40})@[^\s<>]+>?\s*", re.ASCII)
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of ours that came back: the key of its Message-ID, and why in the server's words."""

    key: str
    reason: str


def read_bounce(content: bytes) -> Bounce | None:
    """Return what a mail that came in reports; None: it is no bounce of a mail of ours."""
    report: Any = email.message_from_bytes(content, policy=email.policy.default)
    if report.get_content_type() != "multipart/report":
        return None
    key, reason = "", None
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            reason = reason or _failure(part)
        elif kind in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            key = key or _key(part)
    return Bounce(key, reason) if key and reason is not None else None


def key_of(message_id: str) -> str | None:
    """Return the key in a Message-ID of ours; None: it is none of ours."""
    found = _OURS.fullmatch(message_id)
    return found[1] if found else None


def _failure(part: EmailMessage) -> str | None:
    """Return why a report's status part says that the mail failed for good, None when it does not."""
    for group in part.iter_parts() if part.is_multipart() else ():
        if str(group.get("Action", "")).strip().lower() == "failed":
            said = (str(group.get(name, "")).strip() for name in ("Status", "Diagnostic-Code"))
            return " ".join(" ".join(filter(None, said)).split())[:_LONGEST_REASON] or "no reason given"
    return None


def _key(part: EmailMessage) -> str:
    payload = part.get_payload()
    if isinstance(payload, list):
        headers: Any = payload[0]
    else:
        headers = email.message_from_string(str(payload), policy=email.policy.default)
    return key_of(str(headers.get("Message-ID", ""))) or ""
