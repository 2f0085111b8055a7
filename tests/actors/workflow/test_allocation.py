"""Triage: a pick by hand, a deployment that drains it, and nothing done twice."""

from __future__ import annotations

from typing import Any

import pytest

from baton.models.transaction import write_tx
from baton.models.workflow import Allocation, Task, TriageEntry, Workflow, definition_store
from baton.models.workflow.allocation_store import hold_deployments
from baton.pipelines.messages import AllocateTicket, DrainTriage
from tests.factories import BACKENDS

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def workflow(name: str) -> Workflow:
    found: Workflow = Workflow.get(Workflow.name == name)
    return found


def retire(name: str) -> None:
    with write_tx("workflow") as tx:
        definition_store.retire_workflow(tx, workflow(name))


def deploy(name: str) -> None:
    with write_tx("workflow") as tx:
        hold_deployments(tx, alone=True)
        found = workflow(name)
        version = definition_store.newest_version(tx, found.id)
        assert version is not None
        definition_store.deploy_version(tx, found, version)
        tx.announce(DrainTriage(workflow_id=found.id))


def test_deploying_a_matching_workflow_drains_triage_page_by_page_and_leaves_the_rest(desk: Any) -> None:
    retire("IT Support")
    numbers = [number for _ in range(3) for number in desk.file(50)]
    others = desk.file(2, category="thunderbird", department="")
    assert desk.counts() == (152, 0, 0, 152, 0)
    deploy("IT Support")
    desk.run()
    assert desk.counts() == (152, 150, 150, 2, 0)
    assert {desk.status(number) for number in numbers} == {"Assigned"}
    assert {desk.status(number) for number in others} == {"In Triage"}
    assert sorted(member.turns for member in (desk.member(user) for user in (11, 12, 13))) == [50, 50, 50]


def test_draining_delivered_three_times_changes_nothing_more(desk: Any) -> None:
    retire("IT Support")
    desk.file(3)
    deploy("IT Support")
    for _ in range(3):
        desk.send(DrainTriage(workflow_id=workflow("IT Support").id))
    desk.run()
    assert desk.counts() == (3, 3, 3, 0, 0)


def test_a_pick_by_hand_decides_over_the_rules_and_is_carried_out_once(desk: Any) -> None:
    (number,) = desk.file(category="thunderbird")
    budget = workflow("Budget Proposal")
    TriageEntry.update(chosen_workflow=budget.id, chosen_by="user:2").execute()
    for _ in range(3):
        desk.send(AllocateTicket(ticket_number=number))
    desk.run()
    assert Task.get().workflow_version == budget.deployed_version
    assert desk.counts() == (1, 1, 1, 0, 0)
    last = Allocation.select().order_by(Allocation.id.desc()).first()
    assert (last.reason, last.decided_by) == ("picked by user:2", "user:2")
    assert desk.told == [(number, "In Triage", 1), (number, "Assigned", 2)]


def test_allocating_a_ticket_that_nothing_matches_leaves_it_in_triage(desk: Any) -> None:
    (number,) = desk.file(category="thunderbird")
    desk.send(AllocateTicket(ticket_number=number), AllocateTicket(ticket_number="HD-unknown"))
    desk.run()
    assert desk.counts() == (1, 0, 0, 1, 0) and len(desk.told) == 1


def test_a_running_task_keeps_its_version_when_the_workflow_is_retired(desk: Any) -> None:
    desk.file()
    before = Task.get().workflow_version
    retire("IT Support")
    desk.file()
    assert Task.get().workflow_version == before
    assert desk.counts()[3] == 1
