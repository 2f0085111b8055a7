"""
Tokens: who a JWT says its bearer is, checked locally by every service with keys that only `auth` can sign with.

A key fixes its algorithm, so a token cannot choose one: `none`, or HS256 with a public key as its secret, is refused before any
signature is computed. Expired and bad tokens are told apart, as the contracts ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from baton.models.settings import Settings
from baton.pipelines.permissions import Principal

ISSUER = "baton-auth"
AUDIENCE = "baton"
#: Clocks of auth and of a service may differ by so many seconds.
LEEWAY_SECONDS = 5
REQUIRED_CLAIMS = ("sub", "iat", "exp", "jti", "iss", "aud")
KINDS = ("user", "employee", "service")
ALGORITHMS = ("EdDSA", "RS256", "HS256")
#: Longest token accepted, in characters: a header line is at most 8 kB.
TOKEN_LENGTH = 8_000
#: Verified tokens remembered per verifier, so that a signature is computed once per token, not once per request.
REMEMBERED_TOKENS = 2_000


class TokenError(Exception):
    """A token that does not count; ask the bearer to sign in."""


class InvalidTokenError(TokenError):
    """Not signed by auth, malformed, for somebody else, or without a required claim."""


class TokenExpiredError(TokenError):
    """Was good, and has expired."""


class KeysUnavailableError(Exception):
    """No verification key is known yet, because auth cannot be reached. Try again later."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key to check signatures with, and the only algorithm it is for."""

    kid: str
    algorithm: str
    key: Any


class KeySource(Protocol):
    """Where a verifier finds keys."""

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key of this id, None if there is none; raises KeysUnavailableError when it cannot tell."""

    def generation(self) -> int:
        """Return a number that changes whenever a key is removed: answers remembered before no longer count."""


class StaticKeys:
    """Keys known from the start. `find(None)` answers only when there is one key."""

    def __init__(self, *keys: VerificationKey) -> None:
        self._keys = {key.kid: key for key in keys}

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key of this id."""
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def generation(self) -> int:
        """Return 0: these keys never change."""
        return 0


class SharedSecret:
    """HS256: one secret that every service knows (a setting, for old services); a token's key id is ignored."""

    def __init__(self, secret: str) -> None:
        self._key = VerificationKey("shared", "HS256", secret.encode())

    def find(self, kid: str | None) -> VerificationKey | None:
        """Return the secret."""
        return self._key

    def generation(self) -> int:
        """Return 0: the secret never changes."""
        return 0


class Verifier:
    """Turns a token into a principal."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._remembered: dict[str, tuple[Principal, int, int]] = {}

    def principal(self, token: str, now: float) -> Principal:
        """
        Return who the token stands for at `now` (seconds since 1970).

        Raises:
            TokenExpiredError, InvalidTokenError: the token does not count.
            KeysUnavailableError: it cannot be checked at present.
        """
        known = self._remembered.get(token)
        if known is not None and known[2] == self._keys.generation():
            if now >= known[1] + LEEWAY_SECONDS:
                raise TokenExpiredError
            return known[0]
        claims = self._claims(token, now)
        principal = principal_of(claims)
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered.clear()
        self._remembered[token] = (principal, int(claims["exp"]), self._keys.generation())
        return principal

    def _claims(self, token: str, now: float) -> dict[str, Any]:
        try:
            if len(token) > TOKEN_LENGTH or not token.isascii():
                raise InvalidTokenError
            key = self._key_for(jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Times are compared below, with the caller's clock.
                options={"require": list(REQUIRED_CLAIMS), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            _check_times(claims, now)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise InvalidTokenError from error
        return claims

    def _key_for(self, header: Mapping[str, Any]) -> VerificationKey:
        kid = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not (kid is None or isinstance(kid, str)):
            raise InvalidTokenError
        key = self._keys.find(kid)
        if key is None or key.algorithm != header["alg"]:
            raise InvalidTokenError
        return key


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    for name in ("iat", "exp", "nbf"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidTokenError
    if max(claims["iat"], claims.get("nbf", claims["iat"])) > now + LEEWAY_SECONDS:
        raise InvalidTokenError
    if now >= claims["exp"] + LEEWAY_SECONDS:
        raise TokenExpiredError


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """Return the principal that verified claims describe; raises InvalidTokenError when they describe none."""
    kind, separator, identity = str(claims["sub"]).partition(":")
    name, email, roles = claims.get("name") or "", claims.get("email") or "", claims.get("roles") or []
    if kind not in KINDS or not separator or not identity:
        raise InvalidTokenError
    if not isinstance(name, str) or not isinstance(email, str) or not isinstance(roles, list):
        raise InvalidTokenError
    if not all(isinstance(role, str) and ":" in role for role in roles):
        raise InvalidTokenError
    return Principal(kind=kind, id=identity, name=name, email=email, roles=frozenset(roles))


def claims_of(principal: Principal, *, issued_at: int, seconds: int, token_id: str) -> dict[str, Any]:
    """Return the claims of an access token for a principal; `auth` signs them."""
    return {
        "sub": principal.subject,
        "name": principal.name,
        "email": principal.email,
        "roles": sorted(principal.roles),
        "iat": issued_at,
        "exp": issued_at + seconds,
        "jti": token_id,
        "iss": ISSUER,
        "aud": AUDIENCE,
    }


def key_source(settings: Settings) -> KeySource:
    """Return where this process finds verification keys: auth's published keys, or the shared secret if HS256 is set."""
    from baton.http.jwks import JwksKeys

    if settings.token_algorithm == "HS256":
        return SharedSecret(settings.token_secret)
    return JwksKeys(f"{settings.url('auth')}/.well-known/jwks.json")
