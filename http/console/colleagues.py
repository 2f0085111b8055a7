"""
Choosing a person: a list to choose from and, where the list is long, a field that finds in it by name or address as one types.

Without scripts the field goes with the form: `chosen` takes whoever is meant, and asks which of several.
"""

from __future__ import annotations

from typing import Any

from baton.http.web.pages import STAFF, Page, Shown, Visit

#: People that a list to choose from holds at most; the field finds all others.
MOST = 200
#: What is kept of a form that is asked about again.
_ASKED_ANEW = ("csrf",)


def people_of(visit: Visit, role: str = "", words: str = "") -> list[dict[str, Any]]:
    """Return who is active in a role or in any, each person once, those named where words are given; the first `MOST`."""
    asked = {"role": role, "q": words, "is_active": "true"}
    found = visit.api.get("workflow", "/api/v1/members", limit=MOST, **asked)["items"]
    return list({each["user_id"]: each for each in reversed(found)}.values())[::-1]


def options(visit: Visit) -> Shown:
    """The options of a list, narrowed by what was typed so far into any field whose name ends in `_words`."""
    typed = [value for name, value in visit.request.params.items() if name.endswith("_words") and isinstance(value, str)]
    words = (typed or [""])[0].strip()[:200]
    values = {"people": people_of(visit, visit.query("role"), words), "empty": visit.query("empty"), "words": words}
    return Shown("colleague_options.html", values)


def chosen(visit: Visit, name: str) -> str | Shown:
    """
    Return the user id that a form's field names, "" for nobody, or a page that asks which of several is meant.

    What was typed beside the list (`NAME_words`, within the role `NAME_role`) holds against what the list was left at.
    """
    given, words = visit.form.get(name), visit.form.get(f"{name}_words").strip()[:200]
    if not words:
        return given
    found = people_of(visit, visit.form.get(f"{name}_role"), words)
    ids = [each["user_id"] for each in found]
    if given in ids or len(ids) == 1:
        return given if given in ids else ids[0]
    own = (name, f"{name}_words", *_ASKED_ANEW)
    kept = [(key, value) for key, value in visit.form.pairs if key not in own]
    return Shown("colleague_choose.html", {"people": found, "words": words, "name": name, "kept": kept}, status=422)


PAGES = (Page("GET", "/colleagues", options, STAFF),)
