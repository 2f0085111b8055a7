"""Who listens on a port, as far as Linux tells."""

from __future__ import annotations

import os
from pathlib import Path

_LISTENING = "0A"


def holder_of(port: int) -> str | None:
    """Return the process that listens on a TCP port as `name (process N)`; None when that cannot be found out."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _inodes(Path("/proc/net") / table, port)}
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _holds(entry, wanted):
            return f"{_name(entry)} (process {entry.name})"
    return "another user's process"


def _inodes(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    fields = [line.split() for line in lines]
    return [f[9] for f in fields if f[3] == _LISTENING and int(f[1].rpartition(":")[2], 16) == port]


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(os.readlink(entry) in wanted for entry in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        words = " ".join((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split())
    except OSError:
        return "a process"
    return words if len(words) <= 60 else words[:57] + "..."
