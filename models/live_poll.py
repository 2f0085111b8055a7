"""
The slow poll behind live news: what signals did not tell is found in the tables within a few seconds.

    poll = Poll("ticket:", newest_entries)      # newest_entries(["HD-1", "HD-2"]) -> {"HD-1": 17}
    poll.start()

One set-based question for all topics that somebody in this process waits for, every `seconds`: its cost follows the open rooms,
not what is stored. A topic whose number has grown since the last look gets a signal `{"up_to": N}`; a subscriber that has
read that far ignores it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import structlog

from baton.models.live import Hub, Signal, hub

#: Seconds between two looks: how late lost news is at most. Each look is one question per TOPICS_AT_ONCE topics.
POLL_SECONDS = 3.0
#: Topics per question: SQLite takes a limited number of parameters.
TOPICS_AT_ONCE = 500

log = structlog.get_logger("baton.live")


class Poll:
    """
    A thread that asks `newest` for the topics with a prefix: from the keys (topics without it) to each one's newest number, every
    `seconds` (POLL_SECONDS unless they are given).

    It runs while somebody waits for such a topic; `start` is called again by whoever opens the next.
    """

    def __init__(
        self,
        prefix: str,
        newest: Callable[[Sequence[str]], Mapping[str, int]],
        seconds: float | None = None,
        of: Hub = hub,
    ) -> None:
        self._prefix = prefix
        self._newest = newest
        self._seconds = seconds
        self._hub = of
        self._seen: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Have the thread run, if it does not."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"live-poll-{self._prefix}", daemon=True)
                self._thread.start()

    def look(self) -> bool:
        """Ask once and signal what has grown; return whether anybody waits."""
        keys = [topic.removeprefix(self._prefix) for topic in self._hub.topics(self._prefix)]
        found: dict[str, int] = {}
        for start in range(0, len(keys), TOPICS_AT_ONCE):
            found.update(self._newest(keys[start : start + TOPICS_AT_ONCE]))
        for key, number in found.items():
            if number > self._seen.get(key, -1):
                self._hub.deliver(Signal(self._prefix + key, {"up_to": number}))
        self._seen = found
        return bool(keys)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._seconds or POLL_SECONDS)
            try:
                wanted = self.look()
            except Exception as error:  # the database is away, or was closed: the next look may find it again
                log.warning("live_poll_failed", prefix=self._prefix, reason=str(error)[:200])
                continue
            with self._lock:
                if not wanted and not self._hub.topics(self._prefix):
                    self._thread = None
                    return
