"""Programs among themselves: services get tokens for the shared service secret, and everybody the public keys."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, Operation, Reply, Unauthorized, View
from baton.http.auth import gate
from baton.http.auth.signing import KEY_SET_MAX_AGE_SECONDS, access_token, ensure_signing_keys, key_set
from baton.http.types import storable
from baton.models.database import read_tx
from baton.models.transaction import write_tx
from baton.pipelines.permissions import Principal


class ServiceCredentials(Body):
    """A service's name, such as `workflow`, and the secret that services share."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    secret: Annotated[str, StringConstraints(max_length=1_000), AfterValidator(storable)]


class ServiceTokenView(View):
    """An access token for a service. `expires_in` is its life in seconds; ask again before it ends."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int


def create_service_token(call: Call, body: ServiceCredentials) -> ServiceTokenView:
    """
    Hand a service its token.

    The right secret is always taken: it is long and random, so throttling cannot protect it further, but could be abused to
    shut services out that share an address. Wrong ones are throttled by address, apart from people's sign-ins.
    """
    ensure_signing_keys(call.settings)
    if not hmac.compare_digest(body.secret.encode(), call.settings.service_secret.encode()):
        keys = gate.keys_of(f"service-token {call.address}", None)
        gate.check(keys)
        with write_tx("auth") as tx:
            gate.count_failure(tx, keys)
        raise Unauthorized("the service secret is wrong", slug="wrong-credentials")
    with read_tx("auth"):
        token = access_token(Principal("service", body.name, body.name), call.settings)
    return ServiceTokenView(access_token=token, expires_in=call.settings.access_token_seconds)


def read_keys(call: Call) -> Reply:
    """Return the public keys that tokens may be signed with. None with HS256: that secret is not published."""
    ensure_signing_keys(call.settings)
    with read_tx("auth"):
        document = key_set()
    return Reply(document, headers={"Cache-Control": f"public, max-age={KEY_SET_MAX_AGE_SECONDS}"})


class KeySetView(View):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/service-token",
        create_service_token,
        permission="service_token.create",
        body=ServiceCredentials,
        returns=ServiceTokenView,
        transaction="none",
        problems=(401, 429),
        summary="Get a token for a service",
        tag="programs",
    ),
    Operation(
        "GET",
        "/.well-known/jwks.json",
        read_keys,
        permission="keys.read",
        returns=KeySetView,
        transaction="none",
        summary="Read the keys that tokens are signed with",
        tag="programs",
    ),
)
