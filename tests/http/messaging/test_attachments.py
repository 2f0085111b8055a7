"""Files: sent, claimed, handed out as something to save to whoever sees the comment, scanned, swept. S-8."""

from __future__ import annotations

import io
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from baton.actors.messaging.attachments import scan_attachments, sweep_attachments, sweep_strays
from baton.models.messaging import Attachment, files
from baton.models.settings import get_settings
from tests.factories import BACKENDS, EMPLOYEE, OTHER_EMPLOYEE
from tests.http.messaging.conftest import COLLEAGUE, MANAGER, NUMBER, OTHER, Talk

PATH = f"/tickets/{NUMBER}/attachments"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def on_disk(settings: Any) -> list[Path]:
    """Return the files that lie among the attachments."""
    return [path for path in files.directory(settings).rglob("*") if path.is_file()]


@pytest.mark.parametrize("backend", BACKENDS)
def test_s_8_a_file_comes_back_byte_for_byte_to_those_who_see_its_comment(talk: Talk) -> None:
    file = talk.attached(EMPLOYEE, PNG, "screen.png")
    assert talk.ask(MANAGER, "GET", f"{PATH}/{file}").status_code == 404
    comment = talk.written(EMPLOYEE, "see", attachments=[file])

    assert [(each["id"], each["filename"], each["media_type"], each["size"]) for each in comment["attachments"]] == [
        (file, "screen.png", "image/png", len(PNG))
    ]
    answer = talk.ask(MANAGER, "GET", f"{PATH}/{file}")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"screen.png\"; filename*=UTF-8''screen.png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"] and "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Length"] == str(len(PNG))
    assert talk.ask(OTHER_EMPLOYEE, "GET", f"{PATH}/{file}").status_code == 404
    assert talk.ask(EMPLOYEE, "GET", f"/tickets/{OTHER}/attachments/{file}").status_code == 404
    assert talk.ask(MANAGER, "HEAD", f"{PATH}/{file}").status_code == 200


def test_a_form_with_a_file_will_do(talk: Talk) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; name="file"; '
        b'filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\nline one\r\n--not\r\n--b--\r\n'
    )
    options = {"body": form, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    answer = talk.ask(EMPLOYEE, "POST", PATH, **options)

    assert (answer.status_code, answer.json["filename"], answer.json["size"]) == (201, "a b.txt", 15)
    got = talk.ask(EMPLOYEE, "GET", f"{PATH}/{answer.json['id']}")
    assert got.content == b"line one\r\n--not"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n', "multipart/form-data; boundary=b"),
        (b"--b\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\ncut', "multipart/form-data; boundary=b"),
        (b"anything", "multipart/form-data"),
        (b"anything", "multipart/form-data; boundary=" + "b" * 80),
        (b"anything", "application/octet-stream"),
    ],
)
def test_a_request_without_a_whole_file_is_refused_and_leaves_nothing(
    talk: Talk, databases: Any, body: bytes, content_type: str
) -> None:
    answer = talk.ask(EMPLOYEE, "POST", PATH, body=body, headers={"Content-Type": content_type})

    assert answer.status_code in (400, 422), answer.text
    assert on_disk(databases) == [] and Attachment.select().count() == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<p>hello"),
        ("page.txt", b"  <!-- x --><!DOCTYPE html><html><script>alert(1)</script>"),
        ("picture.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("picture.png", b'\xef\xbb\xbf<svg onload="alert(1)"></svg>'),
        ("wide.txt", "<script>alert(1)</script>".encode("utf-16")),
        ("tool.exe", b"anything"),
        ("tool.EXE ", b"anything"),
        ("report.pdf.exe", b"%PDF-1.7"),
        ("report.pdf", b"MZ\x90\x00"),
        ("run", b"#!/bin/sh\nrm -rf /"),
        ("core", b"\x7fELF\x02"),
        ("empty.txt", b""),
    ],
)
def test_programs_and_pages_are_not_taken_under_whatever_name(talk: Talk, databases: Any, name: str, content: bytes) -> None:
    answer = talk.attach(EMPLOYEE, content, name)

    assert answer.status_code == 422, answer.text
    assert on_disk(databases) == [] and Attachment.select().count() == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\eve\\a.txt", "a.txt"),
        ('quo"te;.txt', 'quo"te;.txt'),
        ("Größe ☃.txt", "Größe ☃.txt"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("\u202etxt.a", "txt.a"),
        ("...", "file"),
        ("x" * 300 + ".txt", "x" * 146 + ".txt"),
    ],
)
def test_a_name_is_kept_for_people_and_never_names_anything_on_disk(talk: Talk, databases: Any, given: str, kept: str) -> None:
    file = talk.attached(EMPLOYEE, b"text", given)
    answer = talk.ask(EMPLOYEE, "GET", f"{PATH}/{file}")

    assert Attachment.get_by_id(file).filename == kept
    header = answer.headers["Content-Disposition"]
    assert header.isascii() and header.isprintable() and header.startswith("attachment; ")
    (path,) = on_disk(databases)
    assert path.parent.parent == files.directory(databases) and len(path.name) == 48
    assert "Set-Cookie" not in answer.headers


