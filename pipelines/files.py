"""
Files that people attach: what may be taken, what they are called, and how they are handed out.

1. What a file is follows from its first bytes, not from what its sender says. Programs are not taken, nor pages that a browser
   would run (HTML, SVG): under whatever name they come.
2. A name is kept for people to read: its last part only, without control or direction characters. It never names anything on
   our disks.
3. A file is always handed out as something to save, never to show, and never as a type a browser would act on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import quote

#: Longest name kept, in characters, its ending included.
NAME_LENGTH = 150
BINARY = "application/octet-stream"

#: First bytes -> media type, the more telling first. What matters is what people attach to tickets, and what must not be taken.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"{\\rtf", "application/rtf"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"#!", "text/x-script"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
)
#: Office documents are zip files; their ending says which. Any other claim about a zip file is not believed.
_ZIPPED = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_TEXTS = {"csv": "text/csv", "json": "application/json", "log": "text/plain", "eml": "message/rfc822", "ics": "text/calendar"}
#: What no browser or system may be led to run, whatever the settings say.
REFUSED_TYPES = frozenset(
    {
        "application/x-msdownload",
        "application/x-executable",
        "application/x-mach-binary",
        "application/x-ms-shortcut",
        "text/x-script",
        "text/html",
        "image/svg+xml",
    }
)
_PROGRAMS = "exe com scr pif cpl msi msp bat cmd ps1 vbs vbe js jse mjs wsf wsh hta jar lnk reg dll sys"
_PAGES = "html htm xhtml shtml svg mht mhtml"
REFUSED_ENDINGS = frozenset(f"{_PROGRAMS} {_PAGES}".split())
_PAGE = re.compile(rb"<(?:!doctype\s+(?:html|svg)|html|head|body|script|iframe|svg)\b", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


class FileRefusedError(Exception):
    """This file is not taken; the text says why."""


def media_type_of(head: bytes, filename: str) -> str:
    """Return what a file is, by its first bytes; its name only decides between types of one family."""
    ending = ending_of(filename)
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return _ZIPPED.get(ending, media_type) if media_type == "application/zip" else media_type
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}[head[8:12]]
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in (b"heic", b"heix", b"mif1") else "video/mp4"
    if not _is_text(head):
        return BINARY
    # Before anything a browser might show: what follows is found anywhere in the beginning, however it is indented or commented.
    page = _PAGE.search(head.replace(b"\x00", b""))
    if page is not None:
        return "image/svg+xml" if b"svg" in page[0].lower() else "text/html"
    return _TEXTS.get(ending, "text/plain")


def check_type(media_type: str, filename: str, refused: Collection[str]) -> None:
    """Raise FileRefusedError for a file of a type or ending that is not taken; `refused` are those of the settings."""
    ending = ending_of(filename)
    if media_type in REFUSED_TYPES or media_type in refused:
        raise FileRefusedError(f"files of the type {media_type} are not taken")
    if ending and (ending in REFUSED_ENDINGS or f".{ending}" in refused):
        raise FileRefusedError(f"files ending in .{ending} are not taken; put it into a zip file if it is needed")


def safe_name(name: str) -> str:
    """Return a file's name for people to read: the last part of a path, in one line, never empty, never hidden."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(each for each in last if unicodedata.category(each)[0] != "C")
    shown = _BLANKS.sub(" ", shown).strip(" .")
    if len(shown) > NAME_LENGTH:
        stem, dot, ending = shown.rpartition(".")
        keep = f".{ending}" if dot and len(ending) <= 10 else ""
        shown = (stem if keep else shown)[: NAME_LENGTH - len(keep)] + keep
    return shown or "file"


def ending_of(filename: str) -> str:
    """Return the last ending of a name in lower case, without the dot; "" if it has none."""
    _, dot, ending = filename.rpartition(".")
    return ending.strip().lower() if dot else ""


def disposition(filename: str) -> str:
    """Return a Content-Disposition (RFC 6266) that has a file saved under this name, by old and new programs alike."""
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%;' else "_" for each in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def handed_out_as(media_type: str) -> str:
    """Return the Content-Type under which a file is handed out: its own if nothing acts on that type, else plain bytes."""
    harmless = media_type.startswith(("image/", "audio/", "video/")) and media_type != "image/svg+xml"
    return media_type if harmless or media_type in ("application/pdf", "application/zip", "text/csv") else BINARY


def _is_text(head: bytes) -> bool:
    if not head:
        return True
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\x00" in head:
        return False
    odd = sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in head)
    return odd <= len(head) // 50
