"""A ticket's life as its clocks see it: who waits for whom, and what comes first at one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from baton.pipelines.sla_lives import Life, Wait, first_reply, stretches, waiting, waits

START = datetime(2026, 6, 1, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def life(*, statuses: tuple[tuple[float, str], ...] = (), replies: tuple[tuple[float, str], ...] = ()) -> Life:
    return Life(
        ticket_number="HD-1",
        started_at=START,
        statuses=[(at(hours), status) for hours, status in statuses],
        replies=[(at(hours), side) for hours, side in replies],
    )


def test_an_answer_at_the_instant_of_a_question_comes_first() -> None:
    asked = life(replies=((1, "staff"), (2, "requester"), (2, "staff"), (3, "requester")))
    assert waits(asked, stretches(asked)) == [Wait(at(2), None, None)]
    asked = life(replies=((1, "staff"), (2, "requester"), (3, "requester"), (3, "staff")))
    assert waits(asked, stretches(asked)) == [Wait(at(2), at(3), "staff"), Wait(at(3), None, None)]


def test_thanks_after_the_resolution_wait_for_nothing() -> None:
    thanked = life(statuses=((2, "Resolved"),), replies=((1, "staff"), (3, "requester")))
    assert waits(thanked, stretches(thanked)) == []


def test_the_resolution_ends_a_wait_and_a_reopening_begins_none() -> None:
    reopened = life(statuses=((3, "Resolved"), (4, "Pending")), replies=((1, "staff"), (2, "requester"), (5, "requester")))
    assert waits(reopened, stretches(reopened)) == [Wait(at(2), at(3), "resolved"), Wait(at(5), None, None)]


def test_it_is_the_requesters_turn_from_the_first_of_several_answers() -> None:
    answered = life(replies=((4, "requester"), (2, "staff"), (3, "staff"), (5, "staff")))
    assert waiting(answered) == [(at(2), at(4)), (at(5), None)]


def test_a_reply_dated_before_the_ticket_counts_from_its_start() -> None:
    assert first_reply(life(replies=((-1, "staff"),))) == START


def test_holds_end_with_the_next_status_whichever_it_is() -> None:
    held = stretches(life(statuses=((1, "On Hold"), (2, "Pending"), (3, "On Hold"), (4, "Cancelled"))))
    assert [(each.end, each.end_kind, each.holds) for each in held] == [
        (at(4), "cancelled", [(at(1), at(2)), (at(3), at(4))]),
    ]


def test_closing_what_is_resolved_ends_nothing_again() -> None:
    (only,) = stretches(life(statuses=((1, "Resolved"), (2, "Closed"))))
    assert (only.end, only.end_kind) == (at(1), "resolved")


def test_a_status_written_later_never_counts_earlier() -> None:
    (first, second) = stretches(life(statuses=((2, "Resolved"), (1, "Pending"))))
    assert (first.end, second.start, second.end) == (at(2), at(2), None)
