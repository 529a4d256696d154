"""Operations as steps of SQLite: its own ALTER TABLE where that is right, else one rebuild a table.

Between two operations whose effect only the database knows, all others are taken together: the old
indexes go first, every table is changed once, the new indexes come last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.alter import Change, change_of, constant, edited, touches
from ashflow.adapters.sqlite.definition import definition_of
from ashflow.adapters.sqlite.edit import mentions_in
from ashflow.adapters.sqlite.in_place import edit_in_place, leaves_rows
from ashflow.adapters.sqlite.rebuild import fill_text, rebuild
from ashflow.adapters.sqlite.renaming import renamed
from ashflow.adapters.sqlite.spell import (
    column_text,
    index_text,
    references_text,
    table_text,
)
from ashflow.adapters.sqlite.steps import Call, Do, Remake, Step, Theirs
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    AddStatement,
    AlterColumn,
    CreateTable,
    DropColumn,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    Operation,
    RenameColumn,
    RenameTable,
    Run,
)
from ashflow.errors import MigrationFailed, SchemaError
from ashflow.schema.sqltext import fold, mentions, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.adapters.sqlite.catalog import Catalog, TableFacts
    from ashflow.schema.table import Column, Index

Alone = RenameTable | RenameColumn | AddStatement | DropStatement | Execute | Run
"""The operations that are run where they stand: after them the catalog has to be read anew."""


@dataclass(frozen=True, slots=True)
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
        return isinstance(self.operations[0], AddStatement | DropStatement | Execute | Run)


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


def statements(catalog: Catalog, stretch: Stretch, *, anew: bool = False) -> Iterator[Step]:
    """Yield the steps of a stretch, in order.

    Args:
        catalog: What the database says of the tables that the stretch reads.
        stretch: The operations.
        anew: Whether a table is made anew also where its stored definition could be edited.

    Raises:
        SchemaError: An operation does not fit what is there.
    """
    first = stretch.operations[0]
    if isinstance(first, Alone):
        yield from _alone(first, catalog)
        return
    sorted_ = _sorted(stretch.operations)
    for index_name in sorted_.index_drops.values():
        yield Do(f"DROP INDEX {quote(index_name)}")
    for name, operations in sorted_.tables.items():
        known = catalog.without_indexes(sorted_.index_drops)
        yield from _table(known, name, operations, anew=anew)
    for table, index in sorted_.index_adds.values():
        if index.unique and fold(table) not in sorted_.made:
            yield guards.unique(table, index)
        yield Do(index_text(table, index))


def _alone(operation: Alone, catalog: Catalog) -> Iterator[Step]:
    match operation:
        case RenameTable() | RenameColumn():
            yield from renamed(operation, catalog.broken)
        case AddStatement(up=sqls) | DropStatement(down=sqls) | Execute(up=sqls):
            yield from (Theirs(sql) for sql in sqls)
        case Run(up=function):
            if isinstance(function, str):
                raise MigrationFailed(
                    f"the function {function} cannot be run: the file that has it is not here",
                    hint="Bring the migration's file back; the database keeps no Python.",
                )
            yield Call(function)


@dataclass(slots=True)
class _Sorted:
    """The operations of a stretch by what they are on; names in small letters."""

    tables: dict[str, list[Operation]] = field(default_factory=dict)
    index_drops: dict[str, str] = field(default_factory=dict)
    index_adds: dict[str, tuple[str, Index]] = field(default_factory=dict)
    index_tables: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)


def _sorted(operations: Sequence[Operation]) -> _Sorted:
    found = _Sorted()
    for operation in operations:
        match operation:
            case AddIndex(table):
                found.index_adds[fold(operation.name)] = (table, operation.index)
            case DropIndex(table):
                _drop_index(found, table, operation.name)
            case CreateTable(table):
                found.tables.setdefault(fold(table), []).append(operation)
                found.made.add(fold(table))
                for index in operation.indexes:
                    found.index_adds[fold(index.name)] = (table, index)
            case DropTable(table):
                found.tables.setdefault(fold(table), []).append(operation)
                _drop_indexes_of(found, table)
            case Execute() | Run():
                continue  # in a stretch of their own
            case _:
                found.tables.setdefault(fold(operation.table), []).append(operation)
    return found


def _drop_index(found: _Sorted, table: str, name: str) -> None:
    """Take an index away: one that came in this stretch is simply not made."""
    if found.index_adds.pop(fold(name), None) is None:
        found.index_drops[fold(name)] = name
        found.index_tables[fold(name)] = fold(table)


def _drop_indexes_of(found: _Sorted, table: str) -> None:
    """Forget the indexes of a table that goes: they go with it."""
    for name, (on, _) in list(found.index_adds.items()):
        if fold(on) == fold(table):
            del found.index_adds[name]
    for name, of in list(found.index_tables.items()):
        if of == fold(table):
            del found.index_drops[name], found.index_tables[name]


def _table(
    catalog: Catalog, name: str, operations: list[Operation], *, anew: bool
) -> Iterator[Step]:
    """Yield the steps of one table: it goes, it comes, or it is altered."""
    whole = [op for op in operations if isinstance(op, CreateTable | DropTable)]
    if not whole:
        yield from _altered(catalog, name, operations, anew=anew)
        return
    if isinstance(whole[0], DropTable):
        _refuse_strangers(catalog.table(name), whole[0])
        yield Do(f"DROP TABLE {quote(whole[0].table)}")
    if isinstance(whole[-1], CreateTable):
        made, after = whole[-1].definition, operations[operations.index(whole[-1]) + 1 :]
        yield Do(edited(definition_of(made), after).text if after else table_text(made))


def _refuse_strangers(facts: TableFacts, drop: DropTable) -> None:
    """Refuse to drop a table with a column that the migration does not know."""
    known = {fold(column.name) for column in drop.columns}
    strangers = [name for name in facts.columns if fold(name) not in known]
    if strangers:
        raise SchemaError(
            f"{facts.name} cannot be dropped: it has a column that the migration does not know, "
            f"{', '.join(strangers)}",
            hint="Somebody added it by hand. Where it may go, drop it first: "
            f"ALTER TABLE {quote(facts.name)} DROP COLUMN {quote(strangers[0])}",
        )


def _altered(
    catalog: Catalog, name: str, operations: list[Operation], *, anew: bool
) -> Iterator[Step]:
    altering = [operation for operation in operations if touches(operation)]
    if not altering:
        yield from (_fill(op) for op in operations if isinstance(op, Fill))
        return
    change = change_of(catalog.table(name), operations)
    if not change.changes_text:
        yield from (_fill(op) for op in operations if isinstance(op, Fill))
    elif not _many_drops(altering) and all(_native(catalog, change, op) for op in altering):
        yield from _natively(change, operations)
    elif leaves_rows(change) and not anew:
        yield from edit_in_place(change, catalog)
    else:
        yield from rebuild(change, catalog)


def _many_drops(operations: list[Operation]) -> bool:
    """Whether several columns go: SQLite writes all rows anew for each, a rebuild does so once."""
    return sum(isinstance(operation, DropColumn) for operation in operations) > 1


def _natively(change: Change, operations: list[Operation]) -> Iterator[Step]:
    steps = tuple(step for op in operations for step in _own_words(change, op))
    drops = any(isinstance(operation, DropColumn) for operation in operations)
    yield from (Remake(change.table, None, steps),) if drops else steps


def _own_words(change: Change, operation: Operation) -> Iterator[Step]:
    """Yield SQLite's own statement for an operation."""
    match operation:
        case AddColumn(_, column):
            text = column_text(column, strict=change.old.options.strict)
            key = operation.foreign_key
            if key is not None:
                text += f" CONSTRAINT {quote(key.name)} {references_text(key)}"
            yield Do(f"ALTER TABLE {quote(change.table)} ADD COLUMN {text}")
        case DropColumn(_, column):
            yield Do(f"ALTER TABLE {quote(change.table)} DROP COLUMN {quote(column.name)}")
        case Fill():
            yield _fill(operation)


def _fill(fill: Fill) -> Step:
    return Do(fill_text(fill.table, fill.column, fill.sql))


def _native(catalog: Catalog, change: Change, operation: Operation) -> bool:
    """Whether SQLite's own ALTER TABLE does it, whatever rows there are.

    Decided from the schema and never by trying: SQLite accepts on an empty table some that it
    refuses with one row (https://www.sqlite.org/lang_altertable.html#altertabaddcol).
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
