"""A Chromium to test with: the one that is named, the one that is there, or Debian's, installed where that is allowed."""

from __future__ import annotations

import os

from baton.scripts.private_servers import common

#: Where Debian, Playwright and others put it.
_PLACES = ("/usr/bin/chromium", os.path.expanduser("~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: In a container there is neither a sandbox nor a graphics card; nothing is to be fetched beside our pages.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")


def acquire() -> str:
    """
    Return the path of a Chromium.

    Raises:
        ServersUnavailableError: there is none, and none can be installed.
    """
    named = os.environ.get("BATON_TEST_CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise common.ServersUnavailableError(f"BATON_TEST_CHROMIUM names {named}, which cannot be run")
        return named
    if found := _found():
        return found
    common.install("chromium")
    if found := _found():
        return found
    raise common.ServersUnavailableError(
        "no Chromium: install it (Debian: apt-get install chromium), or name one in BATON_TEST_CHROMIUM"
    )


def _found() -> str | None:
    for pattern in _PLACES:
        if program := common.find_program("", pattern):
            return program
    return next(filter(None, (common.find_program(name) for name in _NAMES)), None)
