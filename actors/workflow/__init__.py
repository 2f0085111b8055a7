"""
The workflow service's message handlers, one module per concern.

`intake` takes tickets in, `allocation` matches them to workflows, `assignment` gives steps to people and serves the waiting
list, `requests` withdraws and reopens, `ending` makes the calls at the end of tasks, `sync` follows auth's roles and grants,
`seeding` brings the roles and workflows that Baton comes with, `sweep` finds who is back from an absence, `holds` ends what
was on hold until now, `following` tells those who follow tickets, `clocks` keeps the SLA clocks, `sla_changes` brings changed
policies to them, `firing` has them warn and be breached, `overdue` does to late tickets what their policies say.
Importing the package declares them all; `rotation` and `statuses` are what they share.
"""

from baton.actors.workflow import (
    allocation,
    assignment,
    clocks,
    ending,
    firing,
    following,
    holds,
    intake,
    overdue,
    requests,
    seeding,
    sla_changes,
    sweep,
    sync,
)

__all__ = [
    "allocation",
    "assignment",
    "clocks",
    "ending",
    "firing",
    "following",
    "holds",
    "intake",
    "overdue",
    "requests",
    "seeding",
    "sla_changes",
    "sweep",
    "sync",
]
