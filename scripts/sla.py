"""`baton sla`: ask when a clock is due and why, and check the arithmetic against tickets whose outcome is known."""

from __future__ import annotations

import click

from baton.scripts.sla_check import check
from baton.scripts.sla_explain import explain
from baton.scripts.sla_holidays import holidays
from baton.scripts.sla_levels import calendars, policies


@click.group()
def sla() -> None:
    """Service levels: explain, check, calendars, policies, holidays."""


sla.add_command(explain)
sla.add_command(check)
sla.add_command(calendars)
sla.add_command(policies)
sla.add_command(holidays)
