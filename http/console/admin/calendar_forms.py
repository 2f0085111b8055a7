"""
A calendar as a form: a line of opening times for each weekday, and a line for each closed range.

    2026-12-25 Christmas Day                one day
    2026-12-24..2027-01-02 Works holiday    several days, both included
    12-25 Christmas Day                     every year
    2026-12-24 14:00-24:00 Half day         hours of a day
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from baton.pipelines.sla.calendar_fields import WEEKDAYS

_DATE = r"(?:\d{4}-)?\d{2}-\d{2}"
_CLOSED = re.compile(rf"({_DATE})(?:\s*\.\.\s*({_DATE}))?(?:\s+(\d\d:\d\d)\s*-\s*(\d\d:\d\d))?(?:\s+(.*))?")
_WINDOW = re.compile(r"(\d{1,2}:\d\d)\s*[-\u2013]\s*(\d{1,2}:\d\d)")


def fields_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that the form shows of a document."""
    windows = document.get("windows") or {}
    fields = {"time_zone": document.get("time_zone", ""), "always": "yes" if windows == "always" else ""}
    for day in WEEKDAYS:
        pairs = windows.get(day, []) if isinstance(windows, Mapping) else []
        fields[day] = ", ".join(f"{start}-{end}" for start, end in pairs)
    fields["closed"] = "\n".join(map(closed_line, document.get("closed") or ()))
    return fields


def document_of(fields: Mapping[str, str], unreadable: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the document of a form, and by field what cannot be read: the text `unreadable` with `{text}` filled."""
    wrong: dict[str, str] = {}
    windows: dict[str, list[list[str]]] = {}
    for day in WEEKDAYS:
        pieces = [piece.strip() for piece in re.split(r"[,;]", fields.get(day, "")) if piece.strip()]
        found = [_WINDOW.fullmatch(piece) for piece in pieces]
        if None in found:
            wrong[day] = unreadable.format(text=pieces[found.index(None)])
        windows[day] = [[match[1].zfill(5), match[2].zfill(5)] for match in found if match is not None]
    closed = []
    for line in (each.strip() for each in fields.get("closed", "").splitlines()):
        match = _CLOSED.fullmatch(line)
        if match is not None:
            closed.append(_range(*match.groups()))
        elif line:
            wrong["closed"] = unreadable.format(text=line[:80])
    always = fields.get("always") == "yes"
    opened: Any = "always" if always else {day: pairs for day, pairs in windows.items() if pairs}
    return {"time_zone": fields.get("time_zone", "").strip(), "windows": opened, "closed": closed}, wrong


def closed_line(entry: Mapping[str, Any]) -> str:
    """Return a closed range as a line of the form."""
    days = entry["on"] if "on" in entry else f"{entry['from']}..{entry['to']}"
    hours = f"{entry.get('start', '00:00')}-{entry.get('end', '24:00')}" if "start" in entry or "end" in entry else ""
    return " ".join(part for part in (days, hours, entry.get("name", "")) if part)


def errors_by_field(errors: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, str]:
    """Return a service's errors by the form's fields; those of closed ranges name their line."""
    found: dict[str, str] = {}
    for name, message in errors.items():
        name = re.sub(r"^(definition|calendars\.\d+\.definition)\.?", "", name)
        day, closed = re.match(r"windows\.(\w+)", name), re.match(r"closed\[(\d+)\]", name)
        if closed is not None and int(closed[1]) < len(document["closed"]):
            found["closed"] = f"{closed_line(document['closed'][int(closed[1])])}: {message}"
        else:
            found[day[1] if day is not None else name] = message
    return found


def _range(first: str, last: str | None, start: str | None, end: str | None, name: str | None) -> dict[str, str]:
    days = {"on": first} if last is None else {"from": first, "to": last}
    days |= {"every": "year"} if len(first) == 5 else {}
    days |= {"start": start} if start is not None and start != "00:00" else {}
    days |= {"end": end} if end is not None and end != "24:00" else {}
    return days | ({"name": name.strip()} if name and name.strip() else {})
