"""
The OpenAPI 3.1 description of a front, generated from the very types that validate its requests.

Every operation lists every status it can answer with; errors share one schema.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

import baton
from baton.http.bodies import may_be_left_out
from baton.http.operations import Operation
from baton.http.problems import MEDIA_TYPE
from baton.pipelines.permissions import PERMISSIONS, Rule

_PARAMETER = re.compile(r"{(\w+)}")
_REF = "#/components/schemas/{model}"

STREAM_MEDIA_TYPE = "text/event-stream"
#: What each status means, for every operation that can answer it.
DESCRIPTIONS = {
    400: "The request cannot be read: broken JSON, a malformed header or cursor.",
    401: "Nobody is signed in, the token has expired (`token expired`), or it does not count (`invalid token`).",
    403: "The caller's roles do not allow this, or the request may come from another site's page.",
    404: "There is no such thing, or none that the caller may see.",
    408: "The body came too slowly.",
    409: "The thing is not in a state that allows this, or a request with this idempotency key is being worked on.",
    412: "The version in `If-Match` is not the current one.",
    413: "The body is larger than this front accepts.",
    426: "The request does not ask for a WebSocket.",
    502: "The service that this is passed on to cannot be reached.",
    415: "The body is not `application/json` in UTF-8.",
    422: "Fields cannot be accepted; `errors` names each. Also: an idempotency key that belongs to another request.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "An unforeseen fault, logged under the `trace_id`.",
    503: "Something this front needs cannot be reached; nothing was changed. `Retry-After` says when to come back.",
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong (RFC 9457). `type` is stable; programs should look at it, people at the rest.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:baton:problem:invalid-fields"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message", "type"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}


def describe(service: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document of a front."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Baton: {service}",
            "version": baton.__version__,
            "description": f"The {service} front. Writes honour `Idempotency-Key`; errors are problem documents (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.definitions, "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "access_token"},
            },
        },
    }


class _Schemas:
    """The JSON schemas of all models of a front, by model and by whether they are read or written."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        wanted: list[tuple[Any, Any]] = []
        for operation in operations:
            if operation.body is not None:
                wanted.append((operation.body, "validation"))
            wanted.extend((model, "serialization") for model in _models_of(operation.returns))
        unique = list(dict.fromkeys(wanted))
        self._refs, document = models_json_schema(unique, ref_template=_REF, schema_generator=GenerateJsonSchema)
        self.definitions: dict[str, Any] = document.get("$defs", {})

    def of(self, annotation: Any, mode: Any) -> dict[str, Any]:
        """Return a schema (usually a reference) for a model, `list[model]`, or plain `dict`/`list`."""
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self._refs[(annotation, mode)]
        if get_origin(annotation) is list:
            return {"type": "array", "items": self.of(get_args(annotation)[0], mode)}
        if annotation is dict or get_origin(annotation) is dict:
            return {"type": "object"}
        return {}


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_of(argument)]


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    rule = PERMISSIONS[operation.permission]
    found: dict[str, Any] = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "description": _description(operation, rule),
        "parameters": _parameters(operation),
        "responses": _responses(operation, rule, schemas),
        "security": [] if rule.public else [{"bearer": []}, {"cookie": []}],
        "x-permission": operation.permission,
        "x-live": operation.live,
    }
    if operation.tag:
        found["tags"] = [operation.tag]
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.of(operation.body, "validation")}}
        found["requestBody"] = {"required": not may_be_left_out(operation.body), "content": content}
    return {key: value for key, value in found.items() if value not in ("", None)}


def operation_id(operation: Operation) -> str:
    """Return a name for the operation that is unique within its front: method and path."""
    return re.sub(r"\W+", "_", f"{operation.method.lower()}{operation.path}").strip("_")


def _description(operation: Operation, rule: Rule) -> str:
    holders = [*sorted(rule.roles), *(["employees"] if rule.employees else []), *(["services"] if rule.services else [])]
    who = "anybody" if rule.public else "anybody signed in" if rule.signed_in else ", ".join(holders)
    return f"{operation.description}\n\nFor: {who}.".strip()


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema(ref_template=_REF)
        definitions = schema.get("$defs", {})
        for name, field in schema.get("properties", {}).items():
            required = name in schema.get("required", ())
            found.append(
                {"name": name, "in": "query", "required": required, "schema": _without_null(field, definitions)}
            )
    if operation.live == "events":
        text = "The id of the last event received: the stream goes on after it. EventSource sends it by itself."
        last = {"type": "string", "pattern": "^[0-9]{1,18}$"}
        found.append({"name": "Last-Event-ID", "in": "header", "required": False, "description": text, "schema": last})
    if operation.idempotent:
        text = "Chosen by the caller for one intent: repeated with the same request, it gets the first answer again."
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "description": text, "schema": key})
    return found


def _without_null(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a parameter's schema with references written out and without null: a query string has no null."""
    if isinstance(schema, list):
        return [_without_null(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _without_null(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **choices[0]}
    return {
        key: _without_null(value, definitions)
        for key, value in schema.items()
        if not (key == "default" and value is None)
    }


def _responses(operation: Operation, rule: Rule, schemas: _Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary or "Done."}
    if operation.returns is not None or operation.media_type != "application/json":
        schema = schemas.of(operation.returns, "serialization") if operation.returns is not None else {"type": "string"}
        success["content"] = {operation.media_type: {"schema": schema}}
        success["content"] |= {each: {"schema": {"type": "string"}} for each in operation.other_media_types}
    if operation.live == "events":
        success["content"] = {STREAM_MEDIA_TYPE: {"schema": {"type": "string"}}}
    found = {str(operation.status): success}
    for status in sorted({*_statuses(operation, rule), *operation.problems}):
        if str(status) in found or status < 400:
            found.setdefault(str(status), {**success})
            continue
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        found[str(status)] = {"description": DESCRIPTIONS.get(status, "Refused."), "content": content}
    return found


def _statuses(operation: Operation, rule: Rule) -> set[int]:
    statuses = {400, 422, 500, 503}
    if not rule.public:
        statuses |= {401, 403}
    if _PARAMETER.search(operation.path):
        statuses.add(404)
    if operation.body is not None:
        statuses |= {408, 413, 415}
    if operation.method != "GET":
        statuses |= {403, 409, 412}
    if operation.live in ("socket", "tunnel"):
        statuses.add(426)
    if operation.rate is not None or operation.live:
        statuses.add(429)
    return statuses
