"""
SLA clocks: brought to what a ticket's rows say whenever it changed.

Clocks are worked out from facts and pinned matches (`pipelines.sla_tracking`): a message that comes twice, late or out of order
leaves the same clocks. Whoever fires a clock (`firing`) writes its events and what it fires next; tracking reads what has fired,
and takes back what does not hold any more, with what people were told of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from baton.actors.handling import Delivery, RefusedError, handles
from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow.sla_facts import read_book, read_facts
from baton.models.workflow.sla_journal import store_replies
from baton.models.workflow.sla_store import retract_events, store_clocks, store_matches
from baton.pipelines.firing_notices import event_name
from baton.pipelines.intake import MAX_NUMBER_LENGTH
from baton.pipelines.messages import NoteReply, RetractNotifications, TellTicketEvent, TrackClocks
from baton.pipelines.sla_firing import BREACH
from baton.pipelines.sla_lives import REQUESTER, STAFF
from baton.pipelines.sla_matching import Match
from baton.pipelines.sla_rows import book_of, facts_of, stored_of
from baton.pipelines.sla_tracking import Changes, changes_of, names_json, new_matches

#: Longest comment id and author in characters.
_MOST_CHARACTERS = 300


@handles(
    TrackClocks,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def track_clocks(tx: Transaction, deliveries: Sequence[Delivery[TrackClocks]]) -> None:
    """Bring the clocks of these tickets up to date; apply the policies as they are now where the message asks for it."""
    numbers: set[str] = set()
    applied: dict[str, tuple[datetime, str]] = {}
    for delivery in deliveries:
        message = delivery.message
        at = _instant(message.apply_at)
        if message.apply_for is not None and (at is None or not message.apply_for):
            delivery.refuse("`apply_for` must name who applies, `apply_at` an instant in ISO 8601 with its offset")
            continue
        numbers.update(message.ticket_numbers)
        if message.apply_for is not None and at is not None:
            applied.update(dict.fromkeys(message.ticket_numbers, (min(at, tx.now), message.apply_for)))
    bring_up_to_date(tx, numbers, applied)


@handles(
    NoteReply,
    service="workflow",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def note_reply(tx: Transaction, deliveries: Sequence[Delivery[NoteReply]]) -> None:
    """Keep who replied when, whether the ticket is known yet or not; the clocks follow in the same transaction."""
    replies: dict[str, tuple[str, str, str, str, datetime]] = {}
    for delivery in deliveries:
        message = delivery.message
        at = _instant(message.written_at)
        if at is None:
            delivery.refuse("`written_at` must be an instant in ISO 8601 with its offset")
        elif message.side not in (STAFF, REQUESTER):
            delivery.refuse(f"`side` must be {STAFF} or {REQUESTER}")
        elif not message.comment_id or max(len(message.comment_id), len(message.author)) > _MOST_CHARACTERS:
            delivery.refuse(f"`comment_id` and `author` must have at most {_MOST_CHARACTERS} characters, the id at least one")
        elif not message.ticket_number or len(message.ticket_number) > MAX_NUMBER_LENGTH:
            delivery.refuse(f"`ticket_number` must have 1 to {MAX_NUMBER_LENGTH} characters")
        else:
            # A clock that runs ahead elsewhere must not put a reply into the future.
            row = (message.comment_id, message.ticket_number, message.side, message.author, min(at, tx.now))
            replies.setdefault(message.comment_id, row)
    bring_up_to_date(tx, store_replies(tx, [replies[comment] for comment in sorted(replies)]))


def bring_up_to_date(
    tx: Transaction, ticket_numbers: set[str] | Sequence[str], applied: Mapping[str, tuple[datetime, str]] | None = None
) -> dict[str, Changes]:
    """
    Write what differs between these tickets' clocks and what they must be; return it by ticket number.

    `applied` names tickets that get the policies as they are now, from an instant on and on whose behalf. Unknown numbers are
    left out: a ticket's arrival announces itself.
    """
    rows = read_facts(tx, ticket_numbers)
    if not rows.tickets:
        return {}
    book = book_of(read_book(rows))
    found: dict[str, Changes] = {}
    for number in rows.tickets:
        facts = facts_of(rows, number)
        made = new_matches(facts, book, (applied or {}).get(number))
        found[number] = changes_of(facts, made, book, stored_of(rows, number))
    store_found(tx, found)
    return found


def store_found(tx: Transaction, found: Mapping[str, Changes]) -> None:
    """Write what differs, by ticket number, and tell of what is taken back. Hold the tickets' locks."""
    store_matches(
        tx,
        [_match_row(number, match) for number, each in found.items() for match in each.matches],
        replaced={(number, place) for number, each in found.items() for place in each.replaced},
    )
    store_clocks(
        tx,
        made=[(number, columns, pauses) for number, each in found.items() for columns, pauses in each.made],
        changed={clock: columns for each in found.values() for clock, columns in each.changed.items()},
        pauses={clock: pauses for each in found.values() for clock, pauses in each.pauses.items()},
        gone=[clock for each in found.values() for clock in each.gone],
    )
    retract_events(tx, {void.event: void.note for each in found.values() for void in each.retracted})
    for number, each in found.items():
        for void in each.retracted:
            if get_settings().notifications:
                tx.announce(RetractNotifications(event=event_name(void.event)), ticket_number=number)
            if void.kind == BREACH:
                tx.announce(
                    TellTicketEvent(
                        ticket_number=number,
                        event_id=f"sla-retracted:{void.event}",
                        kind="sla_breach_retracted",
                        text=f"The breach of the {void.metric.replace('_', ' ')} target no longer holds: {void.note}",
                        happened_at=tx.now.isoformat(),
                    ),
                    ticket_number=number,
                )


def _match_row(number: str, match: Match) -> tuple[object, ...]:
    names = names_json(match.names)
    return (
        number, match.number, match.at, match.version, match.calendar_version, match.mode, match.reason, names, match.decided_by,
        match.since,
    )  # fmt: skip


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if instant is None or instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
