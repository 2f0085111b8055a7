"""What a file is taken for, what it is called, and how it is handed out."""

from __future__ import annotations

from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.files import (
    BINARY,
    NAME_LENGTH,
    REFUSED_TYPES,
    FileRefusedError,
    check_type,
    disposition,
    handed_out_as,
    media_type_of,
    safe_name,
)


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "a.jpg", "image/png"),
        (b"\xff\xd8\xff\xe0", "a.exe", "image/jpeg"),
        (b"%PDF-1.7", "a.pdf", "application/pdf"),
        (b"PK\x03\x04", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04", "a.html", "application/zip"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42", "a", "video/mp4"),
        (b"plain words", "a.csv", "text/csv"),
        (b"plain words", "a.html", "text/plain"),
        ("Grüße".encode("latin-1"), "a.txt", "text/plain"),
        (b"\x00\x01\x02", "a.txt", BINARY),
        (b"<p>hello", "a.txt", "text/plain"),
        (b" \n<!-- c --><HTML>", "a.txt", "text/html"),
        (b"<?xml version='1.0'?>\n<!-- c -->\n<svg xmlns='http://www.w3.org/2000/svg'>", "a.xml", "image/svg+xml"),
        (b"words, and then <script>", "a.txt", "text/html"),
        (b"", "a.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, name: str, media_type: str) -> None:
    assert media_type_of(head, name) == media_type


@pytest.mark.parametrize("name", ["a.exe", "a.EXE", "a.txt.js", "a.svg", "a.html", "run.lnk"])
def test_endings_of_programs_and_pages_are_refused(name: str) -> None:
    with pytest.raises(FileRefusedError):
        check_type("application/pdf", name, ())


def test_the_settings_refuse_more_and_never_less() -> None:
    check_type("application/zip", "a.zip", ())
    for refused in ({"application/zip"}, {".zip"}):
        with pytest.raises(FileRefusedError):
            check_type("application/zip", "a.zip", refused)
    for media_type in REFUSED_TYPES:
        with pytest.raises(FileRefusedError):
            check_type(media_type, "a", ())


@given(st.text(max_size=400))
def test_a_kept_name_is_one_printable_part_of_a_path(name: str) -> None:
    kept = safe_name(name)
    assert 0 < len(kept) <= NAME_LENGTH and kept not in (".", "..") and not kept.startswith(".")
    assert not set("/\\\0\r\n\t\u202e\u200b") & set(kept)
    assert safe_name(kept) == kept


@given(st.text(max_size=200))
def test_every_name_makes_one_safe_header_that_gives_it_back(name: str) -> None:
    kept = safe_name(name)
    header = disposition(kept)
    message = Message()
    message["Content-Disposition"] = header

    assert header.isascii() and header.isprintable()
    assert message.get_content_disposition() == "attachment"
    assert unquote(header.rpartition("UTF-8''")[2]) == kept
    assert '"' not in header.split('filename="')[1].split('"; filename*')[0]


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "text/plain", "application/json", "message/rfc822", BINARY])
def test_what_a_browser_might_act_on_is_handed_out_as_bytes(media_type: str) -> None:
    assert handed_out_as(media_type) == BINARY
    assert handed_out_as("image/png") == "image/png"
