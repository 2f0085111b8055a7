"""
Sync: the workflow side's roles and members become what auth says they are, in whatever order the news arrive.

1. A role is known by auth's id. A role seeded here under the same system and name is the same role and takes that id.
2. A grant makes a person a member of a role, or ends it (`is_active` false). One that arrives before its role waits for it.
3. Of several news about one role or one grant the highest version counts; news without a version count as they come.
4. Whoever comes back keeps their place in the rotation; nothing here resets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.pipelines.intake import comparable

#: Longest id, name or system in characters, as long as auth's own. Two of them make one entry of an index, for which PostgreSQL
#: has room for 2,704 bytes.
_MAX_LENGTH = 255


class UnusableNewsError(Exception):
    """A message that tells of no role or grant; `str(error)` is the reason. Dead-letter it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleNews:
    """A role as auth has it."""

    role_id: str
    name: str
    system: str = "tts"
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantNews:
    """A grant as auth has it. The address is in its comparable form, None where auth did not tell it."""

    role_id: str
    user_id: str
    name: str = ""
    email: str | None = None
    is_active: bool = True


def read_role(payload: Mapping[str, Any]) -> RoleNews:
    """Return the role a message tells of, under `role` or bare. Raises UnusableNewsError when it tells of none."""
    role = _find(payload, "role")
    return RoleNews(
        role_id=_identifier(role, "id"),
        name=_text(role, "name"),
        system=_text(role, "system", default="tts"),
        is_active=_flag(role, "is_active"),
    )


def read_grant(payload: Mapping[str, Any]) -> GrantNews:
    """Return the grant a message tells of, under `user_system_role` or bare. Raises UnusableNewsError when it tells of none."""
    grant = _find(payload, "user_system_role")
    email = _text(grant, "user_email", default="") or _text(grant, "email", default="")
    return GrantNews(
        role_id=_identifier(grant, "role_id"),
        user_id=_identifier(grant, "user_id"),
        name=_text(grant, "user_full_name", default=""),
        email=comparable(email),
        is_active=_flag(grant, "is_active"),
    )


def _find(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = payload.get(key, payload)
    if not isinstance(found, Mapping):
        raise UnusableNewsError(f"`{key}` is not an object")
    return found


def _identifier(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnusableNewsError(f"`{key}` is missing, or neither a text nor a whole number")
    return _storable(str(value), key)


def _text(source: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = source.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise UnusableNewsError(f"`{key}` is missing or not a text")
    return _storable(value, key) if value or default is None else value


def _storable(text: str, key: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnusableNewsError(f"`{key}` holds half of a surrogate pair") from error
    if not text.strip() or "\0" in text or len(text) > _MAX_LENGTH:
        raise UnusableNewsError(f"`{key}` is empty, holds a NUL, or is longer than {_MAX_LENGTH} characters")
    return text


def _flag(source: Mapping[str, Any], key: str) -> bool:
    value = source.get(key)
    if value is None:
        return True
    if not isinstance(value, bool):
        raise UnusableNewsError(f"`{key}` is neither true nor false")
    return value
