"""Schema of workflow: initial."""

from contextlib import suppress

import peewee as pw
from peewee_migrate import Migrator


with suppress(ImportError):
    import playhouse.postgres_ext as pw_pext


def migrate(migrator: Migrator, database: pw.Database, *, fake=False):
    """Write your migrations here."""
    
    @migrator.create_model
    class Allocation(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(index=True)
        workflow_version = pw.BigIntegerField(null=True)
        reason = pw.TextField()
        considered = pw.TextField()
        decided_by = pw.TextField(default='system')
        decided_at = pw.DateTimeField()

        class Meta:
            table_name = "allocation"

    @migrator.create_model
    class Approval(pw.Model):
        id = pw.BigAutoField()
        item = pw.BigIntegerField()
        ticket_number = pw.TextField(index=True)
        user_id = pw.TextField()
        name = pw.TextField(default='')
        stands_for = pw.TextField()
        stands_for_name = pw.TextField(default='')
        decision = pw.TextField()
        comment = pw.TextField(default='')
        at = pw.DateTimeField()

        class Meta:
            table_name = "approval"
            indexes = [(('item', 'user_id'), True), (('item', 'stands_for'), True)]

    @migrator.create_model
    class AssignmentPick(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(index=True)
        kind = pw.TextField()
        subject_id = pw.BigIntegerField()
        role = pw.BigIntegerField()
        chosen = pw.TextField(null=True)
        turn = pw.BigIntegerField(null=True)
        reason = pw.TextField()
        considered = pw.TextField()
        decided_at = pw.DateTimeField()

        class Meta:
            table_name = "assignment_pick"
            indexes = [(('role', 'decided_at'), False)]

    @migrator.create_model
    class DeferredMessage(pw.Model):
        id = pw.BigAutoField()
        message_id = pw.TextField(unique=True)
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        attempt = pw.IntegerField()
        reason = pw.TextField()
        due_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "deferred_message"

    @migrator.create_model
    class DeliveryAttempt(pw.Model):
        message_id = pw.TextField(primary_key=True)
        attempts = pw.IntegerField()
        last_started_at = pw.DateTimeField()

        class Meta:
            table_name = "delivery_attempt"

    @migrator.create_model
    class Heartbeat(pw.Model):
        kind = pw.TextField()
        instance = pw.TextField()
        detail = pw.TextField(default='')
        seen_at = pw.DateTimeField()

        class Meta:
            table_name = "heartbeat"
            primary_key = pw.CompositeKey('kind', 'instance')

    @migrator.create_model
    class Hook(pw.Model):
        id = pw.BigAutoField()
        task = pw.BigIntegerField()
        completion = pw.BigIntegerField()
        hook = pw.TextField()
        ticket_number = pw.TextField(index=True)
        message_id = pw.TextField(unique=True)
        state = pw.TextField()
        detail = pw.TextField(default='')
        queue = pw.TextField(null=True)
        name = pw.TextField(null=True)
        kwargs = pw.TextField(null=True)
        corrections = pw.TextField(default='{}')
        attempts = pw.IntegerField(default=0)
        created_at = pw.DateTimeField()
        sent_at = pw.DateTimeField(null=True)
        next_try_at = pw.DateTimeField(index=True, null=True)

        class Meta:
            table_name = "hook"
            indexes = [(('task', 'completion', 'hook'), True), (('state', 'id'), False)]

    @migrator.create_model
    class HookAttempt(pw.Model):
        id = pw.BigAutoField()
        hook = pw.BigIntegerField(index=True)
        at = pw.DateTimeField()
        actor = pw.TextField(default='system')
        outcome = pw.TextField()
        detail = pw.TextField(default='')

        class Meta:
            table_name = "hook_attempt"

    @migrator.create_model
    class IdempotencyKey(pw.Model):
        principal = pw.TextField()
        key = pw.TextField()
        fingerprint = pw.TextField()
        status = pw.IntegerField()
        headers = pw.TextField()
        body = pw.TextField()
        created_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "idempotency_key"
            primary_key = pw.CompositeKey('principal', 'key')

    @migrator.create_model
    class Inbox(pw.Model):
        receiver = pw.TextField()
        message_id = pw.TextField()
        handled_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "inbox"
            primary_key = pw.CompositeKey('receiver', 'message_id')

    @migrator.create_model
    class ItemHold(pw.Model):
        item = pw.BigIntegerField(primary_key=True)
        ticket_number = pw.TextField()
        previous_state = pw.TextField()
        previous_status = pw.TextField()
        reason = pw.TextField()
        since = pw.DateTimeField()
        resume_at = pw.DateTimeField(index=True, null=True)

        class Meta:
            table_name = "item_hold"

    @migrator.create_model
    class JobRun(pw.Model):
        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        started_at = pw.DateTimeField()
        ended_at = pw.DateTimeField()
        rows = pw.IntegerField(default=0)
        error = pw.TextField(default='')
        next_run_at = pw.DateTimeField(null=True)
        about = pw.TextField(default='')
        every_seconds = pw.FloatField(default=0)

        class Meta:
            table_name = "job_run"

    @migrator.create_model
    class Lease(pw.Model):
        name = pw.TextField(primary_key=True)
        holder = pw.TextField()
        place = pw.TextField(default='')
        token = pw.BigIntegerField()
        expires_at = pw.DateTimeField()

        class Meta:
            table_name = "lease"

    @migrator.create_model
    class Member(pw.Model):
        id = pw.BigAutoField()
        role = pw.BigIntegerField()
        user_id = pw.TextField(index=True)
        name = pw.TextField(default='')
        email = pw.TextField(null=True)
        is_active = pw.BooleanField(default=True)
        away_from = pw.DateTimeField(null=True)
        away_to = pw.DateTimeField(null=True)
        capacity = pw.IntegerField(null=True)
        last_turn = pw.BigIntegerField(default=0)
        turns = pw.BigIntegerField(default=0)
        open_items = pw.IntegerField(default=0)
        version = pw.BigIntegerField(null=True)
        words = pw.TextField(default='')

        class Meta:
            table_name = "member"
            indexes = [(('role', 'user_id'), True)]

    @migrator.create_model
    class Outbox(pw.Model):
        id = pw.BigAutoField()
        queue = pw.TextField()
        name = pw.TextField()
        kwargs = pw.TextField()
        envelope = pw.TextField()
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "outbox"

    @migrator.create_model
    class PendingGrant(pw.Model):
        id = pw.BigAutoField()
        role_id = pw.TextField()
        user_id = pw.TextField()
        name = pw.TextField(default='')
        email = pw.TextField(null=True)
        is_active = pw.BooleanField(default=True)
        version = pw.BigIntegerField(null=True)
        received_at = pw.DateTimeField()

        class Meta:
            table_name = "pending_grant"
            indexes = [(('role_id', 'user_id'), True)]

    @migrator.create_model
    class Role(pw.Model):
        id = pw.BigAutoField()
        role_id = pw.TextField(unique=True)
        system = pw.TextField()
        name = pw.TextField()
        is_active = pw.BooleanField(default=True)
        is_provisional = pw.BooleanField(default=False)
        turn = pw.BigIntegerField(default=0)
        version = pw.BigIntegerField(null=True)

        class Meta:
            table_name = "role"
            indexes = [(('system', 'name'), False)]

    @migrator.create_model
    class SavedView(pw.Model):
        id = pw.BigAutoField()
        owner = pw.TextField()
        owner_name = pw.TextField(default='')
        name = pw.TextField()
        page = pw.TextField()
        query = pw.TextField(default='')
        shared_with = pw.BigIntegerField(index=True, null=True)
        created_at = pw.DateTimeField()
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "saved_view"
            indexes = [(('owner', 'name'), True)]

    @migrator.create_model
    class SlaCalendar(pw.Model):
        id = pw.BigAutoField()
        name = pw.TextField(unique=True)
        current_version = pw.BigIntegerField(null=True)
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "sla_calendar"

    @migrator.create_model
    class SlaCalendarVersion(pw.Model):
        id = pw.BigAutoField()
        calendar = pw.BigIntegerField()
        number = pw.IntegerField()
        definition = pw.TextField()
        created_by = pw.TextField(default='system')
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "sla_calendar_version"
            indexes = [(('calendar', 'number'), True)]

    @migrator.create_model
    class SlaChange(pw.Model):
        id = pw.BigAutoField()
        kind = pw.TextField()
        state = pw.TextField(default='running', index=True)
        undoes = pw.BigIntegerField(null=True)
        reason = pw.TextField(default='')
        before = pw.TextField()
        after = pw.TextField()
        created_by = pw.TextField()
        created_at = pw.DateTimeField()
        finished_at = pw.DateTimeField(null=True)
        cursor = pw.TextField(default='')
        tickets = pw.IntegerField(default=0)
        seen = pw.IntegerField(default=0)
        changed = pw.IntegerField(default=0)
        moved = pw.IntegerField(default=0)
        breached = pw.IntegerField(default=0)
        unbreached = pw.IntegerField(default=0)

        class Meta:
            table_name = "sla_change"

    @migrator.create_model
    class SlaClock(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField()
        metric = pw.TextField()
        item = pw.BigIntegerField(default=0)
        cycle = pw.IntegerField(default=1)
        policy_version = pw.BigIntegerField()
        calendar_version = pw.BigIntegerField()
        target_seconds = pw.BigIntegerField()
        started_at = pw.DateTimeField()
        counted_from = pw.DateTimeField()
        due_at = pw.DateTimeField(null=True)
        paused_since = pw.DateTimeField(null=True)
        stopped_at = pw.DateTimeField(null=True)
        state = pw.TextField()
        attached_at = pw.DateTimeField()
        on_attach = pw.BooleanField(default=False)
        match_reason = pw.TextField()
        next_fire_at = pw.DateTimeField(null=True)
        next_fire_kind = pw.TextField(null=True)
        next_level = pw.BigIntegerField(null=True)
        round = pw.IntegerField(default=0)
        version = pw.IntegerField(default=1)
        updated_at = pw.DateTimeField()

        class Meta:
            table_name = "sla_clock"
            indexes = [(('ticket_number', 'metric', 'item', 'cycle'), True), (('next_fire_at', 'id'), False), (('state', 'due_at', 'id'), False), (('stopped_at', 'ticket_number'), False)]

    @migrator.create_model
    class SlaEvent(pw.Model):
        id = pw.BigAutoField()
        clock = pw.BigIntegerField()
        ticket_number = pw.TextField(index=True)
        round = pw.IntegerField(default=0)
        kind = pw.TextField()
        level = pw.BigIntegerField(default=0)
        due_at = pw.DateTimeField()
        fired_at = pw.DateTimeField()
        late = pw.BooleanField(default=False)
        on_attach = pw.BooleanField(default=False)
        verdict = pw.TextField(default='')
        note = pw.TextField(default='')
        detail = pw.TextField(default='{}')
        retracted_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "sla_event"
            indexes = [(('clock', 'round', 'kind', 'level'), True)]

    @migrator.create_model
    class SlaMatch(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField()
        number = pw.IntegerField()
        at = pw.DateTimeField()
        policy_version = pw.BigIntegerField(null=True)
        calendar_version = pw.BigIntegerField(null=True)
        mode = pw.TextField()
        reason = pw.TextField()
        names = pw.TextField()
        decided_by = pw.TextField(default='system')
        decided_at = pw.DateTimeField()
        since = pw.DateTimeField(null=True)

        class Meta:
            table_name = "sla_match"
            indexes = [(('ticket_number', 'number'), True)]

    @migrator.create_model
    class SlaPause(pw.Model):
        id = pw.BigAutoField()
        clock = pw.BigIntegerField()
        from_at = pw.DateTimeField()
        to_at = pw.DateTimeField(null=True)
        reason = pw.TextField()

        class Meta:
            table_name = "sla_pause"
            indexes = [(('clock', 'from_at', 'reason'), True)]

    @migrator.create_model
    class SlaPolicy(pw.Model):
        id = pw.BigAutoField()
        name = pw.TextField(unique=True)
        current_version = pw.BigIntegerField(null=True)
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "sla_policy"

    @migrator.create_model
    class SlaPolicyVersion(pw.Model):
        id = pw.BigAutoField()
        policy = pw.BigIntegerField()
        number = pw.IntegerField()
        definition = pw.TextField()
        created_by = pw.TextField(default='system')
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "sla_policy_version"
            indexes = [(('policy', 'number'), True)]

    @migrator.create_model
    class SlaSetback(pw.Model):
        clock = pw.BigIntegerField(primary_key=True)
        ticket_number = pw.TextField()
        attempts = pw.IntegerField()
        error = pw.TextField()
        since = pw.DateTimeField()
        next_try_at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "sla_setback"

    @migrator.create_model
    class Step(pw.Model):
        id = pw.BigAutoField()
        version = pw.BigIntegerField()
        position = pw.IntegerField()
        name = pw.TextField()
        role = pw.BigIntegerField()
        escalation_role = pw.BigIntegerField(null=True)
        instructions = pw.TextField(default='')
        sla_share = pw.FloatField(null=True)
        approvals_needed = pw.IntegerField(default=0)

        class Meta:
            table_name = "step"
            indexes = [(('version', 'position'), True)]

    @migrator.create_model
    class Substitute(pw.Model):
        user_id = pw.TextField(primary_key=True)
        substitute = pw.TextField(index=True)
        set_by = pw.TextField()
        set_at = pw.DateTimeField()

        class Meta:
            table_name = "substitute"

    @migrator.create_model
    class Task(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(unique=True)
        workflow_version = pw.BigIntegerField(index=True)
        owner_user_id = pw.TextField(index=True, null=True)
        status = pw.TextField(default='open')
        version = pw.IntegerField(default=1)
        created_at = pw.DateTimeField(index=True)
        closed_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "task"
            indexes = [(('closed_at', 'ticket_number'), False)]

    @migrator.create_model
    class TaskItem(pw.Model):
        id = pw.BigAutoField()
        task = pw.BigIntegerField()
        step = pw.BigIntegerField()
        visit = pw.IntegerField(default=1)
        ticket_number = pw.TextField()
        role = pw.BigIntegerField()
        assignee = pw.TextField(null=True)
        former_assignee = pw.TextField(null=True)
        came_from = pw.BigIntegerField(null=True)
        version = pw.IntegerField(default=1)
        state = pw.TextField(default='new')
        waiting_since = pw.DateTimeField(null=True)
        created_at = pw.DateTimeField()
        assigned_at = pw.DateTimeField(null=True)
        closed_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "task_item"
            indexes = [(('task', 'step', 'visit'), True), (('assignee', 'id'), False), (('assignee', 'closed_at', 'id'), False), (('role', 'id'), False)]

    @migrator.create_model
    class TaskItemHistory(pw.Model):
        id = pw.BigAutoField()
        item = pw.BigIntegerField()
        ticket_number = pw.TextField(index=True)
        at = pw.DateTimeField()
        actor = pw.TextField(default='system')
        event = pw.TextField()
        from_state = pw.TextField(null=True)
        to_state = pw.TextField(null=True)
        from_user = pw.TextField(null=True)
        to_user = pw.TextField(null=True)
        reason = pw.TextField(default='')
        request = pw.TextField(null=True)

        class Meta:
            table_name = "task_item_history"

    @migrator.create_model
    class TicketChange(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(index=True)
        at = pw.DateTimeField()
        field = pw.TextField()
        before = pw.TextField(null=True)
        value = pw.TextField(null=True)

        class Meta:
            table_name = "ticket_change"

    @migrator.create_model
    class TicketFollowing(pw.Model):
        ticket_number = pw.TextField(primary_key=True)
        version = pw.BigIntegerField()
        content = pw.TextField()
        told_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_following"

    @migrator.create_model
    class TicketReply(pw.Model):
        comment_id = pw.TextField(primary_key=True)
        ticket_number = pw.TextField(index=True)
        side = pw.TextField()
        author = pw.TextField()
        at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_reply"

    @migrator.create_model
    class TicketRequest(pw.Model):
        request_id = pw.TextField(primary_key=True)
        ticket_number = pw.TextField(index=True)
        kind = pw.TextField()
        reason = pw.TextField(default='')
        outcome = pw.TextField()
        handled_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_request"

    @migrator.create_model
    class TicketSnapshot(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(unique=True)
        ticket_data = pw.TextField()
        subject = pw.TextField(default='')
        category = pw.TextField(null=True)
        department = pw.TextField(null=True)
        priority = pw.TextField(default='Medium')
        requester_user_id = pw.TextField(null=True)
        requester_email = pw.TextField(null=True)
        through_gateway = pw.BooleanField(default=False)
        status = pw.TextField(default='New')
        status_version = pw.IntegerField(default=0)
        request_version = pw.BigIntegerField(null=True)
        received_at = pw.DateTimeField()

        class Meta:
            table_name = "ticket_snapshot"
            indexes = [(('received_at', 'id'), False), (('status', 'received_at', 'id'), False), (('priority', 'received_at', 'id'), False), (('category', 'received_at', 'id'), False), (('department', 'received_at', 'id'), False)]

    @migrator.create_model
    class TicketWords(pw.Model):
        id = pw.BigIntegerField(primary_key=True)
        words = pw.TextField()

        class Meta:
            table_name = "ticket_words"

    @migrator.create_model
    class Transition(pw.Model):
        id = pw.BigAutoField()
        version = pw.BigIntegerField(index=True)
        from_step = pw.BigIntegerField()
        to_step = pw.BigIntegerField(null=True)
        name = pw.TextField()
        who = pw.TextField(default='assignee')

        class Meta:
            table_name = "transition"

    @migrator.create_model
    class TriageEntry(pw.Model):
        id = pw.BigAutoField()
        ticket_number = pw.TextField(unique=True)
        category_key = pw.TextField()
        department_key = pw.TextField()
        reason = pw.TextField()
        since = pw.DateTimeField()
        chosen_workflow = pw.BigIntegerField(null=True)
        chosen_by = pw.TextField(null=True)

        class Meta:
            table_name = "triage_entry"
            indexes = [(('category_key', 'department_key'), False), (('department_key',), False)]

    @migrator.create_model
    class WaitingEntry(pw.Model):
        id = pw.BigAutoField()
        kind = pw.TextField()
        subject_id = pw.BigIntegerField()
        role = pw.BigIntegerField()
        ticket_number = pw.TextField(index=True)
        requester_user_id = pw.TextField(null=True)
        requester_email = pw.TextField(null=True)
        excluded = pw.TextField(default='')
        reason = pw.TextField()
        since = pw.DateTimeField()

        class Meta:
            table_name = "waiting_entry"
            indexes = [(('kind', 'subject_id'), True), (('role', 'since', 'id'), False)]

    @migrator.create_model
    class Workflow(pw.Model):
        id = pw.BigAutoField()
        name = pw.TextField(unique=True)
        description = pw.TextField(default='')
        deployed_version = pw.BigIntegerField(null=True)
        created_at = pw.DateTimeField()

        class Meta:
            table_name = "workflow"

    @migrator.create_model
    class WorkflowVersion(pw.Model):
        id = pw.BigAutoField()
        workflow = pw.BigIntegerField()
        number = pw.IntegerField()
        state = pw.TextField(default='draft')
        definition = pw.TextField()
        revision = pw.IntegerField(default=1)
        created_by = pw.TextField(default='system')
        rules = pw.TextField()
        end_logic = pw.TextField(default='none')
        created_at = pw.DateTimeField()
        deployed_at = pw.DateTimeField(null=True)
        retired_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "workflow_version"
            indexes = [(('workflow', 'number'), True)]
