"""People's names, beside the ids under which everything is kept. Nobody's name is copied: it may change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee as pw

from baton.models.workflow.people import Member
from baton.models.workflow.rows import tuples


def name_of(user_id: Any) -> Any:
    """Return the column with the name of the person that another column names, null where no member has this id."""
    member = Member.alias()
    named = member.select(member.name).where(member.user_id == user_id, member.name != "")
    return named.order_by(member.id).limit(1)


def name_of_subject(subject: Any) -> Any:
    """Return the column with the name of the person that a column of subjects names (`user:7`), null for who is no person."""
    return name_of(pw.Case(None, [(subject.startswith("user:"), pw.fn.SUBSTR(subject, 6))]))


def read_names(user_ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of these people, as far as members have these ids."""
    wanted = sorted({user_id for user_id in user_ids if user_id is not None})
    query = Member.select(Member.user_id, Member.name).where(Member.user_id.in_(wanted), Member.name != "")
    return dict(tuples(query.order_by(Member.id.desc()))) if wanted else {}
