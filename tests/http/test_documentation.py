"""The documentation page: schemas in words, nothing that a description holds becomes markup."""

from __future__ import annotations

import pytest

from baton.http.documentation import page_of
from baton.http.documentation_types import kind_of, prose


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 255}, "text, 1 to 255 characters"),
        ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "whole number, 1 to 200, if left out <code>50</code>"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "date or null"),
        ({"enum": ["Low", "High"], "type": "string"}, "one of <code>Low</code>, <code>High</code>"),
        ({"const": False}, "<code>false</code>"),
        ({"type": "array", "items": {"$ref": "#/x/Step"}}, 'list of <a href="#type-Step"><code>Step</code></a>'),
        ({"type": "object", "additionalProperties": True}, "object"),
        ({}, "anything"),
    ],
)
def test_a_schema_is_told_in_words(schema: dict[str, object], words: str) -> None:
    assert kind_of(schema) == words


def test_text_in_a_description_stays_text_and_backticks_become_code() -> None:
    assert prose("`a<b>` & c") == "<code>a&lt;b&gt;</code> &amp; c"


def test_operations_stand_under_their_subjects_and_bodies_link_to_their_types() -> None:
    operation = {
        "operationId": "post_x",
        "summary": "<File>",
        "tags": ["desk"],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"201": {"description": "Done."}},
    }
    page = page_of(
        {
            "info": {"title": "Desk", "version": "1", "description": "Uses `Key`."},
            "paths": {"/x": {"post": operation}},
            "components": {"schemas": {"New": {"properties": {"a": {"type": "string"}}, "required": ["a"]}}},
        }
    ).decode()

    assert "<h3>desk</h3>" in page
    assert '<a href="#type-New">' in page and 'id="type-New"' in page
    assert "&lt;File&gt;" in page and "<code>Key</code>" in page
