"""
Signing in: an e-mail address and a password become an access token, a refresh token and two cookies.

1. Whoever failed too often, by account or by address, waits (`gate`).
2. The password is checked outside any transaction; an account that does not exist takes as long, and gets the same answer.
3. A failure is counted; a success clears the account's count and starts a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, Conflict, Operation, Reply, Unauthorized
from baton.http.auth import gate
from baton.http.auth.accounts import Account, account_of_email
from baton.http.auth.signing import ensure_signing_keys
from baton.http.auth.tokens_out import TokenView, token_reply
from baton.http.types import storable
from baton.models.auth import attempts, sessions
from baton.models.auth.passwords import passwords
from baton.models.database import read_tx
from baton.models.transaction import Transaction, write_tx
from baton.pipelines.credentials import LONGEST_EMAIL, LONGEST_PASSWORD
from baton.pipelines.sessions import family_expiry, token_expiry

#: Times a password is checked when its hash changes under the check: once for a renewal at the same moment, and to spare.
MOST_CHECKS = 3


class SignIn(Body):
    """Credentials. The address is compared without regard to case."""

    email: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_EMAIL), AfterValidator(storable)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PASSWORD), AfterValidator(storable)]


def sign_in(call: Call, body: SignIn) -> Reply:
    """Sign in."""
    ensure_signing_keys(call.settings)
    keys = gate.keys_of(call.address, body.email)
    with gate.turn(keys):
        for _ in range(MOST_CHECKS):
            reply = _attempt(call, body, keys)
            if reply is not None:
                return reply
    raise Conflict("the account is being changed; try again")


def _attempt(call: Call, body: SignIn, keys: Mapping[str, str]) -> Reply | None:
    """
    Return the answer to right credentials; None when the stored hash changed while the password was checked.

    Raises:
        Unauthorized: the credentials are wrong, and that has been counted.
    """
    hasher = passwords(call.settings.environment == "test")
    with read_tx("auth"):
        account = account_of_email(body.email)
    stored = account.row.password_hash if account is not None else None
    matches = hasher.matches(stored, body.password)
    fresh_hash = hasher.hash(body.password) if matches and stored and hasher.is_outdated(stored) else None
    with write_tx("auth") as tx:
        # Looked up again: the account may have been switched off meanwhile, or its hash replaced: by a new password, or by
        # another sign-in of the same person that renewed an outdated one.
        account = account_of_email(body.email)
        if account is not None and account.row.password_hash != stored:
            return None
        if account is not None and matches and account.row.is_active:
            attempts.clear("account", keys["account"])
            return _started(call, tx, account, fresh_hash)
        gate.count_failure(tx, keys)
    raise Unauthorized("e-mail address or password is wrong", slug="wrong-credentials")


def _started(call: Call, tx: Transaction, account: Account, fresh_hash: str | None) -> Reply:
    if fresh_hash is not None:
        model = type(account.row)
        model.update(password_hash=fresh_hash).where(model.id == account.row.id).execute()
    ends_at = family_expiry(tx.now)
    expires_at = token_expiry(tx.now, call.settings.refresh_token_seconds, ends_at)
    refresh_token = sessions.start(account.kind, account.row.id, tx.now, ends_at, expires_at)
    return token_reply(call.settings, account.principal, refresh_token, tx.now, expires_at)


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/sign-in",
        sign_in,
        permission="session.sign_in",
        body=SignIn,
        returns=TokenView,
        transaction="none",
        problems=(401, 409, 429, 503),
        summary="Sign in with e-mail address and password",
        description="Sets the cookies access_token and refresh_token, and returns both tokens for programs.",
        tag="sessions",
    ),
)

