"""
Reading requests: a body within the size limit, JSON that means one thing, and every wrong field named at once.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import falcon
from pydantic import BaseModel, ValidationError

from baton.http.problems import BadRequest, Invalid, Problem, field_errors, unstorable_errors
from baton.http.types import UNSTORABLE, unstorable_texts

#: Deepest nesting of arrays and objects in a body. Python's own parser would give up at about a thousand.
JSON_DEPTH = 64
#: Most parameters of a query string.
QUERY_FIELDS = 100
_CHUNK_BYTES = 65_536
_ESCAPED_TROUBLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def read_body(request: falcon.Request, limit: int) -> bytes:
    """
    Return the body, which is at most `limit` bytes long, whether its length was announced or it comes in chunks.

    Raises:
        Problem: 413 too large (what was announced as too large is not read at all), 400 cut short or not readable.
    """
    env = request.env
    chunked = "chunked" in env.get("HTTP_TRANSFER_ENCODING", "").lower()
    announced = env.get("CONTENT_LENGTH") or ""
    if not chunked:
        if not announced:
            return b""
        if not (announced.isascii() and announced.isdigit()):
            raise BadRequest("Content-Length is not a number")
        if len(announced) > 18 or int(announced) > limit:
            raise _too_large(limit)
    try:
        body = _read(env["wsgi.input"], limit + 1 if chunked else int(announced))
    except TimeoutError as error:
        raise Problem(408, "timeout", "the body came too slowly", headers={"Connection": "close"}) from error
    except OSError as error:
        raise BadRequest("the body ended early or is badly chunked", headers={"Connection": "close"}) from error
    if len(body) > limit:
        raise _too_large(limit)
    if not chunked and len(body) < int(announced):
        raise BadRequest("the body is shorter than its Content-Length", headers={"Connection": "close"})
    return body


def may_be_left_out(model: type[BaseModel]) -> bool:
    """Whether a request without a body will do: every field of its model has a default."""
    return not any(field.is_required() for field in model.model_fields.values())


def is_left_out(request: falcon.Request) -> bool:
    """Whether a request has no body at all."""
    chunked = "chunked" in request.env.get("HTTP_TRANSFER_ENCODING", "").lower()
    return not chunked and request.env.get("CONTENT_LENGTH") in (None, "", "0")


def _read(stream: Any, most: int) -> bytes:
    first = stream.read(min(most, _CHUNK_BYTES)) if most else b""
    if len(first) >= most or not first:
        return bytes(first)
    pieces, total = [first], len(first)
    while total < most:
        piece = stream.read(min(_CHUNK_BYTES, most - total))
        if not piece:
            break
        pieces.append(piece)
        total += len(piece)
    return b"".join(pieces)


def _too_large(limit: int) -> Problem:
    # The rest of the body is still on its way: the connection cannot be used again.
    return Problem(
        413,
        "too-large",
        "the body is too large",
        f"at most {limit} bytes are accepted",
        headers={"Connection": "close"},
        limit=limit,
    )


def check_content_type(request: falcon.Request) -> None:
    """Raise 415 unless the body claims to be JSON in UTF-8."""
    given = (request.env.get("CONTENT_TYPE") or "").lower()
    media, _, parameters = given.partition(";")
    media = media.strip()
    if media == "application/json" or (media.startswith("application/") and media.endswith("+json")):
        charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters)
        if charset is None or charset[1] in ("utf-8", "utf8", "us-ascii"):
            return
    raise Problem(415, "unsupported-media-type", "unsupported media type", "send application/json in UTF-8")


def parse_json(body: bytes) -> Any:
    """
    Return the JSON value of a body.

    Raises:
        BadRequest: not JSON in UTF-8, a name given twice in one object, NaN or Infinity, nested too deeply.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except ValueError as error:
        reason = f"{error.msg} at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise BadRequest(f"the body is not valid JSON: {reason[:200]}") from None
    # Few brackets cannot nest deeply; only a body with many is walked.
    if body.count(b"[") + body.count(b"{") > JSON_DEPTH and _deeper_than(value, JSON_DEPTH):
        raise _too_deep()
    return value


def _too_deep() -> BadRequest:
    return BadRequest(f"the body is nested more than {JSON_DEPTH} levels deep")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:100]!r} is given twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def validate_body(model: type[BaseModel], body: bytes, value: Any) -> BaseModel:
    """
    Return the body as its model; `value` is its parsed JSON. Raises Invalid with every offending field.
    """
    errors: list[dict[str, str]] = []
    if _ESCAPED_TROUBLE.search(body):
        paths = unstorable_texts(value)
        if paths:
            errors = unstorable_errors(paths)
            # The other fields are judged too: blank the offending texts, which pydantic's parser would stop at.
            body = json.dumps(_blanked(value)).encode()
    try:
        found = model.model_validate_json(body)
    except ValidationError as error:
        named = {item["field"] for item in errors}
        errors.extend(item for item in field_errors(error) if item["field"] not in named)
    if errors:
        raise Invalid(errors)
    return found


def _blanked(value: Any) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub("?", value)
    if isinstance(value, dict):
        return {UNSTORABLE.sub("?", key): _blanked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    return value


def read_query(request: falcon.Request, model: type[BaseModel] | None) -> BaseModel | None:
    """
    Return the query string as its model (None without one).

    Raises:
        BadRequest: not percent-encoded UTF-8.
        Invalid: unknown, repeated or wrong parameters, all of them.
    """
    text = request.env.get("QUERY_STRING") or ""
    if model is None:
        return None
    if not text:
        return _validate_query(model, {}, [])
    try:
        # WSGI hands bytes over as latin-1 text.
        raw = text.encode("latin-1").decode("utf-8")
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS)
    except ValueError:
        raise BadRequest("the query string is not percent-encoded UTF-8, or has too many parameters") from None
    errors = [
        item for pair in pairs for part in pair for item in unstorable_errors([(pair[0],)]) if UNSTORABLE.search(part)
    ]
    values: dict[str, Any] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    for name, given in values.items():
        field = model.model_fields.get(name)
        if field is not None and "list[" in str(field.annotation):
            continue
        if len(given) > 1:
            errors.append({"field": name, "message": "is given more than once", "type": "repeated"})
        values[name] = given[0]
    return _validate_query(model, values, errors)


def _validate_query(model: type[BaseModel], values: dict[str, Any], errors: list[dict[str, str]]) -> BaseModel:
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        named = {item["field"] for item in errors}
        errors.extend(item for item in field_errors(error) if item["field"] not in named)
    if errors:
        raise Invalid(errors)
    return found
