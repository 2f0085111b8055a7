"""One handler for each message that tells people something. What they have in common is in `telling`."""

from __future__ import annotations

from collections.abc import Sequence

from baton.actors.handling import Delivery, RefusedError, handles
from baton.actors.notifications.telling import tell
from baton.models.transaction import Transaction
from baton.pipelines.messages import (
    NotifyApproval,
    NotifyAssignment,
    NotifyComment,
    NotifyCompletion,
    NotifyEscalation,
    NotifyHandover,
    NotifyMention,
    NotifySla,
    NotifyStatus,
    NotifyTransfer,
)


@handles(
    NotifyAssignment,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_assignment_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyAssignment]]) -> None:
    """Tell people that they were given an item."""
    tell(tx, deliveries)


@handles(
    NotifyTransfer,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_transfer_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyTransfer]]) -> None:
    """Tell people that an item came to them or left them."""
    tell(tx, deliveries)


@handles(
    NotifyEscalation,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_escalation_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyEscalation]]) -> None:
    """Tell the members of a role that an item was escalated to it."""
    tell(tx, deliveries)


@handles(
    NotifyCompletion,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_completion_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyCompletion]]) -> None:
    """Tell people that a task is completed."""
    tell(tx, deliveries)


@handles(
    NotifySla,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_sla_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifySla]]) -> None:
    """Tell people that a ticket's time runs out, or has."""
    tell(tx, deliveries)


@handles(
    NotifyComment,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_comment_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyComment]]) -> None:
    """Tell people of a comment."""
    tell(tx, deliveries)


@handles(
    NotifyMention,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_mention_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyMention]]) -> None:
    """Tell people that a comment names them."""
    tell(tx, deliveries)


@handles(
    NotifyStatus,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_status_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyStatus]]) -> None:
    """Tell requesters what became of their tickets."""
    tell(tx, deliveries)


@handles(
    NotifyHandover,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_handover_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyHandover]]) -> None:
    """Tell people that they can take work over."""
    tell(tx, deliveries)


@handles(
    NotifyApproval,
    service="notifications",
    max_retries=8,
    min_backoff=1_000,
    max_backoff=600_000,
    time_limit=60_000,
    throws=(RefusedError,),
)
def create_approval_notification(tx: Transaction, deliveries: Sequence[Delivery[NotifyApproval]]) -> None:
    """Tell people that their approval is asked for."""
    tell(tx, deliveries)
