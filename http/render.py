"""Turning what a handler returned into bytes and headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from baton.http.operations import Cookie, Operation, Reply


@dataclass(slots=True)
class Answer:
    """A finished answer: status, headers (Content-Type included) and body, or the stream that takes its place."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: Sequence[Cookie] = ()
    stream: Iterable[bytes] | None = None


def render(operation: Operation, returned: Any) -> Answer:
    """Return the answer for what a handler of the operation returned: a Reply, or the body alone."""
    reply = returned if isinstance(returned, Reply) else Reply(returned)
    headers = dict(reply.headers)
    if reply.etag is not None:
        headers["ETag"] = f'"{reply.etag}"'
    status = reply.status or operation.status
    if reply.stream is not None:
        headers.setdefault("Content-Type", operation.media_type)
        return Answer(status, headers, b"", reply.cookies, reply.stream)
    if reply.body is None:
        return Answer(status, headers, b"", reply.cookies)
    headers.setdefault("Content-Type", operation.media_type)
    if isinstance(reply.body, bytes):
        return Answer(status, headers, reply.body, reply.cookies)
    if isinstance(reply.body, str):
        return Answer(status, headers, reply.body.encode(), reply.cookies)
    return Answer(status, headers, to_json(reply.body), reply.cookies)
