"""Hypothesis strategies for values that people and programs really send, and for those they should not."""

from __future__ import annotations

from hypothesis import strategies as st

CATEGORIES = ("IT Support", "Asset Check In", "Asset Check Out", "Budget Proposal", "Others")
DEPARTMENTS = ("IT Department", "Asset Department", "Budget Department", "")
PRIORITIES = ("Low", "Medium", "High", "Critical")

#: Any text that can be stored: every character except NUL and lone surrogates.
storable_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
#: A line that shows something: what a subject or a name must be.
line = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200).filter(str.strip)
#: Text that must be refused wherever text is stored.
unstorable_text = st.builds("".join, st.tuples(st.text(max_size=5), st.sampled_from(["\x00", "\ud800"]), st.text(max_size=5)))
ticket_numbers = st.builds("{}-{:08d}".format, st.sampled_from(["HD", "GW"]), st.integers(1, 99_999_999))
#: Anything JSON can say, a few levels deep.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
ticket_bodies = st.fixed_dictionaries(
    {
        "subject": line,
        "description": storable_text.filter(str.strip),
        "category": st.sampled_from(CATEGORIES),
        "subcategory": st.just("") | line,
        "department": st.sampled_from(DEPARTMENTS),
        "priority": st.sampled_from(PRIORITIES),
    }
)
