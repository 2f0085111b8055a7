"""Heartbeats: a row per living process, so that a missing relay, scheduler or worker is seen."""

from __future__ import annotations

import os
import socket

from baton.models.database import DatabaseUnavailableError
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx

#: This process, as other rows and people name it.
INSTANCE = f"{socket.gethostname()}:{os.getpid()}"


def beat(service: str, kind: str, detail: str = "") -> bool:
    """Note that this process is alive, in one service's database; return False when the database cannot be reached."""
    heartbeat = runtime_tables(service).Heartbeat
    try:
        with write_tx(service) as tx:
            (
                heartbeat.insert(kind=kind, instance=INSTANCE, detail=detail, seen_at=tx.now)
                .on_conflict(
                    conflict_target=[heartbeat.kind, heartbeat.instance],
                    preserve=[heartbeat.seen_at, heartbeat.detail],
                )
                .execute()
            )
    except DatabaseUnavailableError:
        return False
    return True
