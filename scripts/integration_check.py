"""
`baton integration` (`scripts/integration`): drives a running stack from outside, as its users would, and says what failed.

Health of every service -> a ticket with a test id -> its task -> the target status -> the status back at the help desk. Only
addresses and the service secret are needed; nothing is read from a database.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable
from typing import Any

import click
import httpx

from baton.http.clients import ServiceClient
from baton.models.settings import Settings, get_settings
from baton.pipelines.walking import TARGETS
from baton.scripts.integration_health import diagnose, examine
from baton.scripts.ticket_commands import TEST_SOURCE, test_ticket_extras
from baton.scripts.walk import Pace, TaskFront, WalkError, said, walk

#: The name under which the check signs in as a service; `pipelines.work` lets it act on items.
PRINCIPAL = "integration"


class CheckError(Exception):
    """A step of the check failed; the message says what and why."""


@dataclasses.dataclass(frozen=True)
class Check:
    """A run of the check: where, with what, how patiently."""

    settings: Settings
    client: ServiceClient
    target: str
    category: str
    department: str
    pace: Pace
    tell: Callable[[str], None]
    test_id: str
    #: Services whose addresses were not given and may belong to another stack.
    optional: frozenset[str] = frozenset()

    def health(self) -> str:
        """Every service answers, is not failing, and has somebody who takes its messages."""
        return examine(self.settings, self.pace, self.optional, self.tell)

    def create(self) -> str:
        """File the ticket; return its number."""
        body = {
            "subject": f"Integration test {self.test_id}",
            "description": f"A ticket that the integration check {self.test_id} follows from filing to its end.",
            "category": self.category,
            "department": self.department,
            "employee": {"id": 0, "name": "Integration Test", "email": "integration.test@example.com"},
            "source": TEST_SOURCE,
            "source_id": self.test_id,
            **test_ticket_extras(self.category, self.test_id),
        }
        answer = self._ask("POST", "helpdesk", "/api/v1/tickets", json=body, headers={"Idempotency-Key": self.test_id})
        number: str = answer["ticket_number"]
        return number

    def await_task(self, number: str) -> str:
        """Wait until the workflow side has a task for the ticket; return a line about it."""
        front, deadline = self._front(), time.monotonic() + self.pace.wait_timeout
        while True:
            document = front.read(number)
            if document is not None and document["task"] is not None:
                task = document["task"]
                return f"task {task['id']}, {task['workflow']} version {task['workflow_version']}"
            if time.monotonic() > deadline:
                where = "is not at the workflow side" if document is None else f"is {document['status']} and has no task"
                raise CheckError(f"{number} {where} after {self.pace.wait_timeout:.0f} s")
            self.tell("no task yet" if document is None else f"no task yet: {document['status']}")
            time.sleep(self.pace.poll_interval)

    def walk(self, number: str) -> str:
        """Walk the task to the target status."""
        return walk(self._front(), number, self.target, self.pace, f"integration check {self.test_id}", self.tell)

    def verify(self, number: str) -> str:
        """Wait until the help desk shows the target status."""
        deadline = time.monotonic() + self.pace.wait_timeout
        while True:
            status = self._ask("GET", "helpdesk", f"/api/v1/tickets/{number}")["status"]
            if status == self.target:
                return f"the help desk shows {status}"
            if time.monotonic() > deadline:
                raise CheckError(
                    f"the help desk still shows {status} for {number} after {self.pace.wait_timeout:.0f} s, not {self.target}"
                )
            self.tell(f"the help desk shows {status}")
            time.sleep(self.pace.poll_interval)

    def _front(self) -> TaskFront:
        return TaskFront(self.client, self.settings.url("workflow"))

    def _ask(self, method: str, service: str, path: str, **options: Any) -> dict[str, Any]:
        url = self.settings.url(service) + path
        try:
            answer = self.client.request(method, url, **options)
        except httpx.HTTPError as error:
            raise CheckError(f"{service} (or auth) does not answer {method} {url}: {error or type(error).__name__}") from None
        if not answer.is_success:
            hint = "; is BATON_SERVICE_SECRET the servers' own?" if answer.status_code in (401, 403) else ""
            raise CheckError(f"{service} refused {method} {path}: {said(answer)}{hint}")
        document: dict[str, Any] = answer.json()
        return document


@click.command()
@click.option("--auth-url", default="http://localhost:8003", show_default=True)
@click.option("--workflow-url", default="http://localhost:8002", show_default=True)
@click.option("--hdts-url", default="http://localhost:8000", show_default=True, help="The help desk's front.")
@click.option("--target-status", type=click.Choice(TARGETS, case_sensitive=False), default="Resolved", show_default=True)
@click.option("--wait-timeout", type=click.FloatRange(min=0), default=30, show_default=True, help="Seconds each wait may take.")
@click.option("--poll-interval", type=click.FloatRange(min=0.05), default=2, show_default=True, help="Seconds between looks.")
@click.option("--category", default="IT Support", show_default=True, help="Of the ticket: it decides on the workflow.")
@click.option("--department", default="IT Department", show_default=True, help="Likewise.")
@click.option("--verbose", is_flag=True, help="Tell what each step does while it waits.")
@click.option("--skip-health-check", is_flag=True, help="Do not ask the services for their health first.")
@click.option("--dry-run", is_flag=True, help="Show the steps and change nothing.")
def integration(
    auth_url: str, workflow_url: str, hdts_url: str, target_status: str, wait_timeout: float, poll_interval: float,
    category: str, department: str, verbose: bool, skip_health_check: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Check a running stack from outside: health, a ticket, its task, the target status, and back at the help desk."""
    given = {"auth": auth_url.rstrip("/"), "workflow": workflow_url.rstrip("/"), "helpdesk": hdts_url.rstrip("/")}
    own = get_settings()
    settings = dataclasses.replace(own, urls={**own.urls, **given})
    here = all(_same(own.url(service), url) for service, url in given.items())
    with ServiceClient(settings, PRINCIPAL, patience=0) as client:
        check = Check(
            settings=settings,
            client=client,
            target=target_status,
            category=category,
            department=department,
            pace=Pace(wait_timeout, poll_interval),
            tell=(lambda text: click.echo(f"       {text}")) if verbose else (lambda _text: None),
            test_id=f"INT-{secrets.token_hex(4).upper()}",
            optional=frozenset() if here else frozenset(own.ports) - given.keys(),
        )
        run(check, skip_health=skip_health_check, dry_run=dry_run)


