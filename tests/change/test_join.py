from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ashflow.change.join import Came, Stayed, Went, gone, join
from ashflow.schema.table import Check

checks = st.lists(
    st.builds(Check, st.sampled_from("abcdef"), st.sampled_from("xy")), unique_by=lambda c: c.name
)


def check(name, sql="x"):
    return Check(name, sql)


def test_the_old_ones_come_first_in_their_order_and_then_those_that_came():
    fates = list(join([check("b"), check("a")], [check("z"), check("a", "y"), check("c")]))
    assert fates == [
        Went(check("b")),
        Stayed(check("a"), check("a", "y")),
        Came(check("z")),
        Came(check("c")),
    ]


@given(checks, checks)
def test_every_name_has_one_fate(old, new):
    names = []
    for fate in join(old, new):
        match fate:
            case Came(item):
                assert item in new
                names.append(item.name)
            case Went(item):
                assert item in old
                names.append(item.name)
            case Stayed(before, after):
                assert before in old
                assert after in new
                assert before.name == after.name
                names.append(before.name)
    assert sorted(names) == sorted({item.name for item in (*old, *new)})


@given(checks, checks)
def test_gone_is_what_went_or_is_another(old, new):
    went = [f.item for f in join(old, new) if isinstance(f, Went)]
    changed = [f.before for f in join(old, new) if isinstance(f, Stayed) and f.before != f.after]
    assert sorted(map(repr, gone(old, new))) == sorted(map(repr, went + changed))
    assert list(gone(old, old)) == []
