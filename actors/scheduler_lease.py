"""
Who leads among several schedulers: a row of each service's own database, which the leader renews and others take when it is over.

A service's jobs run where its lease is held. Each service has its own lease, so that one database that is away stops the jobs of
that service only, and so that a transaction can check the lease in the database that it changes.

1. A lease that is free or over is taken, and its token rises. The database's clock decides when it is over.
2. The leader renews it every RENEW_SECONDS. It believes in it for LEASE_SECONDS from before it asked, by a clock that only runs
   forward: one that was paused or cut off stops believing before anybody else may take over.
3. A process that stops gives its lease up. One that was killed is replaced when its lease is over; by a scheduler of the same
   machine, as soon as that sees that the process is gone.
4. Whoever fires checks the token last, in the transaction that fires (`fence`): if it has risen, the transaction is undone.
   What keeps anything from happening twice is not the lease but the rows themselves; it keeps two from doing the same work.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from baton.actors.heartbeat import INSTANCE
from baton.models import database as db
from baton.models.clock import asked_now
from baton.models.database import DatabaseUnavailableError
from baton.models.runtime import runtime_tables
from baton.models.transaction import Transaction, write_tx

#: How long a lease lasts without being renewed, and how often it is renewed or tried for, in seconds. Their sum is how long
#: nobody leads after a machine was lost. Shorter: a leader whose database is slow for a moment loses its lease.
LEASE_SECONDS, RENEW_SECONDS = 9.0, 3.0
NAME = "scheduler"
log = structlog.get_logger("baton.scheduler")

#: The token under which work is done, by service; empty where nobody leads: tests, commands, a person at a prompt.
_acting: ContextVar[dict[str, int] | None] = ContextVar("acting", default=None)


class NoLongerLeadingError(Exception):
    """Another scheduler has taken the lease meanwhile. The transaction is undone; the other does the work."""


def _place() -> str:
    """Return what a process id is valid in: this boot of this machine, and the namespace of its processes; "" where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


PLACE = _place()


def elapsed() -> float:
    """Return seconds on a clock that only runs forward, and that runs while the machine sleeps where the system has such one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Leadership:
    """This process's part in leading one service's jobs. One thread keeps it; any may ask."""

    def __init__(self, service: str, holder: str = INSTANCE, place: str = PLACE) -> None:
        self.service = service
        self.holder = holder
        self.place = place
        self._token: int | None = None
        self._until = 0.0

    @property
    def token(self) -> int | None:
        """The token while this process surely leads, else None."""
        return self._token if elapsed() < self._until else None

    def keep(self, also: Callable[[Transaction], None] | None = None) -> bool:
        """
        Renew the lease, or take it if it is free, over, or held by a process that is gone; return whether this process leads.

        `also` is done in the same transaction, if it does.

        Raises:
            DatabaseUnavailableError: it could not be renewed; this process leads until what it had is over.
        """
        asked = elapsed()
        lease = runtime_tables(self.service).Lease
        with db.read_tx(self.service):
            row = lease.get_or_none(lease.name == NAME)
            free = row is None or row.expires_at <= asked_now(self.service) or self._is_gone(row)
        if not free and not self._is_mine(row):
            self._lose()
            return False
        with write_tx(self.service) as tx:
            token = self._renew(tx, lease) if row is not None and self._is_mine(row) else self._take(tx, lease, row)
            if token is not None and also is not None:
                also(tx)
        if token is None:
            self._lose()
            return False
        if token != self._token:
            log.info("scheduler_leads", service=self.service, term=token, before=None if row is None else row.holder)
        self._token, self._until = token, asked + LEASE_SECONDS
        return True

    def resign(self) -> None:
        """Give the lease up, so that another takes it at its next try."""
        if self._token is None:
            return
        lease = runtime_tables(self.service).Lease
        try:
            with write_tx(self.service):
                mine = (lease.name == NAME) & (lease.holder == self.holder) & (lease.token == self._token)
                lease.update(expires_at=asked_now(self.service)).where(mine).execute()
        except DatabaseUnavailableError:
            pass  # it will be over by itself
        self._lose()

    @contextmanager
    def acting(self) -> Iterator[bool]:
        """Give whether this process leads; what runs in the block is fenced by the token it has now."""
        token = self.token
        if token is None:
            yield False
            return
        before = _acting.set({**(_acting.get() or {}), self.service: token})
        try:
            yield True
        finally:
            _acting.reset(before)

    def _lose(self) -> None:
        if self._token is not None:
            log.info("scheduler_leads_no_more", service=self.service, term=self._token)
        self._token, self._until = None, 0.0

    def _is_mine(self, row: Any) -> bool:
        return self._token is not None and row.holder == self.holder and row.token == self._token

    def _is_gone(self, row: Any) -> bool:
        """Whether the holder is a process of this very place that has ended. This process's own name is a predecessor's."""
        if not self.place or row.place != self.place or self._is_mine(row):
            return False
        pid = row.holder.rpartition(":")[2]
        return bool(pid.isdigit()) and (row.holder == self.holder or not Path(f"/proc/{pid}").exists())

    def _renew(self, tx: Transaction, lease: Any) -> int | None:
        mine = (lease.name == NAME) & (lease.holder == self.holder) & (lease.token == self._token)
        until = asked_now(self.service) + timedelta(seconds=LEASE_SECONDS)
        return self._token if lease.update(expires_at=until).where(mine).execute() else None

    def _take(self, tx: Transaction, lease: Any, row: Any) -> int | None:
        """Take the lease as it was seen; None when somebody else was quicker."""
        until = asked_now(self.service) + timedelta(seconds=LEASE_SECONDS)
        mine = {"holder": self.holder, "place": self.place, "expires_at": until}
        if row is None:
            made = lease.insert(name=NAME, token=1, **mine).on_conflict_ignore().returning(lease.token).execute()
            return 1 if list(made) else None
        seen = (lease.name == NAME) & (lease.token == row.token) & (lease.holder == row.holder)
        # A holder that renewed it since keeps it.
        taken = lease.update(token=row.token + 1, **mine).where(seen, lease.expires_at == row.expires_at).execute()
        return row.token + 1 if taken else None


def fence(tx: Transaction) -> None:
    """
    Check, as the last thing in a transaction, that the lease under which it works is still held.

    Raises:
        NoLongerLeadingError: another has it; the transaction must not commit.
    """
    token = (_acting.get() or {}).get(tx.service)
    if token is None:
        return
    lease = runtime_tables(tx.service).Lease
    now = lease.select(lease.token).where(lease.name == NAME).scalar()
    if now != token:
        raise NoLongerLeadingError(f"the lease of {tx.service} has token {now}; this process worked under {token}")
