"""The issue tracker's part of the store: `TABLES` for the migrations, `journey` for `baton trace`; the rest by module."""

from baton.models.issues.store import journey
from baton.models.issues.tables import TABLES, Issue, IssueComment, IssueReport, IssueTag

__all__ = ["TABLES", "Issue", "IssueComment", "IssueReport", "IssueTag", "journey"]
