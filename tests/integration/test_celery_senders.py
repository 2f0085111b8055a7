"""What a real Celery producer sends to the queues consumed here: it ends as it should, or is refused with a reason."""

from __future__ import annotations

import gzip
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from celery import Celery
from kombu import Queue

from baton.actors import relay, sweeps
from baton.actors.broker import middleware, use_broker
from baton.actors.rabbitmq_broker import RabbitmqBroker
from baton.models import database
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, load_settings
from tests.actors_of import every_actor
from tests.factories import sync_grant, sync_role, ticket_data
from tests.scripts.installations import file_ticket

pytestmark = pytest.mark.distributed
TICKETS, ROLES = "TICKET_TASKS_PRODUCTION", "TTS_ROLE_SYNC_QUEUE"
RECEIVE = "tickets.tasks.receive_ticket"


class Ours:
    """This project's workers on RabbitMQ, and a Celery producer beside them."""

    def __init__(self, broker: RabbitmqBroker, producer: Celery) -> None:
        self.broker, self.producer = broker, producer

    def send(self, task: str, queue: str, *args: Any, **options: Any) -> str:
        """Send a task as the old services do; return its id."""
        kwargs = options.pop("kwargs", None)
        return str(self.producer.send_task(task, args=args, kwargs=kwargs, queue=queue, **options).id)

    def file(self, *args: Any, **options: Any) -> str:
        """Send a ticket; return its number."""
        ticket = ticket_data(f"OLD-{uuid.uuid4().hex[:8]}")
        self.send(RECEIVE, TICKETS, *args, kwargs={"payload": {"ticket": ticket}}, **options)
        return str(ticket["ticket_number"])

    def reason(self, task_id: str, queue: str = TICKETS) -> str:
        """Return why a task became a dead letter."""

        def look() -> str:
            letters = self.broker.dead_letters(queue)
            return next((each.reason for each in letters if task_id in (each.wire.message_id, each.wire.headers.get("id"))), "")

        return eventually(look)


