"""
Service levels: calendars and policies in immutable versions, and the clocks that run by them.

What is stored is derived from facts (`sla_facts`): the journal of a ticket's status and names, its replies, its items. `SlaMatch`
pins which policy version holds for a ticket from when on. Clocks, pauses and what fires next follow from those by
`pipelines.sla_clocks`, and may be worked out again at any time with the same result.

`SlaEvent` is what has fired, or was taken back. Whoever fires reads clocks with `next_fire_at <= now`, oldest first, and locks
clocks only: a ticket's lock is taken before its clocks' locks, never after, so effects on tickets go by messages.
"""

from __future__ import annotations

import peewee as pw

from baton.models.database import InstantField
from baton.models.workflow.people import WorkflowTable


class SlaCalendar(WorkflowTable):
    """A calendar by name. `current_version` is the id of the version that new matches use."""

    id = pw.BigAutoField()
    name = pw.TextField(unique=True)
    current_version = pw.BigIntegerField(null=True)
    created_at = InstantField()


class SlaCalendarVersion(WorkflowTable):
    """A version of a calendar; it never changes. `definition` is the JSON that `pipelines.sla.calendars` reads."""

    id = pw.BigAutoField()
    calendar = pw.BigIntegerField()
    number = pw.IntegerField()
    definition = pw.TextField()
    created_by = pw.TextField(default="system")
    created_at = InstantField()

    class Meta:
        indexes = ((("calendar", "number"), True),)


class SlaPolicy(WorkflowTable):
    """A policy by name. `current_version` is the id of the version that new matches use; None: the policy is retired."""

    id = pw.BigAutoField()
    name = pw.TextField(unique=True)
    current_version = pw.BigIntegerField(null=True)
    created_at = InstantField()


class SlaPolicyVersion(WorkflowTable):
    """A version of a policy; it never changes. `definition` is the JSON that `pipelines.sla_policy_texts` reads."""

    id = pw.BigAutoField()
    policy = pw.BigIntegerField()
    number = pw.IntegerField()
    definition = pw.TextField()
    created_by = pw.TextField(default="system")
    created_at = InstantField()

    class Meta:
        indexes = ((("policy", "number"), True),)


class TicketChange(WorkflowTable):
    """
    The journal of a ticket: at `at` its `field` (status, priority, category or department) became `value`.

    Written in the transaction that changes the ticket. `before` is the value until then; for a status it is left out.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField(index=True)
    at = InstantField()
    field = pw.TextField()
    before = pw.TextField(null=True)
    value = pw.TextField(null=True)


class TicketReply(WorkflowTable):
    """A public comment on a ticket: `side` is requester or staff, `author` a principal's subject, `at` when it was written."""

    comment_id = pw.TextField(primary_key=True)
    ticket_number = pw.TextField(index=True)
    side = pw.TextField()
    author = pw.TextField()
    at = InstantField()


