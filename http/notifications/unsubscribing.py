"""
The link in every mail that ends mails of its kind: a page that asks, and the act itself, for people and mail programs (RFC 8058).

Following the link changes nothing: mail scanners follow links. Nobody signs in for it; the signed token is the permission, for
this one recipient and type.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from html import escape
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from baton.http.api import Call, NotFound, Operation, Query, Rate, Reply
from baton.http.types import storable
from baton.models.notifications import recipients
from baton.pipelines.audience import AUDIENCES, EMAIL
from baton.pipelines.emails.texts import FALLBACK, kind_of, language_of, say
from baton.pipelines.emails.unsubscribing import read

_PATH = "/api/v1/notifications/unsubscribe/{token}"
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:32rem;padding:0 1rem}"
    "button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0b57d0;color:#fff;cursor:pointer}"
    "button:focus-visible{outline:3px solid;outline-offset:2px}"
)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class LanguageQuery(Query):
    """The language of the page, such as `de`; else the recipient's."""

    lang: Annotated[str, StringConstraints(max_length=35), AfterValidator(storable)] | None = None


def show(call: Call, query: LanguageQuery) -> Reply:
    """Return the page that asks; it changes nothing."""
    return _answer(call, query, lambda recipient, type_: None, "page.question")


def unsubscribe(call: Call, query: LanguageQuery) -> Reply:
    """No more mails of the token's type go to its recipient, those that wait included. Again: nothing changes."""
    return _answer(call, query, _switch_off, "page.done")


def _switch_off(recipient: str, type_: str) -> None:
    types = sorted(AUDIENCES) if type_ == "digest" else [type_]
    recipients.store_choices(recipient, {(each, EMAIL): False for each in types})


def _answer(call: Call, query: LanguageQuery, act: Callable[[str, str], None], text: str) -> Reply:
    found = read(call.params["token"], call.settings.service_secret)
    if found is None:
        raise NotFound(say(query.lang or FALLBACK, "page.bad"))
    recipient, type_ = found
    act(recipient, type_)
    own = recipients.read_settings([recipient]).get(recipient, {}).get("language")
    language = language_of(query.lang or own)
    said = say(language, text, kind=kind_of(language, type_))
    return _page(language, said, button=say(language, "page.button") if text == "page.question" else "")


def _page(language: str, text: str, *, button: str = "") -> Reply:
    form = f'<form method="post"><button>{escape(button)}</button></form>' if button else ""
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="robots" content="noindex"><title>{escape(say(language, "page.title"))}</title><style>{_STYLE}</style>'
        f'<h1>{escape(say(language, "page.title"))}</h1><p role="status">{escape(text)}</p>{form}'
    )
    return Reply(html, headers={"Content-Security-Policy": _POLICY})


#: A mail program asks once; somebody who tries tokens is slowed down.
_RATE = Rate(60, 60.0)
_HTML = "text/html; charset=utf-8"
OPERATIONS = (
    Operation(
        "GET",
        _PATH,
        show,
        permission="notifications.unsubscribe",
        query=LanguageQuery,
        problems=(404,),
        rate=_RATE,
        media_type=_HTML,
        summary="The page behind a mail's unsubscribe link",
        tag="unsubscribe",
    ),
    Operation(
        "POST",
        _PATH,
        unsubscribe,
        permission="notifications.unsubscribe",
        query=LanguageQuery,
        problems=(404,),
        rate=_RATE,
        media_type=_HTML,
        summary="Send a recipient no more mails of a kind (RFC 8058)",
        tag="unsubscribe",
    ),
)
