"""
A whole Baton of one's own, for chaos, benchmarks and tests: its processes, ports, files and servers, gone at the end.

    with Stack.embedded() as stack: ...
    with Stack.distributed(database_url, broker_url) as stack: ...

Unlike the Procfile's supervisors, this one is part of the experiment: `kill` is SIGKILL, and `keep` decides whether a dead
process comes back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from baton.models.settings import FRONTS, SERVICES, Settings, load_settings
from baton.scripts.private_servers.common import free_port

#: Process name -> arguments of `baton`. Two of whatever may run twice.
DISTRIBUTED = {
    **{f"{service}-http": ("serve", service) for service in SERVICES},
    "helpdesk-worker": ("worker", "helpdesk"),
    "tickets-worker": ("worker", "tickets"),
    "workflow-worker-1": ("worker", "workflow"),
    "workflow-worker-2": ("worker", "workflow"),
    "messaging-worker": ("worker", "messaging"),
    "notifications-worker": ("worker", "notifications"),
    "issues-worker": ("worker", "issues"),
    "relay-1": ("relay",),
    "relay-2": ("relay",),
    "scheduler": ("scheduler",),
}
EMBEDDED = {"server": ("server", "--no-seed")}
#: What a fresh organisation needs before tickets flow, in order.
SEEDS = ("seed_systems", "seed_tts", "seed_hdts", "seed_employees", "seed_role", "seed_workflows")
#: Seconds until a killed process is started again.
RESPAWN_SECONDS = 0.3


class StackError(Exception):
    """The stack did not come up; the message names the process and its log."""


class Stack:
    """Processes of one experiment under one environment."""

    def __init__(self, programs: Mapping[str, Sequence[str]], variables: Mapping[str, str], directory: Path) -> None:
        self.programs = dict(programs)
        self.directory = directory
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BATON_")},
            "BATON_DATA_DIR": str(directory / "var"),
            "BATON_LOG_FORMAT": "json",
            **{f"BATON_{front.upper()}_PORT": str(free_port()) for front in FRONTS},
            **variables,
        }
        self.settings: Settings = load_settings(self.environment)
        self.keep = True
        self.keep_files = False
        self.deaths = 0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._respawn, name="keeper", daemon=True)

    @classmethod
    def embedded(cls, **variables: str) -> Stack:
        """Return a stack of one process on SQLite."""
        return cls(EMBEDDED, variables, _directory())

    @classmethod
    def distributed(cls, database_url: str, broker_url: str, **variables: str) -> Stack:
        """Return a stack of many processes on PostgreSQL and RabbitMQ."""
        variables = {"BATON_DATABASE_URL": database_url, "BATON_BROKER_URL": broker_url, **variables}
        return cls(DISTRIBUTED, variables, _directory())

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.keep_files = True
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.keep_files = self.keep_files or error is not None
        self.stop()

    def start(self, seeds: Sequence[str] = SEEDS, fronts: Sequence[str] = SERVICES) -> None:
        """Migrate, seed and start every process; return when these fronts answer."""
        (self.directory / "logs").mkdir(parents=True, exist_ok=True)
        for command in ("migrate", *seeds):
            self.run(command)
        for name in self.programs:
            self._spawn(name)
        self._keeper.start()
        for service in fronts:
            self._await_front(service)

    def run(self, *arguments: str, seconds: float = 120.0) -> str:
        """Run a `baton` command against this stack; return what it printed."""
        command = [sys.executable, "-m", "baton.scripts.cli", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=seconds)
        if done.returncode != 0:
            raise StackError(f"baton {' '.join(arguments)}: {(done.stdout + done.stderr).strip()[-2000:]}")
        return done.stdout

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill a process at whatever it is doing; it comes back while `keep` is set."""
        process = self._processes[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        self.deaths += 1

    def pids(self) -> dict[str, int]:
        """Return the process id of each process that runs now."""
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    def stop(self) -> None:
        """End every process and, unless `keep_files` is set, delete the files."""
        self.keep = False
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 15
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not self.keep_files:
            shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, service: str) -> str:
        """Return the base URL of a service's front."""
        return self.settings.url(service)

    def service_token(self, name: str = "chaos") -> str:
        """Return an access token for a service of this name, from auth."""
        body: dict[str, Any] = {"name": name, "secret": self.settings.service_secret}
        answer = httpx.post(f"{self.url('auth')}/api/v1/service-token", json=body, timeout=10)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def _spawn(self, name: str) -> None:
        command = [sys.executable, "-m", "baton.scripts.cli", *self.programs[name]]
        with (self.directory / "logs" / f"{name}.log").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def _respawn(self) -> None:
        while not self._stopping.wait(RESPAWN_SECONDS):
            for name, process in list(self._processes.items()):
                if self.keep and process.poll() is not None:
                    self._spawn(name)

    def _await_front(self, service: str) -> None:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url(service)}/health", timeout=5).status_code in (200, 503):
                    return
            if time.monotonic() > deadline:
                raise StackError(f"{service} does not answer; logs: {self.directory}/logs")
            time.sleep(0.2)


def _end_with_parent() -> None:
    """In the child: end when the experiment is killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _directory() -> Path:
    return Path(tempfile.mkdtemp(prefix="baton-stack-"))
