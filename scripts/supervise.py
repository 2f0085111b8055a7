"""
`baton supervise`: keep one process running.

honcho stops the whole stack when one of its processes ends, and so does Dramatiq's own command line when a child is
killed. A help desk that cannot drop a ticket wants the opposite: a killed process comes back. Each line of the Procfile
therefore runs under this supervisor. Under systemd or Kubernetes, which restart by themselves, run the commands without it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

import click

#: Seconds before a restart: doubled for each quick death up to the longest, back to the shortest after a calm life.
SHORTEST_PAUSE, LONGEST_PAUSE, CALM_SECONDS = 0.2, 5.0, 20.0
#: Seconds a child gets to finish its work after SIGTERM.
GRACE_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def supervise(command: tuple[str, ...]) -> None:
    """Run COMMAND, and again whenever it ends, until this process is told to stop. Use: baton supervise -- baton relay"""
    _retitle(command)
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(signum: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    pause = SHORTEST_PAUSE
    while not stopping:
        started = time.monotonic()
        child = subprocess.Popen(list(command), preexec_fn=_die_with_parent)
        code = _wait(child, lambda: stopping)
        if stopping:
            break
        pause = SHORTEST_PAUSE if time.monotonic() - started > CALM_SECONDS else min(pause * 2, LONGEST_PAUSE)
        print(f"supervisor: {' '.join(command)} ended with {code}; again in {pause:.1f} s", file=sys.stderr, flush=True)
        time.sleep(pause)


def _wait(child: subprocess.Popen[bytes], stopping: object) -> int:
    """Return the child's exit code; once told to stop, allow it the grace period and then kill it."""
    assert callable(stopping)
    deadline: float | None = None
    while True:
        try:
            return child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if stopping() and deadline is None:
                deadline = time.monotonic() + GRACE_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                child.kill()


def _die_with_parent() -> None:
    """In the child: own no terminal signals, and end when the supervisor is killed (Linux)."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _retitle(command: tuple[str, ...]) -> None:
    """Show as `supervisor of NAME`, so that whoever kills a process by its command line hits the process, not its keeper."""
    import setproctitle

    name = "-".join(word for word in command if not word.startswith("-"))
    setproctitle.setproctitle(f"supervisor of {name}")
