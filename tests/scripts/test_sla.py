"""`baton sla explain` from the outside: answers as JSON, tables, pictures, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from baton.scripts.sla import sla

CASES = Path(__file__).parent.parent / "samples" / "sla-cases.json"
SCENARIO: dict[str, Any] = {
    "calendar": {"time_zone": "Europe/Berlin", "windows": {"mon": [["09:00", "17:00"]], "tue": [["09:00", "17:00"]]}},
    "started_at": "2026-06-01T15:00:00+02:00",
    "target_seconds": 4 * 3600,
}


def explain(*arguments: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(sla, ["explain", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def explained(document: Any) -> Any:
    result = explain("-", stdin=json.dumps(document))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_every_worked_case_is_answered_under_its_id() -> None:
    answers = json.loads(explain(str(CASES)).stdout)
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    assert [answer["id"] for answer in answers] == [case["id"] for case in cases]
    for case, answer in zip(cases, answers, strict=True):
        assert {name: answer.get(name) for name in case["expect"]} == case["expect"]
        assert answer["timeline"]


def test_one_scenario_has_one_answer_and_a_list_has_a_list() -> None:
    one = explained(SCENARIO)
    assert one["due_at"] == "2026-06-02T09:00:00Z"
    assert "id" not in one
    assert explained([SCENARIO]) == [one]
    assert explained([]) == []


def test_the_timeline_tells_windows_pauses_closed_days_and_the_running_sum() -> None:
    calendar = SCENARIO["calendar"] | {"closed": [{"on": "2026-06-02", "start": "12:00", "name": "Staff meeting"}]}
    pause = {"from": "2026-06-02T10:00:00+02:00", "to": "2026-06-02T11:00:00+02:00"}
    lines = explained(SCENARIO | {"calendar": calendar, "pauses": [pause]})["timeline"]
    assert [(line["what"], line["sum_seconds"]) for line in lines] == [
        ("start", 0),
        ("work", 7200),
        ("work", 10800),
        ("pause", 10800),
        ("work", 14400),
        ("due", 14400),
    ]
    assert lines[1]["text"] == "Mon 2026-06-01 15:00 to 17:00: 2 h of working time"
    later = explained(SCENARIO | {"calendar": calendar, "pauses": [pause], "target_seconds": 5 * 3600})["timeline"]
    assert "Tue 2026-06-02: closed 12:00 to 24:00, Staff meeting" in [line["text"] for line in later]


def test_a_long_timeline_keeps_its_ends_and_says_what_is_left_out() -> None:
    answer = explained(SCENARIO | {"target_seconds": 1200 * 3600, "as_of": "2028-06-01T15:00:00+02:00"})
    lines = answer["timeline"]
    assert len(lines) < 100
    assert [line["what"] for line in lines].count("left_out") == 1
    told = next(line["sum_seconds"] for line in lines if line["what"] == "question")
    assert told == answer["consumed_seconds"]


def test_a_table_for_people() -> None:
    result = explain(
        "-", "--text", stdin=json.dumps(SCENARIO | {"levels": [{"percent": 50}], "as_of": "2026-06-02T09:30:00+02:00"})
    )
    assert result.exit_code == 0, result.stderr
    assert "Mon 2026-06-01 15:00 to 17:00: 2 h of working time" in result.stdout
    assert "due 2026-06-02T11:00:00+02:00 (2026-06-02T09:00:00Z)" in result.stdout
    assert "verdict: running" in result.stdout
    assert "level 50 %" in result.stdout


def test_a_picture_is_drawn_with_its_description(tmp_path: Path) -> None:
    target = tmp_path / "clock.svg"
    name = {"on": "06-02", "every": "year", "start": "12:00", "name": "<script>&\u202e"}
    document = SCENARIO | {"calendar": SCENARIO["calendar"] | {"closed": [name]}, "target_seconds": 5 * 3600}
    assert explain("-", "--svg", str(target), stdin=json.dumps({"id": "a < b", "scenario": document})).exit_code == 0
    text = target.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names[:2] == ["title", "desc"]
    assert "2 h of working time" in (root[1].text or "")
    assert "a < b" in (root[0].text or "")
    assert "prefers-color-scheme:dark" in text
    assert "<script" not in text
    assert "\u202e" not in text
    classes = {element.get("class") for element in root.iter()}
    assert {"work", "open", "closed", "start", "due"} <= classes


def test_a_picture_shows_one_scenario(tmp_path: Path) -> None:
    result = explain(str(CASES), "--svg", str(tmp_path / "clocks.svg"))
    assert result.exit_code == 2
    assert "--svg draws one scenario" in result.stderr


def test_every_scenario_that_cannot_be_answered_is_named_with_its_field() -> None:
    closed = SCENARIO | {"calendar": SCENARIO["calendar"] | {"windows": {}}}
    wrapped = {"id": "holiday", "why": "", "scenario": SCENARIO | {"target_seconds": -1}, "expect": {}}
    result = explain("-", stdin=json.dumps([SCENARIO, closed, wrapped, 5]))
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second, third = result.stderr.splitlines()
    assert first.startswith("baton: scenario 2: calendar.windows: leaves no working time at all")
    assert second.startswith("baton: scenario 3 (holiday): target_seconds: must not be negative")
    assert third.startswith("baton: scenario 4: scenario: must be an object")


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 100_000, "\ud800"])
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    result = explain(str(file))
    assert result.exit_code == 2
    assert "cannot be read as JSON" in result.stderr


def test_a_file_that_is_not_there_is_refused() -> None:
    assert explain("nowhere.json").exit_code == 2
