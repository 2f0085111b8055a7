"""
Waiting for the disk beside the event loop.

In a process that runs on gevent everything shares one thread. Whatever waits inside a C library, such as SQLite syncing a commit
to disk, stops every request and every actor meanwhile. `beside_the_loop` has a real thread wait; elsewhere it just calls.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

#: Real threads that wait: commits of different files at the same time. Not those of gevent's own pool, which look-ups of names
#: may fill for seconds.
THREADS = 8


def on_event_loop() -> bool:
    """Whether this process runs on gevent."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def beside_the_loop(act: Callable[[], Result]) -> Result:
    """
    Return what `act` returns, raise what it raises; other green threads run meanwhile.

    It has ended when this returns, even if the waiting green thread is interrupted: what it works on is free then.
    """
    if not on_event_loop():
        return act()
    from gevent import get_hub, getcurrent

    hub = get_hub()
    if getcurrent() is hub:
        return act()
    work: Any = _pool(hub).spawn(act)
    try:
        work.wait()
    except BaseException:
        _wait_out(work)
        raise
    result: Result = work.get()
    return result


def _wait_out(work: Any) -> None:
    while not work.ready():
        try:
            work.wait()
        except BaseException:
            continue  # the first interruption is the one that is raised


@functools.cache
def _pool(hub: Any) -> Any:
    from gevent.threadpool import ThreadPool

    return ThreadPool(THREADS, hub=hub)
