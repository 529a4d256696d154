"""Pair two collections by name, and tell what came, what went, and what stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from ashflow.schema.table import NamedT
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@value
class Came(Generic[NamedT]):
    """Only the new collection has it."""

    item: NamedT


@value
class Went(Generic[NamedT]):
    """Only the old collection has it."""

    item: NamedT


@value
class Stayed(Generic[NamedT]):
    """Both collections have one of that name."""

    before: NamedT
    after: NamedT


Fate = Came[NamedT] | Went[NamedT] | Stayed[NamedT]


def join(old: Iterable[NamedT], new: Iterable[NamedT]) -> Iterator[Fate[NamedT]]:
    """Yield the fate of every name: first of the old ones, then of those that came.

    Args:
        old: The items as they were.
        new: The items as they are.
    """
    after = {item.name: item for item in new}
    for item in old:
        yield Stayed(item, after.pop(item.name)) if item.name in after else Went(item)
    for item in after.values():
        yield Came(item)


def gone(old: Iterable[NamedT], new: Iterable[NamedT]) -> Iterator[NamedT]:
    """Yield the old items that the new collection has no more, or has otherwise."""
    after = {item.name: item for item in new}
    return (item for item in old if after.get(item.name) != item)
