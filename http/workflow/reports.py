"""Reports: promises kept and broken, who got how much, what came and went; as JSON, as CSV, as pictures."""

from __future__ import annotations

from typing import Any

from baton.http.api import Call, Operation, Reply
from baton.http.workflow import report_views as views
from baton.http.workflow.designs import PICTURE_POLICY, SVG
from baton.http.workflow.report_making import fairness_report, flow_report, sla_report
from baton.pipelines.charts import Series, draw_bars
from baton.pipelines.sla_reports import write_csv

_REPORTS = "/api/v1/reports"


def read_sla(call: Call, query: views.SlaTable) -> Any:
    """Promises kept and broken, by group."""
    report = sla_report(call, query)
    if query.format == "json":
        return report
    return _csv("sla", report, tuple(views.SlaRow.model_fields), [*report.rows, report.total])


def draw_sla(call: Call, query: views.SlaPicture) -> Reply:
    """The same as a picture."""
    report = sla_report(call, query)
    if query.metric == "in_time":
        series = [Series("in time", [row.in_time_percent for row in report.rows])]
        return _picture(f"In time, by {query.group}", report, [row.name for row in report.rows], series, "%")
    series = [
        Series("met", [row.met for row in report.rows]),
        Series("breached", [row.breached for row in report.rows]),
        Series("late and open", [row.late_open for row in report.rows]),
    ]
    return _picture(f"Service levels by {query.group}", report, [row.name or "none" for row in report.rows], series)


def read_fairness(call: Call, query: views.FairnessTable) -> Any:
    """Who got how much."""
    report = fairness_report(call, query)
    return report if query.format == "json" else _csv("fairness", report, tuple(views.PersonDay.model_fields), report.days)


def draw_fairness(call: Call, query: views.FairnessPicture) -> Reply:
    """The same as a picture."""
    report = fairness_report(call, query)
    people = [person for person in report.people if person.active or person.turns or person.late]
    labels = [f"{person.name or person.user_id} ({person.role})" for person in people]
    fields = {
        "turns": (("turns", "turns"), ("given_back", "given back")),
        "eligible": (("eligible", "eligible"), ("passed_over", "passed over")),
        "late": (("late", "ended late"), ("late_now", "late now")),
        "open": (("open_now", "open now"), ("late_now", "late now")),
    }[query.metric]
    series = [Series(words, [getattr(person, name) for person in people]) for name, words in fields]
    return _picture(f"Load by person: {query.metric}", report, labels, series)


def read_flow(call: Call, query: views.FlowTable) -> Any:
    """What came, what went, what is left, and how long steps took."""
    report = flow_report(call, query)
    if query.format == "json":
        return report
    if query.table == "steps":
        return _csv("steps", report, tuple(views.StepTime.model_fields), report.steps)
    return _csv("flow", report, tuple(views.FlowDay.model_fields), report.days)


def draw_flow(call: Call, query: views.FlowPicture) -> Reply:
    """The same as a picture."""
    report = flow_report(call, query)
    if query.metric == "steps":
        labels = [f"{row.workflow}: {row.step}" for row in report.steps]
        series = [
            Series("median", [round(row.median_seconds / 3600, 2) for row in report.steps]),
            Series("nine of ten", [round(row.p90_seconds / 3600, 2) for row in report.steps]),
        ]
        return _picture("Time per step", report, labels, series, "h")
    labels = [day.day for day in report.days]
    if query.metric == "backlog":
        return _picture("Open tickets at the end of each day", report, labels, [Series("open", [d.backlog for d in report.days])])
    series = [
        Series("arrived", [day.arrived for day in report.days]),
        Series("finished", [day.finished for day in report.days]),
    ]
    return _picture("Tickets each day", report, labels, series)


def _picture(title: str, report: views.ReportView, labels: list[str], series: list[Series], unit: str = "") -> Reply:
    heading = f"{title}, {report.first} to {report.last}"
    return Reply(draw_bars(heading, labels, series, unit), headers=PICTURE_POLICY)


def _csv(name: str, report: views.ReportView, columns: tuple[str, ...], rows: list[Any]) -> Reply:
    text = write_csv(columns, (row.model_dump() for row in rows))
    file = f"{name}-{report.first}-{report.last}.csv"
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{file}"'}
    return Reply(text, headers=headers)


def _operations(name: str, read: Any, table: Any, returns: Any, draw: Any, picture: Any, about: str) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET", f"{_REPORTS}/{name}", read, "reports.read", query=table, returns=returns, problems=(404,),
            other_media_types=("text/csv",),
            summary=f"Report {about}",
        ),
        Operation(
            "GET", f"{_REPORTS}/{name}/picture.svg", draw, "reports.read", query=picture, media_type=SVG, problems=(404,),
            summary=f"Draw {about}",
        ),
    )  # fmt: skip


OPERATIONS = (
    *_operations("sla", read_sla, views.SlaTable, views.SlaReport, draw_sla, views.SlaPicture, "promises kept and broken"),
    *_operations(
        "fairness", read_fairness, views.FairnessTable, views.FairnessReport, draw_fairness, views.FairnessPicture,
        "who got how much, by person and day",
    ),
    *_operations("flow", read_flow, views.FlowTable, views.FlowReport, draw_flow, views.FlowPicture, "what came and went"),
)  # fmt: skip
