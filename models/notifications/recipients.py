"""How recipients want to be told: their settings, their choices by type and channel, the tickets they muted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from baton.models.notifications.tables import Preference, TicketMute, UserSettings


def read_settings(recipients: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the settings of those of these recipients who have any, as columns by name."""
    query: Any = UserSettings.select().where(UserSettings.recipient.in_(sorted(set(recipients)))).dicts()
    return {row["recipient"]: row for row in query}


def store_settings(recipient: str, values: Mapping[str, Any], now: datetime) -> None:
    """The recipient has these settings now: every column but the recipient and the time."""
    row = {**values, "updated_at": now}
    statement = UserSettings.insert(recipient=recipient, **row)
    statement.on_conflict(conflict_target=[UserSettings.recipient], update=row).execute()


def read_choices(recipients: Iterable[str]) -> dict[str, dict[tuple[str, str], bool]]:
    """Return, by recipient, what each chose: (type, channel) -> on."""
    p = Preference
    found: dict[str, dict[tuple[str, str], bool]] = {}
    query: Any = p.select(p.recipient, p.type, p.channel, p.enabled).where(p.recipient.in_(sorted(set(recipients))))
    for recipient, kind, channel, enabled in query.tuples():
        found.setdefault(recipient, {})[kind, channel] = enabled
    return found


def store_choices(recipient: str, choices: Mapping[tuple[str, str], bool | None]) -> None:
    """The recipient chose these, (type, channel) -> on; None goes back to what everybody has."""
    p = Preference
    for (kind, channel), enabled in sorted(choices.items()):
        if enabled is None:
            p.delete().where(p.recipient == recipient, p.type == kind, p.channel == channel).execute()
        else:
            row = p.insert(recipient=recipient, type=kind, channel=channel, enabled=enabled)
            row.on_conflict(conflict_target=[p.recipient, p.type, p.channel], update={p.enabled: enabled}).execute()


def read_mutes(recipients: Iterable[str], ticket_numbers: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return which of these recipients muted which of these tickets."""
    m = TicketMute
    people, tickets = sorted(set(recipients)), sorted(set(ticket_numbers))
    if not tickets:
        return frozenset()
    query: Any = m.select(m.recipient, m.ticket_number).where(m.recipient.in_(people), m.ticket_number.in_(tickets))
    return frozenset(query.tuples())


def mute(recipient: str, ticket_number: str, now: datetime) -> None:
    """The recipient does not want to hear of this ticket."""
    row = TicketMute.insert(recipient=recipient, ticket_number=ticket_number, muted_at=now)
    row.on_conflict_ignore().execute()


def unmute(recipient: str, ticket_number: str) -> bool:
    """The recipient wants to hear of this ticket; return whether they had muted it."""
    m = TicketMute
    return bool(m.delete().where(m.recipient == recipient, m.ticket_number == ticket_number).execute())
