"""Let a column that comes back be NULL until its values are there again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ashflow.change.operations import (
    AddColumn,
    AlterColumn,
    ChangePrimaryKey,
    DropColumn,
    DropTable,
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
) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    """Return operations that rows without a value allow, and those that end what they leave open.

    A new column that is NOT NULL and has no default is refused where rows stand, though their
    values wait to be brought back. It comes as one that may be NULL, and is tightened when they
    are there.

    Args:
        operations: What is done.
        columns: The columns whose values come back, each after its table.
        later: What is done after that, and before the values come back.

    Returns:
        What is done at first, and what is done when the values are back.
    """
    at_first: list[Operation] = []
    then: list[Operation] = []
    every = (*operations, *later)
    for place, operation in enumerate(operations):
        match operation:
            case AddColumn(table, column) if (
                (table, column.name) in columns
                and _needs_values(column)
                and not any(_touches(op, table, column.name) for op in every[place + 1 :])
            ):
                open_ = replace(column, nullable=True)
                at_first.append(AddColumn(table, open_))
                then.append(AlterColumn(table, old=open_.bare, new=column.bare))
            case _:
                at_first.append(operation)
    return tuple(at_first), tuple(then)


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
