"""
Telling those who follow tickets: what they should know, once for every change of it, in order.

The conversation service follows all of it, the requester the status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow.following import Followed, read_following, read_last_changes, read_told, store_told
from baton.models.workflow.intake_store import lock_tickets
from baton.pipelines.messages import FollowTicket, TellFollowers
from baton.pipelines.requester_notices import about_status


@handles(
    TellFollowers,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def tell_followers(tx: Transaction, deliveries: Sequence[Delivery[TellFollowers]]) -> None:
    """Tell of every ticket that differs from what was told of it last."""
    traces = {number: each.envelope.trace_id for each in deliveries for number in each.message.ticket_numbers}
    # The tickets' locks order the versions: two handlers never tell of one ticket at once.
    tickets = lock_tickets(tx, traces)
    told = read_told(tx, tickets)
    news = {}
    for number, content in sorted(read_following(tx, tickets).items()):
        before = told.get(number)
        if before is not None and before.content == content:
            continue
        version = 1 if before is None else before.version + 1
        news[number] = Followed(version, content)
        tx.announce(FollowTicket(**content), ticket_number=number, version=version, trace_id=traces[number])
    store_told(tx, news)
    if get_settings().notifications:
        _tell_requesters(tx, told, news, traces)


def _tell_requesters(
    tx: Transaction, told: Mapping[str, Followed], news: Mapping[str, Followed], traces: Mapping[str, str]
) -> None:
    changed = {
        number: (told[number].content, now)
        for number, now in news.items()
        if number in told and told[number].content["status"] != now.content["status"]
    }
    last = read_last_changes(tx, changed)
    for number, (before, now) in changed.items():
        item, actor = last.get(number, (None, ""))
        for message in about_status(before, now.content, version=now.version, last_item=item, actor=actor):
            tx.announce(message, ticket_number=number, trace_id=traces[number])
