"""The columns of a table that changes: those that are declared, and those that are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.plan.clashes import check_column, check_readers
from ashflow.schema.sqltext import mentions, rename

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.schema.table import Column, Table


def columns_in_place(
    before: Table, declared: Table, pairs: Mapping[str, str], *, keep: bool
) -> tuple[Column, ...]:
    """Return the columns of the new table: those that were there first, in their order.

    Args:
        before: The table as it stands.
        declared: What its resources declare.
        pairs: The columns that are renamed: old name, new name.
        keep: Whether columns stay that no attribute declares any more; rows can be written then
            that know nothing of them.

    Raises:
        UsageError: A kept column has the name of another one, or SQL reads one that is declared no
            more.
    """
    check_readers(before, declared)
    columns = tuple(_placed(before, declared, pairs, keep=keep))
    live = {column.name for column in declared.columns}
    return _loosened(columns, frozenset(column.name for column in columns) - live)


def _placed(
    before: Table, declared: Table, pairs: Mapping[str, str], *, keep: bool
) -> Iterator[Column]:
    placed = set()
    for column in before.columns:
        name = pairs.get(column.name, column.name)
        wanted = declared.column(name)
        if wanted is not None and (column.name in pairs or name not in pairs.values()):
            placed.add(name)
            yield wanted
        elif keep:
            check_column(column, declared)
            yield _relaxed(column, declared.name, pairs)
    for column in declared.columns:
        if column.name not in placed:
            yield column


def _relaxed(column: Column, table: str, pairs: Mapping[str, str]) -> Column:
    """Return a column that stays so that rows which know nothing of it can be written."""
    if column.generated_as is not None:
        return replace(column, generated_as=_following(column.generated_as, table, pairs))
    return replace(column, nullable=column.nullable or column.default is None, autoincrement=False)


def _loosened(columns: Sequence[Column], kept: frozenset[str]) -> tuple[Column, ...]:
    """Let kept columns that are computed be NULL where one that they read may be."""
    loose = [column.name for column in columns if column.nullable]
    found = {
        column.name
        for column in columns
        if column.name in kept
        and not column.nullable
        and column.generated_as is not None
        and any(mentions(column.generated_as, name) for name in loose)
    }
    if not found:
        return tuple(columns)
    again = [replace(c, nullable=True) if c.name in found else c for c in columns]
    return _loosened(again, kept)  # one that is computed may read another


def _following(expression: str, table: str, pairs: Mapping[str, str]) -> str:
    """Return an expression as the database has it after columns were renamed."""
    from ashflow.change.sequence import rename_columns

    for step in rename_columns(table, pairs, pairs):
        expression = rename(expression, step.old, step.new)
    return expression
