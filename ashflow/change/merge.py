"""Put together what branches did to one schema, each without the others.

What they did goes together where it comes to the same whatever the order, and what it comes to is
sound. Only then is nobody's work lost without a word, and only then does it matter to no database
in which order it gets the migrations.
"""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations, permutations, product
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
from ashflow.change.touches import clash, touches
from ashflow.errors import SchemaError
from ashflow.schema.flaws import flaws
from ashflow.schema.sqltext import fold, mentions
from ashflow.schema.table import Column, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

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


class Conflict(NamedTuple):
    """Why branches do not go together.

    Args:
        part: What they do not agree about, in words.
        left: The version on one branch.
        right: The version on another.
        deeds: The two operations that clash; None where only the whole shows it.
    """

    part: str
    left: str
    right: str
    deeds: tuple[Operation, Operation] | None = None


def merge(base: Schema, branches: Sequence[Branch]) -> Schema | Conflict:
    """Return the schema that has the changes of all branches, whichever comes first.

    Args:
        base: What all of them began with: the tables that they are to be followed in. Renames of
            other tables count where foreign keys follow them.
        branches: What each of them did; two at least.

    Returns:
        The merged schema, its columns in order of version; or what the branches clash over.
    """
    merged = _or_none(base, by_version(branches))
    if merged is None or _new_flaws(base, branches, merged):
        return _conflict(branches)
    if any(_or_none(base, order) != merged for order in _one_by_one(branches)):
        return _conflict(branches)
    return merged


def in_order(base: Schema, branches: Sequence[Branch]) -> Schema:
    """Return the schema that the migrations of all branches make in order of version.

    Args:
        base: What all of them began with.
        branches: What each of them did.

    Raises:
        SchemaError: No database can run them one after the other.
    """
    made = replay(base, by_version(branches), whole=True)
    if found := sorted(_new_flaws(base, branches, made)):
        raise SchemaError(f"what they make together is no table: {found[0]}")
    return made


def replay(base: Schema, order: Iterable[Changes], *, whole: bool = False) -> Schema:
    """Return the schema that changes make, one after the other.

    Args:
        base: What they begin with: the tables that they are to be followed in.
        order: The changes.
        whole: Whether that is refused too which no database does, though the tables could have it:
            what is made of a column that has another name by then, or is gone (SQLite may take a
            name in double quotes for a text), and a table dropped by a migration that does not know
            all of its columns.

    Raises:
        SchemaError: One of them does not fit behind the others.
    """
    tables = dict(base)
    stood = set(tables)
    known: dict[str, set[str]] = {}
    for operation in (operation for changes in order for operation in changes.operations):
        if whole:
            for table in tables.values():
                known.setdefault(table.name, set()).update(c.name for c in table.columns)
            if isinstance(operation, RenameTable) and operation.old in known:
                known[operation.new] = known[operation.old]
            _refuse_lost(tables, known, operation)
            _refuse_more(tables, operation)
            operation = _as_run(tables, operation)
        _refuse_another_key(tables, operation)
        _take(tables, operation, stood)
        stood |= tables.keys()
    return Schema(tables.values())


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


def _refuse_another_key(tables: Mapping[str, Table], operation: Operation) -> None:
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


def by_version(branches: Iterable[Branch]) -> list[Changes]:
    """Return the changes of all branches, each once, the oldest version first."""
    return sorted({c.version: c for branch in branches for c in branch}.values())


def _one_by_one(branches: Sequence[Branch]) -> Iterator[list[Changes]]:
    """Yield orders in which each branch comes as a whole, and each before each other one."""
    for first in permutations(branches, 2):
        rest = [branch for branch in branches if branch not in first]
        yield list({c.version: c for branch in (*first, *rest) for c in branch}.values())


def _or_none(base: Schema, order: Iterable[Changes]) -> Schema | None:
    try:
        return replay(base, order)
    except SchemaError:
        return None


def _take(tables: dict[str, Table], operation: Operation, stood: set[str]) -> None:
    """Change tables as an operation does; one that is not at hand is there for its renames only.

    Args:
        tables: The tables.
        operation: What is done.
        stood: The names of those that are or were at hand, but for what another one took since.
    """
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


def _new_flaws(base: Schema, branches: Sequence[Branch], merged: Schema) -> frozenset[str]:
    """Return the flaws of the whole that no branch has alone."""
    alone = [base, *(_or_none(base, branch) or base for branch in branches)]
    known = {
        column.name for schema in alone for table in schema.values() for column in table.columns
    }
    stood = {flaw for schema in alone for table in schema.values() for flaw in flaws(table)}
    return frozenset(flaw for table in merged.values() for flaw in flaws(table, known) - stood)


def _conflict(branches: Sequence[Branch]) -> Conflict:
    """Return the first clash of two branches; of what both have, neither can be to blame."""
    for left, right in combinations(branches, 2):
        for ours in (changes for changes in left if changes not in right):
            for theirs in (changes for changes in right if changes not in left):
                for deeds in product(ours.operations, theirs.operations):
                    if (part := clash(*deeds)) is not None:
                        return Conflict(str(part), ours.version, theirs.version, deeds)
    return Conflict("the table as a whole", branches[0][-1].version, branches[1][-1].version)
