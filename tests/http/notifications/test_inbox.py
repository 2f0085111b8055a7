"""The caller's own notifications over HTTP: lists, counts, marks, wishes; nobody sees anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from baton.models import database
from baton.pipelines.permissions import Principal
from tests.factories import ADMIN, BACKENDS, EMPLOYEE, SERVICE, bearer
from tests.told import handle, told, types_shown, unread

pytestmark = pytest.mark.parametrize("backend", BACKENDS)
STAFF = Principal("user", "7", "Sam Staff", "sam@example.com", frozenset({"tts:IT Manager"}))
OTHER = Principal("user", "8", "Olga Other", "olga@example.com", frozenset({"tts:IT Manager"}))
PATH = "/api/v1/notifications"


class Front:
    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, method: str, path: str, who: Principal = STAFF, **options: Any) -> Any:
        return self.client.simulate_request(method, path, headers=bearer(who), **options)

    def listed(self, who: Principal = STAFF, **params: Any) -> list[dict[str, Any]]:
        answer = self("GET", PATH, who, params=params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json["items"]
        return items


@pytest.fixture
def front(databases: Any, stub_broker: Any, client: Callable[[str], Any]) -> Iterator[Front]:
    with database.connection("notifications"):
        yield Front(client("notifications"))


def test_the_list_is_the_callers_own_newest_first_and_pages_by_key(front: Front) -> None:
    handle(*(told("task_assignment", 7) for _ in range(5)), told("task_assignment", 8))
    first = front("GET", PATH, params={"limit": 3}).json
    handle(told("task_assignment", 7))
    second = front("GET", PATH, params={"limit": 3, "cursor": first["next"]}).json
    subjects = [item["subject"] for item in (*first["items"], *second["items"])]
    assert len(subjects) == len(set(subjects)) == 5 and second["next"] is None
    assert [item["why"] for item in first["items"]] == ["you are the assignee"] * 3
    assert len(front.listed(OTHER)) == 1
    assert len(front.listed()) == 6


def test_the_list_can_be_narrowed(front: Front) -> None:
    handle(told("task_assignment", ticket="HD-1"), told("mention", ticket="HD-2"), told("mention", ticket="HD-1"))
    newest = front.listed()[0]["id"]
    assert front("POST", f"{PATH}/{newest}/read").json == {"changed": 1, "unread": 2}
    assert [(each["type"], each["ticket_number"]) for each in front.listed(ticket="HD-1")] == [
        ("mention", "HD-1"),
        ("task_assignment", "HD-1"),
    ]
    assert len(front.listed(type="mention", unread="true")) == 1
    assert [each["id"] for each in front.listed(unread="false")] == [newest]
    assert front("GET", PATH, params={"unread": "perhaps"}).status_code == 422
    assert front("GET", PATH, params={"cursor": "nonsense"}).status_code == 400


def test_marks_change_the_count_once_however_often_they_come(front: Front) -> None:
    handle(*(told("task_assignment", 7) for _ in range(4)), told("task_assignment", 8))
    ids = [item["id"] for item in front.listed()]
    (foreign,) = [item["id"] for item in front.listed(OTHER)]
    assert front("GET", f"{PATH}/unread").json == {"unread": 4}
    for changed in (2, 0):
        answer = front("POST", f"{PATH}/read", json={"ids": [*ids[:2], foreign, 4711]})
        assert answer.json == {"changed": changed, "unread": 2}
    assert front("POST", f"{PATH}/unread", json={"ids": ids[:1]}).json == {"changed": 1, "unread": 3}
    assert front("POST", f"{PATH}/read-all", json={"up_to": ids[2]}).json == {"changed": 2, "unread": 1}
    assert front("POST", f"{PATH}/read-all", json={"type": "mention"}).json == {"changed": 0, "unread": 1}
    assert front("POST", f"{PATH}/read-all", json={}).json == {"changed": 1, "unread": 0}
    assert (unread("user:7"), unread("user:8")) == (0, 1)


def test_somebody_elses_notification_answers_as_one_that_does_not_exist(front: Front) -> None:
    handle(told("task_assignment", 8))
    (foreign,) = [item["id"] for item in front.listed(OTHER)]
    answers = [front("POST", f"{PATH}/{each}/{action}") for each in (foreign, 4711) for action in ("read", "unread")]
    assert {(answer.status_code, answer.json["detail"]) for answer in answers} == {(404, "no such notification")}
    assert unread("user:8") == 1


def test_employee_three_and_user_three_are_different_people(front: Front) -> None:
    employee = Principal("employee", "7", "Eve", "eve@example.com", frozenset({"hdts:Employee"}))
    handle(told("task_assignment", 7), told("resolution", "employee:7"))
    assert [each["type"] for each in front.listed()] == ["task_assignment"]
    assert [each["type"] for each in front.listed(employee)] == ["resolution"]


def test_strangers_and_services_are_not_let_in(front: Front) -> None:
    assert front.client.simulate_get(PATH).status_code == 401
    assert front("GET", PATH, SERVICE).status_code == 403
    nobody = Principal("user", "7", "Sam", "sam@example.com", frozenset())
    assert front("GET", PATH, nobody).status_code == 403


def test_n6_whoever_lost_the_roles_that_see_a_ticket_is_not_shown_it(front: Front) -> None:
    handle(told("task_assignment", roles=["tts:Asset Manager", "tts:Admin"]), told("mention", roles=["tts:IT Manager"]))
    assert [each["type"] for each in front.listed()] == ["mention"]
    promoted = Principal("user", "7", "Sam", "sam@example.com", frozenset({"tts:Admin"}))
    hidden = front.listed(promoted)[0]["id"]
    assert front("POST", f"{PATH}/{hidden}/read").status_code == 404


def test_preferences_show_the_table_and_keep_what_was_chosen(front: Front) -> None:
    shown = {item["type"]: item for item in front("GET", "/api/v1/notification-preferences").json["items"]}
    assert (shown["mention"]["in_app"], shown["mention"]["email"], shown["mention"]["told"][0]["mailed"]) == (True, None, True)
    choices = [
        {"type": "mention", "channel": "in_app", "enabled": False},
        {"type": "task_assignment", "channel": "email", "enabled": False},
    ]
    changed = front("PUT", "/api/v1/notification-preferences", json={"preferences": choices})
    assert changed.status_code == 200
    items = {item["type"]: item for item in changed.json["items"]}
    assert (items["mention"]["in_app"], items["task_assignment"]["email"]) == (False, False)
    back = [{**choice, "enabled": None} for choice in choices]
    again = front("PUT", "/api/v1/notification-preferences", json={"preferences": back}).json["items"]
    assert {item["type"]: item for item in again} == shown


def test_a_choice_that_cannot_be_kept_changes_nothing(front: Front) -> None:
    choices = [
        {"type": "mention", "channel": "email", "enabled": False},
        {"type": "task_assignment", "channel": "in_app", "enabled": False},
        {"type": "gossip", "channel": "email", "enabled": True},
    ]
    refused = front("PUT", "/api/v1/notification-preferences", json={"preferences": choices})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == ["preferences.1.enabled", "preferences.2.type"]
    items = {item["type"]: item for item in front("GET", "/api/v1/notification-preferences").json["items"]}
    assert items["mention"]["email"] is None


def test_a_requester_sees_and_chooses_only_what_requesters_are_told_of(front: Front) -> None:
    types = {item["type"] for item in front("GET", "/api/v1/notification-preferences", EMPLOYEE).json["items"]}
    assert types == {"status_changed", "reply", "resolution"}
    assert {item["type"] for item in front("GET", "/api/v1/notification-types", EMPLOYEE).json} == types
    choice = [{"type": "comment_added", "channel": "email", "enabled": True}]
    assert front("PUT", "/api/v1/notification-preferences", EMPLOYEE, json={"preferences": choice}).status_code == 422
    assert len(front("GET", "/api/v1/notification-types", ADMIN).json) > len(types)


def test_settings_have_defaults_by_kind_and_keep_what_was_chosen(front: Front) -> None:
    path = "/api/v1/notification-settings"
    staff, employee = front("GET", path).json, front("GET", path, EMPLOYEE).json
    assert (staff["quiet_from"], staff["quiet_until"], staff["quiet_days"], staff["chosen"]) == ("18:00", "08:00", [5, 6], False)
    assert (employee["quiet_from"], employee["quiet_days"], employee["digest"]) == (None, [], "immediately")
    wish = {"time_zone": "Europe/Berlin", "digest": "daily", "digest_at": "07:30", "quiet_from": "20:00", "quiet_until": "06:00"}
    kept = front("PUT", path, json=wish).json
    assert {name: kept[name] for name in wish} == wish and kept["chosen"] is True and kept["quiet_days"] == []
    assert front("GET", path).json == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"digest": "yearly"},
        {"digest_at": "24:00"},
        {"quiet_from": "20:00"},
        {"quiet_days": [0, 1, 2, 3, 4, 5, 6]},
        {"quiet_days": [7]},
    ],
)
def test_settings_that_make_no_sense_are_refused(front: Front, wrong: dict[str, Any]) -> None:
    path = "/api/v1/notification-settings"
    assert front("PUT", path, json={"time_zone": "UTC", **wrong}).status_code == 422
    assert front("GET", path).json["chosen"] is False


def test_a_ticket_is_muted_and_unmuted(front: Front) -> None:
    path = "/api/v1/muted-tickets/HD-1"
    assert [front("PUT", path).status_code for _ in range(2)] == [204, 204]
    handle(told("mention"), told("mention", 8))
    assert (types_shown("user:7"), types_shown("user:8")) == ([], ["mention"])
    assert [item["ticket_number"] for item in front("GET", "/api/v1/muted-tickets").json["items"]] == ["HD-1"]
    assert [front("DELETE", path).status_code for _ in range(2)] == [204, 404]
    handle(told("mention"))
    assert types_shown("user:7") == ["mention"]
