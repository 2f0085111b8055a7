"""
A web front as a WSGI application: each page of its table behind the same doors.

1. The visitor's session is opened, and renewed where it has expired.
2. A form must come from one of our pages: its origin, and the token that every form carries.
3. Whoever may not open the page is shown in by signing in, or told that there is nothing here.
4. The handler runs; what the services refuse becomes a page that says so.
5. Every answer forbids what our pages do not do: foreign scripts, frames, guessed types.
"""

from __future__ import annotations

import functools
import gzip
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import falcon
import structlog

from baton.http.problems import Problem, problem_of
from baton.http.tokens import KeySource, Verifier
from baton.http.web import flash, said, texts, times
from baton.http.web.assets import KEEP_FOR_EVER, by_path
from baton.http.web.pages import AUDIENCES, Go, Page, Raw, Shown, Visit
from baton.http.web.render import render
from baton.http.web.services import ServiceAwayError, ServiceRefusedError, Services
from baton.http.web.session import Session, Sessions, csrf_token
from baton.models.settings import Settings

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Smaller answers are sent as they are.
WORTH_COMPRESSING = 800
log = structlog.get_logger("baton.web")


@dataclass(frozen=True, slots=True)
class WebFront:
    """What all pages of a front share. `values` adds to every page's values."""

    name: str
    settings: Settings
    sessions: Sessions
    values: Callable[[Visit], dict[str, Any]]


def create_web_app(
    name: str,
    pages: Sequence[Page],
    settings: Settings,
    keys: KeySource,
    values: Callable[[Visit], dict[str, Any]] = lambda visit: {},
) -> falcon.App:
    """Return the front as a WSGI application."""
    front = WebFront(name, settings, Sessions(name, settings, Verifier(keys)), values)
    app = falcon.App()
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_form_urlencoded = False
    app.req_options.strip_url_path_trailing_slash = False
    by_address: dict[str, dict[str, Page]] = {}
    for page in pages:
        by_address.setdefault(page.path, {})[page.method] = page
    for path, methods in by_address.items():
        app.add_route(path, _resource(front, methods))
    app.add_sink(_Assets(), "/assets/")
    app.add_route("/health", _Health(name))
    app.add_error_handler((Exception, falcon.HTTPError), _handler(front))
    return app


def _resource(front: WebFront, methods: dict[str, Page]) -> Any:
    resource: Any = type("Pages", (), {})()
    for method, page in methods.items():

        def respond(request: falcon.Request, response: falcon.Response, page: Page = page, **params: str) -> None:
            _answer(front, page, request, response, params)

        setattr(resource, f"on_{method.lower()}", respond)
    return resource


def _answer(front: WebFront, page: Page, request: falcon.Request, response: falcon.Response, params: dict[str, str]) -> None:
    trace_id = uuid.uuid4().hex
    session = front.sessions.open(request, trace_id)
    visit = _visit(front, page, request, params, session, trace_id)
    token = csrf_token(front.settings, session)
    shown: Shown | Go | Raw
    try:
        if page.method == "POST":
            _check_form(visit, token)
        shown = _admitted(visit, session)
    except (ServiceRefusedError, ServiceAwayError, Problem) as error:
        shown = _explained(visit, error)
    _write(front, visit, shown, session, token, response)


def _visit(
    front: WebFront, page: Page, request: falcon.Request, params: dict[str, str], session: Session, trace_id: str
) -> Visit:
    language = texts.choose(_cookie(request, "baton_language"), request.get_header("Accept-Language"))
    zone = _cookie(request, "baton_zone") or ""
    catalogue = texts.catalogue(language)
    return Visit(
        request=request,
        page=page,
        settings=front.settings,
        params=params,
        texts=catalogue,
        zone=zone if times.is_zone(zone) else "UTC",
        principal=session.principal,
        services=Services(front.settings, session.access, trace_id, functools.partial(said.in_language, catalogue)),
        session=session,
        sessions=front.sessions,
    )


def _admitted(visit: Visit, session: Session) -> Shown | Go | Raw:
    if AUDIENCES[visit.page.who](visit.principal):
        return visit.page.handler(visit)
    if not session.signed_in:
        wanted = visit.request.relative_uri if visit.page.method == "GET" else "/"
        return Go(f"/sign-in?next={quote(wanted, safe='')}")
    return Shown("problem.html", {"status": 404, "detail": visit.t("problem.not_for_you")}, status=404)


