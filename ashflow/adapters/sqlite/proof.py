"""What has to be the same before and after a table was made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.affinity import affinity
from ashflow.adapters.sqlite.steps import Pair
from ashflow.schema.sqltext import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.definition import ColumnItem


def pairs(change: Change) -> Iterator[Pair]:
    """Yield the columns of the new table that take the values of one of the old.

    Two values that SQLite's comparison takes for equal can be of different storage classes: 1 and
    1.0, or a number and its text where only one of the columns has an affinity
    (https://www.sqlite.org/datatype3.html#comparison_expressions). In a column of TEXT whose
    affinity stays, neither can be; where a type changes, its guard says what is the same value.

    Args:
        change: The table as it is and as it shall be.
    """
    for item in change.new.columns:
        before = change.before(item.name)
        if before is None or item.has("generated") or before.has("generated"):
            continue
        was, shall_be = _affinities(change, before, item)
        source = quote(before.name)
        yield Pair(
            item.name,
            source,
            quote(item.name),
            typed=was == shall_be != "TEXT",
            filled=change.source(item) != source,
        )


def _affinities(change: Change, before: ColumnItem, after: ColumnItem) -> tuple[str, str]:
    return (
        affinity(before.declared, strict=change.old.options.strict),
        affinity(after.declared, strict=change.new.options.strict),
    )
