"""
Who may call what: one table, read by the HTTP fronts, the documentation and the tests.

A permission names an operation of a service; its rule says who holds it. Rules about *which* things (an employee's own
tickets, an admin's own system) are part of the operation's decision: the table only says who may knock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Who holds a permission: anyone at all, any signed-in person, services, employees, or holders of `system:Role`."""

    public: bool = False
    signed_in: bool = False
    services: bool = False
    employees: bool = False
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Who calls: `kind` is `user` (staff), `employee`, `service` or `anonymous`; `id` is unique within its kind.

    `roles` are `system:Role` pairs such as `tts:Admin`.
    """

    kind: str
    id: str
    name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()

    @property
    def subject(self) -> str:
        """`kind:id`, unique over all kinds: the `sub` of a token."""
        return f"{self.kind}:{self.id}"

    def has_role(self, *roles: str) -> bool:
        """Whether the principal holds any of these `system:Role` pairs."""
        return not self.roles.isdisjoint(roles)


ANONYMOUS = Principal(kind="anonymous", id="")

_TTS_ADMIN = frozenset({"tts:Admin"})
_TTS_COORDINATORS = frozenset({"tts:Admin", "tts:Ticket Coordinator"})
_HDTS_COORDINATORS = frozenset({"hdts:Admin", "hdts:Ticket Coordinator"})
_ADMINS = frozenset({"auth:Admin", "hdts:Admin", "tts:Admin", "ams:Admin", "bms:Admin"})
#: Those who keep the whole system running.
_OPERATORS = frozenset({"auth:Admin", "tts:Admin"})
#: Every staff role of a system: `tts:*` is granted to whoever holds any role there.
_TTS_STAFF = frozenset({"tts:*"})
#: Staff who may be told of tickets.
_NOTIFIED = _ADMINS | frozenset({"tts:*", "hdts:*"})

PERMISSIONS: dict[str, Rule] = {
    # every service
    "health.read": Rule(public=True),
    "documentation.read": Rule(public=True),
    "metrics.read": Rule(public=True),
    "runtime.read": Rule(services=True, roles=_OPERATORS),
    # Reasons, tracebacks and fields of messages may hold personal data.
    "runtime.messages": Rule(roles=_OPERATORS),
    "runtime.decide": Rule(services=True, roles=_OPERATORS),
    # auth
    "session.sign_in": Rule(public=True),
    "session.refresh": Rule(public=True),
    "session.sign_out": Rule(public=True),
    "session.read": Rule(signed_in=True),
    "keys.read": Rule(public=True),
    "service_token.create": Rule(public=True),
    "internal.read": Rule(services=True),
    "round_robin.read": Rule(services=True, roles=_ADMINS | _TTS_STAFF),
    "users.read": Rule(services=True, roles=_ADMINS),
    "users.write": Rule(roles=_ADMINS),
    "systems.read": Rule(services=True, roles=_ADMINS),
    "systems.write": Rule(roles=frozenset({"auth:Admin"})),
    "roles.read": Rule(services=True, roles=_ADMINS),
    "roles.write": Rule(roles=_ADMINS),
    "grants.write": Rule(roles=_ADMINS),
    "employees.read": Rule(services=True, roles=_ADMINS | _HDTS_COORDINATORS),
    "employees.write": Rule(roles=frozenset({"auth:Admin", "hdts:Admin"})),
    # helpdesk
    "tickets.file": Rule(services=True, employees=True, roles=_HDTS_COORDINATORS),
    "tickets.read": Rule(services=True, employees=True, roles=_HDTS_COORDINATORS),
    "tickets.withdraw": Rule(employees=True, roles=_HDTS_COORDINATORS),
    "tickets.reopen": Rule(employees=True, roles=_HDTS_COORDINATORS),
    "tickets.rate": Rule(employees=True),
    # tickets (submission gateway)
    "gateway.submit": Rule(signed_in=True, services=True, employees=True),
    "gateway.read": Rule(signed_in=True, services=True, employees=True),
    # workflow
    "progress.read": Rule(services=True, employees=True, roles=_TTS_STAFF | _HDTS_COORDINATORS),
    "work.read": Rule(services=True, roles=_TTS_STAFF),
    # Of services, only operators' programs (`work.OPERATORS`) find anything to act on.
    "work.act": Rule(services=True, roles=_TTS_STAFF),
    # Each their own views, and those shared with their roles.
    "views.read": Rule(roles=_TTS_STAFF),
    "views.write": Rule(roles=_TTS_STAFF),
    "triage.read": Rule(services=True, roles=_TTS_COORDINATORS),
    "triage.allocate": Rule(roles=_TTS_COORDINATORS),
    "workflows.read": Rule(services=True, roles=_TTS_STAFF),
    "workflows.write": Rule(roles=_TTS_ADMIN),
    "workflows.deploy": Rule(roles=_TTS_ADMIN),
    "workflows.move": Rule(roles=_TTS_ADMIN),
    "hooks.read": Rule(services=True, roles=_TTS_COORDINATORS),
    "hooks.replay": Rule(roles=_TTS_ADMIN),
    "members.read": Rule(services=True, roles=_TTS_STAFF),
    "members.availability": Rule(roles=_TTS_STAFF),
    "members.capacity": Rule(roles=_TTS_COORDINATORS),
    "sla.read": Rule(services=True, roles=_TTS_STAFF),
    "sla.write": Rule(roles=_TTS_ADMIN),
    # What a new ticket may expect: whoever may file one may ask.
    "sla.expect": Rule(services=True, employees=True, roles=_TTS_STAFF | _HDTS_COORDINATORS),
    "reports.read": Rule(services=True, roles=_TTS_COORDINATORS),
    # messaging: which tickets' conversations, and who sees internal notes there, is decided by `conversation.viewer_of`
    "comments.pass_on": Rule(public=True),  # the messaging service decides
    "comments.read": Rule(signed_in=True, services=True, employees=True),
    "comments.write": Rule(signed_in=True, services=True, employees=True),
    "comments.history": Rule(services=True, roles=_TTS_STAFF | _HDTS_COORDINATORS),
    "comments.import": Rule(services=True),
    # notifications: everybody's own, and nobody else's
    "notifications.read": Rule(employees=True, roles=_NOTIFIED),
    "notifications.write": Rule(employees=True, roles=_NOTIFIED),
    "notifications.failures": Rule(services=True, roles=_ADMINS | _TTS_COORDINATORS | _HDTS_COORDINATORS),
    "notifications.retry": Rule(services=True, roles=_ADMINS | _TTS_COORDINATORS | _HDTS_COORDINATORS),
    "notifications.bounces": Rule(services=True, roles=_ADMINS),
    "notifications.unsubscribe": Rule(public=True),
    # issues
    "issues.report": Rule(services=True, roles=_ADMINS | _TTS_STAFF | _HDTS_COORDINATORS),
    "issues.read": Rule(services=True, roles=_TTS_STAFF),
    "issues.comment": Rule(services=True, roles=_TTS_STAFF),
    "issues.status": Rule(services=True, roles=_TTS_COORDINATORS),
}


def may(principal: Principal, permission: str) -> bool:
    """
    Return whether the table grants the permission to the principal.

    Raises:
        KeyError: no such permission; an operation without a rule is a bug, never open.
    """
    rule = PERMISSIONS[permission]
    if rule.public:
        return True
    if principal.kind == "anonymous":
        return False
    if rule.signed_in or (rule.services and principal.kind == "service"):
        return True
    if rule.employees and principal.kind == "employee":
        return True
    systems = {f"{role.partition(':')[0]}:*" for role in principal.roles}
    return not rule.roles.isdisjoint(principal.roles | systems)
