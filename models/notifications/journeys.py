"""What people were told of a ticket, for `baton trace`."""

from __future__ import annotations

from typing import Any

from baton.models.notifications.email_tables import EmailDelivery
from baton.models.notifications.tables import Notification

#: Notifications of one ticket that a journey shows at most.
_MOST = 1_000


def journey(ticket_number: str) -> list[dict[str, Any]]:
    """Return who was told what of a ticket, oldest first: `at`, `service`, `event`, `detail` (one line, without the text)."""
    n, e = Notification, EmailDelivery
    query: Any = (
        n.select(n.created_at, n.recipient, n.type, n.reason, n.in_app, e.state, e.send_after)
        .left_outer_join(e, on=(e.id == n.email))
        .where(n.ticket_number == ticket_number)
        .order_by(n.id)
        .limit(_MOST)
    )
    return [{"at": at, "service": "notifications", "event": "told", "detail": _detail(*rest)} for at, *rest in query.tuples()]


def _detail(recipient: str, kind: str, reason: str, in_app: bool, state: str | None, send_after: Any) -> str:
    shown = "" if in_app else ", not shown"
    mailed = (
        "" if state is None else f", mail {state}" + (f" until {send_after:%Y-%m-%d %H:%M:%S}Z" if state == "pending" else "")
    )
    return f"{recipient} of {kind} as {reason or 'recipient'}{shown}{mailed}"
