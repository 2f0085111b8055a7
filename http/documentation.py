"""The documentation page of a front: its OpenAPI document as one plain page, without scripts or anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from baton.http.documentation_types import kind_of, prose

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
text-align: left; vertical-align: top; overflow-wrap: break-word; }
td:first-child { width: 1%; min-width: 4rem; } td:last-child { overflow-wrap: anywhere; }
@media (min-width: 40rem) { td:first-child { white-space: nowrap; padding-right: 1.5rem; } }
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
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<main><h1>{title} <small>{html.escape(info['version'])}</small></h1><p>{prose(info['description'])}</p>"
        '<p>Machine-readable: <a href="/openapi.json">openapi.json</a>. State: <a href="/health">health</a>, '
        '<a href="/metrics">metrics</a>.</p><p>To sign in, send <code>{"email": ..., "password": ...}</code> to <code>POST '
        "/api/v1/sign-in</code> of the auth front, and the <code>access_token</code> of its answer with every request, as "
        "<code>Authorization: Bearer &lt;access_token&gt;</code>. Browsers get it as a cookie too; writes that rely on the "
        "cookie also need an <code>Origin</code> of this system or the header <code>X-CSRF-Token</code>.</p>"
        f"<h2>Operations</h2>{_operations(document)}<h2>Types</h2>{schemas}</main></body></html>"
    )
    return text.encode()


def _operations(document: dict[str, Any]) -> str:
    """Every operation in order, with a heading wherever the subject changes."""
    parts, subject = [], ""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = (operation.get("tags") or [""])[0]
            if named != subject:
                parts.append(f"<h3>{html.escape(named)}</h3>")
                subject = named
            parts.append(_operation(method, path, operation))
    return "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    name = html.escape(operation["operationId"])
    parts = [f'<p class="note">{prose(line)}</p>' for line in operation.get("description", "").split("\n\n") if line]
    parameters = operation.get("parameters") or []
    if parameters:
        rows = "".join(_parameter(parameter) for parameter in parameters)
        parts.append(f"<h3>Parameters</h3><table><tr><th>name</th><th>value</th></tr>{rows}</table>")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<h3>Body</h3><p>{kind_of(content)}, as JSON</p>")
    rows = "".join(_response(status, response) for status, response in sorted(operation["responses"].items()))
    parts.append(f"<h3>Answers</h3><table><tr><th>status</th><th>meaning</th></tr>{rows}</table>")
    return (
        f'<details id="{name}"><summary><span class="method">{method.upper()}</span> <code>{html.escape(path)}</code> '
        f"{html.escape(operation.get('summary', ''))}</summary><div>{''.join(parts)}</div></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    place = f"{parameter['in']}{'' if parameter.get('required') else ', optional'}"
    text = parameter.get("description") or parameter["schema"].get("description", "")
    name, kind = html.escape(parameter["name"]), kind_of(parameter["schema"])
    return f"<tr><td><code>{name}</code> ({place})</td><td>{_worded(kind, text)}</td></tr>"


def _response(status: str, response: dict[str, Any]) -> str:
    bodies = ", ".join(kind_of(content["schema"]) for content in response.get("content", {}).values())
    return f"<tr><td>{status}</td><td>{prose(response['description'])}{f' ({bodies})' if bodies else ''}</td></tr>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    # Not folded away: a link to a folded element would not open it.
    title = f'<h3 id="type-{html.escape(name)}" tabindex="-1">{html.escape(name)}</h3>'
    if "description" in schema:
        title += f'<p class="note">{prose(schema["description"])}</p>'
    if "properties" not in schema:
        shown = html.escape(json.dumps(schema, indent=2, ensure_ascii=False))
        return f'{title}<pre tabindex="0">{shown}</pre>'
    required = schema.get("required", ())
    rows = "".join(_field(field, kind, field in required) for field, kind in schema["properties"].items())
    return f"{title}<table><tr><th>field</th><th>value</th></tr>{rows}</table>"


def _field(name: str, schema: dict[str, Any], required: bool) -> str:
    optional = "" if required else " (optional)"
    return (
        f"<tr><td><code>{html.escape(name)}</code>{optional}</td>"
        f"<td>{_worded(kind_of(schema), schema.get('description', ''))}</td></tr>"
    )


def _worded(kind: str, text: str) -> str:
    return f"{kind}<br>{prose(text)}" if text else kind
