"""
The administrators' part of the console: people and their roles, workflows, calendars and promised times, who is told what.

Nothing is decided here: each page asks a service in the administrator's name and shows what it answers.
"""

from __future__ import annotations

from baton.http.console.admin import (
    calendars,
    changes,
    deploying,
    designing,
    employees,
    grants,
    moving,
    overview,
    policies,
    policy_order,
    roles,
    users,
    workflows,
)

PAGES = (
    *overview.PAGES,
    *users.PAGES,
    *grants.PAGES,
    *roles.PAGES,
    *employees.PAGES,
    *designing.PAGES,
    *workflows.PAGES,
    *deploying.PAGES,
    *moving.PAGES,
    *calendars.PAGES,
    *policy_order.PAGES,
    *policies.PAGES,
    *changes.PAGES,
)
