"""What the issue tracker holds: whether something went wrong lately that nobody has settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from baton.models import database as db
from baton.models.settings import Settings
from baton.pipelines.issues import ENDED
from baton.scripts.checks.finding import EXAMPLES, Finding, ok, some, warn

#: How far back an open issue is told of.
RECENT = timedelta(hours=1)


def check_issues(settings: Settings) -> Iterator[Finding]:
    """Whether issues that are still open were seen within the last hour."""
    from baton.models.issues import Issue

    with db.read_tx("issues"):
        recent = (Issue.last_seen >= db.now("issues") - RECENT) & Issue.status.not_in(ENDED)
        total = Issue.select().where(recent).count()
        newest = list(Issue.select().where(recent).order_by(Issue.last_seen.desc(), Issue.id.desc()).limit(EXAMPLES))
    if not total:
        yield ok("issues", "no open issue was seen in the last hour")
        return
    examples = some([f"{issue.id} {' '.join(issue.title.split())[:100]} ({issue.count:,} times)" for issue in newest], total)
    remedy = f"read them at {settings.url('issues')}/api/v1/issues/recent, mend the cause, then set their status to resolved"
    yield warn("issues", f"{total:,} open issues were seen in the last hour: {examples}", remedy)
