"""
Handing mails to SendGrid's v3 API (`POST /v3/mail/send`). It answers 202 when it has taken a mail.

The API has no idempotency key. A request without an answer is repeated, with the same Message-ID and the same `custom_args`, by
which a copy can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from baton.models.mail_settings import MailSettings
from baton.pipelines.emails.attempts import Outcome
from baton.pipelines.emails.writing import Mail

#: The longest a request may take, in seconds.
TIMEOUT_SECONDS = 30.0
#: The rate limit, and a gateway that has not passed the request on: they pass by themselves.
_LATER = (408, 425, 429)
#: The key is wrong or may not send: no mail would be taken.
_OURS = (401, 403, 404, 405)


class SendGridSession:
    """SendGrid, for one batch of mails."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        headers = {"Authorization": f"Bearer {settings.sendgrid_key}"}
        self._http = httpx.Client(timeout=TIMEOUT_SECONDS, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def deliver(self, mail: Mail, delivery: int, handing_over: Callable[[], None]) -> Outcome:
        """Hand one mail over and return how it went. `handing_over` is called before the request leaves."""
        body = request_body(mail, delivery)
        handing_over()
        try:
            answer = self._http.post(self._settings.sendgrid_url + "/v3/mail/send", json=body)
        except httpx.HTTPError as error:
            return Outcome(kind="unreachable", detail=f"SendGrid: {type(error).__name__}: {error}")
        if answer.status_code in (200, 202):
            return Outcome(kind="taken", reference=answer.headers.get("X-Message-Id", "")[:200])
        detail = f"SendGrid: {answer.status_code} {_errors(answer)}"
        if answer.status_code in _LATER:
            return Outcome(kind="put off", detail=detail)
        if answer.status_code in _OURS or not 400 <= answer.status_code < 500:
            return Outcome(kind="unreachable", detail=detail)
        return Outcome(kind="refused", detail=detail)


def request_body(mail: Mail, delivery: int) -> dict[str, Any]:
    """Return a mail as the API takes it: one recipient, text before HTML, no tracking of who reads what."""
    to = {"email": mail.to, "name": mail.to_name} if mail.to_name else {"email": mail.to}
    sender = {"email": mail.sender, "name": mail.sender_name} if mail.sender_name else {"email": mail.sender}
    return {
        "personalizations": [{"to": [to], "custom_args": {"delivery_id": str(delivery), "message_id": mail.message_id}}],
        "from": sender,
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "headers": {"Message-ID": mail.message_id, **dict(mail.headers)},
        "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
    }


def _errors(answer: httpx.Response) -> str:
    try:
        errors = answer.json()["errors"]
        return "; ".join(str(error.get("message", error)) for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(answer.text[:300].split())