def run(check: Check, *, skip_health: bool, dry_run: bool) -> None:
    """Carry out the steps, a line each with its time; exits 1 when one failed."""
    number = ""

    def create() -> str:
        nonlocal number
        number = check.create()
        return f"{number}, test id {check.test_id}"

    steps: list[tuple[str, Callable[[], str]]] = [
        ("health of every service", check.health),
        (f"create a ticket, {check.category} of {check.department}", create),
        ("wait for its task", lambda: check.await_task(number)),
        (f"walk it to {check.target}", lambda: check.walk(number)),
        ("verify the status at the help desk", lambda: check.verify(number)),
    ]
    if skip_health:
        steps = steps[1:]
    began = time.monotonic()
    for place, (title, step) in enumerate(steps, start=1):
        head = f"[{place}/{len(steps)}] {title}"
        if dry_run:
            click.echo(f"{head}: would be done")
            continue
        step_began = time.monotonic()
        try:
            found = step()
        except (CheckError, WalkError) as error:
            click.echo(f"{head}: FAILED after {time.monotonic() - step_began:.2f} s: {error}")
            for line in diagnose(check.settings):
                click.echo(f"       {line}")
            click.echo(f"failed: {title}")
            raise SystemExit(1) from None
        click.echo(f"{head}: ok in {time.monotonic() - step_began:.2f} s: {found}")
    click.echo("dry run: nothing was changed" if dry_run else f"passed in {time.monotonic() - began:.2f} s")


def _same(one: str, other: str) -> bool:
    return one.replace("://127.0.0.1", "://localhost") == other.replace("://127.0.0.1", "://localhost")
