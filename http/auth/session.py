"""Sessions: renewing them with the refresh token, ending them, and saying who is signed in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, Operation, Reply, Unauthorized
from baton.http.auth.accounts import SessionView, account_of_id, session_view
from baton.http.auth.signing import ensure_signing_keys
from baton.http.auth.tokens_out import REFRESH_COOKIE, TokenView, forgotten, token_reply
from baton.http.types import storable
from baton.models.auth import sessions
from baton.models.transaction import write_tx
from baton.pipelines.sessions import PresentedToken, decide_refresh


class Refresh(Body):
    """The refresh token, where it does not come as a cookie."""

    refresh_token: Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)] | None = None


def refresh(call: Call, body: Refresh) -> Reply:
    """Use up the presented refresh token and hand out new tokens. A token used before ends its whole family."""
    ensure_signing_keys(call.settings)
    token = body.refresh_token if body.refresh_token is not None else call.cookie(REFRESH_COOKIE)
    if token is None:
        raise Unauthorized("no refresh token", "send the cookie, or refresh_token in the body", "no-refresh-token")
    # The refusal is raised after the transaction: ending the family must outlast it.
    with write_tx("auth") as tx:
        found = sessions.presented(token)
        account = account_of_id(found[1].subject_kind, found[1].subject_id) if found else None
        known = None
        if found is not None:
            row, family = found
            known = PresentedToken(
                expires_at=row.expires_at,
                used_at=row.used_at,
                family_expires_at=family.expires_at,
                family_revoked_at=family.revoked_at,
                owner_active=account is not None and account.row.is_active,
            )
        decision = decide_refresh(known, tx.now, call.settings.refresh_token_seconds)
        if found is not None and decision.end_family:
            sessions.end(found[1], tx.now, decision.why)
        if found is not None and account is not None and decision.expires_at is not None:
            sessions.use_up(found[0], tx.now)
            fresh = sessions.issue(found[1], tx.now, decision.expires_at)
            return token_reply(call.settings, account.principal, fresh, tx.now, decision.expires_at)
    raise Unauthorized("the session has ended", "sign in again", "session-ended")


def sign_out(call: Call, body: Refresh) -> Reply:
    """End the session of the presented refresh token, if any, and have the browser forget both tokens."""
    token = body.refresh_token if body.refresh_token is not None else call.cookie(REFRESH_COOKIE)
    if token is not None:
        with write_tx("auth") as tx:
            found = sessions.presented(token)
            if found is not None:
                sessions.end(found[1], tx.now, "signed out")
    return Reply(None, status=204, cookies=forgotten())


def read_session(call: Call) -> SessionView:
    """Return who is signed in, as the database has it now; 401 when the account has been switched off since."""
    principal = call.principal
    if principal.kind == "service":
        return session_view(principal)
    account = account_of_id(principal.kind, int(principal.id)) if principal.id.isdecimal() else None
    if account is None or not account.row.is_active:
        raise Unauthorized("the session has ended", "the account is not active", "session-ended")
    return session_view(account.principal)


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/refresh",
        refresh,
        permission="session.refresh",
        body=Refresh,
        returns=TokenView,
        transaction="none",
        problems=(401,),
        summary="Renew a session",
        description="Takes the refresh token from its cookie or from an optional body `{refresh_token}`. Each is used once.",
        tag="sessions",
    ),
    Operation(
        "POST",
        "/api/v1/sign-out",
        sign_out,
        permission="session.sign_out",
        body=Refresh,
        status=204,
        transaction="none",
        summary="End a session",
        description="Takes the refresh token as `/api/v1/refresh` does. Answers the same whether or not there was a session.",
        tag="sessions",
    ),
    Operation(
        "GET",
        "/api/v1/session",
        read_session,
        permission="session.read",
        returns=SessionView,
        problems=(401,),
        summary="Say who is signed in",
        tag="sessions",
    ),
)
