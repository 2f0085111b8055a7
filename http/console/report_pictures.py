"""
The reports' pictures, drawn into the page in the visitor's language.

They stand in the page itself, not in an image: words and lines have the page's colours, light or dark, and each bar tells its
value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from baton.http.web.pages import Visit
from baton.pipelines.charts import Series, draw_bars

#: As wide as half a page, so that words are drawn as large as they are written.
WIDTH = 620
#: The series of each picture: a field of the report's rows each, its text is `series.FIELD`.
SLA = {"verdicts": ("met", "breached", "late_open"), "in_time": ("in_time_percent",)}
FAIRNESS = {
    "turns": ("turns", "given_back"),
    "eligible": ("eligible", "passed_over"),
    "late": ("late", "late_now"),
    "open": ("open_now", "late_now"),
}
FLOW = {"tickets": ("arrived", "finished"), "backlog": ("backlog",), "steps": ("median", "p90")}


def sla_pictures(visit: Visit, report: Any, metrics: Sequence[str]) -> list[Markup]:
    """Return pictures of promises kept and broken."""
    labels = [row["name"] or visit.t("reports.nothing") for row in report["rows"]]
    units = {"in_time": "%"}
    return [_draw(visit, "sla", name, labels, SLA[name], report["rows"], units.get(name, "")) for name in metrics if labels]


def fairness_pictures(visit: Visit, report: Any, metrics: Sequence[str]) -> list[Markup]:
    """Return pictures of who got how much."""
    people = [each for each in report["people"] if each["active"] or each["turns"] or each["late"]]
    often = Counter(each["name"] for each in people)
    labels = [each["name"] if each["name"] and often[each["name"]] == 1 else _in_full(each) for each in people]
    return [_draw(visit, "fairness", name, labels, FAIRNESS[name], people) for name in metrics if labels]


def _in_full(person: dict[str, Any]) -> str:
    return f"{person['name'] or person['user_id']} ({person['role']})"


def flow_pictures(visit: Visit, report: Any, metrics: Sequence[str]) -> list[Markup]:
    """Return pictures of what came, went and was left, and of how long steps took."""
    days, steps = report["days"], steps_in_hours(report)
    found = []
    for name in metrics:
        if name == "steps":
            labels = [f"{row['step']}, {row['workflow']}" for row in steps]
            found += [_draw(visit, "flow", name, labels, FLOW[name], steps, "h")] if labels else []
        else:
            found.append(_draw(visit, "flow", name, [row["day"] for row in days], FLOW[name], days))
    return found


def steps_in_hours(report: Any) -> list[dict[str, Any]]:
    """Return the times per step in hours."""
    return [
        {**row, **{name: round(row[f"{name}_seconds"] / 3600, 2) for name in ("mean", "median", "p90", "longest")}}
        for row in report["steps"]
    ]


def _draw(
    visit: Visit, report: str, name: str, labels: list[str], fields: Sequence[str], rows: list[dict[str, Any]], unit: str = ""
) -> Markup:
    series = [Series(visit.t(f"series.{field}"), [row[field] for row in rows]) for field in fields]
    # Every text in it was escaped by the drawing.
    return Markup(draw_bars(visit.t(f"pictures.{report}_{name}"), labels, series, unit, name=f"{report}-{name}", width=WIDTH))
