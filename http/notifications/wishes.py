"""How the caller wants to be told: preferences, settings, muted tickets; and the table of who hears what."""

from __future__ import annotations

from typing import Any

from baton.http.api import BadRequest, Call, Invalid, NotFound, Operation, Page, PageQuery, page
from baton.http.notifications.views import (
    AudienceReason,
    AudienceView,
    Choices,
    MuteView,
    PreferencesView,
    PreferenceView,
    SettingsBody,
    SettingsView,
)
from baton.http.types import NAME_LENGTH, is_storable
from baton.models.notifications import TicketMute, recipients
from baton.pipelines.audience import AUDIENCES, EMAIL, IN_APP, REASONS, REQUESTER, REQUESTER_TYPES, Audience
from baton.pipelines.notifying import Person


def read_audience(call: Call) -> list[AudienceView]:
    """Return the table of who hears what; a requester sees what requesters are told of."""
    return [AudienceView(**_audience(call, each)) for each in _types(call)]


def read_preferences(call: Call) -> PreferencesView:
    """Return what the caller is told of, and how."""
    chosen = recipients.read_choices([call.principal.subject]).get(call.principal.subject, {})
    items = [
        PreferenceView(
            **_audience(call, each),
            in_app=each.always_in_app or chosen.get((each.type, IN_APP), True),
            in_app_chosen=(each.type, IN_APP) in chosen,
            email=chosen.get((each.type, EMAIL)),
        )
        for each in _types(call)
    ]
    return PreferencesView(items=items)


def change_preferences(call: Call, body: Choices) -> PreferencesView:
    """The caller chose these; nothing changes unless all can be accepted."""
    known = {each.type: each for each in _types(call)}
    errors = []
    for index, choice in enumerate(body.preferences):
        kind = known.get(choice.type)
        if kind is None:
            errors.append(_error(f"preferences.{index}.type", f"is none of: {', '.join(known)}"))
        elif kind.always_in_app and choice.channel == IN_APP and choice.enabled is False:
            errors.append(_error(f"preferences.{index}.enabled", f"{kind.type} is always shown in the application"))
    if errors:
        raise Invalid(errors)
    choices: dict[tuple[str, str], bool | None] = {(choice.type, choice.channel): choice.enabled for choice in body.preferences}
    recipients.store_choices(call.principal.subject, choices)
    return read_preferences(call)


def read_settings(call: Call) -> SettingsView:
    """Return how the caller is told."""
    recipient = call.principal.subject
    stored = recipients.read_settings([recipient]).get(recipient)
    person = Person.of(recipient, stored, {}, call.settings.time_zone)
    has_hours = person.quiet.start != person.quiet.end
    return SettingsView(
        time_zone=person.time_zone,
        language=person.language,
        digest=person.digest,
        digest_at=_clock(person.digest_minute),
        quiet_from=_clock(person.quiet.start) if has_hours else None,
        quiet_until=_clock(person.quiet.end) if has_hours else None,
        quiet_days=sorted(person.quiet.days),
        breaches_through=person.breaches_through,
        chosen=stored is not None,
    )


def change_settings(call: Call, body: SettingsBody) -> SettingsView:
    """The caller wants to be told like this from now on; mails that wait already keep their time."""
    if (body.quiet_from is None) != (body.quiet_until is None):
        missing = "quiet_from" if body.quiet_from is None else "quiet_until"
        raise Invalid.of(missing, "quiet hours need both ends, or neither")
    values = {
        "time_zone": body.time_zone,
        "language": body.language,
        "digest": body.digest,
        "digest_minute": _minute(body.digest_at),
        "quiet_start": _minute(body.quiet_from or "00:00"),
        "quiet_end": _minute(body.quiet_until or "00:00"),
        "quiet_days": "".join(str(day) for day in sorted(set(body.quiet_days))),
        "breaches_through": body.breaches_through,
    }
    recipients.store_settings(call.principal.subject, values, call.now)
    return read_settings(call)


def list_mutes(call: Call, query: PageQuery) -> Page[MuteView]:
    """Return the tickets that the caller muted."""
    m = TicketMute
    found = m.select().where(m.recipient == call.principal.subject)
    return page(found, key=m.ticket_number, cursor=query.cursor, limit=query.limit, view=_mute_view)


def mute_ticket(call: Call) -> None:
    """The caller does not want to hear of this ticket, whether or not it exists: nothing is said about that."""
    recipients.mute(call.principal.subject, _ticket(call), call.now)


def unmute_ticket(call: Call) -> None:
    """The caller wants to hear of this ticket again."""
    if not recipients.unmute(call.principal.subject, _ticket(call)):
        raise NotFound("the ticket is not muted")


def _types(call: Call) -> list[Audience]:
    is_requester = call.principal.kind == "employee"
    return [each for each in AUDIENCES.values() if not is_requester or each.type in REQUESTER_TYPES]


def _audience(call: Call, each: Audience) -> dict[str, Any]:
    reasons = (REQUESTER,) if call.principal.kind == "employee" else each.reasons
    told = [AudienceReason(reason=reason, why=REASONS[reason], mailed=each.mailed[reason]) for reason in reasons]
    shared = ("type", "trigger", "always_in_app", "essential", "critical")
    return {"told": told, **{name: getattr(each, name) for name in shared}}


def _mute_view(row: TicketMute) -> MuteView:
    return MuteView(ticket_number=row.ticket_number, muted_at=row.muted_at)


def _ticket(call: Call) -> str:
    number = call.params["ticket_number"]
    if not is_storable(number) or len(number) > NAME_LENGTH:
        raise BadRequest("this is no ticket number")
    return number


def _error(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message, "type": "value_error"}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


_READ, _WRITE = "notifications.read", "notifications.write"
_PREFERENCES, _SETTINGS = "/api/v1/notification-preferences", "/api/v1/notification-settings"
_MUTE = "/api/v1/muted-tickets/{ticket_number}"
OPERATIONS = (
    Operation(
        "GET",
        "/api/v1/notification-types",
        read_audience,
        permission=_READ,
        returns=list[AudienceView],
        summary="Read who hears what",
    ),
    Operation(
        "GET", _PREFERENCES, read_preferences, permission=_READ, returns=PreferencesView, summary="Read one's own preferences"
    ),
    Operation(
        "PUT",
        _PREFERENCES,
        change_preferences,
        permission=_WRITE,
        body=Choices,
        returns=PreferencesView,
        summary="Change one's own preferences",
    ),
    Operation(
        "GET",
        _SETTINGS,
        read_settings,
        permission=_READ,
        returns=SettingsView,
        summary="Read one's own time zone, digest and quiet hours",
    ),
    Operation(
        "PUT",
        _SETTINGS,
        change_settings,
        permission=_WRITE,
        body=SettingsBody,
        returns=SettingsView,
        summary="Change one's own time zone, digest and quiet hours",
    ),
    Operation(
        "GET",
        "/api/v1/muted-tickets",
        list_mutes,
        permission=_READ,
        query=PageQuery,
        returns=Page[MuteView],
        summary="List the tickets one has muted",
    ),
    Operation("PUT", _MUTE, mute_ticket, permission=_WRITE, status=204, problems=(400,), summary="Mute a ticket"),
    Operation("DELETE", _MUTE, unmute_ticket, permission=_WRITE, status=204, problems=(400, 404), summary="Unmute a ticket"),
)
