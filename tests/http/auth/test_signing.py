"""Signing keys: made once, published, rotated, and impossible to confuse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from falcon.testing import TestClient

from baton.http.jwks import JwksKeys, parse_key_set
from baton.http.tokens import InvalidTokenError, StaticKeys, Verifier, key_source
from baton.models.auth import SigningKey, keys
from baton.models.database import read_tx
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from tests.factories import BACKENDS
from tests.http.auth.organisation import PASSWORD, Organisation

Front = Callable[[], TestClient]


@pytest.fixture(params=["EdDSA", "RS256"])
def algorithm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both kinds of key pair."""
    monkeypatch.setenv("BATON_TOKEN_ALGORITHM", request.param)
    get_settings.cache_clear()
    found: str = request.param
    return found


def signed_in(auth: TestClient) -> str:
    """Return a fresh access token."""
    body = {"email": "Adminhdts@example.com", "password": PASSWORD}
    token: str = auth.simulate_post("/api/v1/sign-in", json=body).json["access_token"]
    return token


def published(auth: TestClient) -> dict[str, Any]:
    """Return the published key set."""
    document: dict[str, Any] = auth.simulate_get("/.well-known/jwks.json").json
    return document


def verifier_of(document: dict[str, Any]) -> Verifier:
    """Return a verifier that knows exactly these published keys."""
    return Verifier(StaticKeys(*parse_key_set(document).values()))


def test_tokens_verify_with_the_published_keys(algorithm: str, auth: TestClient, org: Organisation) -> None:
    token = signed_in(auth)

    document = published(auth)
    principal = verifier_of(document).principal(token, time.time())

    assert principal.subject == f"user:{org.admins['hdts'].id}"
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert len(document["keys"]) == 2, "the one in use and the next"
    assert all(key["alg"] == algorithm and "d" not in key and "p" not in key for key in document["keys"])
    headers = {"Authorization": f"Bearer {token}"}
    assert auth.simulate_get("/api/v1/session", headers=headers).status_code == 200, "auth checks with its own rows"


def test_a_public_key_cannot_be_used_as_a_shared_secret(algorithm: str, auth: TestClient, org: Organisation) -> None:
    token = signed_in(auth)
    claims = jwt.decode(token, options={"verify_signature": False}, audience="baton")
    kid = jwt.get_unverified_header(token)["kid"]
    with read_tx("auth"):
        public = SigningKey.get(SigningKey.kid == kid).public_pem.encode()
    forged = _hs256(claims, kid, public)
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": kid})

    for bad in (forged, unsigned, token[:-4] + "AAAA"):
        with pytest.raises(InvalidTokenError):
            verifier_of(published(auth)).principal(bad, time.time())
        answer = auth.simulate_get("/api/v1/session", headers={"Authorization": f"Bearer {bad}"})
        assert (answer.status_code, answer.json["title"]) == (401, "invalid token")


def _hs256(claims: dict[str, Any], kid: str, secret: bytes) -> str:
    """Sign by hand: PyJWT refuses to take a public key for a secret."""
    import base64
    import hashlib
    import hmac
    import json

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    header = {"alg": "HS256", "typ": "JWT", "kid": kid}
    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def test_rotation_signs_nobody_out(monkeypatch: pytest.MonkeyPatch, client: Any, org: Organisation) -> None:
    monkeypatch.setenv("BATON_TOKEN_ALGORITHM", "EdDSA")
    get_settings.cache_clear()
    from baton.http.auth import create_app

    settings = get_settings()
    auth = TestClient(create_app(settings, key_source(settings)))
    before, known_before = signed_in(auth), published(auth)

    keys.rotate("EdDSA", settings.access_token_seconds)
    after = signed_in(auth)

    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    assert verifier_of(known_before).principal(after, time.time()), "the next key was published before it was used"
    assert verifier_of(published(auth)).principal(before, time.time()), "the retired one still verifies"
    with read_tx("auth"):
        states = [key.state for key in SigningKey.select().order_by(SigningKey.id)]
    assert states == ["retired", "active", "next"]


def test_a_retired_key_is_withdrawn_when_its_last_token_has_expired(
    monkeypatch: pytest.MonkeyPatch, client: Any, org: Organisation
) -> None:
    keys.ensure_keys("EdDSA")
    keys.rotate("EdDSA", 900)
    with write_tx("auth") as tx:
        SigningKey.update(expires_at=tx.now).where(SigningKey.state == "retired").execute()

    assert len(published(client("auth"))["keys"]) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_processes_that_start_together_make_one_first_key(databases: Any) -> None:
    threads = [threading.Thread(target=keys.ensure_keys, args=("EdDSA",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read_tx("auth"):
        assert sorted(key.slot for key in SigningKey.select()) == ["EdDSA:active", "EdDSA:next"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_rotations_at_the_same_time_follow_each_other(databases: Any) -> None:
    keys.ensure_keys("EdDSA")
    threads = [threading.Thread(target=keys.rotate, args=("EdDSA", 900)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with read_tx("auth"):
        assert sorted(key.state for key in SigningKey.select()) == ["active", "next", *["retired"] * 4]


def test_with_a_shared_secret_nothing_is_published(client: Any, org: Organisation) -> None:
    auth = client("auth")

    assert jwt.get_unverified_header(signed_in(auth))["alg"] == "HS256"
    assert published(auth) == {"keys": []}


def test_auth_needs_no_request_to_itself(monkeypatch: pytest.MonkeyPatch, databases: Any) -> None:
    from baton.http import auth as front

    monkeypatch.setenv("BATON_TOKEN_ALGORITHM", "EdDSA")
    get_settings.cache_clear()
    seen: list[Any] = []
    monkeypatch.setattr(front, "create_service_app", lambda *given: seen.append(given[-1]))
    front.create_app(get_settings(), JwksKeys("http://127.0.0.1:9/unreachable"))

    assert seen[0].find("invented") is None, "the keys were read, and this is none of them"
    with read_tx("auth"):
        kids = [key.kid for key in SigningKey.select()]
    assert len(kids) == 2 and all(seen[0].find(kid) for kid in kids)
