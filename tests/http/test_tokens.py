"""Tokens and the keys they are checked with. Who is let in with which token is tried in `test_hostile`."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from baton.http.jwks import MAX_AGE_SECONDS, REFETCH_SECONDS, JwksKeys
from baton.http.tokens import (
    InvalidTokenError,
    KeysUnavailableError,
    SharedSecret,
    StaticKeys,
    TokenExpiredError,
    VerificationKey,
    Verifier,
    claims_of,
)
from tests.factories import ADMIN

NOW = 1_800_000_000
PRIVATE = {"a": Ed25519PrivateKey.generate(), "b": Ed25519PrivateKey.generate()}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(kid: str | None = "a", key: Any = None, algorithm: str = "EdDSA", **changes: Any) -> str:
    claims = {**claims_of(ADMIN, issued_at=NOW, seconds=900, token_id="t1"), **changes}
    return jwt.encode(claims, key or PRIVATE["a"], algorithm=algorithm, headers={"kid": kid} if kid else {})


def public(kid: str) -> VerificationKey:
    return VerificationKey(kid, "EdDSA", PRIVATE[kid].public_key())


def jwk(kid: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(PRIVATE[kid].public_key()))
    return {**document, "kid": kid, "alg": "EdDSA", "use": "sig"}


def test_a_good_token_names_its_bearer() -> None:
    assert Verifier(StaticKeys(public("a"))).principal(token(), NOW) == ADMIN


def test_a_token_without_key_id_is_good_where_there_is_one_key() -> None:
    assert Verifier(StaticKeys(public("a"))).principal(token(None), NOW) == ADMIN
    with pytest.raises(InvalidTokenError):
        Verifier(StaticKeys(public("a"), public("b"))).principal(token(None), NOW)


def test_leeway_is_five_seconds_also_for_remembered_tokens() -> None:
    verifier = Verifier(StaticKeys(public("a")))
    for _ in range(2):
        assert verifier.principal(token(), NOW + 904) == ADMIN
        with pytest.raises(TokenExpiredError):
            verifier.principal(token(), NOW + 905)
    assert verifier.principal(token(iat=NOW + 5), NOW) == ADMIN
    with pytest.raises(InvalidTokenError):
        verifier.principal(token(iat=NOW + 6), NOW)


def test_a_public_key_is_no_shared_secret() -> None:
    pem = PRIVATE["a"].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    raw = PRIVATE["a"].public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    import base64
    import hashlib
    import hmac

    for secret in (pem, raw, b""):
        head, body, _ = token().split(".")
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"a"}').decode().rstrip("=")
        mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        forged = f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        with pytest.raises(InvalidTokenError):
            Verifier(StaticKeys(public("a"))).principal(forged, NOW)


def test_each_key_is_for_its_own_algorithm() -> None:
    keys = StaticKeys(public("a"), VerificationKey("r", "RS256", RSA.public_key()))
    assert Verifier(keys).principal(token("r", RSA, "RS256"), NOW) == ADMIN
    for kid, key, algorithm in (("a", RSA, "RS256"), ("r", PRIVATE["a"], "EdDSA"), ("r", RSA, "RS512"), ("r", RSA, "PS256")):
        with pytest.raises(InvalidTokenError):
            Verifier(keys).principal(token(kid, key, algorithm), NOW)


def test_a_shared_secret_takes_any_key_id_but_only_hs256() -> None:
    secret = "a shared secret of at least 32 bytes"
    verifier = Verifier(SharedSecret(secret))
    assert verifier.principal(token("whatever", secret, "HS256"), NOW) == ADMIN
    for bad in (token(), token("a", secret * 2, "HS512"), token("a", secret + "x", "HS256")):
        with pytest.raises(InvalidTokenError):
            verifier.principal(bad, NOW)


class Auth:
    """Stands in for auth's key set: counts the fetches, may be down."""

    def __init__(self, *kids: str) -> None:
        self.kids, self.fetches, self.down, self.time = list(kids), 0, False, 1000.0

    def fetch(self, _url: str) -> Any:
        self.fetches += 1
        if self.down:
            raise httpx.ConnectError("refused")
        return {"keys": [{"kty": "oct", "k": "AAAA", "kid": "secret"}, {"kid": 3}, "junk", *map(jwk, self.kids)]}

    def keys(self) -> JwksKeys:
        return JwksKeys("http://auth/jwks", self.fetch, lambda: self.time)


