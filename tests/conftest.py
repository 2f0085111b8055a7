"""
Fixtures that every part's tests share.

`databases`    every service's tables, empty, in files of this test's own; parametrise `backend` for PostgreSQL too:
               `@pytest.mark.parametrize("backend", BACKENDS)` (tests/factories.py), with the settings that point there.
`stub_broker`  the in-memory broker, with every actor of the project declared on it.
`client`       `client("helpdesk")` is a falcon TestClient of that front on `databases`.
`alone`        no other file's stack runs meanwhile: for files that start many processes (one such stack holds some fifty
               connections to PostgreSQL, which allows a hundred).
`postgres_url`, `rabbitmq_url`  an empty database, an empty virtual host (mark the test `distributed`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import peewee
import pytest

from tests import servers

TESTS = Path(__file__).parent
# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile(
    "baton", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("baton")


@pytest.fixture
def backend() -> str:
    """The kind of database that `databases` uses; a test's parameter of this name takes its place."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the developer's settings and files out of every test, and one test's settings out of the next."""
    from baton.models.settings import get_settings

    for name in os.environ:
        if name.startswith("BATON_") and not name.startswith("BATON_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATON_ENV", "test")
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("BATON_TOKEN_ALGORITHM", "HS256")
    monkeypatch.setenv("BATON_SQLITE_SYNCHRONOUS", "NORMAL")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def _asked_by_a_test() -> bool:
    """Whether the query that is about to run stands in a test, and not in the code under test."""
    frame = sys._getframe(2)
    while frame.f_back is not None and Path(frame.f_code.co_filename).stem in ("peewee", "pool"):
        frame = frame.f_back
    return Path(frame.f_code.co_filename).is_relative_to(TESTS)


@pytest.fixture(autouse=True)
def _tests_may_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test query a database without opening a connection first; in the code under test that stays an error."""
    cursor = peewee.Database.cursor

    def open_for_tests(database: peewee.Database, named_cursor: str | None = None) -> Any:
        if database.is_closed() and _asked_by_a_test():
            database.connect()
        return cursor(database, named_cursor)

    monkeypatch.setattr(peewee.Database, "cursor", open_for_tests)


@pytest.fixture
def databases(backend: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Give every service empty, migrated databases and bind the models to them; the value is the settings."""
    from baton.models import database
    from baton.models.settings import SERVICES, get_settings

    if backend == "postgresql":
        url = request.getfixturevalue("_migrated_postgres_url")
        monkeypatch.setenv("BATON_DATABASE_URL", url)
    else:
        template: Path = request.getfixturevalue("_migrated_sqlite_files")
        shutil.copytree(template, tmp_path / "var", dirs_exist_ok=True)
    get_settings.cache_clear()
    settings = get_settings()
    database.configure(settings)
    yield settings
    for service in SERVICES:
        database.close(service)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a file that starts many processes from running beside another such file, where files run side by side."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    # Each worker has a folder of its own within the run's.
    with (tmp_path_factory.getbasetemp().parent / "alone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def _migrated_sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from baton.models.settings import load_settings

    directory = tmp_path_factory.mktemp("migrated")
    _migrate(load_settings({"BATON_DATA_DIR": str(directory), "BATON_SQLITE_SYNCHRONOUS": "NORMAL"}))
    return directory


@pytest.fixture(scope="session")
def _migrated_postgres_template(postgres_server: Any) -> str:
    from baton.models.settings import load_settings

    url: str = postgres_server.fresh_url()
    _migrate(load_settings({"BATON_DATABASE_URL": url}))
    return url


@pytest.fixture
def _migrated_postgres_url(postgres_server: Any, _migrated_postgres_template: str) -> Iterator[str]:
    url: str = postgres_server.fresh_url(template=_migrated_postgres_template)
    yield url
    postgres_server.forget(url)


def _migrate(settings: Any) -> None:
    from baton.models import database, migrate
    from baton.models.settings import SERVICES

    database.configure(settings)
    for service in SERVICES:
        if list((migrate.MIGRATIONS / service).glob("[0-9]*.py")):
            migrate.migrate(service)
        else:
            _create_tables(service)
        database.close(service)


def _create_tables(service: str) -> None:
    from baton.models import database, migrate

    try:
        models = migrate.service_models(service)
    except ModuleNotFoundError:  # the service is not written yet
        return
    with database.connection(service) as connection:
        if not database.is_sqlite(connection):
            connection.execute_sql(f'create schema if not exists "{service}"')
        connection.create_tables(models)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server for the whole run; skips (in CI: fails) the test where there is none."""
    server = servers.postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Any]:
    """A RabbitMQ server for the whole run; skips (in CI: fails) the test where there is none."""
    server = servers.rabbitmq()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    url: str = postgres_server.fresh_url()
    yield url
    postgres_server.forget(url)


@pytest.fixture
def rabbitmq_url(rabbitmq_server: Any) -> Iterator[str]:
    """The URL of an empty virtual host, deleted afterwards."""
    url: str = rabbitmq_server.fresh_url()
    yield url
    rabbitmq_server.forget(url)


@pytest.fixture
def stub_broker() -> Iterator[Any]:
    """Put the in-memory broker in place of the real one, with every actor declared on it."""
    import dramatiq

    from baton.actors.broker import middleware, use_broker
    from baton.actors.stub_broker import MemoryBroker
    from tests.actors_of import every_actor

    every_actor()
    before = dramatiq.get_broker()
    broker = MemoryBroker(middleware())
    use_broker(broker)
    broker.emit_after("process_boot")
    yield broker
    broker.flush_all()
    broker.close()
    use_broker(before)


@pytest.fixture
def client(databases: Any) -> Callable[[str], Any]:
    """Give test clients of the fronts, on `databases`; sign calls with `factories.bearer(principal)`."""

    def make(service: str) -> Any:
        import importlib

        from falcon.testing import TestClient

        from baton.http.tokens import key_source

        front = importlib.import_module(f"baton.http.{service}")
        return TestClient(front.create_app(databases, key_source(databases)))

    return make
