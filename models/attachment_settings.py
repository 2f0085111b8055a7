"""Settings of the files that people attach to tickets: how large, how many, where, and what looks at them first."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


class AttachmentSettingsError(Exception):
    """A value is malformed; the message names the variable and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentSettings:
    """
    What may be attached.

    `max_bytes` is the largest file, `unclaimed` how many files one person may have sent that no comment has yet, `keep_seconds`
    how long such files wait. `scan` is the command that looks at a file (its path is added): exit status 0 is clean, 1 infected,
    anything else not scanned, to be tried again. `scan_seconds` is the longest it may take. `refused` are media types and
    endings (`.exe`) that are not taken.
    """

    max_bytes: int = 25_000_000
    unclaimed: int = 20
    keep_seconds: int = 86_400
    scan: tuple[str, ...] = ()
    scan_seconds: int = 60
    refused: frozenset[str] = frozenset()


def load_attachment_settings(env: Mapping[str, str]) -> AttachmentSettings:
    """Read the attachments' settings; raises AttachmentSettingsError."""
    try:
        scan = tuple(shlex.split(env.get("BATON_ATTACHMENT_SCAN", "")))
    except ValueError as error:
        raise AttachmentSettingsError(f"BATON_ATTACHMENT_SCAN cannot be read as a command: {error}") from None
    named = env.get("BATON_ATTACHMENT_REFUSED", "").lower().split(",")
    return AttachmentSettings(
        max_bytes=_positive(env, "BATON_ATTACHMENT_MAX_BYTES", 25_000_000),
        unclaimed=_positive(env, "BATON_ATTACHMENT_UNCLAIMED", 20),
        keep_seconds=_positive(env, "BATON_ATTACHMENT_KEEP_SECONDS", 86_400),
        scan=scan,
        scan_seconds=_positive(env, "BATON_ATTACHMENT_SCAN_SECONDS", 60),
        refused=frozenset(filter(None, (name.strip() for name in named))),
    )


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) < 1:
        raise AttachmentSettingsError(f"{name} must be a whole number of at least 1, not {text[:40]!r}")
    return int(text)
