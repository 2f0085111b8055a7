"""Turns are fair, whoever comes, goes, is away or full; nobody ineligible is picked; every pick says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.assignment import ITEM, OWNER, Candidate, Need, Pick, is_away, obstacle, take_turns
from baton.pipelines.waiting import MOST_PEOPLE, find_openings

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def person(number: int, **facts: object) -> Candidate:
    return Candidate(id=number, user_id=str(number), **facts)  # type: ignore[arg-type]


def needs(count: int, **facts: object) -> list[Need]:
    return [
        Need(kind=ITEM, subject_id=number, ticket_number=f"HD-{number:08}", role=1, task=number, **facts)  # type: ignore[arg-type]
        for number in range(count)
    ]


def play(members: list[Candidate], count: int, last_turn: int = 0, **facts: object) -> tuple[list[Pick], list[Candidate], int]:
    """Return the picks of one round, the members as they are after it, and the last turn."""
    outcome = take_turns(members, needs(count, **facts), last_turn, NOW)
    after = []
    for member in members:
        stamp = outcome.stamps.get(member.id)
        if stamp is not None:
            member = replace(member, last_turn=stamp.last_turn, open_items=member.open_items + stamp.items_opened)
        after.append(member)
    return outcome.picks, after, outcome.last_turn


def users(picks: list[Pick]) -> str:
    return " ".join("-" if pick.chosen is None else pick.chosen.user_id for pick in picks)


candidates = st.builds(
    Candidate,
    id=st.integers(1, 8),
    user_id=st.just(""),
    is_active=st.booleans(),
    away_from=st.none() | st.sampled_from([NOW - timedelta(days=1), NOW + timedelta(days=1)]),
    away_to=st.none() | st.sampled_from([NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1)]),
    capacity=st.none() | st.integers(0, 5),
    open_items=st.integers(0, 5),
    last_turn=st.integers(0, 20),
    email=st.none() | st.sampled_from(["a@example.com", "b@example.com"]),
)
roles = st.lists(candidates, max_size=8, unique_by=lambda each: each.id).map(
    lambda members: [replace(member, user_id=str(member.id)) for member in members]
)


@given(st.integers(1, 8), st.lists(st.integers(1, 7), min_size=1, max_size=12))
def test_turns_of_people_who_are_always_eligible_differ_by_at_most_one(people: int, batches: list[int]) -> None:
    members, turn, taken = [person(number) for number in range(people)], 0, Counter[str]()
    for batch in batches:
        picks, members, turn = play(members, batch, turn)
        taken.update(pick.chosen.user_id for pick in picks if pick.chosen is not None)
    counts = [taken[str(number)] for number in range(people)]
    assert sum(counts) == sum(batches) == turn
    assert max(counts) - min(counts) <= 1


@given(roles, st.lists(st.tuples(st.integers(1, 4), st.sets(st.integers(1, 8))), max_size=10))
def test_two_people_who_stay_eligible_take_turns_whatever_the_others_do(
    members: list[Candidate], rounds: list[tuple[int, set[int]]]
) -> None:
    steady = [person(101), person(102)]
    everybody, turn, taken = [*members, *steady], 40, Counter[str]()
    for count, away in rounds:
        present = [replace(each, is_active=each.id not in away) for each in everybody]
        picks, present, turn = play(present, count, turn)
        everybody = present
        taken.update(pick.chosen.user_id for pick in picks if pick.chosen is not None)
    assert abs(taken["101"] - taken["102"]) <= 1


@given(roles, st.integers(0, 6), st.randoms())
def test_the_order_in_which_members_are_read_changes_nothing(members: list[Candidate], count: int, random: object) -> None:
    shuffled = list(members)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert users(play(members, count, 20)[0]) == users(play(shuffled, count, 20)[0])


@given(roles, st.integers(0, 6))
def test_nobody_ineligible_is_ever_given_work(members: list[Candidate], count: int) -> None:
    picks, _, _ = play(members, count, 20, requester_email="a@example.com")
    opened = Counter[str]()
    for pick in picks:
        if pick.chosen is None:
            assert all(obstacle(m, m.open_items + opened[m.user_id], pick.need, NOW) for m in members)
            continue
        chosen = pick.chosen
        assert chosen.is_active and not is_away(chosen, NOW) and chosen.email != "a@example.com"
        opened[chosen.user_id] += 1
        assert chosen.capacity is None or chosen.open_items + opened[chosen.user_id] <= chosen.capacity


@given(roles, st.integers(0, 6))
def test_every_turn_is_used_once_and_the_sequence_rises(members: list[Candidate], count: int) -> None:
    picks, _, last = play(members, count, 20)
    turns = [pick.turn for pick in picks if pick.turn is not None]
    assert turns == list(range(21, 21 + len(turns))) and last == 20 + len(turns)


@given(roles)
def test_a_list_can_move_exactly_when_somebody_is_eligible(members: list[Candidate]) -> None:
    openings = find_openings(members, ITEM, NOW)
    eligible = [m for m in members if obstacle(m, m.open_items, needs(1)[0], NOW) is None]
    assert len(openings.people) == min(MOST_PEOPLE, len(eligible))
    assert openings.all_known == (len(eligible) < MOST_PEOPLE)


def test_a_1_two_who_are_away_in_turn_keep_the_rotation_fair() -> None:
    members, turn, order = [person(1), person(2), person(3)], 0, []
    for number in range(12):
        away = 2 if number % 2 == 0 else 3
        present = [replace(m, away_from=NOW if m.id == away else None) for m in members]
        picks, members, turn = play(present, 1, turn)
        order.append(users(picks))
    assert " ".join(order) == "1 2 3 1 3 2 1 2 3 1 3 2"


def test_a_3_after_somebody_left_the_next_in_line_follows_not_the_first_of_the_list() -> None:
    _, members, turn = play([person(1), person(2), person(3)], 2)
    members = [replace(member, is_active=member.id != 2) for member in members]
    assert users(play(members, 4, turn)[0]) == "3 1 3 1"


def test_a_4_a_new_member_gets_one_turn_and_then_every_fourth() -> None:
    _, members, turn = play([person(1), person(2), person(3)], 30)
    picks, _, _ = play([*members, person(4)], 12, turn)
    assert users(picks) == "4 1 2 3 4 1 2 3 4 1 2 3"


def test_a_4_whoever_comes_back_stands_where_they_left() -> None:
    _, members, turn = play([person(1), person(2), person(3)], 30)
    gone = [replace(member, is_active=member.id != 1) for member in members]
    _, gone, turn = play(gone, 4, turn)
    back = [replace(member, is_active=True) for member in gone]
    assert users(play(back, 4, turn)[0]) == "1 2 3 1"


def test_a_7_seven_steps_for_three_people_with_room_for_two_each_leave_one_waiting() -> None:
    members = [person(number, capacity=2) for number in (1, 2, 3)]
    picks, members, turn = play(members, 7)
    assert users(picks) == "1 2 3 1 2 3 -"
    assert picks[-1].reason == "nobody eligible: 3 at capacity"
    freed = [replace(member, open_items=member.open_items - (member.id == 2)) for member in members]
    assert users(play(freed, 1, turn)[0]) == "2"


def test_a_8_the_requester_is_skipped_and_a_role_of_one_waits_and_says_why() -> None:
    members = [person(1, email="a@example.com"), person(2)]
    picks, _, _ = play(members, 2, requester_email="a@example.com")
    assert users(picks) == "2 2"
    assert picks[0].considered[0]["verdict"] == "is the requester"
    alone, _, _ = play(members[:1], 1, requester_email="a@example.com")
    assert alone[0].reason == "nobody eligible: 1 is the requester"


def test_a_10_what_comes_back_goes_to_whoever_had_it_and_uses_no_turn() -> None:
    members = [person(1, last_turn=1), person(2, last_turn=2)]
    picks, after, turn = play(members, 1, 2, former="2")
    assert users(picks) == "2" and picks[0].turn is None and turn == 2
    assert after[1].last_turn == 2 and after[1].open_items == 1
    gone = [members[0], replace(members[1], is_active=False)]
    assert users(play(gone, 1, 2, former="2")[0]) == "1"


def test_an_absence_that_ended_counts_no_more_and_one_without_an_end_goes_on() -> None:
    assert not is_away(person(1, away_from=NOW - timedelta(days=2), away_to=NOW), NOW)
    assert is_away(person(1, away_from=NOW, away_to=None), NOW)
    assert is_away(person(1, away_from=None, away_to=NOW + timedelta(seconds=1)), NOW)
    assert not is_away(person(1, away_from=NOW + timedelta(seconds=1), away_to=None), NOW)


def test_capacity_does_not_limit_owning_a_ticket() -> None:
    full = person(1, capacity=1, open_items=1)
    need = replace(needs(1)[0], kind=OWNER)
    assert take_turns([full], [need], 0, NOW).picks[0].chosen == full


def test_ties_go_to_the_lower_user_id_counted_as_a_number() -> None:
    assert users(play([person(10), person(9), person(100)], 3)[0]) == "9 10 100"


def test_a_role_without_members_says_so() -> None:
    assert play([], 1)[0][0].reason == "the role has no active member"
