"""What migrations make, one after the other: in the model, and on a database."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.change.apply import take
from ashflow.change.describe import describe
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    DropTable,
    Fill,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from ashflow.change.touches import touches
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import fold, mentions
from ashflow.schema.table import Column, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ashflow.change.operations import Operation

_MAKES: Final = (AddCheck, AddColumn, AddForeignKey, AddIndex, AddStatement, AlterColumn, Fill)
"""What makes something of columns."""
_GENERATED: Final = frozenset({"generated_as", "stored"})


class Changes(NamedTuple):
    """What one migration did.

    Args:
        version: The version of the migration: 14 digits. It may be on several branches.
        operations: What it did, in order.
    """

    version: str
    operations: tuple[Operation, ...]


Branch = tuple[Changes, ...]
"""What one branch did since the schema that all of them know, the oldest version first."""


def by_version(branches: Iterable[Branch]) -> list[Changes]:
    """Return the changes of all branches, each once, the oldest version first."""
    return sorted({c.version: c for branch in branches for c in branch}.values())


def replay(base: Schema, order: Iterable[Changes]) -> Schema:
    """Return the schema that changes make, one after the other.

    Args:
        base: What they begin with: the tables that they are to be followed in.
        order: The changes.

    Raises:
        SchemaError: One of them does not fit behind the others.
    """
    tables, stood = dict(base), set(base)
    for operation in _operations(order):
        _take(tables, stood, operation)
    return Schema(tables.values())


def migrated(base: Schema, order: Iterable[Changes]) -> Schema:
    """Return the schema of a database on which migrations were run one after the other.

    Some of them were written for tables that another branch has changed by then. So more is refused
    than in `replay`: what is made of a column that has another name by then, or is gone (SQLite may
    take a name in double quotes for a text), and a table dropped by a migration that does not know
    all of its columns.

    Args:
        base: What is there: the tables that they are to be followed in.
        order: The changes.

    Raises:
        SchemaError: A database would stop at one of them.
    """
    tables, stood = dict(base), set(base)
    known: dict[str, set[str]] = {}
    for operation in _operations(order):
        for table in tables.values():
            known.setdefault(table.name, set()).update(c.name for c in table.columns)
        if isinstance(operation, RenameTable) and operation.old in known:
            known[operation.new] = known[operation.old]
        _refuse_lost(tables, known, operation)
        _refuse_more(tables, operation)
        _take(tables, stood, _as_run(tables, operation))
    return Schema(tables.values())


def _operations(order: Iterable[Changes]) -> Iterator[Operation]:
    for changes in order:
        yield from changes.operations


def _take(tables: dict[str, Table], stood: set[str], operation: Operation) -> None:
    """Change tables as an operation does; one that is not at hand is there for its renames only.

    Args:
        tables: The tables; changed in place.
        stood: The names of those that are or were at hand, but for what another one took since;
            changed in place.
        operation: What is done.
    """
    _refuse_another(tables, operation)
    match operation:
        case RenameTable(old, new) if old not in stood:
            tables[old] = Table(old)
            take(tables, operation)
            del tables[new]
            stood.discard(new)
        case RenameColumn(name, old) if name not in stood:
            tables[name] = Table(name, [Column(old, "text")])
            take(tables, operation)
            del tables[name]
        case _:
            take(tables, operation)
    stood |= tables.keys()


def _refuse_lost(
    tables: Mapping[str, Table], known: Mapping[str, Collection[str]], operation: Operation
) -> None:
    """Refuse what makes something of a column that was there before and is there no more.

    Args:
        tables: The tables as they are.
        known: The names of all columns that they had so far.
        operation: What is done.
    """
    if not isinstance(operation, _MAKES):
        return
    touched = touches(operation)
    needs = {part.folded for part in touched.needs}
    for name, table in tables.items():
        there = {fold(column.name) for column in table.columns}
        lost = [column for column in known.get(name, ()) if fold(column) not in there]
        about = ("table", fold(name), "") in needs
        for column in lost:
            needed = ("column", fold(name), fold(column)) in needs
            if needed or (about and any(mentions(sql, column) for sql in touched.reads)):
                raise SchemaError(f"{describe(operation)} is about {name}.{column}, which is gone")


def _refuse_another(tables: Mapping[str, Table], operation: Operation) -> None:
    """Refuse to change a primary key, or the options, which are others than the migration says."""
    if not isinstance(operation, ChangePrimaryKey | SetOptions) or operation.table not in tables:
        return
    table = tables[operation.table]
    there = table.options if isinstance(operation, SetOptions) else tuple(table.primary_key)
    if there != operation.old:
        raise SchemaError(f"{describe(operation)} of {table.name} comes too late: it was changed")


def _as_run(tables: Mapping[str, Table], operation: Operation) -> Operation:
    """Return what an operation does to a column that another branch has altered meanwhile.

    A database changes those facets in which the migration's two columns differ, and leaves the
    others as they are; how a column is generated is one facet.
    """
    if not isinstance(operation, AlterColumn) or operation.table not in tables:
        return operation
    old, new = operation.old, operation.new
    there = tables[operation.table].column(new.name)
    if there is None or there == old:
        return operation
    changed = {f.name for f in fields(Column) if getattr(old, f.name) != getattr(new, f.name)}
    if changed & _GENERATED:
        changed |= _GENERATED
    column = replace(there, **{name: getattr(new, name) for name in changed})
    return AlterColumn(operation.table, old=there, new=column)


def _refuse_more(tables: Mapping[str, Table], operation: Operation) -> None:
    """Refuse to drop a table that has columns which the migration could not give back."""
    if not isinstance(operation, DropTable) or operation.table not in tables:
        return
    known = {fold(column.name) for column in operation.columns}
    for column in tables[operation.table].columns:
        if fold(column.name) not in known:
            raise SchemaError(
                f"{describe(operation)} {operation.table} does not know its column {column.name}"
            )
