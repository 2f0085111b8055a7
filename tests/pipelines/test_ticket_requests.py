"""The requester's copy of a status: it converges on the workflow's, and shows a request until that is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.statuses import TICKET_STATUSES
from baton.pipelines.ticket_requests import (
    REOPEN,
    WITHDRAW,
    News,
    RequestRefusedError,
    TicketState,
    apply_news,
    overrule,
    request,
)

OPEN = TicketState(status="Open")


def after(state: TicketState, *news: News) -> TicketState:
    for one in news:
        state = apply_news(state, one)
    return state


def asked(state: TicketState, kind: str, request_id: str = "r1") -> TicketState:
    result = request(state, kind, request_id)
    assert result is not None
    return result


histories = st.lists(st.sampled_from(TICKET_STATUSES), min_size=1, max_size=8).map(
    lambda statuses: [News(status=status, version=version) for version, status in enumerate(statuses, 1)]
)


@given(histories, st.randoms(use_true_random=False))
def test_news_in_any_order_and_any_number_of_times_end_at_the_newest(history: list[News], random: object) -> None:
    arrivals = history * 2
    random.shuffle(arrivals)  # type: ignore[attr-defined]
    end = after(OPEN, *arrivals)
    assert (end.status, end.version) == (history[-1].status, len(history))


@given(histories, histories, st.sampled_from([WITHDRAW, REOPEN]), st.randoms(use_true_random=False))
def test_both_sides_end_equal_whatever_crosses_a_request(
    before: list[News], later: list[News], kind: str, random: object
) -> None:
    """`later` is what the workflow side tells after `before`; one of its news, any of them, answers the request."""
    state = after(OPEN, *before)
    try:
        state = request(state, kind, "r1") or state
    except RequestRefusedError:
        return
    answer = random.randrange(len(later))  # type: ignore[attr-defined]
    arrivals = [
        News(status=news.status, version=len(before) + (news.version or 0), trace_id="r1" if place == answer else f"t{place}")
        for place, news in enumerate(later)
    ] * 2
    random.shuffle(arrivals)  # type: ignore[attr-defined]
    end = after(state, *arrivals)
    assert (end.status, end.pending) == (later[-1].status, None)


def test_news_without_a_version_apply_as_they_come_and_keep_the_version() -> None:
    state = after(OPEN, News(status="Assigned", version=3), News(status="Resolved"))
    assert (state.status, state.version) == ("Resolved", 3)
    assert after(state, News(status="Assigned", version=3)).status == "Resolved"


def test_what_was_on_its_way_does_not_undo_a_withdrawal() -> None:
    state = asked(after(OPEN, News(status="Pending", version=1)), WITHDRAW)
    crossing = apply_news(state, News(status="Assigned", version=2, trace_id="other"))
    assert (crossing.status, crossing.version, crossing.pending) == ("Withdrawn", 2, WITHDRAW)
    answered = apply_news(crossing, News(status="Withdrawn", version=3, trace_id="r1"))
    assert (answered.status, answered.version, answered.pending, answered.request_id) == ("Withdrawn", 3, None, None)


def test_a_refused_withdrawal_shows_the_status_that_holds() -> None:
    state = asked(after(OPEN, News(status="In Progress", version=1)), WITHDRAW)
    crossing = apply_news(state, News(status="Resolved", version=2, trace_id="other"))
    assert apply_news(crossing, News(status="Resolved", version=3, trace_id="r1")).status == "Resolved"


def test_an_answer_that_newer_news_overtook_still_ends_the_request() -> None:
    state = after(asked(OPEN, WITHDRAW), News(status="In Progress", version=5, trace_id="other"))
    assert state.status == "Withdrawn"
    state = apply_news(state, News(status="Assigned", version=4, trace_id="r1"))
    assert (state.status, state.version, state.pending) == ("In Progress", 5, None)


def test_a_reopened_ticket_shows_open_until_the_answer_comes() -> None:
    withdrawn = after(OPEN, News(status="Withdrawn", version=4))
    state = asked(withdrawn, REOPEN)
    assert state.status == "Open"
    assert apply_news(state, News(status="Withdrawn", version=4, trace_id="old")).status == "Open"
    assert apply_news(state, News(status="Assigned", version=5, trace_id="r1")).status == "Assigned"


def test_asking_again_for_what_holds_changes_nothing() -> None:
    assert request(asked(OPEN, WITHDRAW), WITHDRAW, "r2") is None
    assert request(TicketState(status="Withdrawn", version=3), WITHDRAW, "r2") is None
    assert request(asked(TicketState(status="Closed"), REOPEN), REOPEN, "r2") is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (TicketState(status="Resolved"), WITHDRAW),
        (TicketState(status="Closed"), WITHDRAW),
        (TicketState(status="Cancelled"), WITHDRAW),
        (TicketState(status="Open"), REOPEN),
        (TicketState(status="Cancelled"), REOPEN),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_the_reason(state: TicketState, kind: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        request(state, kind, "r1")
    assert state.status in caught.value.reason


def test_a_newer_request_takes_the_place_of_an_unanswered_one() -> None:
    state = asked(asked(OPEN, WITHDRAW, "r1"), REOPEN, "r2")
    assert (state.status, state.pending, state.requests) == ("Open", REOPEN, 2)
    state = apply_news(state, News(status="Withdrawn", version=1, trace_id="r1"))
    assert (state.status, state.pending) == ("Open", REOPEN)
    state = apply_news(state, News(status="Assigned", version=2, trace_id="r2"))
    assert (state.status, state.pending) == ("Assigned", None)


def test_a_change_of_mind_twice_over_shows_only_the_last_wish() -> None:
    state = asked(asked(asked(OPEN, WITHDRAW, "r1"), REOPEN, "r2"), WITHDRAW, "r3")
    shown = []
    for version, (status, trace) in enumerate([("Withdrawn", "r1"), ("Assigned", "r2"), ("Withdrawn", "r3")], 1):
        state = apply_news(state, News(status=status, version=version, trace_id=trace))
        shown.append(state.status)
    assert (shown, state.pending) == (["Withdrawn"] * 3, None)


def test_an_operators_word_ends_a_request_and_yields_to_newer_news() -> None:
    state = overrule(asked(OPEN, WITHDRAW), "Resolved")
    assert (state.status, state.pending) == ("Resolved", None)
    assert apply_news(state, News(status="Closed", version=1)).status == "Closed"
