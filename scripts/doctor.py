"""`baton doctor`: is everything here that Baton needs, and does it keep its promises? Each finding names its remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace

import click

from baton.actors.broker_api import QueueState
from baton.models import database as db
from baton.models.logs import configure_logs
from baton.models.settings import SERVICES, Settings, SettingsError, get_settings
from baton.scripts.checks import environment, queues, runtime, seeds
from baton.scripts.checks.finding import Finding, fail, first_line, ok, skip

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "cyan"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--full", is_flag=True, help="Compare every ticket, not only the newest 20,000.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Leave out tickets younger than this, in seconds.",
)
def doctor(as_json: bool, full: bool, older_than: float) -> None:
    """
    Check the settings, databases, broker, processes, ports, seeds and promises of this installation.

    Nothing is changed. Exit code 1 when anything fails.
    """
    findings = []
    for finding in examine(full, older_than):
        findings.append(finding)
        if not as_json:
            _show(finding)
    counts = {level: sum(finding.level == level for finding in findings) for level in _COLOURS}
    if as_json:
        click.echo(json.dumps({"findings": [finding.document() for finding in findings], "counts": counts}, indent=2))
    else:
        click.echo(f"\n{counts['ok']} well, {counts['warn']} to look at, {counts['fail']} failed, {counts['skip']} not looked at")
    if counts["fail"]:
        raise SystemExit(1)


def examine(full: bool, older_than: float) -> Iterator[Finding]:
    """Yield every finding, in the order in which one would put things right."""
    try:
        settings = get_settings()
    except SettingsError as error:
        yield fail("settings", str(error), "correct the environment variable")
        return
    configure_logs(replace(settings, log_level="CRITICAL"), "doctor")
    yield ok("settings", f"{settings.environment}, {'embedded' if settings.embedded_broker else 'RabbitMQ'} broker")
    yield from environment.check_data_dir(settings)
    yield from environment.check_fronts(settings)
    usable = yield from _databases(settings)
    states, reason = queues.read_queues(settings)
    yield from queues.check_broker(settings, states, reason)
    if usable:
        from baton.scripts.checks import clocks

        yield from _guarded("processes", runtime.check_processes(settings, usable))
        yield from _guarded("schedule", clocks.check_schedule(usable))
    else:
        yield skip("relay and scheduler", "no database can be asked")
    for service in usable:
        yield from _guarded(f"messages {service}", runtime.check_messages(service))
    yield from _contents(settings, usable, states, full, older_than)


def _databases(settings: Settings) -> Generator[Finding, None, list[str]]:
    db.configure(settings)
    findings = []
    for service in SERVICES:
        for finding in runtime.check_database(settings, service):
            findings.append(finding)
            yield finding
    return runtime.usable(findings)


def _contents(
    settings: Settings, usable: list[str], states: Sequence[QueueState] | None, full: bool, older_than: float
) -> Iterator[Finding]:
    from baton.scripts.checks import clocks, convergence, definitions, hooks, invariants, issues

    def side(which: convergence.Side) -> tuple[str, set[str], Callable[[], Iterable[Finding]]]:
        needed = {which.service, "workflow"}
        return f"{which.service} promises", needed, lambda: convergence.check_side(which, states, full, older_than)

    checks: list[tuple[str, set[str], Callable[[], Iterable[Finding]]]] = [
        ("seeds auth", {"auth"}, seeds.check_auth_seeds),
        ("seeds workflow", {"workflow"}, seeds.check_workflow_seeds),
        ("workflows", {"workflow"}, definitions.check_definitions),
        ("workflow promises", {"workflow"}, lambda: invariants.check_workflow(full, older_than)),
        ("service levels", {"workflow"}, lambda: clocks.check_clocks(full, older_than)),
        ("end of task calls", {"workflow"}, lambda: hooks.check_hooks(get_settings())),
        side(convergence.HELPDESK),
        side(convergence.GATEWAY),
        ("issues", {"issues"}, lambda: issues.check_issues(settings)),
    ]
    for name, needed, check in checks:
        if needed <= set(usable):
            yield from _guarded(name, check())
        else:
            yield skip(name, f"needs the database of {' and '.join(sorted(needed - set(usable)))}")


def _guarded(name: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except Exception as error:
        # A check that breaks is a finding, and must not keep the others from being made.
        yield fail(name, f"could not be looked at: {first_line(error)}", "see the findings above; migrate (baton migrate)")


def _show(finding: Finding) -> None:
    click.echo(f"{click.style(f'{finding.level:4}', fg=_COLOURS[finding.level])}  {finding.check}: {finding.detail}")
    if finding.remedy and finding.level != "ok":
        click.echo(f"      -> {finding.remedy}")
