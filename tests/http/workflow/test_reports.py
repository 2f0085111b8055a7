"""Reports: what they count, by the days of the installation, at a cost that follows the range."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.models.workflow import Member, SlaClock, Task, TaskItem, TicketSnapshot
from tests.factories import ADMIN, BACKENDS, COORDINATOR, EMPLOYEE, TECHNICIAN
from tests.http.workflow.design_office import DesignOffice
from tests.http.workflow.sla_office import file, open_sla_office, policy, statements

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
PATHS = ("/reports/sla", "/reports/fairness", "/reports/flow")


@pytest.fixture
def office(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> DesignOffice:
    """An office that promises the end and the Triage step."""
    return open_sla_office(client, policy(targets={"resolution": "8h"}, steps={"targets": {"Triage": "1h"}}))


def end(number: str, metric: str, state: str, at: datetime) -> None:
    """Have a clock ended with a verdict."""
    with write_tx("workflow"):
        SlaClock.update(state=state, stopped_at=at).where(SlaClock.ticket_number == number, SlaClock.metric == metric).execute()


def day(text: str, hour: int = 12) -> datetime:
    return datetime.fromisoformat(f"{text}T{hour:02}:00:00").replace(tzinfo=UTC)


def get(office: DesignOffice, path: str, who: Any = ADMIN) -> Any:
    answer = office.call("GET", path, who=who)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_sla_report_counts_what_ended_in_the_range_by_group(office: DesignOffice) -> None:
    file(office, "HD-1", "HD-2", "HD-3")
    file(office, "HD-4", category="=cmd()")
    end("HD-1", "resolution", "met", day("2026-06-01"))
    end("HD-2", "resolution", "breached", day("2026-06-08"))
    end("HD-3", "resolution", "met", day("2026-07-01"))
    end("HD-4", "resolution", "cancelled", day("2026-06-10"))
    end("HD-1", "step", "breached", day("2026-06-01"))
    with write_tx("workflow"):
        late = SlaClock.update(due_at=day("2026-06-09")).where(SlaClock.ticket_number == "HD-2", SlaClock.metric == "step")
        late.execute()
    june = "from=2026-06-01&to=2026-06-30"
    total = get(office, f"/reports/sla?{june}").json["total"]
    assert (total["met"], total["breached"], total["cancelled"], total["late_open"]) == (1, 2, 1, 1)
    assert total["in_time_percent"] == 25.0
    resolution = get(office, f"/reports/sla?{june}&clock=resolution").json
    assert [(row["name"], row["met"], row["breached"]) for row in resolution["rows"]] == [("Everything", 1, 1)]
    steps = get(office, f"/reports/sla?{june}&group=step").json["rows"]
    assert [(row["name"], row["breached"], row["late_open"]) for row in steps] == [("IT Support: Triage", 1, 1)]
    weeks = get(office, f"/reports/sla?{june}&group=week&clock=resolution").json["rows"]
    assert [(row["name"], row["met"], row["breached"], row["cancelled"]) for row in weeks[:2]] == [
        ("2026-06-01", 1, 0, 0), ("2026-06-08", 0, 1, 1),
    ]  # fmt: skip
    assert len(weeks) == 5
    table = get(office, f"/reports/sla?{june}&group=category&format=csv")
    assert table.headers["Content-Type"].startswith("text/csv") and "attachment" in table.headers["Content-Disposition"]
    assert "\r\n'=cmd()," in table.text


def test_days_are_those_of_the_installations_time_zone(
    office: DesignOffice, monkeypatch: pytest.MonkeyPatch, client: Callable[[str], Any]
) -> None:
    file(office, "HD-1")
    end("HD-1", "resolution", "met", datetime(2026, 6, 1, 22, 30, tzinfo=UTC))
    assert get(office, "/reports/sla?from=2026-06-01&to=2026-06-01").json["total"]["met"] == 1
    monkeypatch.setenv("BATON_TIME_ZONE", "Europe/Berlin")
    get_settings.cache_clear()
    from falcon.testing import TestClient

    from baton.http import workflow
    from baton.http.tokens import key_source

    office.client = TestClient(workflow.create_app(get_settings(), key_source(get_settings())))
    assert get(office, "/reports/sla?from=2026-06-01&to=2026-06-01").json["total"]["met"] == 0
    report = get(office, "/reports/sla?from=2026-06-02&to=2026-06-02").json
    assert (report["total"]["met"], report["time_zone"]) == (1, "Europe/Berlin")


def test_the_fairness_report_says_who_got_how_much(office: DesignOffice) -> None:
    file(office, *(f"HD-{number}" for number in range(1, 6)))
    with write_tx("workflow") as tx:
        Member.update(away_from=tx.now - timedelta(days=1)).where(Member.user_id == "4").execute()
    file(office, "HD-6")
    item = TaskItem.get(TaskItem.ticket_number == "HD-1")
    with write_tx("workflow") as tx:
        SlaClock.update(state="breached", stopped_at=tx.now).where(SlaClock.item == item.id).execute()
    report = get(office, "/reports/fairness?role=1").json
    people = {person["user_id"]: person for person in report["people"]}
    assert people["1"]["turns"] + people["4"]["turns"] == 6 and people["4"]["turns"] in (2, 3)
    assert people["4"]["passed_over"] == 1 and people["4"]["eligible"] == 5 and people["1"]["eligible"] == 6
    assert people[item.assignee]["late"] == 1
    assert sum(person["open_now"] for person in people.values()) == 6
    spread = report["roles"][0]
    assert spread["role"] == "Admin" and spread["most"] - spread["fewest"] <= 2
    assert {(row["user_id"], row["turns"]) for row in report["days"]} == {(user, p["turns"]) for user, p in people.items()}
    everyone = get(office, "/reports/fairness").json
    assert {role["role"] for role in everyone["roles"]} >= {"Admin", "IT Manager"}
    assert office.call("GET", "/reports/fairness?role=nobody").status_code == 404
    table = get(office, "/reports/fairness?role=1&format=csv").text.splitlines()
    assert table[0].startswith("day,role,role_id,user_id,name,turns") and len(table) == 3


def test_the_flow_report_says_what_came_went_and_was_left(office: DesignOffice) -> None:
    file(office, "HD-1", "HD-2", "HD-3")
    with write_tx("workflow"):
        Task.update(created_at=day("2026-06-01")).execute()
        TaskItem.update(created_at=day("2026-06-01")).execute()
        Task.update(closed_at=day("2026-06-03"), status="completed").where(Task.ticket_number == "HD-1").execute()
        for number, hours in (("HD-1", 2), ("HD-2", 50)):
            closed = day("2026-06-01") + timedelta(hours=hours)
            TaskItem.update(closed_at=closed, state="completed").where(TaskItem.ticket_number == number).execute()
    report = get(office, "/reports/flow?from=2026-05-31&to=2026-06-03").json
    assert [(row["day"], row["arrived"], row["finished"], row["backlog"]) for row in report["days"]] == [
        ("2026-05-31", 0, 0, 0), ("2026-06-01", 3, 0, 3), ("2026-06-02", 0, 0, 3), ("2026-06-03", 0, 1, 2),
    ]  # fmt: skip
    assert report["open_now"] == 2
    (step,) = report["steps"]
    assert (step["step"], step["items"], step["median_seconds"], step["p90_seconds"]) == ("Triage", 1, 7200.0, 7200.0)
    assert get(office, "/reports/flow?from=2026-05-31&to=2026-06-03&format=csv&table=steps").text.count("\r\n") == 2


def test_pictures_carry_no_style_and_say_what_they_show(office: DesignOffice) -> None:
    file(office, "HD-1")
    end("HD-1", "resolution", "met", datetime.now(UTC))
    for path, metrics in (
        ("/reports/sla", ("verdicts", "in_time")),
        ("/reports/fairness", ("turns", "eligible", "late", "open")),
        ("/reports/flow", ("tickets", "backlog", "steps")),
    ):
        for metric in metrics:
            answer = get(office, f"{path}/picture.svg?metric={metric}")
            assert answer.headers["Content-Type"] == "image/svg+xml"
            root = ET.fromstring(answer.text)
            assert root[0].text and root[1].text
            assert "<style" not in answer.text and "style=" not in answer.text
        assert office.call("GET", f"{path}/picture.svg?metric=odd").status_code == 422


def test_ranges_are_limited_and_reports_are_for_coordinators(office: DesignOffice) -> None:
    for path in PATHS:
        for query in ("from=2026-02-30", "from=2025-01-01&to=2026-06-01", "from=2026-06-02&to=2026-06-01", "from=1&to=2"):
            answer = office.call("GET", f"{path}?{query}")
            field = "from" if "02-30" in query or "=1&" in query else "to"
            assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
        assert office.call("GET", f"{path}?from=2019-01-01").status_code == 200
        assert office.call("GET", f"{path}?to=9000-12-31").status_code == 200
        assert office.call("GET", path, who=COORDINATOR).status_code == 200
        assert office.call("GET", path, who=TECHNICIAN).status_code == 403
        assert office.call("GET", path, who=EMPLOYEE).status_code == 403
        assert office.client.simulate_get(f"/api/v1{path}").status_code == 401


def test_a_report_takes_as_many_statements_for_many_tickets_as_for_few(office: DesignOffice, monkeypatch: Any) -> None:
    file(office, "HD-1")
    paths = (*PATHS, "/sla/at-risk", "/tickets/HD-1/sla")
    few = [statements(partial(get, office, path), monkeypatch) for path in paths]
    file(office, *(f"HD-{number}" for number in range(2, 12)))
    many = [statements(partial(get, office, path), monkeypatch) for path in paths]
    assert few == many and TicketSnapshot.select().count() == 11
