"""
Status sync: the workflow side decides a ticket's status, the side it was filed on ends up with the same one.

1. Every change of a ticket's status makes its status version one higher and is announced with that version.
2. It is announced to where the ticket came in: the submission gateway, or else helpdesk.
3. A receiver applies news only: a version higher than the newest it has. What arrives twice, late or out of order is no news.
   A sender that keeps no versions is believed as it comes.
"""

from __future__ import annotations

from baton.pipelines.messages import SendTicketStatus, UpdateGatewayStatus


def status_announcement(ticket_number: str, status: str, *, through_gateway: bool) -> SendTicketStatus | UpdateGatewayStatus:
    """Return the message that tells the ticket's origin of its status."""
    if through_gateway:
        return UpdateGatewayStatus(ticket_id=ticket_number, status=status)
    return SendTicketStatus(ticket_id=ticket_number, new_status=status)


def is_news(version: int | None, known_version: int | None) -> bool:
    """Return whether a message of this version says something newer than what is known."""
    return version is None or known_version is None or version > known_version
