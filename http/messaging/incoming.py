"""A file on its way in: the whole body, or the part `file` of a form, in pieces, never more than allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from falcon import errors
from falcon.media.multipart import MultipartForm, MultipartParseOptions
from falcon.util.mediatypes import parse_header

from baton.http.api import BadRequest, Call, Invalid, Problem
from baton.http.types import is_storable

_CHUNK_BYTES = 65_536
#: What a form may hold beside its file, in bytes: boundaries, headers, other fields.
_FORM_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file's name as its sender has it, and its bytes, which come as they are asked for."""

    filename: str
    pieces: Iterator[bytes]


def incoming(call: Call, filename: str | None, most: int) -> Incoming:
    """
    Return the file in a request.

    Raises:
        Problem: 413 too large (also while the pieces are read), 408 or 400 cut short, 422 no file or no name.
    """
    announced = call.request.content_length
    content_type = call.request.get_header("Content-Type") or ""
    is_form = content_type.lower().startswith("multipart/form-data")
    if announced is not None and announced > most + (_FORM_BYTES if is_form else 0):
        raise _too_large(most)
    body = _Body(call.request.env, announced)
    if is_form:
        return _of_form(body, content_type, filename, most)
    if not filename:
        raise Invalid.of("filename", "must name the file whose bytes the body is", "missing")
    return Incoming(filename, _limited(body.pieces(), most))


class _Body:
    """The request's bytes, whether their number was announced or they come in chunks, as a stream to read from."""

    def __init__(self, env: dict[str, Any], announced: int | None) -> None:
        chunked = "chunked" in env.get("HTTP_TRANSFER_ENCODING", "").lower()
        self._input = env["wsgi.input"]
        self._left: int | None = None if chunked else announced or 0

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, none at the end; raises Problem when the sender is too slow or leaves."""
        wanted = _CHUNK_BYTES if size is None or size < 0 else size
        if self._left is not None:
            wanted = min(wanted, self._left)
        if not wanted:
            return b""
        try:
            piece: bytes = self._input.read(wanted)
        except TimeoutError as error:
            raise Problem(408, "timeout", "the body came too slowly", headers={"Connection": "close"}) from error
        except OSError as error:
            raise BadRequest("the body ended early or is badly chunked", headers={"Connection": "close"}) from error
        if self._left is not None:
            if not piece:
                raise BadRequest("the body is shorter than its Content-Length", headers={"Connection": "close"})
            self._left -= len(piece)
        return piece

    def longest(self, otherwise: int) -> int:
        """Return how many bytes come at most: those announced."""
        return otherwise if self._left is None else self._left

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes."""
        while piece := self.read(_CHUNK_BYTES):
            yield piece


def _of_form(body: _Body, content_type: str, filename: str | None, most: int) -> Incoming:
    boundary = (parse_header(content_type)[1].get("boundary") or "").rstrip()
    if not re.fullmatch(r"[ -~]{1,70}", boundary):
        raise BadRequest("multipart/form-data needs a boundary of 1 to 70 printable ASCII characters")
    form = MultipartForm(body, boundary.encode(), body.longest(most + _FORM_BYTES), MultipartParseOptions())
    parts = _parts(form)
    for part in parts:
        if part.name == "file":
            name = filename or part.filename
            if not name or not is_storable(name):
                raise Invalid.of("filename", "must name the file", "missing")
            return Incoming(name, _limited(_of_part(part, parts), most))
    raise Invalid.of("file", "must be a part of the form", "missing")


def _parts(form: Any) -> Iterator[Any]:
    try:
        yield from form
    except (errors.HTTPError, UnicodeError) as error:
        raise BadRequest(f"the form cannot be read: {getattr(error, 'description', None) or error}") from None


def _of_part(part: Any, parts: Iterator[Any]) -> Iterator[bytes]:
    while piece := part.stream.read(_CHUNK_BYTES):
        yield piece
    # Only going on to the next part shows whether this one ended with a boundary or was cut off.
    next(parts, None)


def _limited(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise _too_large(most)
        yield piece


def _too_large(limit: int) -> Problem:
    # The rest of the body is still on its way: the connection cannot be used again.
    return Problem(
        413, "too-large", "the file is too large", f"at most {limit} bytes are accepted",
        headers={"Connection": "close"}, limit=limit,
    )  # fmt: skip
