"""Calendars and policies as forms: what is shown of a document is read back as the same document."""

from __future__ import annotations

import tomllib

from baton.http.console.admin import calendar_forms, policy_forms
from baton.pipelines.sla_policy_texts import policy_of

CALENDAR = {
    "time_zone": "Europe/Berlin",
    "windows": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "sun": [["00:00", "06:00"]]},
    "closed": [
        {"on": "2026-12-25", "name": "Christmas Day"},
        {"from": "2026-12-24", "to": "2027-01-02"},
        {"on": "01-01", "every": "year", "name": "New Year"},
        {"on": "2026-12-24", "start": "14:00", "name": "Half day"},
    ],
}


def test_a_calendar_is_read_back_as_it_was_shown() -> None:
    assert calendar_forms.document_of(calendar_forms.fields_of(CALENDAR), "{text}") == (CALENDAR, {})
    always = {**CALENDAR, "windows": "always"}
    assert calendar_forms.document_of(calendar_forms.fields_of(always), "{text}") == (always, {})


def test_what_cannot_be_read_is_named() -> None:
    fields = {"mon": "9 to 5", "closed": "2026-12-25\nnext friday", "time_zone": "UTC"}
    assert calendar_forms.document_of(fields, "? {text}")[1] == {"mon": "? 9 to 5", "closed": "? next friday"}


def test_a_services_errors_stand_at_the_forms_fields() -> None:
    errors = {"calendars.0.definition.windows.mon[0]": "m", "definition.closed[1].to": "before", "definition.time_zone": "z"}
    found = calendar_forms.errors_by_field(errors, CALENDAR)
    assert found == {"mon": "m", "closed": "2026-12-24..2027-01-02: before", "time_zone": "z"}


POLICY = tomllib.loads("""
name = "All of it"
rank = 7
calendar = "Office hours"
change = "from_change"
tell_on_attach = true
[match]
workflow = ["IT Support", "A, B*"]
requester = { department = ["Board", "Legal"], email = ["*@x.example"] }
[targets]
resolution = "8h"
[steps]
share = false
targets = { "Look = see" = "30m" }
[pauses]
on_hold = false
waiting_for_requester = true
[[warnings]]
before = "1h"
metrics = ["step"]
tell = []
[[warnings]]
percent = 75
[breach]
tell = ["role:Admin"]
raise_priority = true
[[escalations]]
after = "2h"
tell = ["user:17"]
escalate = true
transfer_to = "17"
""")


def test_a_policy_is_read_back_as_the_same_policy() -> None:
    assert policy_of(policy_forms.document_of(policy_forms.fields_of(POLICY))) == policy_of(POLICY)


def test_a_row_without_a_time_is_gone_and_the_empty_row_adds_one() -> None:
    fields = policy_forms.fields_of(POLICY)
    assert policy_forms.rows_of(fields, "warnings") == 3
    fields |= {"warnings": "3", "warnings.0.when": "", "warnings.2.when": "90%", "warnings.2.tell": "owner"}
    assert [rung.get("percent") for rung in policy_forms.document_of(fields)["warnings"]] == [75.0, 90.0]
