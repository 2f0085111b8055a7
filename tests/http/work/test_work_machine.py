"""Random people do random things to several tasks, while messages come late, twice and out of order: what always holds."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from baton.actors.workflow.holds import resume_due
from baton.models.runtime import runtime_tables
from baton.models.transaction import write_tx
from baton.models.workflow import (
    TABLES,
    Approval,
    ItemHold,
    Member,
    Role,
    Step,
    Task,
    TaskItem,
    TaskItemHistory,
    TicketSnapshot,
    WaitingEntry,
)
from baton.pipelines.messages import CATALOGUE
from baton.pipelines.statuses import FINAL_ITEM_STATES
from baton.pipelines.work import ITEM_ACTIONS, TASK_ACTIONS
from tests.http.work.conftest import ROLES

USERS = ("11", "12", "21", "22", "31", "32", "33")
WORDS = {
    "comment": "a word", "reason": "because", "transition": "Resolve", "priority": "High",
    "resume_at": "2999-01-01T00:00:00Z",
}  # fmt: skip
CATEGORIES = (("IT Support", "IT Department"), ("Budget Proposal", "Budget Department"), ("nothing", "nowhere"))


class Machine(RuleBasedStateMachine):
    """An office in which messages are carried only when a rule says so, some of them again."""

    office: Any

    @initialize(approvals=st.integers(0, 2), capacity=st.sampled_from([None, 1, 3]))
    def open(self, approvals: int, capacity: int | None) -> None:
        """Begin with nothing but people and workflows."""
        from baton.actors.workflow import seeding

        self.carried: list[tuple[Any, dict[str, Any], int | None]] = []
        with write_tx("workflow") as tx:
            for table in (*TABLES, runtime_tables("workflow").Outbox):
                table.delete().execute()
            seeding.seed_roles(tx)
            seeding.seed_workflows(tx)
        for name, role_id in ROLES.items():
            self.office.role(role_id, name, *(int(user) for user in USERS if user[0] == role_id))
        Step.update(approvals_needed=approvals).where(Step.position == 2).execute()
        admin = Role.get(Role.role_id == "1")
        Step.update(escalation_role=admin.id).where(Step.position == 2).execute()
        Member.update(capacity=capacity).execute()
        self.office.file(2)

    @rule()
    def file(self) -> None:
        """A ticket arrives."""
        if TicketSnapshot.select().count() < 4:
            self.office.file()

    @rule(user=st.sampled_from(USERS), action=st.sampled_from(ITEM_ACTIONS), to=st.sampled_from(USERS), data=st.data())
    def act_on_item(self, user: str, action: Any, to: str, data: st.DataObject) -> None:
        """Somebody does something to some item, mostly one that is open, sometimes twice."""
        items = [item.id for item in TaskItem.select().order_by(TaskItem.closed_at.is_null(False), TaskItem.id)]
        item = TaskItem.get_by_id(data.draw(st.sampled_from(items[:4] + items)))
        who = item.assignee if item.assignee and data.draw(st.booleans()) else user
        ways = [way.name for way in _ways(item)]
        body = {name: WORDS[name] for name in (*action.required, *action.optional) if name in WORDS}
        body |= {"to_user": to} if "to_user" in action.required else {}
        body |= {"transition": ways[0]} if "transition" in body and ways else {}
        version = item.version
        for _ in range(data.draw(st.integers(1, 2))):
            answer = self.office.act(who, item.id, action.name, carry=False, version=version, **body)
            assert answer.status_code in (200, 403, 404, 409), answer.text

    @rule(user=st.sampled_from(("11", "21", "31")), action=st.sampled_from(TASK_ACTIONS), data=st.data())
    def act_on_task(self, user: str, action: Any, data: st.DataObject) -> None:
        """Somebody does something to some task."""
        number = data.draw(st.sampled_from([row.ticket_number for row in TicketSnapshot.select()]))
        body = {name: WORDS[name] for name in (*action.required, *action.optional) if name in WORDS}
        if action.name == "reclassify":
            body["category"], body["department"] = data.draw(st.sampled_from(CATEGORIES))
        if action.name == "owner":
            body["to_user"] = data.draw(st.sampled_from(USERS))
        answer = self.office.post(user, f"/tasks/{number}/{action.name}", body, carry=False)
        assert answer.status_code in (200, 403, 404, 409), answer.text

    @rule(user=st.sampled_from(USERS), away=st.booleans(), to=st.sampled_from(("substitute", "rotation")))
    def leave(self, user: str, away: bool, to: str) -> None:
        """Somebody goes or comes back, and hands over what they have."""
        absence = {"away_from": "2020-01-01T00:00:00Z" if away else None, "away_to": None}
        self.office.post("21", f"/members/{user}/availability", absence, method="PUT", carry=False)
        following = str(int(user) + 1)
        self.office.post("21", f"/members/{user}/substitute", {"substitute": following}, method="PUT", carry=False)
        assert self.office.post("21", f"/members/{user}/handover", {"to": to}, carry=False).status_code == 200

    @rule()
    def end_holds(self) -> None:
        """Every hold that has an end is over."""
        ItemHold.update(resume_at=TicketSnapshot.get().received_at).where(ItemHold.resume_at.is_null(False)).execute()
        resume_due("workflow")

    @rule(data=st.data())
    def carry(self, data: st.DataObject) -> None:
        """Some of the messages that wait arrive, in any order."""
        outbox = runtime_tables("workflow").Outbox
        for row in data.draw(st.permutations(list(outbox.select().order_by(outbox.id).limit(4)))):
            outbox.delete().where(outbox.id == row.id).execute()
            self._deliver(CATALOGUE[row.name], json.loads(row.kwargs), json.loads(row.envelope)["version"])

    @precondition(lambda self: getattr(self, "carried", None))
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        """A message that was handled before arrives once more."""
        message, kwargs, version = data.draw(st.sampled_from(self.carried))
        self.office.send(message(**kwargs), version=version)

    def _deliver(self, message: Any, kwargs: dict[str, Any], version: int | None) -> None:
        if message.receiver == "workflow":
            self.carried.append((message, kwargs, version))
            self.office.send(message(**kwargs), version=version)

    @invariant()
    def one_item_is_open_in_an_open_task_and_none_in_another(self) -> None:
        """Design, promise 2."""
        open_items = Counter(item.task for item in TaskItem.select() if item.state not in FINAL_ITEM_STATES)
        assert all(open_items[task.id] == (task.status == "open") for task in Task.select())
        assert Approval.select(Approval.item, Approval.stands_for).distinct().count() == Approval.select().count()

    @invariant()
    def counted_work_is_what_people_have(self) -> None:
        """Capacity is measured by it."""
        held = Counter((i.role, i.assignee) for i in TaskItem.select() if i.state not in FINAL_ITEM_STATES)
        assert {(m.role, m.user_id): m.open_items for m in Member.select()} == {
            (m.role, m.user_id): held[m.role, m.user_id] for m in Member.select()
        }

    @invariant()
    def every_turn_is_used_once(self) -> None:
        """Design, promise 5."""
        for role in Role.select():
            members = list(Member.select().where(Member.role == role.id))
            stamps = [member.last_turn for member in members if member.last_turn]
            assert sum(member.turns for member in members) == role.turn and len(set(stamps)) == len(stamps)

    @invariant()
    def the_status_is_what_the_items_say(self) -> None:
        """Design, promise 4; what is on hold has what it goes back to."""
        held = {hold.item for hold in ItemHold.select()}
        for task in Task.select():
            status = TicketSnapshot.get(TicketSnapshot.ticket_number == task.ticket_number).status
            items = list(TaskItem.select().where(TaskItem.task == task.id).order_by(TaskItem.id))
            if task.status == "open":
                on_hold = items[-1].state == "on hold"
                assert (status == "On Hold") == on_hold == (items[-1].id in held)
                assert status in ("Pending", "Assigned", "In Progress", "On Hold")
            else:
                assert status == {"completed": "Resolved", "cancelled": "Cancelled"}[task.status]
        open_ids = {item.id for item in TaskItem.select() if item.state not in FINAL_ITEM_STATES}
        assert held <= open_ids

    @invariant()
    def the_history_accounts_for_every_version(self) -> None:
        """Design, promise 8."""
        rows = Counter(row.item for row in TaskItemHistory.select())
        assert {i.id: i.version - 1 for i in TaskItem.select()} == {i.id: rows[i.id] for i in TaskItem.select()}

    @invariant()
    def what_waits_is_on_the_list(self) -> None:
        """Design, promise 7."""
        listed = {entry.subject_id for entry in WaitingEntry.select().where(WaitingEntry.kind == "item")}
        assert listed == {item.id for item in TaskItem.select() if item.waiting_since is not None}

    def teardown(self) -> None:
        """Once everything has arrived, every open item is somebody's, or stands on the list."""
        self.office.run()
        for item in TaskItem.select():
            if item.state not in FINAL_ITEM_STATES:
                assert item.assignee is not None or item.waiting_since is not None


def _ways(item: TaskItem) -> list[Any]:
    from baton.models.workflow import Transition

    return list(Transition.select().where(Transition.from_step == item.step).order_by(Transition.id))


def test_whatever_people_do_the_promises_hold(office: Any) -> None:
    Machine.office = office
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