def test_s_8_a_text_is_handed_out_as_bytes_whatever_it_says(talk: Talk) -> None:
    file = talk.attached(EMPLOYEE, b"{}", "a.json")
    assert talk.ask(EMPLOYEE, "GET", f"{PATH}/{file}").headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_too_large_is_refused_however_it_comes(
    databases: Any, talk: Talk, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = get_settings().attachments.max_bytes
    body = io.BytesIO(b"x" * 10)
    if chunked:
        monkeypatch.setattr("baton.http.messaging.incoming._CHUNK_BYTES", limit)
        body = io.BytesIO(b"x" * (limit + 1))
        extras = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
    else:
        extras = {"CONTENT_LENGTH": str(limit + 1), "wsgi.input": body}
    options = {"params": {"filename": "x.txt"}, "extras": extras, "headers": {"Content-Type": "text/plain"}}
    assert talk.ask(EMPLOYEE, "POST", PATH, **options).status_code == 413
    assert on_disk(databases) == []


def test_a_file_that_stops_coming_leaves_nothing(talk: Talk, databases: Any) -> None:
    extras = {"CONTENT_LENGTH": "100", "wsgi.input": io.BytesIO(b"x" * 10)}
    options = {"params": {"filename": "x.txt"}, "extras": extras, "headers": {"Content-Type": "text/plain"}}
    assert talk.ask(EMPLOYEE, "POST", PATH, **options).status_code == 400
    assert on_disk(databases) == [] and Attachment.select().count() == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_file_is_claimed_once_by_its_sender_on_its_ticket(talk: Talk) -> None:
    file = talk.attached(EMPLOYEE, b"text")
    assert talk.write(MANAGER, "not mine", attachments=[file]).status_code == 422
    assert talk.written(EMPLOYEE, "", attachments=[file, file])["number"] == 1
    assert talk.write(EMPLOYEE, "again", attachments=[file]).status_code == 422
    assert talk.write(EMPLOYEE, "", attachments=[]).status_code == 422
    assert [each["number"] for each in talk.entries(EMPLOYEE)] == [1]


def test_nobody_fills_the_disk_with_files_that_no_comment_has(talk: Talk) -> None:
    for _ in range(20):
        talk.attached(EMPLOYEE, b"text")
    assert talk.attach(EMPLOYEE, b"text").status_code == 409
    assert talk.attach(MANAGER, b"text").status_code == 201


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_deleted_file_and_those_of_a_deleted_comment_are_gone_for_everybody_and_from_the_disk(
    talk: Talk, databases: Any
) -> None:
    first, second = talk.attached(EMPLOYEE, b"one"), talk.attached(EMPLOYEE, b"two")
    talk.written(EMPLOYEE, "both", attachments=[first, second])
    assert talk.ask(COLLEAGUE, "DELETE", f"{PATH}/{first}").status_code == 403
    assert talk.ask(EMPLOYEE, "DELETE", f"{PATH}/{first}").status_code == 204
    assert [each["id"] for each in talk.entries(MANAGER)[0]["attachments"]] == [second]
    talk.ask(EMPLOYEE, "DELETE", f"/tickets/{NUMBER}/comments/1")

    for file in (first, second):
        assert talk.ask(MANAGER, "GET", f"{PATH}/{file}").status_code == 404
    assert sweep_attachments("messaging") == 2 and sweep_attachments("messaging") == 0
    assert on_disk(databases) == [] and Attachment.select().count() == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_that_no_comment_claims_in_time_are_swept_and_others_stay(talk: Talk, databases: Any) -> None:
    late, early, kept = (talk.attached(EMPLOYEE, b"text") for _ in range(3))
    talk.written(EMPLOYEE, "see", attachments=[kept])
    past = Attachment.get_by_id(late).created_at - timedelta(seconds=1)
    Attachment.update(sweep_at=past).where(Attachment.id == late).execute()

    assert sweep_attachments("messaging") == 1
    assert {each.id for each in Attachment.select()} == {early, kept}
    assert len(on_disk(databases)) == 2


def test_what_a_dead_upload_left_is_swept_once_it_is_old_and_nothing_else(
    talk: Talk, databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk.attached(EMPLOYEE, b"text")
    (kept,) = on_disk(databases)
    stray, fresh = kept.with_name(kept.name[:2] + "0" * 46), kept.with_name(kept.name[:2] + "1" * 46)
    for path in (stray, fresh):
        path.write_bytes(b"half")
    for path in (stray, kept):
        os.utime(path, (1, 1))
    shelf = int(kept.name[:2], 16)
    now = fresh.stat().st_mtime
    monkeypatch.setattr("time.time", lambda: now // 60 // 256 * 256 * 60 + shelf * 60 + 60 * 256)

    assert sweep_strays("messaging") == 1
    assert sorted(on_disk(databases)) == sorted([kept, fresh])


@pytest.fixture
def scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scanner that finds `virus` infected, fails at `odd`, and takes everything else for clean."""
    program = tmp_path / "scanner"
    program.write_text('#!/bin/sh\ngrep -q virus "$1" && exit 1\ngrep -q odd "$1" && exit 2\nexit 0\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BATON_ATTACHMENT_SCAN", str(program))
    return program


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_a_scanner_only_clean_files_are_handed_out(scanner: Path, talk: Talk) -> None:
    clean, virus, odd = (talk.attached(EMPLOYEE, text) for text in (b"fine", b"virus", b"odd"))
    talk.written(EMPLOYEE, "see", attachments=[clean, virus, odd])
    for file in (clean, virus, odd):
        assert talk.ask(MANAGER, "GET", f"{PATH}/{file}").status_code == 409
    assert scan_attachments("messaging") == 2

    answers = [talk.ask(MANAGER, "GET", f"{PATH}/{file}").status_code for file in (clean, virus, odd)]
    assert answers == [200, 409, 409]
    assert scan_attachments("messaging") == 0, "the odd one is tried again, but not at once"
    again = Attachment.get_by_id(odd)
    assert (again.scan, again.scan_attempts) == ("waiting", 1)
    scanner.write_text("#!/bin/sh\nexit 0\n")
    Attachment.update(scan_due_at=again.created_at).where(Attachment.id == odd).execute()
    assert scan_attachments("messaging") == 1
    assert talk.ask(MANAGER, "GET", f"{PATH}/{odd}").status_code == 200


def test_an_infected_file_cannot_be_claimed(scanner: Path, talk: Talk) -> None:
    virus = talk.attached(EMPLOYEE, b"virus")
    scan_attachments("messaging")
    assert talk.write(EMPLOYEE, "see", attachments=[virus]).status_code == 422


def test_files_that_waited_for_a_scanner_that_was_taken_away_are_handed_out(
    scanner: Path, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = talk.attached(EMPLOYEE, b"fine")
    monkeypatch.delenv("BATON_ATTACHMENT_SCAN")
    get_settings.cache_clear()
    assert scan_attachments("messaging") == 1
    assert talk.ask(EMPLOYEE, "GET", f"{PATH}/{file}").status_code == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scanner_that_fails_is_seen_in_the_health(scanner: Path, talk: Talk) -> None:
    def scans() -> dict[str, Any]:
        found: dict[str, Any] = talk.front.simulate_get("/health").json["checks"]["scans"]
        return found

    assert (scans()["status"], scans()["waiting"]) == ("ok", 0)
    file = talk.attached(EMPLOYEE, b"odd")
    scan_attachments("messaging")
    assert (scans()["status"], scans()["waiting"]) == ("ok", 1)
    Attachment.update(created_at=Attachment.get_by_id(file).created_at - timedelta(minutes=6)).execute()
    assert scans()["status"] == "degraded" and scans()["oldest_seconds"] >= 360
