"""A RabbitMQ server to test against: one that is reachable and lets us make virtual hosts, or a private one."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pika

from baton.scripts.private_servers import common

# The real scripts, not Debian's wrappers in /usr/sbin, which change the user and drop the environment.
_SERVER = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server")
_CONTROL = ("/usr/lib/rabbitmq/bin/rabbitmqctl", "/usr/lib/rabbitmq/lib/*/sbin/rabbitmqctl")


@dataclass
class RabbitmqServer:
    """A server at `url` (its default virtual host) whose virtual hosts `rabbitmqctl` manages."""

    url: str
    control: list[str]
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _made: list[str] = field(default_factory=list)

    def fresh_url(self) -> str:
        """Create an empty virtual host and return its URL."""
        name = f"baton_test_{uuid.uuid4().hex[:12]}"
        user = unquote(urlsplit(self.url).username or "guest")
        self.run("add_vhost", name)
        self.run("set_permissions", "-p", name, user, ".*", ".*", ".*")
        url = urlunsplit(urlsplit(self.url)._replace(path=f"/{quote(name, safe='')}"))
        self._made.append(url)
        return url

    def forget(self, url: str) -> None:
        """Delete a virtual host made by `fresh_url`, with its queues and connections."""
        if url in self._made:
            self._made.remove(url)
            self.run("delete_vhost", unquote(urlsplit(url).path[1:]))

    def close(self) -> None:
        """Delete every virtual host made here."""
        for url in list(self._made):
            self.forget(url)

    def run(self, *arguments: str) -> str:
        """Run rabbitmqctl; return what it printed."""
        command = [*self.control, "-q", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False, timeout=60, cwd="/")
        if done.returncode != 0:
            raise common.ServersUnavailableError(f"rabbitmqctl {arguments[0]}: {done.stderr.decode().strip()[:200]}")
        return done.stdout.decode()


@dataclass
class PrivateRabbitmq(RabbitmqServer):
    """A server of our own, started by `start_private`; `close` stops it, its name server too, and removes everything."""

    program: str = ""
    directory: Path = Path()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; return when it accepts connections."""
        with (self.directory / "out").open("ab") as output:
            self.process = subprocess.Popen(
                [self.program], env=self.environment, stdout=output, stderr=output, cwd="/", start_new_session=True
            )
        common.wait_until(lambda: connects(self.url), f"RabbitMQ (log: {self.directory}/out)", 120.0)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server in order (SIGTERM) or by a crash (SIGKILL)."""
        if self.process is not None:
            common.end_group(self.process, how)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop and start."""
        self.stop(how)
        self.start()

    def close(self) -> None:
        """Stop the server and its name server, delete its files."""
        self._made.clear()
        self.stop(signal.SIGKILL)
        epmd = shutil.which("epmd")
        if epmd is not None:
            subprocess.run([epmd, "-kill"], env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def connects(url: str) -> bool:
    """Whether an AMQP connection can be opened."""
    parameters = pika.URLParameters(url)
    parameters.connection_attempts, parameters.socket_timeout = 1, 3
    parameters.blocked_connection_timeout = 5
    parts = urlsplit(url)
    if not common.listens(parts.hostname or "127.0.0.1", parts.port or 5672):
        return False
    try:
        pika.BlockingConnection(parameters).close()
    except Exception:  # pika raises its own errors, socket errors and bare asserts while a node starts
        return False
    return True


def acquire() -> RabbitmqServer:
    """
    Return a server: the one BATON_TEST_RABBITMQ_URL names, one on 127.0.0.1:5672, or a private one, installed if need be.

    A server is only used where `rabbitmqctl` reaches it: a virtual host per test is what keeps tests off other people's queues.

    Raises:
        ServersUnavailableError: none of these.
    """
    named = os.environ.get("BATON_TEST_RABBITMQ_URL")
    url = named or "amqp://guest:guest@127.0.0.1:5672/"
    control = common.find_program("rabbitmqctl")
    if control is not None and connects(url):
        server = RabbitmqServer(url, [control])
        if _controls(server):
            return server
    if named:
        raise common.ServersUnavailableError(
            "BATON_TEST_RABBITMQ_URL: no connection, or no rabbitmqctl here that manages that server's virtual hosts"
        )
    return start_private()


def start_private() -> PrivateRabbitmq:
    """
    Start a server of our own on free ports, with its own name server (epmd) and cookie.

    Raises:
        ServersUnavailableError: no binaries, none installable, or the server does not start.
    """
    program = common.find_program("rabbitmq-server", *_SERVER)
    if program is None and common.install("rabbitmq-server"):
        program = common.find_program("rabbitmq-server", *_SERVER)
    if program is None:
        raise common.ServersUnavailableError(
            "RabbitMQ: none at 127.0.0.1:5672, none installed; install rabbitmq-server or set BATON_TEST_RABBITMQ_URL"
        )
    directory = common.private_directory("rabbitmq")
    (directory / "plugins").write_text("[].\n")
    (directory / "rabbitmq.conf").write_text("log.file.level = warning\ncluster_name = baton-private\n")
    port = common.free_port()
    cookie = directory / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    environment = {
        **os.environ,
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(common.free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"baton{os.getpid()}_{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(common.free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
    control = common.find_program("rabbitmqctl", *_CONTROL)
    server = PrivateRabbitmq(
        f"amqp://guest:guest@127.0.0.1:{port}/",
        [control or "rabbitmqctl"],
        environment,
        program=program,
        directory=directory,
    )
    server.start()
    return server


def _controls(server: RabbitmqServer) -> bool:
    try:
        url = server.fresh_url()
        mine = connects(url)
        server.forget(url)
    except (common.ServersUnavailableError, OSError, subprocess.SubprocessError):
        return False
    return mine
