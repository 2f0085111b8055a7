"""My work: one's own open items, the most urgent first, whatever else is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from baton.models.workflow.sla_tables import SlaClock
from baton.pipelines.permissions import Principal
from baton.pipelines.urgency import Job, in_order, urgency_of
from tests.conversing import counted
from tests.factories import bearer
from tests.http.work.conftest import Office

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
JOBS = st.builds(
    Job,
    id=st.integers(1, 99),
    state=st.sampled_from(["new", "in progress", "on hold"]),
    priority=st.sampled_from(["Low", "Medium", "High", "Critical", "odd"]),
    due_at=st.none() | st.integers(-5000, 5000).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)


def work(office: Office, who: Principal, **query: Any) -> Any:
    return office.front.simulate_get("/api/v1/work", params=query, headers=bearer(who)).json


@given(st.lists(JOBS, unique_by=lambda job: job.id))
def test_the_later_it_is_the_earlier_it_comes_and_what_is_on_hold_comes_last(jobs: list[Job]) -> None:
    ordered = in_order(jobs)
    assert sorted(job.id for job in ordered) == sorted(job.id for job in jobs)
    held = [job.state == "on hold" for job in ordered]
    assert held == sorted(held)
    due = [job.due_at for job in ordered if job.state != "on hold" and job.due_at is not None]
    assert due == sorted(due)
    ranks = {"late": 0, "soon": 1, "later": 2, "unpromised": 3, "on hold": 4}
    pressing = [ranks[urgency_of(job, NOW)] for job in ordered]
    assert pressing == sorted(pressing)


def test_only_open_items_of_ones_own_are_listed_with_their_tickets(office: Office) -> None:
    number, item = office.at_step_two()
    who = office.who(item.assignee)
    seen = work(office, who)
    assert [(job["ticket_number"], job["step"], job["state"]) for job in seen["items"]] == [(number, "Resolve", "new")]
    assert (seen["open"], seen["found"]) == (1, 1)
    office.act(item.assignee, item.id, "complete")
    assert work(office, who)["items"] == []


def test_what_is_due_first_comes_first_and_filters_narrow_the_list(office: Office) -> None:
    # The seeded policies' clocks are replaced by what this test says of them.
    numbers = office.file(6)
    assignee = office.item(numbers[0]).assignee
    mine = [number for number in numbers if office.item(number).assignee == assignee]
    now = datetime.now(UTC)
    SlaClock.update(stopped_at=now).execute()
    for place, number in enumerate(mine):
        due = now + timedelta(hours=3 - 5 * place)
        SlaClock.insert(
            ticket_number=number, metric="resolution", cycle=99, policy_version=1, calendar_version=1, target_seconds=1,
            started_at=now, counted_from=now, due_at=due, state="running", attached_at=now, match_reason="", updated_at=now,
        ).execute()  # fmt: skip
    who = office.who(assignee)
    seen = work(office, who)
    assert [job["ticket_number"] for job in seen["items"]] == list(reversed(mine))
    assert seen["late"] == len(mine) - 1
    assert [job["ticket_number"] for job in work(office, who, urgency="soon")["items"]] == mine[:1]
    assert [job["ticket_number"] for job in work(office, who, q=mine[0].lower())["items"]] == mine[:1]
    assert work(office, who, q="no such words")["items"] == []


def test_only_coordinators_ask_for_others_work(office: Office) -> None:
    _, item = office.at_step_two()
    other = office.who("33" if item.assignee != "33" else "32")
    path = {"assignee": item.assignee}
    assert office.front.simulate_get("/api/v1/work", params=path, headers=bearer(other)).status_code == 403
    assert len(work(office, office.who(21), **path)["items"]) == 1


def test_the_statements_do_not_grow_with_the_work(office: Office) -> None:
    counts = []
    for more in (1, 12):
        assignee = office.item(office.file(more)[-1]).assignee
        with counted("workflow") as statements:
            work(office, office.who(assignee))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6
