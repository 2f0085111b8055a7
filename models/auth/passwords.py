"""
Passwords: argon2id hashes.

Hashing takes tens of milliseconds of a core and many megabytes on purpose, so it never happens inside a transaction, and in a
process of green threads it happens on real ones, beside the event loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import argon2

#: Hashes computed at the same time in one process: bounds the memory that a rush of sign-ins can take (19 MiB each).
PARALLEL_HASHES = 2

Result = TypeVar("Result")


class Passwords:
    """
    Hashes and checks passwords. `cheap` hashes cost nothing and are for tests only.

    Parameters otherwise: 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet), some 22 ms of a core. The library's
    default takes nine times that, on four threads at once: on two cores a morning's sign-ins would starve everything else.
    A hash names its parameters, so they can be raised at any time; old hashes are renewed as their owners sign in.
    """

    def __init__(self, *, cheap: bool = False) -> None:
        passes, kibibytes = (1, 8) if cheap else (2, 19_456)
        self._hasher = argon2.PasswordHasher(time_cost=passes, memory_cost=kibibytes, parallelism=1)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        return _aside(lambda: self._hasher.hash(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """
        Whether the password is the one that was hashed. Takes as long when there is no account (None) as when there is one.
        """
        return _aside(lambda: self._matches(stored, password))

    def is_outdated(self, stored: str) -> bool:
        """Whether a stored hash was made with other parameters than today's: hash again at the next sign-in."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody's password")
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


@functools.cache
def passwords(cheap: bool) -> Passwords:
    """Return the process's hasher; `cheap` in the test environment only."""
    hasher = Passwords(cheap=cheap)
    hasher.matches(None, "")  # makes the stand-in hash now, so that the first unknown account takes no longer than the next
    return hasher


def _aside(work: Callable[[], Result]) -> Result:
    pool = _native_pool()
    return work() if pool is None else pool.apply(work)


@functools.cache
def _native_pool() -> Any:
    """Return gevent's pool of native threads, or None in a process of ordinary threads: argon2 releases the lock there."""
    from gevent import monkey

    if not monkey.is_module_patched("threading"):
        return None
    from gevent.threadpool import ThreadPool

    return ThreadPool(PARALLEL_HASHES)
