"""
What surrounds every request: its trace id, its line in the access log, its place in the metrics, and the headers of every answer.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import falcon
import structlog
from structlog.contextvars import bind_contextvars, reset_contextvars

from baton.http import metrics
from baton.http.security import HEADERS, refuse_unreadable_path
from baton.models.settings import Settings
from baton.models.transaction import current_trace

TRACE_HEADER = "X-Request-ID"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
#: Asked for every few seconds by machines; logged at debug level only.
_QUIET_PATHS = ("/health", "/metrics")

log = structlog.get_logger("baton.access")


def trace_id_of(env: dict[str, Any]) -> str:
    """Return the trace a request belongs to: from W3C `traceparent`, else `X-Request-ID`, else a new one."""
    parent = _TRACEPARENT.fullmatch(env.get("HTTP_TRACEPARENT", ""))
    if parent is not None and parent[1] != "0" * 32:
        return parent[1]
    given: str = env.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class Access:
    """Falcon middleware around every request, those that match no route included."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._headers = dict(HEADERS)
        if settings.production:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Note the time and bind the trace id to the logs and to messages announced."""
        context = req.context
        context.started = time.perf_counter()
        context.trace_id = trace_id_of(req.env)
        context.trace_token = current_trace.set(context.trace_id)
        context.log_tokens = bind_contextvars(trace_id=context.trace_id)
        refuse_unreadable_path(req)

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: Any, req_succeeded: bool) -> None:
        """Add the common headers, write the access log line, count, and unbind what was bound."""
        context = req.context
        for name, value in self._headers.items():
            if resp.get_header(name) is None:
                resp.set_header(name, value)
        resp.set_header(TRACE_HEADER, context.trace_id)
        seconds = time.perf_counter() - context.started
        status = resp.status_code
        metrics.count_request(self._service, req.method, req.uri_template or "(none)", status, seconds)
        write = log.debug if req.path in _QUIET_PATHS else log.info
        write(
            "request",
            service=self._service,
            method=req.method,
            path=req.path,
            status=status,
            ms=round(seconds * 1000, 1),
            principal=getattr(context, "subject", None),
        )
        reset_contextvars(**context.log_tokens)
        current_trace.reset(context.trace_token)
