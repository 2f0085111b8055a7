"""
What operators see: how every part stands, what waits, what was given up on, and what they can do about it.

Nothing is decided here: each page asks the services in the administrator's name and shows what they answer.
"""

from __future__ import annotations

from baton.http.console.system import dead_letters, deciding, hooks, issues, mail, overview, running

PAGES = (
    *overview.PAGES,
    *running.PAGES,
    *dead_letters.PAGES,
    *deciding.PAGES,
    *mail.PAGES,
    *hooks.PAGES,
    *issues.PAGES,
)
