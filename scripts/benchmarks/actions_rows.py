"""The rows and messages of an action, counted by PostgreSQL, ours beside the floor's: the ratio compares the same work."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psycopg

#: Seconds after which idle PostgreSQL backends have told what they counted (they do after ten).
SETTLED_SECONDS = 11
#: Written by the clock, not by actions.
_BY_TIME = ("heartbeat", "job_run", "lease", "signing_key")
#: `service.table` -> rows inserted, updated, deleted.
Counts = Mapping[str, tuple[int, int, int]]
_SQL = "select schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables"


def settled(url: str) -> Counts:
    """Return what our tables count, once every backend has told; nothing may be under way."""
    time.sleep(SETTLED_SECONDS)
    return {name: counts for name, counts in _read(url).items() if not name.startswith("floor.")}


def of_floor(url: str) -> Counts:
    """Return what the floor's tables count, under our names. Its processes have ended, so they have told."""
    found = {name.removeprefix("floor."): counts for name, counts in _read(url).items() if name.startswith("floor.")}
    return {name if name == "outbox" else name.replace("_", ".", 1): counts for name, counts in found.items()}


def table(ours: tuple[Counts, Counts], floor: tuple[Counts, Counts], actions: int) -> list[str]:
    """Return the lines of the comparison, each side as counts before and after so many actions."""
    mine, bare = _per_action(ours, actions), _per_action(floor, actions)
    lines = [f"{'rows an action: inserted, updated, deleted':<44}{'ours':>18}{'floor':>18}"]
    for name in sorted(mine.keys() | bare.keys()):
        shown = [" ".join(f"{value:.2f}" for value in side.get(name, (0.0, 0.0, 0.0))) for side in (mine, bare)]
        lines.append(f"{name:<44}{shown[0]:>18}{shown[1]:>18}")
    messages = [side.get("outbox (confirmed messages)", (0.0,))[0] for side in (mine, bare)]
    totals = [sum(sum(counts) for counts in side.values()) for side in (mine, bare)]
    return [*lines, f"messages {messages[0]:.2f} and {messages[1]:.2f}, rows in all {totals[0]:.2f} and {totals[1]:.2f}"]


def _per_action(counts: tuple[Counts, Counts], actions: int) -> dict[str, tuple[float, float, float]]:
    before, after = counts
    found: dict[str, tuple[float, float, float]] = {}
    for name, values in after.items():
        last = name.rsplit(".", 1)[-1]
        grown = [(b - a) / actions for a, b in zip(before.get(name, (0, 0, 0)), values, strict=True)]
        if last in _BY_TIME or max(grown) < 0.005:
            continue
        key = "outbox (confirmed messages)" if last == "outbox" else name
        so_far = found.get(key, (0.0, 0.0, 0.0))
        found[key] = (so_far[0] + grown[0], so_far[1] + grown[1], so_far[2] + grown[2])
    return found


def _read(url: str) -> dict[str, tuple[int, int, int]]:
    with psycopg.connect(url) as database:
        return {f"{schema}.{name}": (ins, upd, gone) for schema, name, ins, upd, gone in database.execute(_SQL)}
