"""How often a process tells of the same fault: once in a while, with the count of what was held back in between."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton.pipelines.messages import RecordIssue

#: Seconds for which the same fault of one process is counted rather than told again. Lower: more messages in a storm.
QUIET_SECONDS = 10.0
#: Different faults remembered by a process. Beyond that, those that owe nothing are forgotten first.
MOST_FAULTS = 500


@dataclass(slots=True)
class _Told:
    at: float
    held_back: int = 0
    service: str = ""
    report: RecordIssue | None = None


class Limiter:
    """What this process has told of lately. Safe for several threads; `now` is monotonic seconds."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS, most: int = MOST_FAULTS) -> None:
        self._quiet, self._most = quiet_seconds, most
        self._told: OrderedDict[tuple[str, str | None], _Told] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, service: str, report: RecordIssue, now: float) -> RecordIssue | None:
        """Return the report to tell, its count including what was held back; None while the fault is to be held back."""
        key = (service, report.fingerprint)
        with self._lock:
            told = self._told.get(key)
            if told is not None and now - told.at < self._quiet:
                told.held_back, told.report, told.service = told.held_back + 1, report, service
                return None
            held_back = told.held_back if told is not None else 0
            self._told[key] = _Told(now)
            self._told.move_to_end(key)
            while len(self._told) > self._most:
                # Rather forget one that owes nothing; when all do, the oldest debt is lost, and the storm is told anyway.
                idle = next((other for other, entry in self._told.items() if not entry.held_back), next(iter(self._told)))
                del self._told[idle]
        return replace(report, count=report.count + held_back) if held_back else report

    def due(self, now: float, *, all_: bool = False) -> list[tuple[str, RecordIssue]]:
        """Return, and forget, what was held back and would be told by now: service and report. `all_`: whatever is held back."""
        found = []
        with self._lock:
            for told in self._told.values():
                if told.held_back and told.report is not None and (all_ or now - told.at >= self._quiet):
                    found.append((told.service, replace(told.report, count=told.held_back)))
                    told.at, told.held_back, told.report = now, 0, None
        return found

    def take_back(self, service: str, reports: Sequence[RecordIssue]) -> None:
        """Hold back again what could not be told."""
        with self._lock:
            for report in reports:
                told = self._told.get((service, report.fingerprint))
                if told is not None:
                    told.held_back, told.report, told.service = told.held_back + report.count, told.report or report, service
