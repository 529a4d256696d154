"""Dependencies first: the order in which tables and columns that need each other can be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.schema.sqltext import mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ashflow.schema.table import Column, Table


def creation_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Return tables so that each comes after those that it refers to.

    Where tables refer to each other in a circle, the foreign keys that lead forward are left out of
    what is returned; they are added when all tables stand.

    Args:
        tables: The tables to be made, in the order in which they were declared.
    """
    waiting = {table.name: table for table in tables}
    needs = {name: [key.table for key in table.foreign_keys] for name, table in waiting.items()}
    placed = [waiting[name] for name in _depth_first(needs)]
    done: set[str] = set()
    ordered = []
    for table in placed:
        done.add(table.name)
        keys = tuple(k for k in table.foreign_keys if k.table in done or k.table not in waiting)
        whole = len(keys) == len(table.foreign_keys)
        ordered.append(table if whole else replace(table, foreign_keys=keys))
    return tuple(ordered)


def reading_order(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns so that each one that is computed comes after those that it reads.

    Args:
        columns: Columns that come or change, in the order in which they were declared.
    """
    waiting = {column.name: column for column in columns}
    needs = {name: _read_by(column, waiting) for name, column in waiting.items()}
    return tuple(waiting[name] for name in _depth_first(needs))


def _read_by(column: Column, names: Iterable[str]) -> list[str]:
    text = column.generated_as
    return [] if text is None else [name for name in names if mentions(text, name)]


def _depth_first(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the names, those that others need first.

    Args:
        needs: What each name needs, by the name; what is no name itself stands already.
    """
    # A loop, not recursion: a chain of a thousand tables is deeper than Python's stack.
    order: dict[str, None] = {}
    seen: set[str] = set()
    for start in needs:
        stack = [start]
        while stack:
            name = stack[-1]
            if name not in seen:
                seen.add(name)
                targets = dict.fromkeys(needs[name])
                stack += [t for t in reversed(targets) if t in needs and t not in seen]
            else:
                order.setdefault(stack.pop())
    return list(order)
