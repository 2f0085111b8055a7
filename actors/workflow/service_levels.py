"""Seeding of service levels: the calendar and the policies that Baton comes with. Repeating it leaves what people changed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from baton.models.settings import get_settings
from baton.models.transaction import Transaction
from baton.models.workflow import sla_change_store as changes
from baton.models.workflow.allocation_store import hold_deployments
from baton.models.workflow.sla_policy_store import known_names, store_calendar, store_policy
from baton.models.workflow.sla_tables import SlaCalendar, SlaPolicy
from baton.pipelines.messages import ApplySlaChange
from baton.pipelines.sla_changing import APPLY
from baton.pipelines.sla_seeds import read_calendar_file, read_policy_file


def seed_calendars(tx: Transaction) -> dict[str, bool]:
    """Store the calendars that are missing, in the installation's time zone; return each name and whether it was made now."""
    hold_deployments(tx, alone=True)
    zone = get_settings().time_zone
    found = dict(read_calendar_file(text, zone) for text in _files("calendars"))
    known = known_names(tx, SlaCalendar)
    for name, document in found.items():
        if name not in known:
            store_calendar(tx, name, document, "system")
    return {name: name not in known for name in found}


def seed_policies(tx: Transaction) -> dict[str, bool]:
    """
    Store the policies that are missing, of every priority for each workflow; return each name and whether it was made now.

    The very first ones are brought to the tickets that are open already; later ones hold for new tickets, until they are applied.
    """
    hold_deployments(tx, alone=True)
    found = {name: document for text in _files("policies") for name, document in read_policy_file(text).items()}
    known = known_names(tx, SlaPolicy)
    made = {name: store_policy(tx, name, document, "system") for name, document in found.items() if name not in known}
    if made and not known:
        _bring_to_open_tickets(tx, {version.policy: version.id for version in made.values()})
    return {name: name in made for name in found}


def _bring_to_open_tickets(tx: Transaction, versions: Mapping[int, int]) -> None:
    """Have a change bring these first policies (id -> version) to tickets that came before them, batch by batch."""
    if changes.open_tickets("", 1) and changes.running() is None:
        before = {"policies": dict.fromkeys(versions), "calendars": {}}
        after = {"policies": versions, "calendars": {}}
        change = changes.store_change(tx, APPLY, before, after, "system", "the first policies, for tickets that came before them")
        tx.announce(ApplySlaChange(change_id=change.id))


def _files(folder: str) -> list[str]:
    entries = resources.files("baton.pipelines").joinpath(folder).iterdir()
    files = sorted((entry for entry in entries if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return [entry.read_text(encoding="utf-8") for entry in files]
