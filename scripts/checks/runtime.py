"""What moves Baton's messages: databases and their clocks, the relay, the scheduler, outboxes, and messages tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from baton.models import database as db
from baton.models import migrate
from baton.models.runtime import runtime_tables
from baton.models.settings import SERVICES, Settings
from baton.scripts.checks.finding import Finding, fail, first_line, ok, some, warn

#: Beats come every 5 seconds; a process silent for so long counts as gone.
SILENT_SECONDS = 30.0
#: Age in seconds of the oldest outbox row that is worth a look, and that means that messages do not leave.
OUTBOX_WARN_SECONDS, OUTBOX_FAIL_SECONDS = 30.0, 600.0
#: Difference in seconds between this machine's clock and a database's that is worth a look, and that breaks tokens.
SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 2.0, 60.0
#: Deferred messages that are looked at one by one.
MOST_DEFERRED = 10_000


def check_database(settings: Settings, service: str) -> Iterator[Finding]:
    """Whether a service's database can be reached, has every migration, and agrees with this machine about the time."""
    check, url = f"database {service}", settings.database_url(service)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield fail(
            check, f"{url.removeprefix('sqlite:///')} does not exist yet", "baton migrate (scripts/server does it by itself)"
        )
        return
    try:
        missing = migrate.pending(service)
        with db.read_tx(service) as database:
            offset = getattr(database, "clock_offset", None)
    except Exception as error:
        # Whatever the driver raises: the finding is that it does not work.
        yield fail(check, first_line(error), _database_remedy(str(error)))
        return
    if missing:
        yield fail(check, f"lacks {len(missing)} of its migrations: {some(missing)}", "baton migrate")
        return
    yield ok(check, "can be reached and has every migration")
    if offset is not None:
        yield _clock(service, offset.total_seconds())


def _database_remedy(error: str) -> str:
    if "too many clients" in error or "connection slots" in error:
        return "raise max_connections of PostgreSQL, or stop what holds connections: select * from pg_stat_activity"
    if "does not exist" in error:
        return "create it (createdb NAME), or check BATON_DATABASE_URL; then baton migrate"
    return "start PostgreSQL, and check BATON_DATABASE_URL"


def _clock(service: str, skew: float) -> Finding:
    check, detail = (
        f"clock {service}",
        f"the database's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
    )
    remedy = "synchronise both clocks (NTP): tokens and due times rest on them"
    if abs(skew) >= SKEW_FAIL_SECONDS:
        return fail(check, detail, remedy)
    return warn(check, detail, remedy) if abs(skew) >= SKEW_WARN_SECONDS else ok(check, detail)


def check_processes(settings: Settings, services: Sequence[str]) -> Iterator[Finding]:
    """Whether a relay and a scheduler are alive for each of these services."""
    for kind in ("relay", "scheduler"):
        silent: dict[str, float | None] = {}
        for service in services:
            beat = runtime_tables(service).Heartbeat
            with db.read_tx(service):
                query = beat.select(beat.seen_at).where(beat.kind == kind).order_by(beat.seen_at.desc()).limit(1)
                seen_at = query.scalar()
                silent[service] = None if seen_at is None else (db.now(service) - seen_at).total_seconds()
        yield _alive(kind, silent, "scripts/server" if settings.embedded_broker else f"baton {kind}")


def _alive(kind: str, silent: dict[str, float | None], remedy: str) -> Finding:
    gone = {service: age for service, age in silent.items() if age is None or age > SILENT_SECONDS}
    if gone:
        ages = [f"{service} {'never' if age is None else _span(age) + ' ago'}" for service, age in gone.items()]
        return fail(kind, f"the {kind} does not work; it was last seen by {', '.join(ages)}", remedy)
    return ok(kind, f"alive for {', '.join(silent)}")


def check_messages(service: str) -> Iterator[Finding]:
    """Whether nothing waits too long in a service's outbox, or is tried again and again."""
    tables = runtime_tables(service)
    with db.read_tx(service):
        now = db.now(service)
        outbox = tables.Outbox.select().order_by(tables.Outbox.id).first()
        deferred = list(tables.DeferredMessage.select().order_by(tables.DeferredMessage.due_at).limit(MOST_DEFERRED))
    yield _outbox(service, outbox, now)
    yield from _deferred(service, deferred, now)


def _outbox(service: str, oldest: Any, now: datetime) -> Finding:
    check = f"outbox {service}"
    if oldest is None:
        return ok(check, "empty: every message has left")
    age = (now - oldest.created_at).total_seconds()
    detail = f"the oldest message ({oldest.name}) has waited for {_span(age)}"
    remedy = "start the broker, and the relay (baton relay; scripts/server has one)"
    if age > OUTBOX_FAIL_SECONDS:
        return fail(check, detail, remedy)
    return (
        warn(check, detail, remedy) if age > OUTBOX_WARN_SECONDS else ok(check, f"messages leave; the oldest is {_span(age)} old")
    )


def _deferred(service: str, rows: list[Any], now: datetime) -> Iterator[Finding]:
    check = f"deferred {service}"
    if not rows:
        yield ok(check, "no message waits to be tried again")
        return
    overdue = (now - rows[0].due_at).total_seconds()
    if overdue > OUTBOX_WARN_SECONDS:
        yield fail(
            check,
            f"a message was due to be tried again {_span(overdue)} ago",
            "start the scheduler (baton scheduler; scripts/server has one)",
        )
    reasons = Counter(f"{row.name}: {row.reason.splitlines()[0] if row.reason else 'no reason'}" for row in rows)
    most = "; ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common(3))
    yield warn(
        check, f"{len(rows):,} messages failed and are tried again: {most}", "look into the reason; nothing is lost meanwhile"
    )


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def usable(findings: list[Finding]) -> list[str]:
    """Return the services whose database can be asked, by the findings of `check_database`."""
    bad = {finding.check for finding in findings if finding.level == "fail"}
    return [service for service in SERVICES if f"database {service}" not in bad]
