"""Operations as steps of SQLite: its own ALTER TABLE where that is right, else one rebuild a table.

Between two operations whose effect only the database knows, all others are taken together: the old
indexes go first, every table is changed once, the new indexes come last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ashflow.adapters.sqlite import guards
from ashflow.adapters.sqlite.alter import change_of, edited, touches
from ashflow.adapters.sqlite.definition import definition_of
from ashflow.adapters.sqlite.in_place import edit_in_place, leaves_rows
from ashflow.adapters.sqlite.native import filled, is_native, many_drops, natively
from ashflow.adapters.sqlite.rebuild import rebuild
from ashflow.adapters.sqlite.renaming import renamed
from ashflow.adapters.sqlite.spell import index_text, table_text
from ashflow.adapters.sqlite.steps import Call, Do, Step, Theirs
from ashflow.adapters.sqlite.stretches import Alone, Stretch
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
from ashflow.schema.datatypes import undirected
from ashflow.schema.sqltext import fold, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.adapters.sqlite.catalog import Catalog, TableFacts
    from ashflow.schema.table import Index


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
    early = [name for name in sorted_.index_adds if _is_counted_first(sorted_, name)]
    for name in early:
        yield guards.unique(*sorted_.index_adds[name])
    for index_name in sorted_.index_drops.values():
        yield Do(f"DROP INDEX {quote(index_name)}")
    known = catalog.without_indexes(sorted_.index_drops)
    for name, operations in sorted_.tables.items():
        yield from _table(known, name, operations, anew=anew)
    for name, (table, index) in sorted_.index_adds.items():
        if index.unique and fold(table) not in sorted_.made and name not in early:
            yield guards.unique(table, index)
        yield Do(index_text(table, index))


def _is_counted_first(found: _Sorted, name: str) -> bool:
    """Whether rows that forbid a unique index can be counted before its table is changed."""
    table, index = found.index_adds[name]
    if not index.unique or fold(table) in found.made or index.where is not None:
        return False
    changed = set()
    for operation in found.tables.get(fold(table), ()):
        match operation:
            case AddColumn(_, column) | DropColumn(_, column) | AlterColumn(new=column):
                changed.add(fold(column.name))
            case Fill(column=filled):
                changed.add(fold(filled))
            case CreateTable() | DropTable():
                return False
    keys = [undirected(key) for key in index.keys]
    return all(isinstance(key, str) and fold(key) not in changed for key in keys)


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
        before = operations[: operations.index(whole[0])]
        _refuse_strangers(catalog.table(name), whole[0], before)
        yield Do(f"DROP TABLE {quote(whole[0].table)}")
    if isinstance(whole[-1], CreateTable):
        made, after = whole[-1].definition, operations[operations.index(whole[-1]) + 1 :]
        yield Do(edited(definition_of(made), after).text if after else table_text(made))


def _refuse_strangers(facts: TableFacts, drop: DropTable, before: Sequence[Operation]) -> None:
    """Refuse to drop a table with a column that the migration does not know.

    Args:
        facts: The table as it stands.
        drop: What drops it.
        before: What the same stretch does to it before that: columns that go with the table.
    """
    gone = (operation.column for operation in before if isinstance(operation, DropColumn))
    known = {fold(column.name) for column in (*drop.columns, *gone)}
    strangers = [name for name in facts.columns if fold(name) not in known]
    if strangers:
        raise SchemaError(
            f"{facts.name} cannot be dropped: it has a column that the migration does not know, "
            f"{', '.join(strangers)}",
            hint="Somebody added it by hand, or on another branch. Where it may go, drop it first: "
            f"ALTER TABLE {quote(facts.name)} DROP COLUMN {quote(strangers[0])}",
        )


def _altered(
    catalog: Catalog, name: str, operations: list[Operation], *, anew: bool
) -> Iterator[Step]:
    altering = [operation for operation in operations if touches(operation)]
    if not altering:
        yield from (filled(op) for op in operations if isinstance(op, Fill))
        return
    change = change_of(catalog.table(name), operations)
    if not change.changes_text:
        yield from (filled(op) for op in operations if isinstance(op, Fill))
    elif not many_drops(altering) and all(is_native(catalog, change, op) for op in altering):
        yield from natively(change, operations)
    elif leaves_rows(change) and not anew:
        yield from edit_in_place(change, catalog)
    else:
        yield from rebuild(change, catalog)
