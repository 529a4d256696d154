"""Values: what `value` makes of a class is what `dataclass` makes of it."""

import copy
import pickle
from dataclasses import (
    KW_ONLY,
    FrozenInstanceError,
    astuple,
    dataclass,
    field,
    fields,
    replace,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.values import value


@value
class Ours:
    """A value.

    Args:
        name: One.
        number: Another.
        secret: Never told.
    """

    name: str
    _: KW_ONLY
    number: float = 1
    secret: str = field(default="s", repr=False)


@dataclass(frozen=True, slots=True)
class Theirs:
    """The same, as Python makes it."""

    name: str
    _: KW_ONLY
    number: float = 1
    secret: str = field(default="s", repr=False)


@value
class One:
    """A value of one part."""

    number: float


@value
class Nothing:
    """A value of no parts."""


@value
class Own:
    """A value that says itself what it equals, and how it is told."""

    name: str

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 7

    def __repr__(self):
        return "own"


NUMBERS = st.sampled_from([0, 1, 2, 0.0, -0.0, True, float("nan"), float("inf")])
PARTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"])},
    optional={"number": NUMBERS, "secret": st.sampled_from(["s", "t"])},
)


@given(PARTS, PARTS)
def test_it_equals_hashes_and_is_told_as_a_dataclass_is(one, two):
    ours, theirs = (Ours(**one), Ours(**two)), (Theirs(**one), Theirs(**two))
    assert (ours[0] == ours[1]) is (astuple(theirs[0]) == astuple(theirs[1]))
    assert hash(ours[0]) == hash(theirs[0])
    assert repr(ours[0]) == repr(theirs[0]).replace("Theirs", "Ours")
    assert ours[0] != theirs[0]
    assert ours[0] == replace(ours[0]) == copy.deepcopy(ours[0])


@given(NUMBERS, NUMBERS)
def test_a_value_of_one_part_equals_another_as_a_tuple_of_it(one, two):
    assert (One(one) == One(two)) is ((one,) == (two,))
    assert hash(One(one)) == hash((one,))


def test_a_value_of_no_parts_equals_its_like_alone():
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(())
    assert repr(Nothing()) == "Nothing()"
    assert Nothing() != One(1)


def test_what_a_class_says_itself_stays():
    assert Own("a") == Own("b") == 3
    assert (hash(Own("a")), repr(Own("a"))) == (7, "own")


def test_it_is_frozen_and_has_no_room_for_more():
    one = Ours("a")
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises((FrozenInstanceError, TypeError)):  # TypeError: python/cpython#90562
        one.other = 1
    assert not hasattr(one, "__dict__")


def test_it_is_a_dataclass_to_those_who_ask():
    assert [part.name for part in fields(Ours)] == ["name", "number", "secret"]
    assert Ours.__match_args__ == ("name",)
    assert pickle.loads(pickle.dumps(Ours("a", number=2))) == Ours("a", number=2)


def test_a_class_below_one_is_another_kind():
    class Below(One):
        pass

    assert Below(1) != One(1)
    assert Below(1) == Below(1)
