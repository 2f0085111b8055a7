"""Mails that came back, as told by whoever receives bounces: a mail server's filter, or a provider's web hook by way of one."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Body, Call, NotFound, Operation, View
from baton.http.types import storable
from baton.models.notifications import failure_store
from baton.models.notifications.email_tables import EmailDelivery
from baton.pipelines.emails.bounces import key_of


class NewBounce(Body):
    """The Message-ID of a mail of ours that came back, and why."""

    message_id: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"\S"), AfterValidator(storable)]


class BounceView(View):
    """Whether the bounce is news: false when it was told before, or the mail is one that was not sent."""

    recorded: bool


def record_bounce(call: Call, body: NewBounce) -> BounceView:
    """The mail's failure is in the list. Again: nothing changes."""
    key = key_of(body.message_id)
    if key is None or not EmailDelivery.select().where(EmailDelivery.message_id == key).exists():
        raise NotFound("no mail of ours has this Message-ID")
    return BounceView(recorded=failure_store.note_bounce(call.tx, key, body.reason))


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/notifications/bounces",
        record_bounce,
        permission="notifications.bounces",
        body=NewBounce,
        returns=BounceView,
        problems=(404,),
        summary="Tell that a mail came back",
        tag="failures",
    ),
)
