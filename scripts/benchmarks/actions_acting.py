"""The part of `scripts/bench actions` that acts without the front: the same code that answers HTTP, in processes of its own."""

from __future__ import annotations

from typing import Any


def begin(environment: dict[str, str]) -> None:
    """Bind this process to the stack of this environment."""
    from baton.models import database
    from baton.models.settings import load_settings

    database.configure(load_settings(environment), ("workflow",))


def connect(_part: int) -> None:
    """Have a connection in the pool."""
    from baton.http.workflow import acting  # noqa: F401 - imported before the clock runs
    from baton.models.transaction import write_tx

    with write_tx("workflow"):
        pass


def act(batches: list[list[int]]) -> list[str]:
    """Complete the items, a transaction for each batch; return what was refused."""
    from baton.http.workflow import acting
    from baton.models.transaction import write_tx
    from baton.pipelines.asking import Asked
    from baton.pipelines.permissions import Principal
    from baton.pipelines.work import ACTIONS, Refusal

    actor, action = Principal("service", "operator"), ACTIONS["item", "complete"]
    done: list[Any] = []
    for batch in batches:
        with write_tx("workflow") as tx:
            done += acting.act_on_items(tx, dict.fromkeys(batch, Asked(action=action, actor=actor, now=tx.now)))
    return [each.reason for each in done if isinstance(each, Refusal)]
