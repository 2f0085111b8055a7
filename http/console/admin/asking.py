"""Asking once more before something powerful is done, and telling what a service refused beside the form that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baton.http.web.pages import Shown, Visit
from baton.http.web.services import ServiceRefusedError

#: Refusals that the person who sent the form can do something about.
ANSWERABLE = (403, 409, 412, 422, 429)


def ask_first(visit: Visit, title: str, text: str, back: str) -> Shown | None:
    """
    Return the page that asks whether the visitor is sure, None once they said so.

    `title` names what is done and labels its button. The page sends the same form again, to the same address.
    """
    if visit.form.get("sure") == "yes":
        return None
    values = {
        "title": title,
        "text": text,
        "back": back,
        "kept": [(name, value) for name, value in visit.form.pairs if name not in ("csrf", "sure")],
    }
    return Shown("admin/sure.html", values)


def answerable(error: ServiceRefusedError) -> ServiceRefusedError:
    """Return the refusal if the visitor can do something about it, raise it otherwise."""
    if error.status not in ANSWERABLE:
        raise error
    return error


def refusal(visit: Visit, error: ServiceRefusedError) -> dict[str, Any]:
    """Return what a form's template shows of a refusal: `trouble` above the form, `wrong` by the fields' names."""
    fields = {name: message for name, message in answerable(error).fields.items() if name}
    if error.status == 422 and fields:
        return {"trouble": visit.t("form.look"), "wrong": fields}
    said = " ".join(error.fields.values()) or error.detail
    if error.status == 403:
        said = f"{visit.t('admin.not_allowed')} {said}"
    if error.status == 412:
        said = visit.t("admin.changed_meanwhile")
    return {"trouble": said, "wrong": fields}


def refused(visit: Visit, error: ServiceRefusedError, title: str, back: str) -> Shown:
    """Return the page that tells why something was not done, with the way back."""
    found = refusal(visit, error)
    fields: Mapping[str, str] = found["wrong"]
    said = "; ".join(f"{name}: {message}" for name, message in fields.items()) or found["trouble"]
    return Shown("admin/refused.html", {"title": title, "detail": said, "back": back}, status=error.status)
