"""
Signing access tokens, and checking them where they are signed.

The keys are rows of auth's own database, so this front verifies with them directly and needs no HTTP call to itself.
"""

from __future__ import annotations

import functools
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from baton.http.jwks import JwksKeys
from baton.http.tokens import claims_of
from baton.models.auth import SigningKey, keys
from baton.models.database import now, read_tx
from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

#: How long others may keep the published key set, in seconds. Rotation publishes a key long before it is used.
KEY_SET_MAX_AGE_SECONDS = 60


def ensure_signing_keys(settings: Settings) -> None:
    """Make the first keys if there are none. Call it outside any transaction; it costs one read when they exist."""
    if settings.token_algorithm == "HS256":
        return
    with read_tx("auth"):
        exists = keys.active_key(settings.token_algorithm) is not None
    if not exists:
        keys.ensure_keys(settings.token_algorithm)


def access_token(principal: Principal, settings: Settings) -> str:
    """
    Return an access token for the principal, signed as the settings say. Needs an open transaction, to read the key.

    Raises:
        RuntimeError: there is no key: `ensure_signing_keys` comes first.
    """
    claims = claims_of(
        principal,
        issued_at=int(time.time()),
        seconds=settings.access_token_seconds,
        token_id=uuid.uuid4().hex,
    )
    if settings.token_algorithm == "HS256":
        return jwt.encode(claims, settings.token_secret, algorithm="HS256", headers={"kid": "shared"})
    key = keys.active_key(settings.token_algorithm)
    if key is None:
        raise RuntimeError(f"no active {settings.token_algorithm} key")
    return jwt.encode(
        claims, _private_key(key.private_pem), algorithm=settings.token_algorithm, headers={"kid": key.kid}
    )


def key_set() -> dict[str, Any]:
    """Return the published key set (RFC 7517). Needs an open transaction. Public halves only."""
    return {"keys": [_public_jwk(key) for key in keys.published(now("auth"))]}


def own_keys(settings: Settings) -> JwksKeys:
    """Return where this front finds verification keys: its own database."""

    def fetch(_url: str) -> Any:
        ensure_signing_keys(settings)
        with read_tx("auth"):
            return key_set()

    return JwksKeys("the auth database", fetch=fetch)


def _public_jwk(key: SigningKey) -> dict[str, Any]:
    public: Any = serialization.load_pem_public_key(key.public_pem.encode())
    algorithm = OKPAlgorithm if key.algorithm == "EdDSA" else RSAAlgorithm
    return {**algorithm.to_jwk(public, as_dict=True), "kid": key.kid, "use": "sig", "alg": key.algorithm}


@functools.lru_cache(maxsize=8)
def _private_key(pem: str) -> Any:
    return serialization.load_pem_private_key(pem.encode(), password=None)


