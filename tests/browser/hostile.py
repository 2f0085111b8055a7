"""Texts that would run, break out or fall apart if any page forgot to escape them: our own, and such as real people sent."""

from __future__ import annotations

import csv
import gzip
import itertools
from pathlib import Path

#: Each would set `window.pwned`, show a dialog or ask for `/pwned` if it were taken for more than text.
HOSTILE = (
    "<script>window.pwned=1;alert(1)</script>",
    "<img src=/pwned onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "' autofocus onfocus=window.pwned=1 x='",
    "</textarea></title></style><script>window.pwned=1</script>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    '<a href="javascript:window.pwned=1">click</a>',
    "[click](javascript:window.pwned=1) ![x](javascript:window.pwned=1) <javascript:window.pwned=1>",
    "[x](data:text/html,<script>window.pwned=1</script>)",
    "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7} #{7*7}",
    "<form action=https://evil.example><button>sign in again</button></form>",
    "<style>@import '/pwned';body{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=/pwned'>",
    "<div hx-get=/pwned hx-trigger=load data-live=/pwned data-key=s hx-on:click=window.pwned=1>x</div>",
    "&lt;script&gt;window.pwned=1&lt;/script&gt; &#60;img src=x onerror=window.pwned=1&#62;",
    "‮txt.exe‬ ​﻿ Z̡͎͖a̡l̵g̷o 🏳️‍🌈 ﷽﷽﷽",
    "x" * 400,
    "مرحبا بالعالم אבג <b>bold</b> \\u003cscript\\u003e",
)
MARKUP = ("<script", "<img", "<iframe", "javascript:", "onerror", "<table", "<!--", "<a href")


def from_real_people(folder: Path, count: int = 12) -> list[str]:
    """Return texts of the support forum's data set that hold markup; none where the data set is not."""
    file = folder / "support-forum" / "questions.csv.gz"
    if not file.is_file():
        return []
    csv.field_size_limit(10_000_000)
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        texts = ("\n".join(filter(None, row.values())) for row in csv.DictReader(rows))
        marked = (text[:6000] for text in texts if any(mark in text.lower() for mark in MARKUP))
        return list(itertools.islice(marked, count))
