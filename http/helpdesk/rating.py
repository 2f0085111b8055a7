"""Rating: once a ticket is finished its requester may say how it went, and change their mind."""

from __future__ import annotations

from baton.http.api import Call, Conflict, NotFound, Operation
from baton.http.helpdesk.views import Rating, RatingView
from baton.models.helpdesk import tickets
from baton.models.helpdesk.tables import Ticket, TicketRating
from baton.pipelines.statuses import CLOSED, RESOLVED

#: Statuses in which there is an outcome to rate.
RATEABLE = (RESOLVED, CLOSED)


def rate(call: Call, body: Rating) -> RatingView:
    """The rating is kept; an earlier one is replaced."""
    ticket = _own(call)
    if ticket.status not in RATEABLE:
        raise Conflict(f"the ticket is {ticket.status}; it can be rated when it is {' or '.join(RATEABLE)}")
    values = {
        TicketRating.ticket: ticket.id,
        TicketRating.stars: body.stars,
        TicketRating.comment: body.comment,
        TicketRating.rated_by: call.principal.subject,
        TicketRating.rated_at: call.now,
    }
    kept = [TicketRating.stars, TicketRating.comment, TicketRating.rated_by, TicketRating.rated_at]
    TicketRating.insert(values).on_conflict(conflict_target=[TicketRating.ticket], preserve=kept).execute()
    return RatingView(ticket_number=ticket.number, stars=body.stars, comment=body.comment, rated_at=call.now)


def read_rating(call: Call) -> RatingView:
    """The rating of a ticket."""
    row_id = tickets.row_id_of(call.params["number"])
    ticket = Ticket.get_or_none(Ticket.id == row_id) if row_id else None
    if ticket is None or (call.principal.kind == "employee" and ticket.employee_id != call.principal.id):
        raise NotFound("there is no such ticket")
    rating = TicketRating.get_or_none(TicketRating.ticket == ticket.id)
    if rating is None:
        raise NotFound("the ticket has not been rated")
    return RatingView(ticket_number=ticket.number, stars=rating.stars, comment=rating.comment, rated_at=rating.rated_at)


def _own(call: Call) -> Ticket:
    row_id = tickets.row_id_of(call.params["number"])
    ticket = tickets.lock([row_id]).get(row_id) if row_id else None
    if ticket is None or ticket.employee_id != call.principal.id:
        raise NotFound("there is no such ticket")
    return ticket


_PATH = "/api/v1/tickets/{number}/rating"
OPERATIONS = (
    Operation(
        "PUT",
        _PATH,
        rate,
        permission="tickets.rate",
        body=Rating,
        returns=RatingView,
        problems=(404, 409),
        summary="Rate how a finished ticket was handled",
    ),
    Operation(
        "GET",
        _PATH,
        read_rating,
        permission="tickets.read",
        returns=RatingView,
        problems=(404,),
        summary="Read a ticket's rating",
    ),
)
