"""What starting either server needs: free ports, a user to run as, waiting for readiness, installing by apt."""

from __future__ import annotations

import fcntl
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from glob import glob
from pathlib import Path


class ServersUnavailableError(Exception):
    """Neither found, nor startable, nor installable; the message says in one line what would help."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """
    Return once `ready()` is true.

    Raises:
        ServersUnavailableError: it was not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise ServersUnavailableError(f"{what} did not get ready within {seconds:.0f} s")
        time.sleep(0.1)


def find_program(name: str, *patterns: str) -> str | None:
    """Return the newest match of the patterns (full paths with wildcards), else the program on the path, else None."""
    for pattern in patterns:
        matches = sorted(path for path in glob(pattern) if os.access(path, os.X_OK))
        if matches:
            return matches[-1]
    return shutil.which(name)


def private_directory(name: str) -> Path:
    """Make a temporary directory that other users may pass through (a server run as root's stand-in must reach its files)."""
    directory = Path(tempfile.mkdtemp(prefix=f"baton-{name}-"))
    directory.chmod(0o755)
    return directory


@functools.cache
def unprivileged_user(*names: str) -> str | None:
    """Return whom to run a server as that refuses to run as root: the first of `names` that exists; None if we are not root."""
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return "nobody"


def as_user(user: str | None, command: Sequence[str]) -> list[str]:
    """Return the command as it is run by another user (root only), or unchanged."""
    return list(command) if user is None else ["runuser", "-u", user, "--", *command]


def end_group(process: subprocess.Popen[bytes], how: signal.Signals, seconds: float = 30.0) -> None:
    """Signal a process that leads its own group, with its children; kill what does not end in time; reap it."""
    try:
        os.killpg(process.pid, how)
        process.wait(seconds)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(seconds)


@functools.cache
def install(package: str) -> bool:
    """Install a Debian package where that is allowed (root, apt); return whether it is there afterwards."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None or os.environ.get("BATON_TEST_INSTALL") == "0":
        return False
    # One at a time: tests that run side by side may both be about to install.
    with open(Path(tempfile.gettempdir()) / "baton-apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _apt_install(package)


def _apt_install(package: str) -> bool:
    _update_packages()
    # `true` as the init script's answer: what is installed must not take the well-known ports as a service.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


@functools.cache
def _update_packages() -> None:
    subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
