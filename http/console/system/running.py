"""What runs and what waits: queues, outboxes, messages that are tried again, processes, and the scheduler's jobs."""

from __future__ import annotations

from typing import Any

from baton.http.console.system.findings import span
from baton.http.console.system.reaching import Answer, ask_each
from baton.http.web.pages import ADMIN, Page, Shown, Visit
from baton.models.settings import SERVICES

#: A process silent for so long, in seconds, counts as gone; the oldest of a queue or an outbox should not wait so long.
SILENT_SECONDS = SLOW_SECONDS = 30.0
_STATES = ("failed", "late", "no leader", "never", "ok")


def queues(visit: Visit) -> Shown:
    """Each service's outbox and inbox, each queue, and each process that works for them."""
    answers = ask_each(visit, SERVICES, "/api/v1/runtime")
    known = [answer.document for answer in answers if not answer.trouble]
    rows = [{"service": each["service"], **queue} for each in known for queue in each["queues"] or ()]
    rows.sort(key=lambda row: (-row["dead"], -row["ready"], row["queue"]))
    values = {
        "services": known,
        "away": _away(answers),
        "queues": rows,
        "unknown": [each["service"] for each in known if each["queues"] is None],
        "processes": _processes(known),
        **_measures(visit),
    }
    return Shown("system/queues_part.html" if visit.part == "queues" else "system/queues.html", values)


def schedule(visit: Visit) -> Shown:
    """Every job of the scheduler, those in trouble first, and who leads each service."""
    answers = ask_each(visit, SERVICES, "/api/v1/runtime")
    known = [answer.document for answer in answers if not answer.trouble]
    jobs = [{"service": each["service"], **job} for each in known for job in each["jobs"]]
    jobs.sort(key=lambda job: (_STATES.index(job["state"]), job["job"], job["service"]))
    wanted = visit.query("service")
    values = {
        "leaders": [(each["service"], each["leader"]) for each in known],
        "away": _away(answers),
        "jobs": [job for job in jobs if wanted in ("", job["service"])],
        "services": SERVICES,
        **_measures(visit),
    }
    return Shown("system/schedule_part.html" if visit.part == "schedule" else "system/schedule.html", values)


def deferred(visit: Visit) -> Shown:
    """A service's messages that are tried again, the first due first."""
    wanted = visit.query("service")
    service = wanted if wanted in SERVICES else SERVICES[0]
    found = visit.api.get(service, "/api/v1/runtime/deferred", limit=50, **visit.filters("cursor"))
    return Shown("system/deferred.html", {"found": found, "service": service, "services": SERVICES})


def _away(answers: list[Answer]) -> list[str]:
    return [answer.service for answer in answers if answer.trouble]


def _processes(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each process once, with the services that it works for and when any of them last heard of it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in services:
        for process in each["processes"]:
            key = (process["kind"], process["instance"])
            entry = found.setdefault(key, {**process, "services": []})
            entry["services"].append(each["service"])
            if process["silent_seconds"] < entry["silent_seconds"]:
                entry |= {name: process[name] for name in ("silent_seconds", "seen_at")}
    return sorted(found.values(), key=lambda process: (process["kind"], process["silent_seconds"]))


def _measures(visit: Visit) -> dict[str, Any]:
    return {"span": lambda seconds: span(visit.texts, seconds), "slow": SLOW_SECONDS, "silent": SILENT_SECONDS}


PAGES = (
    Page("GET", "/system/queues", queues, ADMIN),
    Page("GET", "/system/schedule", schedule, ADMIN),
    Page("GET", "/system/deferred", deferred, ADMIN),
)
