"""
The picture of an explanation: a row for each day, the wall clock from left to right, drawn in SVG from an explanation's lines.

What counts, what is open but does not count, what is closed and what is paused have colours of their own; start, changes, levels,
due, stop and question are marks with a word. Colours follow the reader's light or dark scheme; the explanation stands in the
description too, for those who cannot see it. Every text is escaped, and nothing in the picture is fetched or run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from baton.pipelines.sla.calendars import EPOCH_ORDINAL, Calendar, open_minutes
from baton.pipelines.sla.timeline import Line
from baton.pipelines.sla.working_time import to_datetime

#: Days drawn at the start of a long history and at its end.
_HEAD_ROWS, _TAIL_ROWS = 40, 20
_LEFT, _TOP, _DAY_WIDTH, _ROW, _BAR = 150, 84, 960, 34, 16
_WIDTH = _LEFT + _DAY_WIDTH + 30
_DESC_LINES = 60
#: About how wide a letter is.
_LETTER = 6
_MARKS = {"start": "start", "change": "change", "level": "level", "due": "due", "stop": "stop", "question": "question"}
_LEGEND = (("work", "counts"), ("open", "open, does not count"), ("closed", "closed"), ("pause", "paused"))
#: Characters that XML 1.0 cannot hold, and those that would turn the direction of what follows them.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")

_STYLE = """
svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-size:12px;background:#fff}
text{fill:#1f2328}.head{font-size:17px;font-weight:600}.hour{fill:#57606a}
.grid{stroke:#d0d7de;stroke-width:1}.open{fill:#ddf4e4}.work{fill:#2da44e}.closed{fill:#afb8c1}.pause{fill:#bf8700}
.mark{stroke:#0969da;stroke-width:2}.due .mark{stroke:#cf222e;stroke-width:3}.word{fill:#0550ae}.due .word{fill:#a40e26}
@media (prefers-color-scheme:dark){
svg{background:#0d1117}text{fill:#e6edf3}.hour{fill:#9da7b3}
.grid{stroke:#30363d}.open{fill:#12361f}.work{fill:#3fb950}.closed{fill:#484f58}.pause{fill:#d29922}
.mark{stroke:#58a6ff}.due .mark{stroke:#ff7b72}.word{fill:#79c0ff}.due .word{fill:#ffa198}
}
"""


def draw(lines: Sequence[Line], calendar: Calendar, *, heading: str) -> str:
    """Return the SVG document that shows an explanation's lines, with `heading` above it."""
    zone = ZoneInfo(calendar.time_zone)
    rows, words = _rows(lines, zone), _words(lines, zone)
    height = _TOP + len(rows) * _ROW + 24
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
            ' role="img" aria-labelledby="title desc">',
            f'<title id="title">{_text(heading)}</title><desc id="desc">{_text(describe(lines))}</desc><style>{_STYLE}</style>',
            f'<text class="head" x="24" y="32">{_text(heading)}</text>',
            *_legend(),
            *_grid(height),
            *(_row(number, day, calendar) for number, day in enumerate(rows)),
            *(piece for line, word in zip(lines, words, strict=True) for piece in _line(line, word, rows, zone)),
            "</svg>",
        )
    )


def describe(lines: Sequence[Line]) -> str:
    """Return the explanation in words; of a long one the end is left out."""
    told = ". ".join(line.text for line in lines[:_DESC_LINES])
    return f"{told}." if len(lines) <= _DESC_LINES else f"{told}, and {len(lines) - _DESC_LINES} more lines."


def _rows(lines: Sequence[Line], zone: ZoneInfo) -> list[int | None]:
    """Return the day numbers that are drawn, None for a row that stands for days left out."""
    ends = [line.start for line in lines] + [line.end - 1 for line in lines if line.end is not None and line.kind != "pause"]
    first, last = _day(min(ends), zone), _day(max(ends), zone)
    if last - first < _HEAD_ROWS + _TAIL_ROWS:
        return list(range(first, last + 1))
    return [*range(first, first + _HEAD_ROWS), None, *range(last - _TAIL_ROWS + 1, last + 1)]


def _legend() -> Iterator[str]:
    for number, (kind, word) in enumerate(_LEGEND):
        x = _LEFT + number * 170
        yield f'<rect class="{kind}" x="{x}" y="44" width="14" height="14" rx="2"/><text x="{x + 20}" y="55">{word}</text>'


def _grid(height: int) -> Iterator[str]:
    for hour in range(0, 25, 2):
        x = _x(hour * 60)
        yield f'<line class="grid" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{height - 20}"/>'
        yield f'<text class="hour" x="{x}" y="{_TOP - 10}" text-anchor="middle">{hour:02}</text>'


def _row(number: int, day: int | None, calendar: Calendar) -> str:
    y = _TOP + number * _ROW
    if day is None:
        return f'<text class="hour" x="24" y="{y + 22}">days left out</text>'
    date_of = datetime.fromordinal(day + EPOCH_ORDINAL)
    bars = "".join(_bar("open", start, end, y) for start, end in open_minutes(calendar, day))
    return f'<text x="24" y="{y + 24}">{date_of:%a %Y-%m-%d}</text>{bars}'


def _words(lines: Sequence[Line], zone: ZoneInfo) -> list[str]:
    """Return the word at each line's mark; one that would lie over the word before it is told there."""
    words = [_MARKS.get(line.kind, "") for line in lines]
    before: int | None = None
    for place in sorted((place for place, word in enumerate(words) if word), key=lambda place: lines[place].start):
        at = _place(lines[place].start, zone)
        if before is not None and at - _place(lines[before].start, zone) < _LETTER * (len(words[before]) + 1):
            words[before] += f", {words[place]}"
            words[place] = ""
        else:
            before = place
    return words


def _place(instant: int, zone: ZoneInfo) -> float:
    """Return where an instant is drawn, the rows one behind the other."""
    return _day(instant, zone) * 2 * _WIDTH + _x(_minutes(instant, zone))


def _line(line: Line, word: str, rows: Sequence[int | None], zone: ZoneInfo) -> Iterator[str]:
    title = f"<title>{_text(line.text)}</title>"
    if line.kind in _MARKS:
        day, minutes = _day(line.start, zone), _minutes(line.start, zone)
        if day in rows:
            x, y = _x(minutes), _TOP + rows.index(day) * _ROW
            anchor = "end" if x + _LETTER * (len(word) + 1) > _WIDTH else "start"
            shift = -4 if anchor == "end" else 4
            yield (
                f'<g class="{line.kind}">{title}<line class="mark" x1="{x}" y1="{y + 2}" x2="{x}" y2="{y + 12 + _BAR}"/>'
                f'<text class="word" x="{x + shift}" y="{y + 10}" text-anchor="{anchor}">{word}</text></g>'
            )
    elif line.kind in ("work", "closed", "pause"):
        for number, drawn in enumerate(rows):
            start, end = (0.0, 0.0) if drawn is None else _part(line, drawn, zone)
            if start < end:
                yield f"<g>{title}{_bar(line.kind, start, end, _TOP + number * _ROW)}</g>"


def _part(line: Line, day: int, zone: ZoneInfo) -> tuple[float, float]:
    """Return which minutes of a date's wall clock a line covers; an empty range when none."""
    first, last = _day(line.start, zone), (day + 1 if line.end is None else _day(line.end, zone))
    start = 0.0 if day > first else _minutes(line.start, zone) if day == first else 1440.0
    end = 1440.0 if day < last else _minutes(line.end or line.start, zone) if day == last else 0.0
    return start, end


def _bar(kind: str, start: float, end: float, y: int) -> str:
    return f'<rect class="{kind}" x="{_x(start)}" y="{y + 12}" width="{round(_x(end) - _x(start), 2)}" height="{_BAR}" rx="2"/>'


def _x(minutes: float) -> float:
    return round(_LEFT + minutes * _DAY_WIDTH / 1440, 2)


def _day(instant: int, zone: ZoneInfo) -> int:
    return to_datetime(instant).astimezone(zone).toordinal() - EPOCH_ORDINAL


def _minutes(instant: int, zone: ZoneInfo) -> float:
    local = to_datetime(instant).astimezone(zone)
    return local.hour * 60 + local.minute + (local.second + local.microsecond / 1_000_000) / 60


def _text(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))
