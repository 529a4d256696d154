"""Whether columns of a table are a key that a foreign key may refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.schema.datatypes import Desc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ashflow.schema.table import Table


def is_key(table: Table, columns: Iterable[str]) -> bool:
    """Whether columns are the primary key, or an identity without a condition, in any order.

    https://www.sqlite.org/foreignkeys.html#fk_indexes says what is a parent key.

    Args:
        table: The table.
        columns: Some of its columns.
    """
    wanted = sorted(columns)
    return wanted == sorted(table.primary_key) or any(
        index.unique and index.where is None and _plain(index.keys) == wanted
        for index in table.indexes
    )


def _plain(keys: Iterable[object]) -> list[str] | None:
    """Return the columns of an index, sorted; None where there are expressions among its keys."""
    inner = [key.key if isinstance(key, Desc) else key for key in keys]
    names = [key for key in inner if isinstance(key, str)]
    return sorted(names) if len(names) == len(inner) else None
