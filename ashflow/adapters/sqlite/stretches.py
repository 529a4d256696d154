"""Split a migration into stretches: what can be planned against one reading of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.alter import touches
from ashflow.change.operations import (
    AddColumn,
    AlterColumn,
    CreateTable,
    DropTable,
    Fill,
    Operation,
    Raw,
    RenameColumn,
    RenameTable,
)
from ashflow.schema.sqltext import fold, mentions
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Alone = RenameTable | RenameColumn | Raw
"""The operations that are run where they stand: after them the catalog has to be read anew."""


@value
class Stretch:
    """Operations that can be planned against one reading of the catalog.

    Args:
        operations: The operations, in order.
        reads: The tables whose definition has to be known.
    """

    operations: tuple[Operation, ...]
    reads: frozenset[str] = frozenset()

    @property
    def renames(self) -> bool:
        """Whether it gives something another name."""
        return isinstance(self.operations[0], RenameTable | RenameColumn)

    @property
    def raw(self) -> bool:
        """Whether it is SQL or Python of the user."""
        return isinstance(self.operations[0], Raw)


def stretches(operations: Sequence[Operation]) -> Iterator[Stretch]:
    """Split a list of operations into stretches, in order.

    Args:
        operations: The operations of one direction.
    """
    waiting: list[Operation] = []
    for operation in operations:
        if waiting and (
            isinstance(operation, Alone) or _needs_what_went_before(operation, waiting)
        ):
            taken = _taken_along(operation, waiting)
            if len(waiting) > len(taken):
                yield _stretch([one for one in waiting if one not in taken])
            waiting = taken
        if isinstance(operation, Alone):
            yield Stretch((operation,))
        else:
            waiting.append(operation)
    if waiting:
        yield _stretch(waiting)


def _stretch(operations: list[Operation]) -> Stretch:
    made: set[str] = set()
    reads: set[str] = set()
    for operation in operations:
        if isinstance(operation, Alone):
            continue
        table = fold(operation.table)
        if isinstance(operation, CreateTable):
            made.add(table)
        elif table not in made and (touches(operation) or isinstance(operation, DropTable)):
            reads.add(table)
    return Stretch(tuple(operations), frozenset(reads))


def _needs_what_went_before(operation: Operation, waiting: list[Operation]) -> bool:
    """Whether a Fill reads a column that is made or changed in the stretch so far."""
    if not isinstance(operation, Fill):
        return False
    changed = (
        other.column
        if isinstance(other, Fill)
        else other.new.name
        if isinstance(other, AlterColumn)
        else other.column.name
        for other in waiting
        if isinstance(other, AddColumn | AlterColumn | Fill) and other.table == operation.table
    )
    return any(
        mentions(operation.sql, name) for name in changed if fold(name) != fold(operation.column)
    )


def _taken_along(operation: Operation, waiting: Sequence[Operation]) -> list[Operation]:
    """Return what has to be in one stretch with a Fill: the new column that it fills.

    Rows that stand have no value for it in a stretch of its own. It may go past other columns that
    come and are filled.
    """
    if not isinstance(operation, Fill):
        return []
    for other in reversed(waiting):
        if not isinstance(other, AddColumn | Fill):
            break
        if isinstance(other, Fill):
            if (other.table, other.column) == (operation.table, operation.column):
                break
        elif (other.table, other.column.name) == (operation.table, operation.column):
            return [other]
    return []