def _check_form(visit: Visit, token: str) -> None:
    origin = visit.request.get_header("Origin")
    if origin is not None and urlsplit(origin).netloc != visit.request.netloc:
        raise Problem(403, "forbidden", "not allowed", visit.t("problem.foreign_form"))
    given = visit.request.get_header("X-CSRF-Token") or visit.form.get("csrf")
    if given != token:
        raise Problem(403, "forbidden", "not allowed", visit.t("problem.stale_form"))


def _explained(visit: Visit, error: Exception) -> Shown | Go:
    if isinstance(error, ServiceAwayError):
        return Shown("problem.html", {"status": 503, "detail": visit.t("problem.away", service=error.service)}, status=503)
    if isinstance(error, ServiceRefusedError):
        if error.status == 401:
            return Go("/sign-in", "session.ended")
        status = error.status if error.status in (400, 403, 404, 409, 412, 413, 422, 429, 503) else 502
        return Shown("problem.html", {"status": status, "detail": error.detail}, status=status)
    assert isinstance(error, Problem)
    detail = said.in_language(visit.texts, error.detail or error.title)
    return Shown("problem.html", {"status": error.status, "detail": detail}, status=error.status)


def _write(
    front: WebFront, visit: Visit, shown: Shown | Go | Raw, session: Session, token: str, response: falcon.Response
) -> None:
    response.set_headers(HEADERS)
    front.sessions.write(response, session)
    if isinstance(shown, Go):
        flash.keep(response, shown, front.settings)
        response.status = 303
        response.set_header("Location", shown.path if shown.path.startswith("/") and shown.path[1:2] not in "/\\" else "/")
        return
    response.set_headers(dict(shown.headers))
    response.status = shown.status
    if isinstance(shown, Raw):
        response.content_type = shown.content_type
        for cookie in shown.cookies:
            response.append_header("Set-Cookie", cookie)
        if isinstance(shown.body, bytes):
            response.data = shown.body
        else:
            response.stream = shown.body
        return
    told = flash.take(visit, response, front.settings)
    theme = _cookie(visit.request, "baton_theme") or ""
    frame = {"theme": theme if theme in ("light", "dark") else "", "nav": (), "csrf": token, "front": front.name, "told": told}
    values = {**frame, **front.values(visit), **shown.values}
    page = render(front.name, shown.template, visit, values, datetime.now(UTC)).encode()
    response.content_type = "text/html; charset=utf-8"
    _compressed(visit.request, response, page)


def _compressed(request: falcon.Request, response: falcon.Response, data: bytes) -> None:
    response.set_header("Vary", "Accept-Encoding, HX-Request, Cookie")
    if len(data) >= WORTH_COMPRESSING and "gzip" in (request.get_header("Accept-Encoding") or ""):
        data = gzip.compress(data, 5)
        response.set_header("Content-Encoding", "gzip")
    response.data = data


def _handler(front: WebFront) -> Callable[..., None]:
    """Return what answers whatever no page answered: unknown addresses, and faults."""

    def handle(request: falcon.Request, response: falcon.Response, error: Exception, params: dict[str, str]) -> None:
        if isinstance(error, falcon.HTTPError):
            status, detail = error.status_code, ""
        else:
            problem = problem_of(error)
            status, detail = problem.status, problem.detail or ""
        session = Session()
        page = Page(request.method, request.path, lambda visit: Go("/"), "anyone")
        visit = _visit(front, page, request, {}, session, uuid.uuid4().hex)
        shown = Shown("problem.html", {"status": status, "detail": detail or visit.t(f"problem.{404 if status < 500 else 500}")})
        shown.status = status
        response.complete = False
        _write(front, visit, shown, session, "", response)

    return handle


class _Assets:
    def __call__(self, req: falcon.Request, resp: falcon.Response, **params: Any) -> None:
        request, response = req, resp
        asset = by_path().get(request.path)
        if asset is None or request.method not in ("GET", "HEAD"):
            raise falcon.HTTPNotFound()
        response.set_headers({**HEADERS, "Cache-Control": KEEP_FOR_EVER, "Vary": "Accept-Encoding"})
        response.content_type = asset.content_type
        packed = "gzip" in (request.get_header("Accept-Encoding") or "")
        response.data = asset.compressed if packed else asset.plain
        if packed:
            response.set_header("Content-Encoding", "gzip")


class _Health:
    def __init__(self, name: str) -> None:
        self._name = name

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.set_headers(HEADERS)
        response.media = {"service": self._name, "status": "ok", "checks": {}}


def _cookie(request: falcon.Request, name: str) -> str | None:
    values = request.get_cookie_values(name)
    return values[0] if values and len(values) == 1 else None
