"""Two schemas, and the answers to what is a rename: the operations that lead from one to the other.

The operations are found phase by phase, each on the schema that the phases before it have made:
first what stands in the way goes, then things are renamed, then what is new comes. Every operation
fits the schema at its place, so the list can be run one by one, and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ashflow.change.apply import apply_all
from ashflow.change.dependents import along_with, follows
from ashflow.change.join import Came, Fate, Stayed, Went, gone, join
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Operation,
    SetOptions,
)
from ashflow.change.order import creation_order, reading_order
from ashflow.change.renames import Renames
from ashflow.change.sequence import rename_columns, rename_tables
from ashflow.schema.sqltext import fold, mentions
from ashflow.schema.table import (
    DOMAIN,
    Column,
    ForeignKey,
    Schema,
    Statement,
    Table,
    find,
    index_mentions,
)

Phase = Callable[[Schema, Schema, Renames], Iterator[Operation]]
Place = tuple[str, str]
"""A column, by its table."""

NO_RENAMES = Renames()


def diff(old: Schema, new: Schema, renames: Renames = NO_RENAMES) -> tuple[Operation, ...]:
    """Return the operations that make one schema of another.

    Args:
        old: What is there.
        new: What is wanted.
        renames: What of it is there under another name; all else that is missing goes.

    Returns:
        Operations such that `apply_all(old, operations) == new`; none where the two are equal.
    """
    found: list[Operation] = []
    current = old
    for phase in PHASES:
        step = tuple(phase(current, new, renames))
        current = apply_all(current, step)
        found += step
    return tuple(found)


def renamed(schema: Schema, renames: Renames) -> Schema:
    """Return a schema as it were if it were only renamed; what a rename takes the name of is gone.

    Args:
        schema: What is there.
        renames: What of it gets another name.
    """
    if not renames:
        return schema
    taken = {fold(name) for name in renames.tables.values()}
    clear = Schema(
        replace(table, columns=tuple(gone(table.columns, _clashing(table, None, renames))))
        for table in schema.values()
        if fold(table.name) not in taken or table.name in renames.tables
    )
    return apply_all(clear, _renaming(clear, renames))


def _drop_statements(current: Schema, new: Schema, renames: Renames) -> Iterator[Operation]:
    """Drop those that go or change, and before them what goes with them and comes back."""
    found = list(_statements_gone(current, new, renames))
    for name, statement in (*along_with(found, current), *found):
        yield DropStatement(name, statement.name, up=statement.up, down=statement.down)


def _statements_gone(
    current: Schema, new: Schema, renames: Renames
) -> Iterator[tuple[str, Statement]]:
    for name, table in reversed(tuple(current.items())):
        target = new.get(renames.tables.get(name, name))
        after = [s for s in target.statements if not follows(s, renames)] if target else ()
        for statement in reversed(tuple(gone(table.statements, after))):
            yield name, statement


def _drop_constraints(current: Schema, new: Schema, renames: Renames) -> Iterator[Operation]:
    """Drop what is no more or is another: it is put back when the columns are as they shall be."""
    as_renamed = renamed(current, renames)
    going = _going(current, new, renames)
    yield from _open_circles(going)
    taken = _taken(current, new, renames)
    for name, table in current.items():
        will_be = renames.tables.get(name, name)
        stays = table not in going and will_be in new
        if stays and (taken or as_renamed[will_be] != new[will_be]):
            yield from _constraints_gone(table, as_renamed[will_be], new[will_be], taken)


def _taken(current: Schema, new: Schema, renames: Renames) -> set[Place]:
    """Return the columns that go and whose name, or whose table's name, another one takes."""
    replaced = {fold(name) for name in renames.tables.values()}
    going = (table for table in _going(current, new, renames) if fold(table.name) in replaced)
    found = {(table.name, column.name) for table in going for column in table.columns}
    for name, table in current.items():
        clashing = _clashing(table, new.get(renames.tables.get(name, name)), renames)
        found |= {(name, column.name) for column in clashing}
    return found


