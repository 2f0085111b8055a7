"""The notifications service's message handlers."""

from baton.actors.notifications import email_requests, kinds, mail_retention, mailing, retention, retracting

__all__ = ["email_requests", "kinds", "mail_retention", "mailing", "retention", "retracting"]
