"""
One request through one operation: who, whether, what, in which transaction, and the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import falcon

from baton.http import bodies, idempotency, lasting, security
from baton.http.operations import Call, Operation
from baton.http.problems import MEDIA_TYPE, Problem, problem_of
from baton.http.render import Answer, render
from baton.http.tokens import Verifier
from baton.models.database import read_tx
from baton.models.settings import Settings
from baton.models.transaction import write_tx


@dataclass(slots=True)
class Front:
    """What all operations of a service's front share."""

    service: str
    settings: Settings
    verifier: Verifier
    trusted: frozenset[str]
    limiters: dict[int, security.RateLimiter] = field(default_factory=dict)
    places: lasting.Places = field(default_factory=lasting.Places)


def responder(front: Front, operation: Operation) -> Callable[..., None]:
    """Return the Falcon responder that performs the operation."""
    limit(front, operation)

    def respond(request: falcon.Request, response: falcon.Response, **params: str) -> None:
        call = Call(request, operation, front.service, front.settings, params, request.context.trace_id)
        write_answer(response, perform(front, call), front.settings)

    return respond


def limit(front: Front, operation: Operation) -> None:
    """Have the operation's callers counted, if it limits them."""
    if operation.rate is not None:
        front.limiters[id(operation)] = security.RateLimiter(operation.rate)


def admit(front: Front, call: Call) -> dict[str, Any]:
    """Set who calls, and return the handler's `query` where it takes one; raises Problem unless the caller is let in."""
    operation = call.operation
    call.principal = security.authenticate(call, front.verifier)
    call.request.context.subject = call.principal.subject
    limiter = front.limiters.get(id(operation))
    if limiter is not None:
        limiter.check((call.principal.id and call.principal.subject) or call.address, time.monotonic())
    security.authorize(call)
    security.check_origin(call, front.trusted)
    arguments: dict[str, Any] = {}
    if operation.query is not None:
        arguments["query"] = bodies.read_query(call.request, operation.query)
    return arguments


def perform(front: Front, call: Call) -> Answer:
    """Return the operation's answer; raises Problem when it is refused and whatever the handler raises."""
    operation = call.operation
    arguments = admit(front, call)
    value: Any = None
    if operation.body is not None and bodies.is_left_out(call.request) and bodies.may_be_left_out(operation.body):
        arguments["body"] = operation.body()
    elif operation.body is not None:
        bodies.check_content_type(call.request)
        body = bodies.read_body(call.request, front.settings.max_body_bytes)
        value = bodies.parse_json(body)
        arguments["body"] = bodies.validate_body(operation.body, body, value)
    return execute(call, arguments, value)


def execute(call: Call, arguments: dict[str, Any], value: Any) -> Answer:
    """Run the handler in the operation's transaction, once per Idempotency-Key, and return its answer."""
    operation = call.operation
    if operation.scope == "none":
        return render(operation, operation.handler(call, **arguments))
    if operation.scope == "read":
        with read_tx(call.service) as call.reading:
            return render(operation, operation.handler(call, **arguments))
    key = idempotency.key_of(call)
    print_ = idempotency.fingerprint(call, value) if key else ""
    with write_tx(call.service) as call.transaction:
        if key is not None:
            replay = idempotency.claim(call, key, print_)
            if replay is not None:
                return replay
        answer = render(operation, operation.handler(call, **arguments))
        if key is not None:
            idempotency.keep(call, key, answer)
    return answer


def write_answer(response: falcon.Response, answer: Answer, settings: Settings) -> None:
    """Put an answer into Falcon's response."""
    response.status = answer.status
    if answer.headers:
        response.set_headers(answer.headers)
    response.data = answer.body or None
    response.stream = answer.stream
    for cookie in answer.cookies:
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.seconds,
            # Falcon leaves a Max-Age of 0 out, which would keep the cookie.
            expires=None if cookie.seconds else datetime.fromtimestamp(0, UTC),
            path=cookie.path,
            secure=settings.production,
            http_only=cookie.http_only,
            same_site=cookie.same_site,
        )


def write_problem(response: falcon.Response, problem: Problem, trace_id: str | None) -> None:
    """Put a problem into Falcon's response, whatever was in it before."""
    response.status = problem.status
    response.set_headers(problem.headers)
    response.content_type = MEDIA_TYPE
    response.data = problem.body(trace_id)


def handle_error(request: falcon.Request, response: falcon.Response, error: Exception, params: Any) -> None:
    """Answer any exception with its problem document (Falcon error handler)."""
    if isinstance(error, falcon.HTTPError):
        problem = _problem_of_falcon(error)
    else:
        problem = problem_of(error)
    write_problem(response, problem, getattr(request.context, "trace_id", None))


def _problem_of_falcon(error: falcon.HTTPError) -> Problem:
    status = error.status_code
    titles = {404: "not found", 405: "method not allowed", 400: "the request cannot be read"}
    details = {
        404: "there is nothing at this address; /docs lists what there is",
        405: "the header Allow names the methods of this address",
    }
    slugs = {404: "not-found", 405: "method-not-allowed", 400: "bad-request"}
    return Problem(
        status,
        slugs.get(status, "refused"),
        titles.get(status, error.title or "refused"),
        details.get(status, error.description),
        headers=dict(error.headers or {}),
    )
