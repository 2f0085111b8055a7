"""The catalogue's messages about service levels that are changed."""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.envelope import Message


@dataclass(frozen=True, kw_only=True)
class ApplySlaChange(Message):
    """
    Command, within workflow: bring the next tickets after this number to a change of policies and calendars, or back.

    Each batch announces the next one. Again, or for a place that the change is past: nothing.
    """

    name = "workflow.apply_sla_change"
    queue = "workflow.clocks"
    senders = ("workflow",)
    receiver = "workflow"

    change_id: int
    after: str = ""
