"""
Verification keys from auth's published set, fetched when first needed.

Known keys go on counting while auth is down. A token with an unknown key id makes the set be fetched anew, though at most every
few seconds: anybody can invent key ids.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import structlog

from baton.http.tokens import KeysUnavailableError, VerificationKey

#: Least time between two fetches, in seconds: bounds what invented key ids cost auth.
REFETCH_SECONDS = 5.0
#: Age at which the set is fetched again, in seconds: a withdrawn key stops counting after this.
MAX_AGE_SECONDS = 300.0
#: Least time between two fetches while no key is known yet, in seconds: start order must not matter for long.
FIRST_FETCH_SECONDS = 1.0
#: After a failed renewal the known keys are kept for so long before auth is asked again, in seconds.
KEEP_SECONDS = 30.0
FETCH_TIMEOUT_SECONDS = 3.0
#: Key type -> the algorithm its signatures are checked with, whatever the token says.
_ALGORITHMS = {"OKP": "EdDSA", "RSA": "RS256"}

log = structlog.get_logger("baton.keys")


def fetch_json(url: str) -> Any:
    """Return the JSON document at a URL; raises httpx.HTTPError or ValueError."""
    response = httpx.get(url, timeout=FETCH_TIMEOUT_SECONDS)
    response.raise_for_status()
    return response.json()


class JwksKeys:
    """The keys of a JSON Web Key Set at a URL."""

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], Any] = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, VerificationKey] = {}
        self._stale_at = 0.0
        self._tried_at: float | None = None
        self._generation = 0
        self._failing = False
        self._lock = threading.Lock()

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key of this id, fetching the set when it is unknown or old; raises KeysUnavailableError."""
        if kid is None:
            return None
        if kid not in self._keys or self._stale():
            self._refresh(kid)
        if not self._keys:
            raise KeysUnavailableError(self._url)
        return self._keys.get(kid)

    def generation(self) -> int:
        """Return a number that changes when a key has been withdrawn."""
        if self._keys and self._stale():
            self._refresh("")
        return self._generation

    def state(self) -> dict[str, Any]:
        """Return how the keys stand, for the health answer."""
        if not self._keys:
            return {"status": "degraded" if self._tried_at is not None else "ok", "known_keys": 0, "url": self._url}
        return {"status": "degraded" if self._failing else "ok", "known_keys": len(self._keys), "url": self._url}

    def _stale(self) -> bool:
        return self._clock() > self._stale_at

    def _refresh(self, kid: str) -> None:
        # Whoever's key is known need not wait while another request fetches the set.
        if not self._lock.acquire(blocking=not self._keys or (kid != "" and kid not in self._keys)):
            return
        try:
            now = self._clock()
            pause = REFETCH_SECONDS if self._keys else FIRST_FETCH_SECONDS
            if self._tried_at is not None and now - self._tried_at < pause:
                return
            if kid in self._keys and not self._stale():
                return
            self._tried_at = now
            self._take(self._fetched())
        finally:
            self._lock.release()

    def _fetched(self) -> dict[str, VerificationKey]:
        try:
            return parse_key_set(self._fetch(self._url))
        except (httpx.HTTPError, ValueError, OSError) as error:
            log.warning("keys_not_fetched", url=self._url, reason=repr(error)[:200], known=len(self._keys))
            return {}

    def _take(self, keys: dict[str, VerificationKey]) -> None:
        self._failing = not keys
        if not keys:
            self._stale_at = self._clock() + KEEP_SECONDS
            return
        if not self._keys.keys() <= keys.keys():
            self._generation += 1
        self._keys = keys
        self._stale_at = self._clock() + MAX_AGE_SECONDS


def parse_key_set(document: Any) -> dict[str, VerificationKey]:
    """Return the usable public keys of a JWKS document by key id; what is not understood is left out."""
    found: dict[str, VerificationKey] = {}
    entries = document.get("keys") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            continue
        algorithm = _ALGORITHMS.get(str(entry.get("kty")))
        if algorithm is None or entry.get("use", "sig") != "sig" or "d" in entry:
            continue
        try:
            key = jwt.PyJWK(entry, algorithm=algorithm).key
        except jwt.PyJWTError:
            continue
        found[entry["kid"]] = VerificationKey(entry["kid"], algorithm, key)
    return found
