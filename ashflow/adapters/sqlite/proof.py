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
    """Yield the columns of the new table that take the values of one of the old as they are.

    Two values that SQLite's comparison takes for equal can be of different storage classes, 1 and
    1.0 (https://www.sqlite.org/datatype3.html#comparison_expressions). In a column of TEXT neither
    can be. Where the affinity changes, the guard of the type says what is the same value.

    Args:
        change: The table as it is and as it shall be.
    """
    for item in change.new.columns:
        before = change.before(item.name)
        if before is None or item.has("generated") or before.has("generated"):
            continue
        if not keeps_affinity(change, item):
            continue
        source = quote(before.name)
        yield Pair(
            item.name,
            source,
            quote(item.name),
            typed=affinity(item.declared, strict=change.new.options.strict) != "TEXT",
            filled=change.source(item) != source,
        )


def keeps_affinity(change: Change, item: ColumnItem) -> bool:
    """Whether a column of the new table keeps the values of the old one as they are.

    Args:
        change: The table as it is and as it shall be.
        item: A column of the new table.
    """
    before = change.before(item.name)
    return before is not None and (
        affinity(before.declared, strict=change.old.options.strict)
        == affinity(item.declared, strict=change.new.options.strict)
    )
