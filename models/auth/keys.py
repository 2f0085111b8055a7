"""
Signing keys: made, published, used, retired.

A key is `next` before it is `active`, so that every service has read it from the published set before the first token is signed
with it; when it is `retired` it stays published until the last token it signed has expired. Private keys never leave auth.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from baton.models.auth.tables import SigningKey, for_update
from baton.models.transaction import Transaction, write_tx

#: Beyond the life of its last token, a retired key stays published for so long: clocks differ, requests take time.
RETIRED_MARGIN = timedelta(minutes=5)
RSA_BITS = 2048


def active_key(algorithm: str) -> SigningKey | None:
    """Return the key that tokens of this algorithm are signed with now; None before the first."""
    return SigningKey.get_or_none(SigningKey.slot == f"{algorithm}:active")


def ensure_keys(algorithm: str) -> None:
    """
    Make sure there is an active key and a next one. However many processes do so at once, one key of each is made.

    Opens its own transaction: call it outside any.
    """
    made = [_generate(algorithm, state) for state in ("active", "next")]
    with write_tx("auth") as tx:
        _insert(tx, made)


def rotate(algorithm: str, token_seconds: int) -> SigningKey:
    """
    Put the next key in use, retire the one before, make a new next one; return the key now active.

    `token_seconds` is how long tokens live. Opens its own transaction.
    """
    ensure_keys(algorithm)
    fresh = _generate(algorithm, "next")
    with write_tx("auth") as tx:
        slots = [f"{algorithm}:active", f"{algorithm}:next"]
        list(for_update(SigningKey.select().where(SigningKey.slot.in_(slots)).order_by(SigningKey.id)))
        expires_at = tx.now + timedelta(seconds=token_seconds) + RETIRED_MARGIN
        SigningKey.update(state="retired", slot=None, expires_at=expires_at).where(
            SigningKey.slot == f"{algorithm}:active"
        ).execute()
        SigningKey.update(state="active", slot=f"{algorithm}:active").where(
            SigningKey.slot == f"{algorithm}:next"
        ).execute()
        _insert(tx, [fresh])
        active = active_key(algorithm)
    if active is None:
        raise RuntimeError(f"no active {algorithm} key after rotating")
    return active


def published(now: Any) -> list[SigningKey]:
    """Return the keys that may still verify a token, or soon will: next, active, and retired but not expired."""
    return list(
        SigningKey.select()
        .where(SigningKey.expires_at.is_null() | (SigningKey.expires_at > now))
        .order_by(SigningKey.id)
    )


def _insert(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    SigningKey.insert_many([{**row, "created_at": tx.now} for row in rows]).on_conflict_ignore().execute()


def _generate(algorithm: str, state: str) -> dict[str, Any]:
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    if algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "kid": secrets.token_hex(8),
        "algorithm": algorithm,
        "private_pem": private.decode(),
        "public_pem": public.decode(),
        "state": state,
        "slot": f"{algorithm}:{state}",
    }
