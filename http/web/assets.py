"""
Style sheets, scripts and icons: ours from `static/`, libraries from their installed packages.

An asset's address holds a digest of its content, so browsers keep it for ever and a new version has a new address. Each is
compressed once, when the process starts.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.resources
from dataclasses import dataclass

#: Asset -> the package and the file in it.
FILES = {
    "baton.css": ("baton.http.web", "static/baton.css"),
    "baton.js": ("baton.http.web", "static/baton.js"),
    "icon.svg": ("baton.http.web", "static/icon.svg"),
    "htmx.js": ("js_lib_htmx", "static/htmx/htmx.min.js"),
}
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
KEEP_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    path: str
    content_type: str
    plain: bytes
    compressed: bytes


@functools.cache
def assets() -> dict[str, Asset]:
    """Return every asset by its name."""
    found = {}
    for name, (package, path) in FILES.items():
        file = importlib.resources.files(package)
        for part in path.split("/"):
            file = file / part
        data = file.read_bytes()
        stem, _, suffix = name.rpartition(".")
        digest = hashlib.sha256(data).hexdigest()[:12]
        found[name] = Asset(f"/assets/{stem}.{digest}.{suffix}", TYPES[suffix], data, gzip.compress(data, 9, mtime=0))
    return found


@functools.cache
def by_path() -> dict[str, Asset]:
    """Return every asset by its address."""
    return {asset.path: asset for asset in assets().values()}


def address(name: str) -> str:
    """Return the address of an asset; KeyError where there is none."""
    return assets()[name].path