def eventually(look: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Return what `look` sees as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return seen


@pytest.fixture(scope="module")
def ours(rabbitmq_server: Any, _migrated_sqlite_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Workers of every service and a relay, after an old service declared one of their queues in its own way."""
    directory = tmp_path_factory.mktemp("ours")
    shutil.copytree(_migrated_sqlite_files, directory / "var")
    url = rabbitmq_server.fresh_url()
    producer = Celery("producer", broker=url, set_as_current=False)
    producer.conf.task_queues = [Queue("workflow_seed", routing_key="workflow_seed", max_priority=10)]
    settings = load_settings(
        {"BATON_DATA_DIR": str(directory / "var"), "BATON_BROKER_URL": url, "BATON_SQLITE_SYNCHRONOUS": "NORMAL"}
    )
    database.configure(settings)
    with producer.connection_for_write() as connection:
        producer.conf.task_queues[0](connection.channel()).declare()
    every_actor()
    before, broker, stop = dramatiq.get_broker(), RabbitmqBroker(url, middleware=middleware()), threading.Event()
    use_broker(broker)
    worker = dramatiq.Worker(broker, worker_threads=4, worker_timeout=100)
    worker.start()
    relaying = threading.Thread(target=relay.run, args=(settings, ("workflow",), stop, broker), daemon=True)
    relaying.start()
    yield Ours(broker, producer)
    stop.set()
    relaying.join()
    worker.stop(timeout=5_000)
    producer.close()
    broker.close()
    use_broker(before)
    for service in SERVICES:
        database.close(service)
    rabbitmq_server.forget(url)


@pytest.fixture(scope="module")
def desk(ours: Ours) -> Ours:
    """The workflow side with its roles, one Admin and the seeded workflows, all told by Celery."""
    from baton.models.workflow import Member, Workflow

    ours.send("tts.role.sync", ROLES, kwargs={"payload": sync_role(1, "Admin")})
    ours.send("tts.user_system_role.sync", ROLES, kwargs={"payload": sync_grant(7, 1)})
    ours.send("workflow_seed", "workflow_seed")
    seen("workflow", lambda: Member.get_or_none(Member.user_id == "7", Member.is_active))
    seen("workflow", lambda: Workflow.select().count() == 5)
    return ours


def seen(service: str, look: Callable[[], Any]) -> Any:
    """Return what `look` finds in a service's tables, once that is something."""

    def read() -> Any:
        with database.read_tx(service):
            return look()

    return eventually(read)


def assigned(number: str) -> Any:
    """Return who was given the ticket's first step, once somebody was."""
    from baton.models.workflow import TaskItem

    return seen("workflow", lambda: TaskItem.get_or_none(TaskItem.ticket_number == number, TaskItem.assignee.is_null(False)))


def test_a_queue_that_celery_declared_with_priorities_is_consumed_as_it_is(desk: Ours) -> None:
    assert desk.broker.queue_states(["workflow_seed"])[0].consumers == 1


def test_a_ticket_becomes_an_assigned_task(desk: Ours) -> None:
    assert assigned(desk.file()).assignee == "7"


def test_a_ticket_by_position_compressed_and_of_any_priority_becomes_an_assigned_task(desk: Ours) -> None:
    by_position = ticket_data(f"OLD-{uuid.uuid4().hex[:8]}")
    desk.send(RECEIVE, TICKETS, {"ticket": by_position})
    numbers = [
        str(by_position["ticket_number"]),
        desk.file(compression="gzip"),
        desk.file(compression="zlib"),
        desk.file(priority=9),
        desk.file(group_id=str(uuid.uuid4()), root_id=str(uuid.uuid4())),
        desk.file(expires=600),
    ]
    assert [assigned(number).assignee for number in numbers] == ["7"] * len(numbers)


def test_values_of_django_models_arrive_as_texts(desk: Ours) -> None:
    from baton.models.workflow import TicketSnapshot

    number = f"OLD-{uuid.uuid4().hex[:8]}"
    typed = {"at": datetime(2026, 6, 1, 8, tzinfo=UTC), "on": date(2026, 6, 1), "sum": Decimal("1.50"), "id": uuid.UUID(int=1)}
    desk.send(RECEIVE, TICKETS, kwargs={"payload": {**ticket_data(number), **typed}})
    data = seen("workflow", lambda: TicketSnapshot.get_or_none(TicketSnapshot.ticket_number == number)).ticket_data
    for text in ("2026-06-01T08:00:00+00:00", '"2026-06-01"', '"1.50"', str(uuid.UUID(int=1))):
        assert text in data


def test_a_countdown_waits_in_the_database_and_then_happens(desk: Ours) -> None:
    table = runtime_tables("workflow").DeferredMessage
    number = desk.file(countdown=2)
    row = seen("workflow", lambda: table.get_or_none(table.kwargs.contains(number)))
    assert row.reason == "not due yet"
    assert 0 < (row.due_at - datetime.now(UTC)).total_seconds() <= 2
    eventually(lambda: sweeps.release_due_messages("workflow"))
    assert assigned(number).assignee == "7"


def test_what_expires_while_it_waits_is_not_done(desk: Ours) -> None:
    from baton.models.workflow import TicketSnapshot

    due = datetime.now(UTC) + timedelta(seconds=2)
    number = desk.file(eta=due, expires=due - timedelta(seconds=1), task_id=(task_id := str(uuid.uuid4())))
    eventually(lambda: sweeps.release_due_messages("workflow"))
    assert "it expired at" in desk.reason(task_id)
    with database.read_tx("workflow"):
        assert TicketSnapshot.get_or_none(TicketSnapshot.ticket_number == number) is None


def test_statuses_reach_the_help_desk_and_the_gateway(ours: Ours) -> None:
    from baton.models.helpdesk.tables import Ticket
    from baton.models.tickets import Receipt

    file_ticket()
    texts = ("subject", "description", "category", "subcategory", "department", "employee_id", "employee_name", "employee_email")
    with database.write_lock("tickets"):
        now = database.now("tickets")
        facts = {"sender": "service:x", "source_service": "x", "priority": "Low", "status": "Open"}
        Receipt.insert(id=1, **dict.fromkeys(texts, "x"), **facts, submitted_at=now, updated_at=now).execute()
    status = {"ticket_id": "HD-00000001", "new_status": "In Progress"}
    ours.send("tickets.tasks.send_ticket_status", "ticket_status-default", kwargs=status)
    ours.send("ticket_service.update_status", "TICKET_STATUS_QUEUE", "GW-00000001", "Resolved")
    seen("helpdesk", lambda: Ticket.get_by_id(1).status == "In Progress")
    seen("tickets", lambda: Receipt.get_by_id(1).status == "Resolved")


def test_users_and_employees_reach_the_help_desk(ours: Ours) -> None:
    from baton.models.helpdesk.tables import Employee, HdtsUser

    user = {"id": 7, "email": "ada@example.com", "full_name": "Ada", "role": "Admin", "is_active": True}
    ours.send("hdts.user.sync", "hdts.user.sync", kwargs={"payload": {"user": user}})
    ours.send("hdts.employee.sync", "hdts.employee.sync", {"id": 9, "full_name": "Eve", "department": "IT Department"})
    assert seen("helpdesk", lambda: HdtsUser.get_or_none(HdtsUser.id == "7")).role == "Admin"
    assert seen("helpdesk", lambda: Employee.get_or_none(Employee.id == "9")).department == "IT Department"


def test_a_notification_becomes_one_in_the_app_however_often_it_is_sent(ours: Ours) -> None:
    from baton.models.notifications import Notification

    about = {"related_task_item_id": 3, "related_ticket_number": "OLD-1", "metadata": {"step_name": "Triage"}}
    told = {"user_id": 70, "subject": "Yours", "message": "OLD-1 is yours", "notification_type": "task_assignment", **about}
    task, queue, task_id = "notifications.tasks.create_assignment_notification", "INAPP_NOTIFICATION_QUEUE", str(uuid.uuid4())
    for _ in range(2):
        ours.send(task, queue, kwargs=told, task_id=task_id)
    ours.send(task, queue, *{**told, "user_id": "71"}.values())
    for user in ("user:70", "user:71"):
        seen("notifications", lambda user=user: Notification.get_or_none(Notification.recipient == user))
    eventually(lambda: not ours.broker.queue_states([queue])[0].ready)
    with database.read_tx("notifications"):
        rows = list(Notification.select().where(Notification.ticket_number == "OLD-1").order_by(Notification.recipient))
    assert [(row.recipient, row.type, row.subject, row.in_app) for row in rows] == [
        ("user:70", "task_assignment", "Yours", True),
        ("user:71", "task_assignment", "Yours", True),
    ]


def test_a_mail_asked_for_waits_to_be_sent_once(ours: Ours) -> None:
    from baton.models.notifications import EmailDelivery

    task_id = str(uuid.uuid4())
    for _ in range(2):
        kwargs = {"user_id": 72, "subject": "Hello", "message": "Words"}
        ours.send("notifications.tasks.send_email", "EMAIL_NOTIFICATION_QUEUE", kwargs=kwargs, task_id=task_id)
    seen("notifications", lambda: EmailDelivery.get_or_none(EmailDelivery.recipient == "user:72"))
    eventually(lambda: not ours.broker.queue_states(["EMAIL_NOTIFICATION_QUEUE"])[0].ready)
    with database.read_tx("notifications"):
        assert EmailDelivery.select().where(EmailDelivery.recipient == "user:72").count() == 1


@pytest.mark.parametrize(
    ("options", "because"),
    [
        ({"args": [{}, {}]}, "2 positional arguments"),
        ({"args": [{"ticket": {}}], "kwargs": {"payload": {}}}, "by position and by name"),
        ({"kwargs": {"ticket": {}}}, "payload: Field required"),
        ({"kwargs": {"payload": {}}, "serializer": "pickle"}, "pickle (application/x-python-serialize)"),
        ({"kwargs": {"payload": {}}, "serializer": "yaml"}, "YAML (application/x-yaml)"),
        ({"kwargs": {"payload": {}}, "compression": "bzip2"}, "application/x-bz2, which is not read here"),
        ({"kwargs": {"payload": {}}, "link": "next"}, "callbacks (link)"),
        ({"kwargs": {"payload": {}}, "link_error": "next"}, "error callbacks (link_error)"),
        ({"kwargs": {"payload": {}}, "chain": "next"}, "a chain"),
        ({"kwargs": {"payload": {}}, "chord": "next"}, "a chord"),
        ({"kwargs": {"payload": {}}, "expires": datetime(2026, 1, 1, tzinfo=UTC)}, "it expired at 2026-01-01"),
        ({"kwargs": {"payload": {}}, "eta": datetime(9000, 1, 1, tzinfo=UTC)}, "not due before 9000"),
        ({"kwargs": {"payload": {}}, "task": "tickets.tasks.unheard_of"}, "no actor named"),
        ({"kwargs": {"payload": {}}}, "neither `ticket_number` nor `ticket_id`"),
    ],
)
def test_what_nobody_here_can_do_is_a_dead_letter_with_its_reason(ours: Ours, options: dict[str, Any], because: str) -> None:
    options = dict(options)
    sequel = ours.producer.signature("next")
    for name in ("link", "link_error", "chord"):
        options |= {name: sequel} if name in options else {}
    options |= {"chain": [sequel]} if "chain" in options else {}
    task, args = options.pop("task", RECEIVE), options.pop("args", ())
    assert because in ours.reason(ours.send(task, TICKETS, *args, **options))


def test_a_broken_message_is_a_dead_letter_and_blocks_nothing(desk: Ours) -> None:
    with desk.producer.connection_for_write() as connection:
        for task_id, body in (("broken-1", b"{"), ("broken-2", gzip.compress(b"[1]")[:-4])):
            headers = {"task": RECEIVE, "id": task_id, "lang": "py"}
            compression = {"compression": "application/x-gzip"} if task_id == "broken-2" else {}
            connection.Producer().publish(
                body,
                routing_key=TICKETS,
                headers={**headers, **compression},
                content_type="application/json",
                content_encoding="utf-8",
            )
    assert "not JSON" in desk.reason("broken-1")
    assert "cut short" in desk.reason("broken-2")
    assert assigned(desk.file()).assignee == "7"
