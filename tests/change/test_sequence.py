from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.change.sequence import rename_columns, rename_tables
from ashflow.schema.sqltext import fold


@pytest.mark.parametrize(
    ("pairs", "taken", "steps"),
    [
        ({"a": "b"}, "a", ["a b"]),
        ({"a": "b", "b": "c"}, "ab", ["b c", "a b"]),
        ({"a": "B", "b": "c"}, "ab", ["b c", "a B"]),
        ({"a": "A"}, "a", ["a A"]),
        ({"a": "b", "b": "a"}, "ab", ["a a_swap", "b a", "a_swap b"]),
        ({"a": "B", "b": "A"}, "ab", ["a a_swap", "b A", "a_swap B"]),
        ({"a": "b", "b": "c", "c": "a"}, "abc", ["a a_swap", "c a", "b c", "a_swap b"]),
        ({"a": "b", "b": "a"}, ["a", "b", "A_SWAP"], ["a a_swap_", "b a", "a_swap_ b"]),
        ({"a": "b"}, "ab", ["a b"]),
    ],
)
def test_every_name_is_free_when_it_is_given(pairs, taken, steps):
    assert [f"{one.old} {one.new}" for one in rename_tables(pairs, taken)] == steps


@given(st.permutations("abcdef"), st.integers(0, 6), st.lists(st.booleans(), min_size=6))
def test_any_names_can_be_handed_on_and_none_is_used_twice_in_any_case(new, stay, turned):
    """In circles and chains, with the case of some names turned."""
    aims = [name.upper() if up else name for name, up in zip(new, turned, strict=False)]
    pairs = dict(zip("abcdef", [*aims[stay:], *"uvwxyz"[:stay]], strict=True))
    places = {name: name for name in "abcdef"}
    for step in rename_columns("t", pairs, places):
        (held,) = (name for name, now in places.items() if now == step.old)
        assert fold(step.new) not in {fold(n) for name, n in places.items() if name != held}
        places[held] = step.new
    assert places == pairs
