"""A PostgreSQL server to test against: one that is reachable, or a private one."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from baton.scripts.private_servers import common

_BINARIES = "/usr/lib/postgresql/*/bin"


@dataclass
class PostgresServer:
    """A server at `url` (its maintenance database); subclasses that are private can be restarted."""

    url: str
    _made: list[str] = field(default_factory=list)

    def fresh_url(self, template: str | None = None) -> str:
        """Create an empty database (or a copy of another one, by its URL) and return its URL."""
        name = f"baton_test_{uuid.uuid4().hex[:12]}"
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template is not None:
            statement = statement + sql.SQL(" template {}").format(sql.Identifier(urlsplit(template).path.lstrip("/")))
        self._run(statement)
        url = urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        self._made.append(url)
        return url

    def forget(self, url: str) -> None:
        """Drop a database made by `fresh_url`, whoever is still connected to it."""
        if url in self._made:
            self._made.remove(url)
            name = urlsplit(url).path.lstrip("/")
            self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Drop every database made here."""
        for url in list(self._made):
            self.forget(url)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)


@dataclass
class PrivatePostgres(PostgresServer):
    """A server of our own in a temporary directory, started by `start_private`; `close` stops it and removes everything."""

    directory: Path = Path()
    binaries: Path = Path()
    user: str | None = None

    def start(self) -> None:
        """Start the server; return when it accepts connections."""
        self._control("start", "-w", "-l", str(self.directory / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` ends sessions in order, `immediate` is a crash that recovers at the next start."""
        self._control("stop", "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and delete its files."""
        self._made.clear()
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _control(self, action: str, *options: str) -> None:
        command = [str(self.binaries / "pg_ctl"), action, "-D", str(self.directory / "data"), "-t", "60", *options]
        # Output goes to a file: a pipe would stay open in the server and keep us waiting for its end.
        with (self.directory / "pg_ctl.log").open("ab") as output:
            done = subprocess.run(
                common.as_user(self.user, command), stdout=output, stderr=output, cwd="/", check=False, timeout=90
            )
        if done.returncode != 0:
            raise common.ServersUnavailableError(f"pg_ctl {action} failed; see {self.directory}/log")


def acquire() -> PostgresServer:
    """
    Return a server: the one BATON_TEST_POSTGRES_URL names, one on 127.0.0.1:5432, or a private one, installed if need be.

    Raises:
        ServersUnavailableError: none of these.
    """
    named = os.environ.get("BATON_TEST_POSTGRES_URL")
    if named:
        if not _may_create_databases(named):
            raise common.ServersUnavailableError("BATON_TEST_POSTGRES_URL: no connection that may create databases")
        return PostgresServer(named)
    for user in ("postgres", getpass.getuser()):
        url = f"postgresql://{user}@127.0.0.1:5432/postgres"
        if common.listens("127.0.0.1", 5432) and _may_create_databases(url):
            return PostgresServer(url)
    return start_private()


def start_private(durable: bool = False) -> PrivatePostgres:
    """
    Start a server of our own. Unless `durable`, it does not wait for the disk (a killed server still recovers).

    Raises:
        ServersUnavailableError: no binaries, none installable, or the server does not start.
    """
    initdb = common.find_program("initdb", f"{_BINARIES}/initdb")
    if initdb is None and common.install("postgresql"):
        initdb = common.find_program("initdb", f"{_BINARIES}/initdb")
    if initdb is None:
        raise common.ServersUnavailableError(
            "PostgreSQL: none at 127.0.0.1:5432, none installed; install postgresql or set BATON_TEST_POSTGRES_URL"
        )
    user = common.unprivileged_user("postgres", "nobody")
    directory = common.private_directory("postgres")
    if user is not None:
        shutil.chown(directory, user)
    data = directory / "data"
    done = subprocess.run(
        common.as_user(user, [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]),
        capture_output=True,
        cwd="/",
        check=False,
    )
    if done.returncode != 0:
        raise common.ServersUnavailableError(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-200:]}")
    port = common.free_port()
    options = [f"port = {port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{directory}'"]
    options += ["max_connections = 300", "timezone = 'UTC'"]
    if not durable:
        options += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write("\n".join(["", *options, ""]))
    server = PrivatePostgres(
        f"postgresql://postgres@127.0.0.1:{port}/postgres",
        directory=directory,
        binaries=Path(initdb).resolve().parent,
        user=user,
    )
    server.start()
    return server


def _may_create_databases(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute("select rolcreatedb or rolsuper from pg_roles where rolname = current_user").fetchone()
            return bool(row and row[0])
    except psycopg.Error:
        return False
