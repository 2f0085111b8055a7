"""What surrounds Baton on this machine: its data directory, and the ports of its fronts with whoever answers there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from baton.http.ports import holder_of
from baton.models.settings import SERVICES, Settings
from baton.scripts.checks.finding import Finding, fail, first_line, ok, warn

#: How long a front may take to say how it is, in seconds.
HEALTH_SECONDS = 5.0
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1", "0.0.0.0"}


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    """Whether files can be made where the embedded databases and broker live."""
    directory = settings.data_dir.absolute()
    needed = settings.embedded_broker or any(settings.database_url(service).startswith("sqlite") for service in SERVICES)
    if not directory.exists():
        parent = next(path for path in directory.parents if path.exists())
        if not needed or os.access(parent, os.W_OK):
            yield ok("data directory", f"{directory} does not exist yet; it is made when it is needed")
        else:
            yield fail("data directory", f"{parent} cannot be written to", f"give yourself {parent}, or set BATON_DATA_DIR")
        return
    try:
        with tempfile.NamedTemporaryFile(dir=directory):
            pass
        yield ok("data directory", f"{directory} can be written to")
    except OSError as error:
        report = fail if needed else warn
        yield report("data directory", f"{directory}: {first_line(error)}", f"give yourself {directory}, or set BATON_DATA_DIR")


def check_fronts(settings: Settings) -> Iterator[Finding]:
    """Whether each front answers at its address; where none does, whether its port is free or who has it."""
    found = [_front(settings, service) for service in SERVICES]
    if all(finding.level == "fail" and finding.detail.endswith("is free") for finding in found):
        ports = ", ".join(str(settings.ports[service]) for service in SERVICES)
        remedy = "scripts/server (all in one process), or honcho start (one process for each)"
        yield fail("fronts", f"Baton is not running: nothing answers, ports {ports} are free", remedy)
    else:
        yield from found


def _front(settings: Settings, service: str) -> Finding:
    check, url = f"front {service}", settings.url(service)
    try:
        with httpx.Client(timeout=HEALTH_SECONDS) as client:
            answer = client.get(f"{url}/health")
        document = answer.json()
        if document.get("service") != service:
            raise ValueError(f"it says it is {document.get('service')!r}")
    except httpx.ConnectError:
        return _silent(settings, service)
    except httpx.TimeoutException:
        return fail(check, f"{url} accepts connections and does not answer within {HEALTH_SECONDS:.0f} s", _restart(service))
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        holder = _holder(url) or "something else"
        remedy = f"stop it, or set BATON_{service.upper()}_PORT to a free port"
        return fail(check, f"{url} is answered by {holder}, not by {service} ({first_line(error)})", remedy)
    return _judged(check, url, service, document)


def _judged(check: str, url: str, service: str, document: dict[str, object]) -> Finding:
    status = document.get("status")
    parts = document.get("checks")
    bad = [name for name, part in parts.items() if part.get("status") != "ok"] if isinstance(parts, dict) else []
    if status == "ok":
        return ok(check, f"{url} answers")
    report = fail if status == "failing" else warn
    return report(check, f"{url} says it is {status}: {', '.join(bad)}", f"see the findings below, and {url}/health")


def _silent(settings: Settings, service: str) -> Finding:
    check, url, port = f"front {service}", settings.url(service), urlsplit(settings.url(service)).port
    holder = _holder(url)
    if holder:
        remedy = f"stop it, or set BATON_{service.upper()}_PORT to a free port"
        return fail(check, f"nothing answers at {url}; port {port} is held by {holder}", remedy)
    return fail(check, f"nothing answers at {url}; port {port} is free", f"baton serve {service}")


def _holder(url: str) -> str | None:
    parts = urlsplit(url)
    return holder_of(parts.port) if parts.port and parts.hostname in LOCAL_HOSTS else None


def _restart(service: str) -> str:
    return f"look at its log; restart it: baton serve {service}"
