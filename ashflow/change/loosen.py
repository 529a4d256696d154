"""Let a column that comes back be NULL until its values are there again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.change.operations import (
    AddColumn,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropColumn,
    DropTable,
    Fill,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ashflow.change.operations import Operation
    from ashflow.schema.table import Column


def loosened(
    operations: Sequence[Operation],
    columns: Collection[tuple[str, str]],
    later: Sequence[Operation] = (),
    tables: Collection[str] = (),
) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    """Return operations that rows without a value allow, and those that end what they leave open.

    A new column that is NOT NULL and has no default is refused where rows stand, though their
    values wait to be brought back. It comes as one that may be NULL, and is tightened when they
    are there. So does one of a new table whose rows come back, where a `Fill` gives it a value.

    Args:
        operations: What is done.
        columns: The columns whose values come back, each after its table.
        later: What is done after that, and before the values come back.
        tables: The tables whose rows come back.

    Returns:
        What is done at first, and what is done when the values are back.
    """
    at_first: list[Operation] = []
    then: list[Operation] = []
    every = (*operations, *later)
    fills = {(op.table, op.column): op for op in every if isinstance(op, Fill)}
    for place, operation in enumerate(operations):
        rest = every[place + 1 :]
        match operation:
            case AddColumn(table, column) if (table, column.name) in columns and _is_open(
                table, column, rest
            ):
                at_first.append(AddColumn(table, replace(column, nullable=True)))
                then.append(_tightened(table, column))
            case CreateTable(table) if table in tables:
                open_ = [
                    column
                    for column in operation.columns
                    if (table, column.name) in fills
                    and column.name not in operation.primary_key
                    and _is_open(table, column, rest)
                ]
                at_first.append(_with_open(operation, open_))
                then += [fills[table, column.name] for column in open_]
                then += [_tightened(table, column) for column in open_]
            case _:
                at_first.append(operation)
    return tuple(at_first), tuple(then)


def _is_open(table: str, column: Column, rest: Sequence[Operation]) -> bool:
    """Whether a column has to wait for its values, and can."""
    touched = any(_touches(operation, table, column.name) for operation in rest)
    return _needs_values(column) and not touched


def _with_open(operation: CreateTable, columns: Sequence[Column]) -> CreateTable:
    names = {column.name for column in columns}
    kept = [replace(c, nullable=c.nullable or c.name in names) for c in operation.columns]
    return replace(operation, columns=kept)


def _tightened(table: str, column: Column) -> AlterColumn:
    return AlterColumn(table, old=replace(column, nullable=True).bare, new=column.bare)


def _needs_values(column: Column) -> bool:
    return not column.nullable and column.default is None and column.generated_as is None


def _touches(operation: Operation, table: str, column: str) -> bool:
    """Whether a column is changed or called otherwise once more: then it is left as it is."""
    match operation:
        case RenameTable(old, new):
            return table in {old, new}
        case DropTable(name):
            return name == table
        case RenameColumn(name, old, new):
            return name == table and column in {old, new}
        case DropColumn(name, gone):
            return name == table and gone.name == column
        case AlterColumn(name, old=before):
            return name == table and before.name == column
        case ChangePrimaryKey(name):
            return name == table
        case _:
            return False
