"""Mails that could not be delivered: which, why, trying again, setting aside, and telling that one came back."""

from __future__ import annotations

from urllib.parse import quote

from baton.http.web.export import export, pages_of, titled, wants_csv
from baton.http.web.pages import ADMIN, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.pipelines.audience import AUDIENCES

PATH = "/api/v1/notifications/failed"
HERE = "/system/mail"
_COLUMNS = (
    "created_at", "recipient", "type", "ticket_number", "error", "retry_count", "next_retry", "given_up", "bounced", "resolved",
)  # fmt: skip


def list_failures(visit: Visit) -> Shown | Raw:
    """Failures, newest first: those that wait for somebody, unless others are asked for."""
    if wants_csv(visit):
        fetch = pages_of(visit, "notifications", PATH, **visit.filters("resolved", "given_up", "type", "ticket", "recipient"))
        return export(visit, fetch, titled(visit, *_COLUMNS), "failed-mails")
    names = ("cursor", "resolved", "given_up", "type", "ticket", "recipient")
    found = visit.api.get("notifications", PATH, limit=50, **visit.filters(*names))
    values = {"found": found, "types": tuple(AUDIENCES), "filters": visit.filters(*names)}
    return Shown("system/mail_part.html" if visit.part == "mail" else "system/mail.html", values)


def show_failure(visit: Visit) -> Shown:
    """One failure with what can be done about it."""
    return Shown("system/mail_one.html", {"failure": visit.api.get("notifications", _one(visit)), "wrong": "", "reason": ""})


def retry(visit: Visit) -> Go | Shown:
    """The mail is due now."""
    return _act(visit, "retry", None)


def resolve(visit: Visit) -> Go | Shown:
    """The failure needs nobody any more; a reason is needed."""
    return _act(visit, "resolve", {"reason": visit.form.get("reason").strip()})


def bounce(visit: Visit) -> Go:
    """A mail that came back is in the list."""
    body = {"message_id": visit.form.get("message_id").strip(), "reason": visit.form.get("reason").strip()}
    if not all(body.values()):
        return Go(HERE, "system.mail.bounce_needs")
    try:
        news = visit.api.post("notifications", "/api/v1/notifications/bounces", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status not in (404, 422):
            raise
        return Go(HERE, "system.mail.bounce_unknown")
    return Go(HERE, "system.mail.bounce_told" if news["recorded"] else "system.mail.bounce_known")


def _act(visit: Visit, act: str, body: dict[str, str] | None) -> Go | Shown:
    try:
        visit.api.post("notifications", f"{_one(visit)}/{act}", body, key=visit.form.get("key"))
    except ServiceRefusedError as error:
        if error.status not in (409, 422):
            raise
        wrong = " ".join(error.fields.values()) or error.detail
        values = {"failure": visit.api.get("notifications", _one(visit)), "wrong": wrong, "reason": visit.form.get("reason")}
        return Shown("system/mail_one.html", values, status=error.status)
    return Go(HERE, f"system.mail.done_{act}")


def _one(visit: Visit) -> str:
    return f"{PATH}/{quote(visit.params['failure'], safe='')}"


PAGES = (
    Page("GET", HERE, list_failures, ADMIN),
    Page("POST", f"{HERE}/bounces", bounce, ADMIN),
    Page("GET", f"{HERE}/{{failure}}", show_failure, ADMIN),
    Page("POST", f"{HERE}/{{failure}}/retry", retry, ADMIN),
    Page("POST", f"{HERE}/{{failure}}/resolve", resolve, ADMIN),
)
