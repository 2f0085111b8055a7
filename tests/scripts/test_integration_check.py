"""The integration check against a running stack: what it passes, and what it says when something is stopped."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from baton.pipelines.walking import Act, Arrived, Blocked, Wait, next_act
from baton.scripts.private_servers.common import free_port
from baton.scripts.stack import Stack

pytestmark = pytest.mark.usefixtures("alone")
KINDS = ["embedded", pytest.param("distributed", marks=pytest.mark.distributed)]
WORKFLOWS = (
    ("IT Support", "IT Department", "IT Support"),
    ("Asset Check In", "Asset Department", "Asset Check In"),
    ("Asset Check Out", "Asset Department", "Asset Check Out"),
    ("Budget Proposal", "Budget Department", "Budget Proposal"),
    ("Others", "Anywhere", "General Request"),
)
Checked = Callable[..., tuple[int, str]]


def start(request: pytest.FixtureRequest, kind: str) -> Stack:
    if kind == "embedded":
        return Stack.embedded()
    postgres, rabbitmq = (request.getfixturevalue(f"{name}_server") for name in ("postgres", "rabbitmq"))
    database_url, broker_url = postgres.fresh_url(), rabbitmq.fresh_url()
    request.addfinalizer(lambda: postgres.forget(database_url))
    request.addfinalizer(lambda: rabbitmq.forget(broker_url))
    return Stack.distributed(database_url, broker_url, BATON_POOL_SIZE="2")


@pytest.fixture(scope="module", params=KINDS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    with start(request, request.param) as made:
        yield made


@pytest.fixture
def check(stack: Stack) -> Checked:
    return lambda *options: run(stack, *options)


def run(stack: Stack, *options: str) -> tuple[int, str]:
    """Run the check against the stack as an operator would; return its exit code and what it printed."""
    urls = ("--auth-url", stack.url("auth"), "--workflow-url", stack.url("workflow"), "--hdts-url", stack.url("helpdesk"))
    command = [sys.executable, "-m", "baton.scripts.cli", "integration", *urls, "--poll-interval", "0.1", *options]
    done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(("category", "department", "workflow"), WORKFLOWS)
def test_each_workflow_is_walked_to_its_end_and_the_status_comes_back(
    check: Checked, category: str, department: str, workflow: str
) -> None:
    code, output = check("--category", category, "--department", department, "--verbose")

    assert code == 0, output
    assert re.search(r"test id INT-[0-9A-F]{8}\b", output)
    assert f"{workflow} version 1" in output
    assert [f"complete step {step}" in output for step in ("Triage", "Resolve", "Finalize")] == [True] * 3
    assert "the help desk shows Resolved" in output
    assert output.count("ok in") == 5
    assert "passed in" in output


def test_in_progress_is_a_target_too(check: Checked) -> None:
    code, output = check("--target-status", "In Progress")

    assert code == 0, output
    assert "the help desk shows In Progress" in output


def test_a_dry_run_shows_the_steps_and_changes_nothing(stack: Stack, check: Checked) -> None:
    numbers = [check("--target-status", "In Progress")[1].split("HD-")[1][:8] for _ in range(1)]
    code, output = check("--dry-run")
    after = check("--target-status", "In Progress")[1].split("HD-")[1][:8]

    assert code == 0
    assert output.count("would be done") == 5
    assert int(after) == int(numbers[-1]) + 1


def test_without_health_there_are_four_steps(check: Checked) -> None:
    code, output = check("--skip-health-check", "--target-status", "In Progress")

    assert code == 0, output
    assert "[4/4]" in output and "health" not in output


@pytest.mark.parametrize("option", ["--auth-url", "--workflow-url", "--hdts-url"])
def test_a_service_that_does_not_answer_is_named_with_the_reason(check: Checked, option: str) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    code, output = check(option, nobody, "--wait-timeout", "0.5")
    service = {"--auth-url": "auth", "--workflow-url": "workflow", "--hdts-url": "helpdesk"}[option]

    assert code == 1
    assert f"{service} at {nobody}: does not answer" in output
    assert "failed: health of every service" in output


@pytest.mark.parametrize("option", ["--auth-url", "--workflow-url", "--hdts-url"])
def test_it_is_named_without_the_health_check_as_well(check: Checked, option: str) -> None:
    code, output = check(option, f"http://127.0.0.1:{free_port()}", "--wait-timeout", "0.5", "--skip-health-check")
    service = {"--auth-url": "auth", "--workflow-url": "workflow", "--hdts-url": "helpdesk"}[option]

    assert code == 1
    assert "FAILED" in output
    assert f"{service}: does not answer" in output


def test_a_ticket_that_no_workflow_matches_fails_the_check_with_the_reason(check: Checked) -> None:
    code, output = check("--category", "Gardening", "--department", "Grounds", "--wait-timeout", "1")

    assert code == 1
    assert "is In Triage and has no task" in output


def test_the_default_addresses_and_options_are_those_of_the_contract() -> None:
    from baton.scripts.integration_check import integration

    given = {option.opts[0]: option.default for option in integration.params if not getattr(option, "is_flag", False)}
    assert given == {
        "--auth-url": "http://localhost:8003",
        "--workflow-url": "http://localhost:8002",
        "--hdts-url": "http://localhost:8000",
        "--target-status": "Resolved",
        "--wait-timeout": 30,
        "--poll-interval": 2,
        "--category": "IT Support",
        "--department": "IT Department",
    }
    flags = {option.opts[0] for option in integration.params} - given.keys()
    assert flags == {"--verbose", "--skip-health-check", "--dry-run"}


@pytest.fixture
def stop(stack: Stack) -> Iterator[Callable[[str], None]]:
    """`stop(name)` ends the processes whose names begin so; they are back after the test."""

    def end(beginning: str) -> None:
        stack.keep = False
        for name, pid in stack.pids().items():
            if name.startswith(beginning):
                stack.kill(name, signal.SIGKILL)
                while stack.pids().get(name) == pid:
                    time.sleep(0.05)

    yield end
    stack.keep = True
    deadline = time.monotonic() + 60
    while run(stack, "--wait-timeout", "5", "--target-status", "In Progress")[0] != 0:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("stopped", ["tickets-http", "workflow-worker", "helpdesk-worker"])
def test_a_stopped_process_of_the_stack_is_named(stack: Stack, stop: Callable[[str], None], stopped: str) -> None:
    if "server" in stack.programs:
        pytest.skip("all of it is one process")
    stop(stopped)

    code, output = run(stack, "--wait-timeout", "8")

    assert code == 1
    service, _, part = stopped.partition("-")
    # Either its health says so, or the step that waited for it in vain, and then the diagnosis.
    why = "does not answer" if part == "http" else f"is `baton worker {service}` running"
    assert re.search(rf"\b{service}\b.*{why}", output), output


def test_a_relay_that_is_stopped_fails_the_check_with_what_waits_for_it(stack: Stack, stop: Callable[[str], None]) -> None:
    if "server" in stack.programs:
        pytest.skip("all of it is one process")
    stop("relay")

    code, output = run(stack, "--wait-timeout", "3", "--skip-health-check")

    assert code == 1
    assert "is not at the workflow side after 3 s" in output
    assert "messages wait to leave the outbox" in output
    assert "is `baton relay` running?" in output


def test_the_wrapper_is_a_command_of_its_own() -> None:
    wrapper = Path(__file__).parents[2] / "scripts" / "integration"

    assert wrapper.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(wrapper)], check=False).returncode == 0


def document(status: str, *states: str, assignee: str | None = "7") -> dict[str, object]:
    rest = {"role": "Admin", "assignee": assignee}
    items = [{"id": n, "state": state, "step": f"S{n}", **rest} for n, state in enumerate(states, 1)]
    return {"status": status, "task": {"id": 1} if states else None, "items": items}


def test_a_walk_starts_and_completes_whatever_is_open() -> None:
    assert next_act(document("Assigned", "new"), "Resolved") == Act("start", 1, "S1", "7")
    assert next_act(document("In Progress", "in progress"), "Resolved") == Act("complete", 1, "S1", "7")
    assert next_act(document("On Hold", "completed", "on hold"), "Resolved") == Act("resume", 2, "S2", "7")
    assert next_act(document("In Progress", "completed", "transferred"), "Resolved") == Act("start", 2, "S2", "7")


def test_a_walk_ends_where_it_was_to_go_and_says_where_it_cannot() -> None:
    assert next_act(document("In Progress", "in progress"), "In Progress") == Arrived("In Progress")
    assert next_act(document("Closed", "completed"), "Resolved") == Arrived("Closed")
    assert isinstance(next_act(document("Resolved", "completed"), "In Progress"), Blocked)
    assert isinstance(next_act(document("Withdrawn"), "Resolved"), Blocked)


def test_a_walk_waits_for_what_others_do() -> None:
    assert isinstance(next_act(None, "Resolved"), Wait)
    assert next_act(document("In Triage"), "Resolved") == Wait("no deployed workflow matches it: it waits in triage")
    assert next_act(document("Pending", "new", assignee=None), "Resolved") == Wait("step S1 waits for an eligible Admin")