def test_keys_are_fetched_once_when_first_needed() -> None:
    auth = Auth("a")
    verifier = Verifier(auth.keys())
    assert auth.fetches == 0
    for number in range(3):
        verifier.principal(token(jti=str(number)), NOW)
    assert auth.fetches == 1


def test_an_unknown_key_id_fetches_at_most_every_few_seconds() -> None:
    auth = Auth("a")
    verifier = Verifier(auth.keys())
    verifier.principal(token(), NOW)
    auth.kids.append("b")
    with pytest.raises(InvalidTokenError):
        verifier.principal(token("b", PRIVATE["b"]), NOW)  # too soon after the first fetch
    auth.time += REFETCH_SECONDS
    assert verifier.principal(token("b", PRIVATE["b"]), NOW) == ADMIN
    fetches = auth.fetches
    for number in range(50):
        with pytest.raises(InvalidTokenError):
            verifier.principal(token(f"invented-{number}"), NOW)
    assert auth.fetches == fetches


def test_known_keys_count_while_auth_is_down() -> None:
    auth = Auth("a")
    verifier = Verifier(auth.keys())
    verifier.principal(token(), NOW)
    auth.down, auth.time = True, auth.time + MAX_AGE_SECONDS * 10
    assert verifier.principal(token(jti="another"), NOW) == ADMIN


def test_without_any_key_it_cannot_tell_and_recovers() -> None:
    auth = Auth("a")
    auth.down = True
    verifier = Verifier(auth.keys())
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            verifier.principal(token(), NOW)
    assert auth.fetches == 1
    auth.down, auth.time = False, auth.time + REFETCH_SECONDS
    assert verifier.principal(token(), NOW) == ADMIN


def test_a_withdrawn_key_stops_counting_also_for_remembered_tokens() -> None:
    auth = Auth("a", "b")
    verifier = Verifier(auth.keys())
    assert verifier.principal(token(), NOW) == ADMIN
    auth.kids.remove("a")
    auth.time += MAX_AGE_SECONDS + 1
    with pytest.raises(InvalidTokenError):
        verifier.principal(token(), NOW)


def test_a_symmetric_or_private_key_in_the_set_is_not_taken() -> None:
    keys = Auth("a").keys()
    assert keys.find("secret") is None
    assert keys.find("a") is not None


def test_a_front_without_keys_answers_503(databases: Any) -> None:
    from falcon.testing import TestClient

    from baton.http.api import create_service_app
    from tests.http.demo import OPERATIONS

    auth = Auth("a")
    auth.down = True
    client = TestClient(create_service_app("helpdesk", OPERATIONS, databases, auth.keys()))
    now = int(time.time())
    answer = client.simulate_get("/who", headers={"Authorization": f"Bearer {token(iat=now, exp=now + 60)}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    health = client.simulate_get("/health", headers={"Authorization": f"Bearer {token()}"})
    assert (health.status_code, health.json["checks"]["auth"]["status"]) == (200, "degraded")


def test_nobody_waits_for_a_renewal_while_their_key_is_known() -> None:
    auth = Auth("a")
    keys = auth.keys()
    verifier = Verifier(keys)
    verifier.principal(token(), NOW)
    auth.time += MAX_AGE_SECONDS + 1
    with keys._lock:  # another request is fetching the set
        assert verifier.principal(token(jti="another"), NOW) == ADMIN
