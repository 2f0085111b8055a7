"""
Running Baton: each process by itself (`serve`, `worker`, `relay`, `scheduler`), or all of them in one (`server`).

`baton server` and `baton serve` run on gevent: `cli.main` patches the standard library before anything else is imported.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import ModuleType

import click
import structlog

from baton.models import database, migrate
from baton.models.logs import configure_logs
from baton.models.settings import FRONTS, SERVICES, WEB_PORTS, Settings, SettingsError, get_settings

log = structlog.get_logger("baton.run")

#: Why the embedded server had to stop, a line for each part that failed.
_failures: list[str] = []

#: Services with actors: which queues a worker of each consumes follows from the actors its module declares.
WORKERS = ("helpdesk", "tickets", "workflow", "messaging", "notifications", "issues")


@click.command()
@click.argument("service", type=click.Choice(FRONTS))
@click.option("--port", type=int, help="Port to listen on instead of the service's own.")
def serve(service: str, port: int | None) -> None:
    """Run the HTTP front of SERVICE."""
    settings = _start(f"{service}-http", () if service in WEB_PORTS else (service,))
    _serve(service, settings, port, _stop_on_signal())


@click.command()
@click.argument("service", type=click.Choice(WORKERS))
@click.option("--threads", type=int, help="Messages (or batches) handled at the same time.")
@click.option("--gevent", "_gevent", is_flag=True, help="Green threads instead of threads: for work that waits on the network.")
def worker(service: str, threads: int | None, _gevent: bool) -> None:
    """Run the actors of SERVICE. Start as many of these as the load wants."""
    settings = _start(f"{service}-worker", (service,))
    _work((service,), settings, threads or settings.worker_threads, _stop_on_signal())


@click.command()
def relay() -> None:
    """Publish what the services' outboxes hold. Several may run."""
    settings = _start("relay", SERVICES)
    from baton.actors import relay as process

    process.run(settings, SERVICES, _stop_on_signal())


@click.command()
def scheduler() -> None:
    """Wake what is due: retries, sweeps, housekeeping. Several may run."""
    settings = _start("scheduler", SERVICES)
    _import_actors(WORKERS)
    from baton.actors import scheduler as process

    process.run(settings, SERVICES, _stop_on_signal())


@click.command()
@click.option("--no-seed", is_flag=True, help="Do not create the demo organisation on the first run.")
def server(no_seed: bool) -> None:
    """Run everything in this one process: every front, every actor, relay and scheduler."""
    settings = _start("server", SERVICES)
    from baton.scripts import demo_day
    from baton.scripts.welcome import print_welcome

    stop = _stop_on_signal()
    seeded = False if no_seed or settings.production else _seed_demo(settings)
    threads = [_thread(f"{service}-http", functools.partial(_serve, service, settings, None, stop), stop) for service in FRONTS]
    if settings.embedded_broker or settings.broker_url:
        threads += _background(settings, stop)
    _wait_for_ports(settings, stop)
    if not stop.is_set():
        print_welcome(settings, seeded)
        if not no_seed and not settings.production:
            demo_day.tell_beside(settings, stop)
    while not stop.wait(1.0):
        pass
    for thread in threads:
        thread.join(timeout=20)
    if _failures:
        raise SystemExit("baton: " + "; ".join(_failures))


def _background(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    from baton.actors import relay as relay_process
    from baton.actors import scheduler as scheduler_process

    _import_actors(WORKERS)  # before the scheduler starts: they add their jobs to its table
    return [
        _thread("worker", lambda: _work(WORKERS, settings, settings.worker_threads, stop), stop),
        _thread("relay", lambda: relay_process.run(settings, SERVICES, stop), stop),
        _thread("scheduler", lambda: scheduler_process.run(settings, SERVICES, stop), stop),
    ]


def _start(process: str, services: tuple[str, ...]) -> Settings:
    """Read the settings, set logs and databases up, and wait until the databases can be reached and are migrated."""
    settings = get_settings()
    configure_logs(settings, process)
    # Every process may look at every database it is configured for; only the owner's code does.
    database.configure(settings)
    for service in services:
        _until_migrated(service)
    from baton.actors import live_exchange

    live_exchange.connect(settings)
    return settings


def _until_migrated(service: str) -> None:
    waited = False
    while True:
        try:
            migrate.migrate(service)
            if waited:
                log.info("database_reached", service=service)
            return
        except database.DatabaseUnavailableError as error:
            log.warning("waiting_for_database", service=service, reason=str(error).strip(), remedy="start it; see `baton doctor`")
            waited = True
            time.sleep(1.0)


def _serve(service: str, settings: Settings, port: int | None, stop: threading.Event) -> None:
    import baton.actors  # noqa: F401 - sets the broker, whose queues the front reports on
    from baton.http.server import serve as serve_http
    from baton.http.tokens import key_source

    front = importlib.import_module(f"baton.http.{service}")
    app = front.create_app(settings, key_source(settings))
    serve_http(app, settings.host, port or settings.ports[service], stop)


def _work(services: tuple[str, ...], settings: Settings, threads: int, stop: threading.Event) -> None:
    import dramatiq

    from baton.actors.heartbeat import beat
    from baton.actors.issue_reporting import tell_held_back

    _import_actors(services)
    process = dramatiq.Worker(dramatiq.get_broker(), worker_threads=threads, worker_timeout=500)
    process.start()
    log.info("worker_started", services=list(services), threads=threads)
    while not stop.wait(5.0):
        for service in services:
            beat(service, "worker")
        tell_held_back()
    process.stop(timeout=15_000)
    tell_held_back(all_=True)
    dramatiq.get_broker().close()


def _import_actors(services: tuple[str, ...]) -> list[ModuleType]:
    return [importlib.import_module(f"baton.actors.{service}") for service in services]


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()

    def handle(_signum: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(1)  # the second request: whoever asks twice does not want to wait
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


def _thread(name: str, target: Callable[[], None], stop: threading.Event) -> threading.Thread:
    """Start a part of the embedded server; if it fails, everything stops, so that nobody believes it is running."""

    def guarded() -> None:
        structlog.contextvars.bind_contextvars(process=name)
        try:
            target()
        except BaseException as error:
            if not stop.is_set():
                log.error("part_failed", part=name, error=str(error), exc_info=not isinstance(error, (SettingsError, OSError)))
                _failures.append(f"{name}: {error}")
            stop.set()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def _wait_for_ports(settings: Settings, stop: threading.Event) -> None:
    for service in FRONTS:
        while not stop.is_set():
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((settings.host, settings.ports[service])) == 0:
                    break
            stop.wait(0.1)


def _seed_demo(settings: Settings) -> bool:
    """Create the demo organisation if nobody has ever been seeded, or a start was killed meanwhile; return whether it was."""
    from baton.models.auth import User
    from baton.scripts import demo_day
    from baton.scripts.cli import cli

    unfinished = settings.data_dir / "seeding"
    with database.read_tx("auth"):
        if User.select().exists() and not unfinished.exists():
            return False
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    for command in ("seed_systems", "seed_tts", "seed_hdts", "seed_employees", "seed_role", "seed_workflows"):
        click.echo(f"- {command}")
        cli.main([command], prog_name="baton", standalone_mode=False)
    demo_day.begin(settings)
    unfinished.unlink(missing_ok=True)
    return True
