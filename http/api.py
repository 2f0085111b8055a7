"""
The front of a service: a table of operations becomes a WSGI application.

    OPERATIONS = (Operation("POST", "/api/v1/tickets", file_ticket, permission="tickets.file", body=NewTicket, ...), ...)

    def create_app(settings: Settings, keys: KeySource) -> falcon.App:
        return create_service_app("helpdesk", OPERATIONS, settings, keys)

This module is what services' fronts import; the parts live beside it: `operations` (what a front is made of), `dispatch` (one
request), `problems` (errors), `types` (fields), `paging`, `idempotency`, `security`, `tokens`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import falcon

from baton.http import dispatch, sockets, streaming, tunnel
from baton.http.access import Access
from baton.http.common import common_operations
from baton.http.health import ServiceCheck
from baton.http.operations import Call, Cookie, Operation, Rate, Reply
from baton.http.paging import page
from baton.http.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    Problem,
    Unauthorized,
)
from baton.http.security import trusted_hosts
from baton.http.tokens import KeySource, Verifier
from baton.http.types import Body, Page, PageQuery, Query, View
from baton.models.settings import Settings
from baton.pipelines.permissions import PERMISSIONS

__all__ = [
    "BadRequest",
    "Body",
    "Call",
    "Conflict",
    "Cookie",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Operation",
    "Page",
    "PageQuery",
    "PreconditionFailed",
    "Problem",
    "Query",
    "Rate",
    "Reply",
    "ServiceCheck",
    "Unauthorized",
    "View",
    "create_service_app",
    "page",
]

#: How each kind of operation answers.
RESPONDERS = {"": dispatch.responder, "events": streaming.responder, "socket": sockets.responder, "tunnel": tunnel.responder}


def create_service_app(
    service: str,
    operations: Sequence[Operation],
    settings: Settings,
    keys: KeySource,
    checks: Mapping[str, ServiceCheck] | None = None,
) -> falcon.App:
    """
    Return the WSGI application of a service: its operations, and `/health`, `/metrics`, `/openapi.json` and `/docs`.

    `checks` are the service's own contributions to its health.

    Raises:
        KeyError: an operation names a permission that the table does not have.
    """
    front = dispatch.Front(service, settings, Verifier(keys), trusted_hosts(settings))
    app = falcon.App(middleware=[Access(service, settings)])
    app.req_options.strip_url_path_trailing_slash = True
    app.add_error_handler(Exception, dispatch.handle_error)
    app.add_error_handler(falcon.HTTPError, dispatch.handle_error)
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for operation in (*operations, *common_operations(service, operations, checks or {}, keys)):
        PERMISSIONS[operation.permission]
        by_path[operation.path.rstrip("/") or "/"].append(operation)
    for path, group in by_path.items():
        resource = SimpleNamespace()
        for operation in group:
            responder = RESPONDERS[operation.live](front, operation)
            setattr(resource, f"on_{operation.method.lower()}", responder)
            if operation.method == "GET":
                resource.on_head = responder
        app.add_route(path, resource)
    return app
