"""Dependencies first: the order in which tables that refer to each other can be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ashflow.schema.table import Table


def creation_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Return tables so that each comes after those that it refers to.

    Where tables refer to each other in a circle, the foreign keys that lead forward are left out of
    what is returned; they are added when all tables stand.

    Args:
        tables: The tables to be made, in the order in which they were declared.
    """
    waiting = {table.name: table for table in tables}
    placed = [waiting[name] for name in _depth_first(waiting)]
    done: set[str] = set()
    ordered = []
    for table in placed:
        done.add(table.name)
        keys = tuple(k for k in table.foreign_keys if k.table in done or k.table not in waiting)
        whole = len(keys) == len(table.foreign_keys)
        ordered.append(table if whole else replace(table, foreign_keys=keys))
    return tuple(ordered)


def _depth_first(tables: dict[str, Table]) -> list[str]:
    """Return the names, those that are referred to first."""
    # A loop, not recursion: a chain of a thousand tables is deeper than Python's stack.
    order: dict[str, None] = {}
    seen: set[str] = set()
    for start in tables:
        stack = [start]
        while stack:
            name = stack[-1]
            if name not in seen:
                seen.add(name)
                targets = {key.table: None for key in tables[name].foreign_keys}
                stack += [t for t in reversed(targets) if t in tables and t not in seen]
            else:
                order.setdefault(stack.pop())
    return list(order)
