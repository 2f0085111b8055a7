"""Workflow definitions for tests: a good one to change, and a strategy for any there could be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from baton.pipelines.definitions import Definition, definition_of
from tests.strategies import storable_text

#: A workflow with a branch, ways back and approvals, without fault where its roles are manned.
PURCHASE: dict[str, Any] = {
    "name": "Purchase",
    "description": "Things that cost money.",
    "end_logic": "budget",
    "match": [{"category": "Purchase", "department": "IT Department"}, {"category": "Purchase"}],
    "steps": [
        {
            "name": "Triage",
            "role": "Admin",
            "transitions": [{"name": "Cheap", "to": "Order"}, {"name": "Dear", "to": "Approve"}, {"name": "Refuse"}],
        },
        {
            "name": "Approve",
            "role": "Budget Manager",
            "escalation_role": "Admin",
            "approvals_needed": 2,
            "transitions": [{"name": "Send back", "to": "Triage", "who": "coordinator"}, {"name": "Approve", "to": "Order"}],
        },
        {"name": "Order", "role": "Asset Manager", "action": "Done", "instructions": "Order it.\nThen wait."},
    ],
}
ROLES = {"Admin": 2, "Budget Manager": 3, "Asset Manager": 1, "IT Manager": 1}


def purchase(**changes: Any) -> Definition:
    """Return the good definition with top-level changes."""
    return definition_of({**PURCHASE, **changes})


def with_step(number: int, **changes: Any) -> Definition:
    """Return the good definition with a step changed; None removes a key."""
    steps = [dict(step) for step in PURCHASE["steps"]]
    steps[number].update(changes)
    return purchase(steps=[{key: value for key, value in step.items() if value is not None} for step in steps])


#: A text with what trips writers of TOML and XML: quotes, backslashes, controls, newlines of every kind, markup, any character.
texts = st.one_of(
    storable_text,
    st.text(st.sampled_from("\"'\\\n\r\t #=[]{}<>&\x01\x7f\u2028é漢😀]]>a"), max_size=30),
)
names = texts.filter(lambda text: bool(text.strip()) and len(text) <= 255)


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """Return documents of any shape that can be read, most of them of workflows that could not work."""
    own = draw(st.lists(names, max_size=6))
    goals = st.none() | (st.sampled_from(own) | names if own else names)
    way = st.fixed_dictionaries(
        {"name": names}, optional={"to": goals, "who": st.sampled_from(["assignee", "coordinator", "anyone"]) | names}
    )
    optional = {
        "action": names,
        "escalation_role": names,
        "instructions": texts,
        "sla_share": st.floats(-10, 10, allow_nan=False) | st.integers(0, 1),
        "approvals_needed": st.integers(0, 1000),
        "transitions": st.lists(way, max_size=4),
    }
    steps = [draw(st.fixed_dictionaries({"name": st.just(name), "role": names}, optional=optional)) for name in own]
    rule = st.fixed_dictionaries({}, optional={"category": names, "department": names})
    rest = st.fixed_dictionaries(
        {"name": names},
        optional={
            "description": texts,
            "end_logic": st.sampled_from(["asset", "budget", "notification", "none"]) | texts,
            "match": st.lists(rule, max_size=4),
        },
    )
    found: dict[str, Any] = draw(rest)
    return {**found, "steps": steps}


definitions = documents().map(definition_of)
