"""Renames in an order in which every new name is free, also where two things swap their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.change.operations import RenameColumn, RenameTable
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def rename_tables(pairs: Mapping[str, str], taken: Iterable[str]) -> tuple[RenameTable, ...]:
    """Return the operations that rename tables, also where two swap their names.

    Args:
        pairs: New names by the old ones.
        taken: All names of tables that are in use.
    """
    return tuple(RenameTable(old, new) for old, new in _sequence(pairs, taken))


def rename_columns(
    table: str, pairs: Mapping[str, str], taken: Iterable[str]
) -> tuple[RenameColumn, ...]:
    """Return the operations that rename a table's columns, also where two swap their names.

    Args:
        table: The table.
        pairs: New names by the old ones.
        taken: The names of all its columns.
    """
    return tuple(RenameColumn(table, old, new) for old, new in _sequence(pairs, taken))


def _sequence(pairs: Mapping[str, str], taken: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield renames so that each name is free when it is given; a circle goes by a spare name.

    A name is not free either where it differs from one in use only in case.
    """
    waiting = dict(pairs)
    used = {fold(name) for name in taken}
    while waiting:
        held = {fold(old): old for old in waiting}
        old = next((o for o, new in waiting.items() if held.get(fold(new), o) == o), None)
        if old is not None:
            new = waiting.pop(old)
        else:
            old = next(iter(waiting))
            new = _spare(old, used)
            waiting = {new if name == old else name: aim for name, aim in waiting.items()}
        yield old, new
        used = (used - {fold(old)}) | {fold(new)}


def _spare(name: str, used: set[str]) -> str:
    spare = f"{name}_swap"
    while fold(spare) in used:
        spare += "_"
    return spare