def _clashing(table: Table, target: Table | None, renames: Renames) -> tuple[Column, ...]:
    """Return the columns that go and whose name another one takes, or has in another case.

    Args:
        table: The table as it is.
        target: The table as it shall be; None: nothing comes.
        renames: What gets another name.
    """
    pairs = renames.columns_of(table.name)
    stay = {column.name for column in table.columns} - set(pairs)
    coming = [c.name for c in target.columns if c.name not in stay] if target else []
    taken = {fold(name) for name in (*pairs.values(), *coming)}
    return tuple(c for c in table.columns if c.name not in pairs and fold(c.name) in taken)


def _open_circles(going: tuple[Table, ...]) -> Iterator[Operation]:
    """Drop the foreign keys that keep tables which all go from going one after the other."""
    ordered = {table.name: table for table in creation_order(going)}
    for table in going:
        for key in gone(table.foreign_keys, ordered[table.name].foreign_keys):
            yield DropForeignKey(table.name, key)


def _constraints_gone(
    table: Table, renamed: Table, target: Table, taken: set[Place]
) -> Iterator[Operation]:
    for key, key_after in zip(table.foreign_keys, renamed.foreign_keys, strict=True):
        stays = find(target.foreign_keys, key_after.name) == key_after
        ends = {(table.name, name) for name in key.columns} | {(key.table, n) for n in key.keys}
        if not (stays and taken.isdisjoint(ends)) and not _goes_with(renamed, key_after, target):
            yield DropForeignKey(table.name, key)
    own = {column for name, column in taken if name == table.name}
    for index, index_after in zip(table.indexes, renamed.indexes, strict=True):
        stays = find(target.indexes, index_after.name) == index_after
        if not stays or any(index_mentions(index, name) for name in own):
            yield DropIndex(
                table.name, index.keys, name=index.name, unique=index.unique, where=index.where
            )
    for check, check_after in zip(table.checks, renamed.checks, strict=True):
        stays = find(target.checks, check_after.name) == check_after
        if not stays or any(mentions(check.sql, name) for name in own):
            yield DropCheck(table.name, check.sql, name=check.name)


def _goes_with(table: Table, key: ForeignKey, target: Table) -> bool:
    """Whether a foreign key goes with its only column, in one operation."""
    return (
        len(key.columns) == 1
        and sum(other.columns == key.columns for other in table.foreign_keys) == 1
        and table.column(key.columns[0]) is not None
        and target.column(key.columns[0]) is None
    )


def _drop_tables(current: Schema, new: Schema, renames: Renames) -> Iterator[Operation]:
    for table in reversed(creation_order(_going(current, new, renames))):
        yield DropTable.of(table)


def _going(current: Schema, new: Schema, renames: Renames) -> tuple[Table, ...]:
    return tuple(
        table
        for name, table in current.items()
        if name != DOMAIN and name not in renames.tables and not _wanted(name, new, renames)
    )


def _wanted(name: str, new: Schema, renames: Renames) -> bool:
    return name in new and name not in renames.tables.values()


def _make_way(current: Schema, new: Schema, renames: Renames) -> Iterator[Operation]:
    """Drop the columns whose name another one takes."""
    for name, table in current.items():
        clashing = _clashing(table, new.get(renames.tables.get(name, name)), renames)
        if any(column.name in table.primary_key for column in clashing):
            if table.options.without_rowid:  # no table is that without a key
                loose = replace(table.options, without_rowid=False)
                yield SetOptions(name, old=table.options, new=loose)
            yield ChangePrimaryKey(name, old=table.primary_key, new=())
        for column in gone(_computed_from(clashing, table), clashing):
            written = replace(column, generated_as=None, stored=False, nullable=True)
            yield AlterColumn(name, old=column, new=written)
        for column in clashing:
            yield _drop_column(table, column)


