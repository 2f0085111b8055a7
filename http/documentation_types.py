"""JSON schemas in the words of the documentation page: "text, at most 255 characters", "one of `Low`, `High`"."""

from __future__ import annotations

import html
import json
import re
from typing import Any

_CODE = re.compile(r"`([^`]+)`")
_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_FORMATS = {"date-time": "instant, such as 2030-01-31T09:00:00Z", "date": "date"}


def prose(text: str) -> str:
    """Return a text as HTML; what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def kind_of(schema: dict[str, Any]) -> str:
    """Return what a value of this schema is, as HTML; other types of the document are links."""
    words = [_bare(schema), *_limits(schema)]
    if schema.get("default") not in (None, "", [], {}):
        words.append(f"if left out <code>{_literal(schema['default'])}</code>")
    return ", ".join(words)


def _bare(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}"><code>{name}</code></a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(kind_of(choice) for choice in schema[key]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        listed = ", ".join(f"<code>{_literal(value)}</code>" for value in values)
        return f"one of {listed}" if len(values) > 1 else listed
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {kind_of(values)}" if isinstance(values, dict) and values else "object"
    kind = str(schema.get("type", "anything"))
    return _FORMATS.get(schema.get("format", ""), _NAMES.get(kind, html.escape(kind)))


def _limits(schema: dict[str, Any]) -> list[str]:
    words = []
    for least, most, what in (
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
        ("minProperties", "maxProperties", " entries"),
        ("minimum", "maximum", ""),
    ):
        low, high = schema.get(least), schema.get(most)
        if low in (None, 0) and high is None:
            continue
        if high is None:
            words.append(f"at least {low}{what}")
        else:
            words.append(f"{low} to {high}{what}" if low else f"at most {high}{what}")
    if "pattern" in schema and schema["pattern"] != r"\S":
        words.append(f"like <code>{html.escape(schema['pattern'])}</code>")
    return words


def _literal(value: Any) -> str:
    return html.escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
