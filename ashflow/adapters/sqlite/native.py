"""SQLite's own ALTER TABLE: what it does rightly whatever rows there are, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.alter import constant
from ashflow.adapters.sqlite.dependents import mentions_in
from ashflow.adapters.sqlite.rebuild import fill_text
from ashflow.adapters.sqlite.spell import new_column_text
from ashflow.adapters.sqlite.steps import Do, Remake, Step
from ashflow.change.operations import AddColumn, DropColumn, Fill, Operation
from ashflow.schema.sqltext import mentions, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.adapters.sqlite.alter import Change
    from ashflow.adapters.sqlite.catalog import Catalog
    from ashflow.schema.table import Column


def many_drops(operations: list[Operation]) -> bool:
    """Whether several columns go: SQLite writes all rows anew for each, a rebuild does so once.

    Args:
        operations: Those on one table.
    """
    return sum(isinstance(operation, DropColumn) for operation in operations) > 1


def natively(change: Change, operations: list[Operation]) -> Iterator[Step]:
    """Yield the steps of operations that SQLite's own ALTER TABLE does.

    Args:
        change: What they make of the table.
        operations: All of those on the table, fills too.
    """
    steps = tuple(step for op in operations for step in _own_words(change, op))
    drops = any(isinstance(operation, DropColumn) for operation in operations)
    yield from (Remake(change.table, None, steps),) if drops else steps


def _own_words(change: Change, operation: Operation) -> Iterator[Step]:
    """Yield SQLite's own statement for an operation."""
    match operation:
        case AddColumn(_, column):
            strict = change.old.options.strict
            text = new_column_text(column, operation.foreign_key, strict=strict)
            yield Do(f"ALTER TABLE {quote(change.table)} ADD COLUMN {text}")
        case DropColumn(_, column):
            yield Do(f"ALTER TABLE {quote(change.table)} DROP COLUMN {quote(column.name)}")
        case Fill():
            yield filled(operation)


def filled(fill: Fill) -> Step:
    """Return the step of a fill of a column that stands.

    Args:
        fill: The fill.
    """
    return Do(fill_text(fill.table, fill.column, fill.sql))


def is_native(catalog: Catalog, change: Change, operation: Operation) -> bool:
    """Whether SQLite's own ALTER TABLE does it, whatever rows there are.

    Decided from the schema and never by trying: SQLite accepts on an empty table some that it
    refuses with one row (https://www.sqlite.org/lang_altertable.html#altertabaddcol).

    Args:
        catalog: What the database says of itself.
        change: What all operations make of the table.
        operation: One of them.
    """
    match operation:
        case AddColumn(_, column):
            return _can_add(column)
        case DropColumn(_, column):
            return _can_drop(catalog, change, column.name)
        case _:
            return False


def _can_add(column: Column) -> bool:
    if column.generated_as is not None:
        return column.nullable and not column.stored
    if column.references is not None and column.default is not None:
        return False
    return (
        constant(column)
        and not column.autoincrement
        and (column.nullable or column.default is not None)
    )


def _can_drop(catalog: Catalog, change: Change, name: str) -> bool:
    item = change.old.column(name)
    if item is None or catalog.views or catalog.triggers:
        # SQLite refuses to drop a column where any view or trigger of the database is broken.
        return False
    bound = any(item.has(kind) for kind in ("primary_key", "unique", "references", "unknown"))
    used = mentions_in(change.old, name) is not None
    indexed = any(mentions(index.sql, name) for index in change.facts.indexes)
    return not (bound or used or indexed)
