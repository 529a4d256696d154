"""Renames in an order in which every new name is free, also where two things swap their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.change.operations import RenameColumn, RenameTable

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
    """Yield renames so that each name is free when it is given; a circle goes by a spare name."""
    waiting = dict(pairs)
    used = set(taken)
    while waiting:
        free = next((old for old, new in waiting.items() if new not in used), None)
        if free is None:
            old = next(iter(waiting))
            spare = _spare(old, used)
            yield old, spare
            used = (used - {old}) | {spare}
            waiting = {spare if name == old else name: new for name, new in waiting.items()}
        else:
            new = waiting.pop(free)
            yield free, new
            used = (used - {free}) | {new}


def _spare(name: str, used: set[str]) -> str:
    spare = f"{name}_swap"
    while spare in used:
        spare += "_"
    return spare
