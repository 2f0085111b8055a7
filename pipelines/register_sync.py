"""
Register sync: the help desk's copies of employees and staff follow auth's register.

1. The message's payload holds the person under its key (`employee`, `user`), or bare, as the old services send it.
2. A person needs an id; everything else may be missing and is then empty, and whoever is told of is active unless it
   says otherwise.
3. Of several news about one person only the newest counts; news without a version count as they come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from baton.pipelines.status_sync import is_news

#: Longest id of a person, in characters: it is the key of their row, and indexes have little room.
MAX_ID_LENGTH = 200
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadableError(Exception):
    """The payload names nobody; the text says what is wrong. It will never succeed."""


def read_employee(payload: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the employee: `id`, `email`, `full_name`, `department`, `is_active`.

    Raises:
        UnreadableError: no usable id, or a field of another type.
    """
    person = _person(payload, "employee")
    return {**_common(person), "department": _text(person, "department")}


def read_hdts_user(payload: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the member of staff: `id`, `email`, `full_name`, `role`, `roles` (a list), `is_active`.

    Raises:
        UnreadableError: no usable id, or a field of another type.
    """
    person = _person(payload, "user")
    role = _text(person, "role") or None
    roles = person.get("roles")
    if roles is None:
        roles = [role] if role else []
    if not isinstance(roles, list) or not all(isinstance(name, str) for name in roles):
        raise UnreadableError("roles: must be a list of texts")
    return {**_common(person), "role": role, "roles": roles}


def newest(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Return one row per `id`, the newest by `version` of those given, oldest first. Without a version the later one counts.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        before = found.get(row["id"])
        known = None if before is None else before["version"]
        if before is None or is_news(row["version"], known):
            found[row["id"]] = {**row, "version": known if row["version"] is None else row["version"]}
    return list(found.values())


def _person(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    person = payload.get(key, payload)
    if not isinstance(person, Mapping):
        raise UnreadableError(f"{key}: must be an object")
    return person


def _common(person: Mapping[str, Any]) -> dict[str, Any]:
    person_id = person.get("id")
    if isinstance(person_id, bool) or not isinstance(person_id, int | str) or not _usable(str(person_id)):
        raise UnreadableError(f"id: is missing, or no id of at most {MAX_ID_LENGTH} characters")
    is_active = person.get("is_active", True)
    if not isinstance(is_active, bool):
        raise UnreadableError("is_active: must be true or false")
    return {
        "id": str(person_id),
        "email": _text(person, "email"),
        "full_name": _text(person, "full_name"),
        "is_active": is_active,
    }


def _text(person: Mapping[str, Any], name: str) -> str:
    value = person.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise UnreadableError(f"{name}: must be text")
    return value


def _usable(person_id: str) -> bool:
    return bool(person_id.strip()) and len(person_id) <= MAX_ID_LENGTH and not _UNSTORABLE.search(person_id)
