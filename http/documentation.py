"""The documentation page of a front: its OpenAPI document as one plain page, without scripts or anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #1558b0; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
a { color: var(--accent); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .75rem; overflow-wrap: anywhere; }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
details > div { border-top: 1px solid var(--line); padding: .25rem .75rem .75rem; }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
pre { background: var(--soft); border-radius: .5rem; margin: .25rem 0; overflow-x: auto; padding: .75rem; }
.method { display: inline-block; font-weight: 700; min-width: 4.5rem; }
.note { opacity: .8; }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .35rem .5rem .35rem 0;
text-align: left; vertical-align: top; overflow-wrap: anywhere; }
"""
#: Only this very style sheet may be applied to the page; nothing else may be loaded or run.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def page_of(document: dict[str, Any]) -> bytes:
    """Return the page for an OpenAPI document."""
    info = document["info"]
    title = html.escape(info["title"])
    operations = "".join(
        _operation(method, path, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<main><h1>{title} <small>{html.escape(info['version'])}</small></h1><p>{html.escape(info['description'])}</p>"
        '<p>Machine-readable: <a href="/openapi.json">openapi.json</a>. State: <a href="/health">health</a>, '
        '<a href="/metrics">metrics</a>. Sign in with <code>Authorization: Bearer &lt;token&gt;</code>, or with the cookie '
        "<code>access_token</code>; writes that rely on the cookie also need an <code>Origin</code> of this system or the "
        "header <code>X-CSRF-Token</code>.</p>"
        f"<h2>Operations</h2>{operations}<h2>Types</h2>{schemas}</main></body></html>"
    )
    return text.encode()


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    name = html.escape(operation["operationId"])
    parts = [f'<p class="note">{html.escape(line)}</p>' for line in operation.get("description", "").split("\n\n") if line]
    parameters = operation.get("parameters") or []
    if parameters:
        rows = "".join(_parameter(parameter) for parameter in parameters)
        parts.append(f"<h3>Parameters</h3><table><tr><th>name</th><th>in</th><th>type</th></tr>{rows}</table>")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<h3>Body</h3><p>{_link(content)}</p>")
    rows = "".join(_response(status, response) for status, response in sorted(operation["responses"].items()))
    parts.append(f"<h3>Answers</h3><table><tr><th>status</th><th>meaning</th><th>body</th></tr>{rows}</table>")
    return (
        f'<details id="{name}"><summary><span class="method">{method.upper()}</span> <code>{html.escape(path)}</code> '
        f"{html.escape(operation.get('summary', ''))}</summary><div>{''.join(parts)}</div></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    required = "" if parameter.get("required") else " (optional)"
    kind = html.escape(json.dumps({k: v for k, v in parameter["schema"].items() if k != "title"}, ensure_ascii=False))
    name = html.escape(parameter["name"])
    return f"<tr><td><code>{name}</code>{required}</td><td>{parameter['in']}</td><td><code>{kind}</code></td></tr>"


def _response(status: str, response: dict[str, Any]) -> str:
    bodies = ", ".join(_link(content["schema"]) for content in response.get("content", {}).values())
    return f"<tr><td>{status}</td><td>{html.escape(response['description'])}</td><td>{bodies}</td></tr>"


def _link(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}"><code>{name}</code></a>'
    if schema.get("type") == "array":
        return f"list of {_link(schema.get('items', {}))}"
    return f"<code>{html.escape(str(schema.get('type', 'any')))}</code>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    # Not folded away: a link to a folded element would not open it.
    shown = html.escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return f'<h3 id="type-{html.escape(name)}" tabindex="-1">{html.escape(name)}</h3><pre tabindex="0">{shown}</pre>'
