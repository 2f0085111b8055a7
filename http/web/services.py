"""Calling the services' HTTP interfaces in a visitor's name: connections kept, several calls at once."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode

import httpx

from baton.http.web.lines import Answer, LineError, lines_to
from baton.models.settings import Settings

#: Calls under way at once in this process.
CALLS = 64


class ServiceRefusedError(Exception):
    """A service answered with a problem: `status`, and the problem document."""

    def __init__(self, service: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{service} answered {status}: {problem.get('detail') or problem.get('title') or ''}")
        self.service, self.status, self.problem = service, status, problem

    @property
    def detail(self) -> str:
        """What the service says is wrong."""
        return str(self.problem.get("detail") or self.problem.get("title") or "")

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong with which field, of a 422."""
        errors = self.problem.get("errors")
        found = errors if isinstance(errors, list) else []
        return {str(each.get("field", "")): str(each.get("message", "")) for each in found if isinstance(each, dict)}


class ServiceAwayError(Exception):
    """A service does not answer; whether a write was carried out is unknown unless it bore an Idempotency-Key."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} does not answer")
        self.service = service


def _forgetful(client: httpx.Client) -> httpx.Client:
    """Return the client, which all visitors share, without a memory for cookies: nobody's go with another's calls."""
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@functools.cache
def _streaming_client() -> httpx.Client:
    # Streams stay open as long as a page does: they must not take the connections that pages are made with.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return _forgetful(httpx.Client(timeout=httpx.Timeout(60.0, connect=2.0), limits=limits, trust_env=False))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    # Under gevent these are green threads.
    return ThreadPoolExecutor(CALLS, thread_name_prefix="calls")


class Services:
    """
    The services as one visitor may use them (`token` None: nobody signed in).

    `say` turns what they say is wrong into the visitor's language.
    """

    def __init__(self, settings: Settings, token: str | None, trace_id: str, say: Callable[[str], str] = str) -> None:
        self._settings, self._say = settings, say
        self._headers = {"X-Trace-Id": trace_id}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def get(self, service: str, path: str, **query: Any) -> Any:
        """
        Return what a service answers to a GET, parsed.

        Raises:
            ServiceRefusedError, ServiceAwayError
        """
        return self.call("GET", service, path, query=query)

    def post(self, service: str, path: str, body: Any = None, **options: Any) -> Any:
        """Return what a service answers to a POST; options as for `call`."""
        return self.call("POST", service, path, body=body, **options)

    def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        key: str = "",
        version: str | int | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Any:
        """
        Call a service; return the parsed answer, bytes where it is no JSON, None where it is empty.

        `key` is the Idempotency-Key of a write (one is made up where it is empty), `version` what If-Match names.
        """
        sent = {**self._headers, **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        if version is not None:
            sent["If-Match"] = f'"{version}"'
        answer = self._send(method, service, path, sent, body, query, content)
        is_json = answer.kind.endswith("json") and answer.body
        parsed = json.loads(answer.body) if is_json else (answer.body or None)
        if answer.status >= 400:
            raise ServiceRefusedError(service, answer.status, self._said(parsed) if isinstance(parsed, dict) else {})
        return parsed

    def _said(self, problem: dict[str, Any]) -> dict[str, Any]:
        """Return the problem with its sentences in the visitor's language."""
        told: dict[str, Any] = {name: self._say(str(problem[name])) for name in ("title", "detail") if problem.get(name)}
        errors = problem.get("errors")
        if isinstance(errors, list):
            told["errors"] = [
                {**each, "message": self._say(str(each.get("message", "")))} for each in errors if isinstance(each, dict)
            ]
        return {**problem, **told}

    def download(self, service: str, path: str) -> tuple[dict[str, str], Iterator[bytes]]:
        """Return a file's headers and its bytes as they come; raises as `stream` does."""
        headers: dict[str, str] = {}
        pieces = self.stream(service, path, told=headers)
        next(pieces)
        return headers, pieces

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run the calls at the same time; return their answers in order, the first error raised once all have ended."""
        waiting = [_pool().submit(call) for call in calls[1:]]
        try:
            first = calls[0]()
        finally:
            wait(waiting)
        return [first, *(each.result() for each in waiting)]

    def stream(
        self, service: str, path: str, headers: dict[str, str] | None = None, told: dict[str, str] | None = None
    ) -> Iterator[bytes]:
        """
        Yield what a service streams, as it comes, until either side ends it. First of all an empty piece, once it is open.

        `told` is filled with the headers of the answer.

        Raises:
            ServiceRefusedError, ServiceAwayError: on the first step, before anything was streamed.
        """
        url = self._settings.url(service) + path
        try:
            with _streaming_client().stream("GET", url, headers={**self._headers, **(headers or {})}) as answer:
                if answer.status_code >= 400:
                    raise ServiceRefusedError(service, answer.status_code, {})
                if told is not None:
                    told.update(answer.headers)
                yield b""
                yield from answer.iter_raw()
        except httpx.TransportError:
            raise ServiceAwayError(service) from None

    def _send(
        self,
        method: str,
        service: str,
        path: str,
        headers: dict[str, str],
        body: Any,
        query: dict[str, Any] | None,
        content: bytes | None,
    ) -> Answer:
        wanted = {name: _in_words(value) for name, value in (query or {}).items() if value not in (None, "")}
        if wanted:
            path = f"{path}?{urlencode(wanted, doseq=True)}"
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {**headers, "Content-Type": "application/json"}
        try:
            return lines_to(self._settings.url(service)).request(method, path, headers, content)
        except LineError:
            raise ServiceAwayError(service) from None


def _in_words(value: Any) -> Any:
    """Return a query's value as the services read it."""
    return str(value).lower() if isinstance(value, bool) else value


def quietly(call: Callable[[], Any], default: Any, *refusals: int) -> Callable[[], Any]:
    """
    Return a call that answers `default` when its service is away, or refuses with one of these statuses.

    Without a status named, any refusal counts. For what a page can do without: it shows the rest.
    """

    def attempt() -> Any:
        try:
            return call()
        except ServiceAwayError:
            return default
        except ServiceRefusedError as error:
            if refusals and error.status not in refusals:
                raise
            return default

    return attempt
