"""A desk with mails to send: databases, a mail server, auth, and rows that wait."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from baton.models import database
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from tests.outside import AuthServer, MailServer

_numbers = itertools.count(1)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything unless its script says otherwise."""
    with MailServer() as server:
        yield server


@pytest.fixture
def auth_server() -> Iterator[AuthServer]:
    """Auth's look-ups."""
    with AuthServer() as server:
        yield server


@pytest.fixture
def desk(databases: Any, mail_server: MailServer, auth_server: AuthServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A service with databases whose mails go to `mail_server`."""
    monkeypatch.setenv("BATON_SMTP_URL", mail_server.url)
    monkeypatch.setenv("BATON_AUTH_URL", auth_server.url)
    monkeypatch.setenv("BATON_MAIL_FROM", "Help desk <desk@example.com>")
    get_settings.cache_clear()
    return Desk(mail_server, auth_server)


class Desk:
    """What tests do to the notifications service and see of it."""

    def __init__(self, mail: MailServer, auth: AuthServer) -> None:
        self.mail, self.auth = mail, auth

    def mail_to(self, address: str, recipient: str = "", **changes: Any) -> int:
        """Have a mail about a new assignment wait for somebody with this address; return its row."""
        from baton.models.notifications import EmailDelivery, Notification

        number = next(_numbers)
        recipient = recipient or f"user:{number}"
        self.auth.add(recipient, address)
        with write_tx("notifications") as tx:
            row = {
                "recipient": recipient, "ticket_number": "HD-1", "type": "task_assignment", "task_item_id": 5,
                "message_id": f"key{number}", "send_after": tx.now, "created_at": tx.now,
            }  # fmt: skip
            delivery = EmailDelivery.create(**{**row, **changes})
            Notification.create(
                recipient=recipient, number=number, event_key=f"event {number}", type="task_assignment", reason="assignee",
                subject="HD-1: Triage is yours", message="You were given the step Triage.", ticket_number="HD-1", task_item_id=5,
                detail='{"step_name": "Triage", "workflow_name": "IT Support"}', in_app=True, unread=True, email=delivery.id,
                created_at=tx.now,
            )  # fmt: skip
        return int(delivery.id)

    def send(self) -> int:
        """Have the scheduler's job run once."""
        from baton.actors.notifications.mailing import send_mails

        return send_mails("notifications")

    def row(self, delivery: int) -> Any:
        """Return a mail's row."""
        from baton.models.notifications import EmailDelivery

        with database.read_tx("notifications"):
            return EmailDelivery.get_by_id(delivery)

    def failure(self, delivery: int) -> Any:
        """Return a mail's failure, None when it has none."""
        from baton.models.notifications.email_tables import FailedNotification

        with database.read_tx("notifications"):
            return FailedNotification.get_or_none(FailedNotification.delivery == delivery)

    def later(self, seconds: float) -> None:
        """Have so much time pass: everything that is stored lies so much further back."""
        from baton.models.notifications.email_tables import CircuitBreaker, EmailDelivery

        def back(instant: datetime | None) -> datetime | None:
            return None if instant is None else instant - timedelta(seconds=seconds)

        with write_tx("notifications"):
            for row in EmailDelivery.select():
                row.send_after, row.claimed_until = back(row.send_after), back(row.claimed_until)
                row.save()
            for breaker in CircuitBreaker.select():
                values = {"opened_at": back(breaker.opened_at), "trial_at": back(breaker.trial_at)}
                CircuitBreaker.update(values).where(CircuitBreaker.name == breaker.name).execute()

    def breaker(self, name: str) -> str:
        """Return the state of a breaker."""
        from baton.actors.notifications.breakers import _circuit
        from baton.models.notifications import breaker_store
        from baton.pipelines.breaker import state_of

        with database.read_tx("notifications"):
            return state_of(_circuit(breaker_store.read(name)))

    def eventually(self, holds: Callable[[], bool], tries: int = 20) -> None:
        """Let a minute pass and the job run until something holds."""
        for _ in range(tries):
            if holds():
                return
            self.later(60)
            self.send()
        assert holds()
