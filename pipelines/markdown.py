"""
Markdown as people write it in comments, made into HTML that cannot do anything.

Two fences, each enough by itself: the renderer knows no raw HTML (what looks like a tag is shown as text) and no links but http,
https and mailto; then whatever it made passes a sanitiser that knows only the tags and attributes named here. Pictures are not
loaded from anywhere, since fetching one tells its owner who reads the ticket when: they become links.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdownify import MarkdownConverter

#: Made higher whenever the same Markdown would become other HTML: what is stored of an older rendering is made anew when read.
RENDERING = 1
SCHEMES = frozenset({"http", "https", "mailto"})
_TAGS = "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul"
TAGS = frozenset(_TAGS.split())
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}, "td": {"align"}, "th": {"align"}}
#: `language-...` on code is the only class that passes, so that a reader's page can colour it.
_LANGUAGE = re.compile(r"language-[A-Za-z0-9_+#.-]{1,40}\Z")
_BLANKS = re.compile(r"\s+")
#: Elements of foreign HTML whose content is no text for readers.
_SILENT = ("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "head", "title")


def render(source: str) -> str:
    """Return safe HTML for a comment's Markdown."""
    return clean(str(_markdown().render(source)))


def clean(html: str) -> str:
    """Return the HTML with nothing in it but the tags, attributes and link schemes of this module."""
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def excerpt(source: str, length: int = 200) -> str:
    """Return the beginning of a comment as one line of plain text, for notices and lists; at most `length` characters."""
    # Only as much is rendered as could be shown: markup is seldom half of a text.
    text = unescape(nh3.clean(render(source[: length * 4]), tags=set(), clean_content_tags=set()))
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def from_html(html: str) -> str:
    """Return foreign HTML as Markdown: text, emphasis, links, lists, quotes, code and tables; everything else is left out."""
    safe = nh3.clean(
        html,
        tags=set(TAGS) | {"b", "i", "u", "div", "span", "img", "dl", "dt", "dd", "kbd", "samp", "strike", "sub", "sup"},
        clean_content_tags=set(_SILENT),
        attributes={"a": {"href", "title"}, "img": {"src", "alt"}, "ol": {"start"}},
        url_schemes=set(SCHEMES),
        attribute_filter=_attribute,
        link_rel=None,
    )
    text = _Converter(heading_style="ATX", bullets="-", escape_misc=True).convert(f"<div>{safe}</div>")
    return re.sub(r"\n{3,}", "\n\n", str(text)).strip()


@functools.cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    parser.enable(["table", "strikethrough", "linkify"])
    # A bare word such as README.md or node.js is no address; only what has a scheme, or is an e-mail address, becomes a link.
    linkify: Any = parser.linkify
    linkify.set({"fuzzy_link": False, "fuzzy_ip": False})
    parser.validateLink = _is_harmless  # type: ignore[method-assign]
    parser.add_render_rule("image", _picture)
    return parser


def _is_harmless(url: str) -> bool:
    scheme, colon, _ = url.strip().partition(":")
    return bool(colon) and scheme.lower() in SCHEMES


def _picture(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    from markdown_it.common.utils import escapeHtml

    source = escapeHtml(str(tokens[index].attrs.get("src", "")))
    return f'<a href="{source}">{escapeHtml(tokens[index].content or "picture")}</a>'


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "code" and name == "class":
        return value if _LANGUAGE.match(value) else None
    # The sanitiser knows schemes only; what has none would lead to a page of ours, or of whoever `//` names.
    if name == "href":
        return value if _is_harmless(value) else None
    return value


class _Converter(MarkdownConverter):
    """markdownify, with pictures as links: a comment never loads one."""

    def convert_img(self, el: Any, text: str, parent_tags: Any) -> str:
        """Return a link to the picture."""
        source = str(el.get("src") or "")
        label = str(self.escape(str(el.get("alt") or "picture"), parent_tags))  # type: ignore[attr-defined]
        return f"[{label}](<{source}>)" if source and "\n" not in source and ">" not in source else label
