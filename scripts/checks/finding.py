"""What `baton doctor` finds: one line each, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "fail", "skip"]
#: How many examples a finding names.
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that was looked at.

    `ok` it is well; `warn` it works, and somebody should look; `fail` it does not work, or a promise is broken; `skip` it
    could not be looked at, because something that another finding names is missing. `remedy` is a command or an act; every
    warn and fail has one.
    """

    level: Level
    check: str
    detail: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding("ok", check, detail)


def warn(check: str, detail: str, remedy: str) -> Finding:
    """It works, and somebody should look."""
    return Finding("warn", check, detail, remedy)


def fail(check: str, detail: str, remedy: str) -> Finding:
    """It does not work, or a promise is broken."""
    return Finding("fail", check, detail, remedy)


def skip(check: str, detail: str) -> Finding:
    """It could not be looked at."""
    return Finding("skip", check, detail)


def some(things: Iterable[object], total: int | None = None) -> str:
    """Return the first few of many things as text, and how many more there are."""
    listed = [str(thing) for thing in things]
    more = (len(listed) if total is None else total) - EXAMPLES
    return ", ".join(listed[:EXAMPLES]) + (f" and {more:,} more" if more > 0 else "")


def first_line(error: BaseException) -> str:
    """Return an error in one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
