"""`baton sla` on what is stored: clocks of live tickets, calendars and policies as files, holidays."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from baton.scripts.sla import sla
from tests.http.workflow.sla_office import OFFICE, clock, file, open_sla_office


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(sla, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def office(databases: Any, stub_broker: Any, client: Any) -> Any:
    return open_sla_office(client)


def test_a_live_tickets_clocks_are_explained_as_scenarios_are(office: Any, tmp_path: Path) -> None:
    file(office, "HD-1")
    told = json.loads(run("explain", "--ticket", "HD-1").stdout)
    assert sorted(each["id"] for each in told) == ["first response", "resolution"]
    resolution = next(each for each in told if each["id"] == "resolution")
    assert (resolution["state"], resolution["verdict"], resolution["policy"]) == ("running", "running", "Everything, version 1")
    assert resolution["timeline"][0]["what"] == "start" and resolution["due_at"]
    from_http = office.call("GET", f"/sla/clocks/{resolution['clock']}/explanation").json
    due = [[line for line in each["timeline"] if line["what"] == "due"] for each in (resolution, from_http)]
    assert due[0] == due[1]
    text = run("explain", "--ticket", "HD-1", "--text").stdout
    assert "HD-1, resolution: Everything, version 1; Always, version 1" in text and "due: the target is consumed" in text
    refused = run("explain", "--ticket", "HD-1", "--svg", tmp_path / "x.svg")
    assert refused.exit_code == 2 and f"--clock: {clock('HD-1', 'first_response').id}" in refused.output.replace("\n", " ")
    assert run("explain", "--ticket", "HD-1", "--clock", clock("HD-1").id, "--svg", tmp_path / "x.svg").exit_code == 0
    assert ElementTree.parse(tmp_path / "x.svg").getroot()[0].text
    assert run("explain", "--ticket", "HD-9").exit_code == 1
    assert run("explain").exit_code == 2 and run("explain", "-", "--ticket", "HD-1").exit_code == 2


def test_calendars_and_policies_go_out_and_come_in_as_the_same_files(tmp_path: Path) -> None:
    for kind, name in (("calendars", "Office"), ("policies", "Everything")):
        path = tmp_path / f"{kind}.toml"
        assert run(kind, "export", name, "-o", path).exit_code == 0
        assert tomllib.loads(run(kind, "export", name).stdout) == tomllib.loads(path.read_text())
        assert "left, it is the same" in run(kind, "import", path).output
        text = path.read_text().replace("17:00", "18:00").replace("8h", "9h")
        path.write_text(text)
        assert "version 2: changed" in run(kind, "import", path).output
        path.write_text(text.replace(f'"{name}"', '"Copy"', 1))
        assert "Copy version 1: created" in run(kind, "import", path).output
        shown = json.loads(run(kind, "show", name).stdout)
        assert shown["version"] == 2 and len(shown["versions"]) == 2
        assert {"Copy", name} <= {line.split()[0] for line in run(kind, "list").output.splitlines()}
        assert run(kind, "show", "Nobody").exit_code == 1


def test_a_file_with_faults_is_not_stored_and_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('name = "Bad"\ncalendar = "Nowhere"\nrank = 1\n[targets]\nresolution = "1h"\n')
    refused = run("policies", "import", path)
    assert refused.exit_code == 1 and "no calendar 'Nowhere'" in refused.output and "not stored" in refused.output
    assert run("calendars", "import", path).exit_code == 1, "it is a policy"
    path.write_text("name = ")
    assert run("policies", "import", path).exit_code == 1
    path.write_text('name = "Never"\ntime_zone = "UTC"\n[windows]\n')
    assert "no working time" in run("calendars", "import", path).output
    assert "Bad" not in run("policies", "list").output


def test_holidays_are_printed_and_added_to_a_calendar_when_asked(tmp_path: Path) -> None:
    days = json.loads(run("holidays", "de", "--subdivision", "BY", "--years", "2026-2027").stdout)
    assert {"on": "2026-01-06", "name": "Heilige Drei Könige"} in days and any(day["on"] == "2027-01-01" for day in days)
    added = run("holidays", "DE", "--years", "2026", "--calendar", "Office")
    assert json.loads(run("calendars", "show", "Office").stdout)["definition"] == OFFICE and "new closed ranges" in added.stderr
    assert "version 2: changed" in run("holidays", "DE", "--years", "2026", "--calendar", "Office", "--save").output
    assert "0 new closed ranges" in run("holidays", "DE", "--years", "2026", "--calendar", "Office", "--save").stderr
    ics = tmp_path / "days.ics"
    event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260814\r\nSUMMARY:Outing\r\nEND:VEVENT\r\n"
    ics.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}END:VCALENDAR\r\n")
    assert json.loads(run("holidays", "--ics", ics, "--years", "2026").stdout) == [{"on": "2026-08-14", "name": "Outing"}]
    for wrong, code in (
        (("XX",), 1), ((), 2), (("DE", "--ics", ics), 2), (("DE", "--save"), 2), (("DE", "--years", "soon"), 2),
        (("DE", "--years", "1800"), 1), (("DE", "--calendar", "Nowhere"), 1),
    ):  # fmt: skip
        assert run("holidays", *wrong).exit_code == code, wrong
