"""What a table of the database has that nothing which is written down tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.operations import AddStatement, CreateTable, DropTable, Execute, Opaque
from ashflow.schema.sqltext import fold, mentions
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ashflow.change.operations import Operation
    from ashflow.schema.table import Named, Table


class Stranger(NamedTuple):
    """Something in a table that no snapshot tells of: its kind, and its name."""

    kind: str
    name: str


def changed_tables(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the tables that operations change and that stood before them, in order."""
    made: set[str] = set()
    found: dict[str, None] = {}
    for operation in operations:
        if isinstance(operation, Opaque) or operation.table == DOMAIN:
            continue
        if isinstance(operation, CreateTable):
            made.add(operation.table)
        elif isinstance(operation, DropTable):
            found.pop(operation.table, None)
        elif operation.table not in made:
            found[operation.table] = None
    return tuple(found)


def _own_sql(operations: Iterable[Operation]) -> str:
    texts = (
        sql
        for operation in operations
        if isinstance(operation, Execute | AddStatement)
        for sql in operation.up
    )
    return "\n".join(texts)


def strangers(known: Table, there: Table) -> tuple[Stranger, ...]:
    """Return what is in the database and in no snapshot.

    Args:
        known: The table as its newest snapshot has it.
        there: The table as it stands in the database.
    """
    kinds = (
        ("column", known.columns, there.columns),
        ("index", known.indexes, there.indexes),
        ("check", known.checks, there.checks),
        ("foreign key", known.foreign_keys, there.foreign_keys),
        ("trigger", known.statements, there.statements),
    )
    return tuple(
        Stranger(kind, name) for kind, ours, theirs in kinds for name in _new_names(ours, theirs)
    )


def unwritten(found: Iterable[Stranger], operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return those strangers, in words, that no SQL of the user has made.

    Args:
        found: The strangers.
        operations: All that was applied.
    """
    written = _own_sql(operations)
    return tuple(f"{one.kind} {one.name}" for one in found if not mentions(written, one.name))


def _new_names(ours: Iterable[Named], theirs: Iterable[Named]) -> Iterator[str]:
    names = {fold(one.name) for one in ours}
    return (one.name for one in theirs if fold(one.name) not in names)