class SlaMatch(WorkflowTable):
    """
    Which policy holds for a ticket from `at` on, and why; `number` counts from 1, the last holds. policy_version None: none.

    `mode` is `start` (the first), `kept` (the same policy still matches), `from_start` or `from_change` (another one: targets
    count from the start or from `at`). `names` is JSON: what was matched. `decided_by` is `system`, who applied a policy, or
    `change:ID` (an `SlaChange`). `since`: with from_change, from when targets count instead of `at`, where a change was undone.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField()
    number = pw.IntegerField()
    at = InstantField()
    policy_version = pw.BigIntegerField(null=True)
    calendar_version = pw.BigIntegerField(null=True)
    mode = pw.TextField()
    reason = pw.TextField()
    names = pw.TextField()
    decided_by = pw.TextField(default="system")
    decided_at = InstantField()
    since = InstantField(null=True)

    class Meta:
        indexes = ((("ticket_number", "number"), True),)


class SlaClock(WorkflowTable):
    """
    One clock. `metric` is first_response, next_response, resolution or step; `item` is the step's item, 0 for the others.

    `cycle` counts from 1: reopenings that start anew, each wait for a next response. `state` is `running` or `paused` while it
    is open, whether past due or not, then `met`, `breached` or `cancelled`. `counted_from` is where the target counts from,
    `due_at` None while an open pause holds it. `attached_at` is from when the policy holds; `on_attach`: it was past due then.
    What fires next: `next_fire_kind` is warning, projected, breach or escalation, `next_level` the number of the warning or of
    the escalation, the item for projected, 0 for breach; all three None when nothing will. `round` counts how often what had
    fired was taken back: events of one round are unique. `version` counts the changes of the row.
    """

    id = pw.BigAutoField()
    ticket_number = pw.TextField()
    metric = pw.TextField()
    item = pw.BigIntegerField(default=0)
    cycle = pw.IntegerField(default=1)
    policy_version = pw.BigIntegerField()
    calendar_version = pw.BigIntegerField()
    target_seconds = pw.BigIntegerField()
    started_at = InstantField()
    counted_from = InstantField()
    due_at = InstantField(null=True)
    paused_since = InstantField(null=True)
    stopped_at = InstantField(null=True)
    state = pw.TextField()
    attached_at = InstantField()
    on_attach = pw.BooleanField(default=False)
    match_reason = pw.TextField()
    next_fire_at = InstantField(null=True)
    next_fire_kind = pw.TextField(null=True)
    next_level = pw.BigIntegerField(null=True)
    round = pw.IntegerField(default=0)
    version = pw.IntegerField(default=1)
    updated_at = InstantField()

    class Meta:
        # Clocks with nothing to fire have no next_fire_at: a search for what is due by now does not pass them.
        indexes = (
            (("ticket_number", "metric", "item", "cycle"), True),
            (("next_fire_at", "id"), False),
            # What runs by due time; and, as open clocks have no stopped_at, the open ones by ticket and the ended ones by when.
            (("state", "due_at", "id"), False),
            (("stopped_at", "ticket_number"), False),
        )


class SlaPause(WorkflowTable):
    """From when to when a clock stood still, and why: `on hold`, `waiting for the requester`, `resolved`. None: it still does."""

    id = pw.BigAutoField()
    clock = pw.BigIntegerField()
    from_at = InstantField()
    to_at = InstantField(null=True)
    reason = pw.TextField()

    class Meta:
        indexes = ((("clock", "from_at", "reason"), True),)


class SlaEvent(WorkflowTable):
    """
    What a clock fired: `kind` and `level` as in `SlaClock.next_fire_kind`, once in each of the clock's rounds.

    `due_at` is when it was due, `fired_at` when it was done, `late` whether that was noticeably later. `verdict` is the clock's
    state as it was then. `on_attach`: the policy came when it was past due. `retracted_at`: it no longer holds, because the
    policy or a fact that came late moved the clock; `note` says why. `detail` is JSON, what was done about it.
    """

    id = pw.BigAutoField()
    clock = pw.BigIntegerField()
    ticket_number = pw.TextField(index=True)
    round = pw.IntegerField(default=0)
    kind = pw.TextField()
    level = pw.BigIntegerField(default=0)
    due_at = InstantField()
    fired_at = InstantField()
    late = pw.BooleanField(default=False)
    on_attach = pw.BooleanField(default=False)
    verdict = pw.TextField(default="")
    note = pw.TextField(default="")
    detail = pw.TextField(default="{}")
    retracted_at = InstantField(null=True)

    class Meta:
        indexes = ((("clock", "round", "kind", "level"), True),)


class SlaChange(WorkflowTable):
    """
    Policies and calendars changed together, and brought to the tickets that run, batch by batch in order of ticket numbers.

    `kind` is apply or undo (`undoes` names the change that is taken back), `state` running or done; an applied change that was
    taken back is undone. `before` and `after` are JSON, `{"policies": {id: version}, "calendars": {id: version}}`: the current
    versions until then and from then on, null for none. `cursor` is the last ticket number seen to. `tickets` is how many had
    open clocks at the start; `seen`, `changed`, `moved` (clocks), `breached` and `unbreached` count what was done so far.
    """

    id = pw.BigAutoField()
    kind = pw.TextField()
    state = pw.TextField(default="running", index=True)
    undoes = pw.BigIntegerField(null=True)
    reason = pw.TextField(default="")
    before = pw.TextField()
    after = pw.TextField()
    created_by = pw.TextField()
    created_at = InstantField()
    finished_at = InstantField(null=True)
    cursor = pw.TextField(default="")
    tickets = pw.IntegerField(default=0)
    seen = pw.IntegerField(default=0)
    changed = pw.IntegerField(default=0)
    moved = pw.IntegerField(default=0)
    breached = pw.IntegerField(default=0)
    unbreached = pw.IntegerField(default=0)