def _computed_from(columns: tuple[Column, ...], table: Table) -> Iterator[Column]:
    for column in table.columns:
        text = column.generated_as
        if text is not None and any(mentions(text, read.name) for read in columns):
            yield column


def _drop_column(table: Table, column: Column) -> DropColumn:
    own = [key for key in table.foreign_keys if key.columns == (column.name,)]
    references = own[0].inline(table.name) if len(own) == 1 else None
    return DropColumn(table.name, replace(column, references=references))


def _rename(current: Schema, _new: Schema, renames: Renames) -> Iterator[Operation]:
    yield from _renaming(current, renames)


def _renaming(current: Schema, renames: Renames) -> Iterator[Operation]:
    present = {old: new for old, new in renames.tables.items() if old in current}
    yield from rename_tables(present, current)
    for old, columns in renames.columns.items():
        if old in current:
            names = [column.name for column in current[old].columns]
            yield from rename_columns(renames.tables.get(old, old), columns, names)


def _create_tables(current: Schema, new: Schema, _renames: Renames) -> Iterator[Operation]:
    coming = [t for name, t in new.items() if name not in current and name != DOMAIN]
    for table in creation_order(coming):
        yield CreateTable.of(table, indexes=False)


def _change_columns(current: Schema, new: Schema, _renames: Renames) -> Iterator[Operation]:
    for table, target in _changed(current, new):
        same = table.columns is target.columns  # as in a table that was just made
        fates = () if same else tuple(join(table.columns, target.columns))
        for column in reading_order(_came_or_changed(fates)):
            before = table.column(column.name)
            if before is None:
                yield AddColumn(table.name, _with_key(column, table, target, current))
            else:
                yield AlterColumn(table.name, old=before, new=column)
        if table.primary_key != target.primary_key:
            yield ChangePrimaryKey(table.name, old=table.primary_key, new=target.primary_key)
        for fate in fates:
            match fate:
                case Went(column):
                    yield _drop_column(table, column)
        if table.options != target.options:
            yield SetOptions(table.name, old=table.options, new=target.options)


def _came_or_changed(fates: Iterable[Fate[Column]]) -> Iterator[Column]:
    for fate in fates:
        match fate:
            case Came(column):
                yield column
            case Stayed(before, after) if before != after:
                yield after


def _with_key(column: Column, table: Table, target: Table, current: Schema) -> Column:
    """Return a new column with its foreign key, where what it refers to stands already."""
    own = [key for key in target.foreign_keys if key.columns == (column.name,)]
    if len(own) != 1 or find(table.foreign_keys, own[0].name) is not None:
        return column
    referred = current.get(own[0].table)
    if referred is not None and any(referred.column(name) is None for name in own[0].keys):
        return column
    return replace(column, references=own[0].inline(table.name))


def _add_constraints(current: Schema, new: Schema, _renames: Renames) -> Iterator[Operation]:
    for table, target in _changed(current, new):
        for check in gone(target.checks, table.checks):
            yield AddCheck(table.name, check.sql, name=check.name)
        for key in gone(target.foreign_keys, table.foreign_keys):
            yield AddForeignKey(table.name, key)
        for index in gone(target.indexes, table.indexes):
            yield AddIndex(
                table.name, index.keys, name=index.name, unique=index.unique, where=index.where
            )


def _add_statements(current: Schema, new: Schema, _renames: Renames) -> Iterator[Operation]:
    for name, target in new.items():
        table = current.get(name)
        for statement in gone(target.statements, table.statements if table else ()):
            yield AddStatement(name, statement.name, up=statement.up, down=statement.down)


def _changed(current: Schema, new: Schema) -> Iterator[tuple[Table, Table]]:
    for name, table in current.items():
        target = new.get(name)
        if target is not None and table != target:
            yield table, target


PHASES: tuple[Phase, ...] = (
    _drop_statements,
    _drop_constraints,
    _drop_tables,
    _make_way,
    _rename,
    _create_tables,
    _change_columns,
    _add_constraints,
    _add_statements,
)
