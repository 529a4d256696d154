"""Whether a database takes an operation, as far as the tables can tell: for runs that are folded.

What is folded is never in the state between two migrations. So nothing may be folded that the
database could refuse there, or understand in another way than the model: SQL that is dropped again
is never compiled, and a name in another spelling is the same name to SQLite alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

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
    Execute,
    Fill,
    Operation,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
)
from ashflow.schema.datatypes import Sql
from ashflow.schema.sqltext import fold, mentions
from ashflow.schema.table import index_mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ashflow.schema.table import Column, ForeignKey, Table

    Tables = Mapping[str, Table]


def surely_fits(tables: Tables, operation: Operation, *, alone: bool) -> bool:
    """Whether a database takes an operation on tables that are empty, without any doubt.

    Args:
        tables: The tables that the run has made, by name.
        operation: What is done.
        alone: Whether nothing else is in the database that may refer to them.
    """
    match operation:
        case CreateTable():
            return _is_free(operation.table, _names(tables)) and _is_sound(
                operation.definition, tables
            )
        case DropTable(name):
            there = alone and name in tables
            return there and not _is_needed(name, tables) and _is_plain(tables[name])
        case RenameTable(old, new):
            return alone and old in tables and _is_free(new, _names(tables))
        case RenameColumn(name, old, new):
            return (
                alone
                and name in tables
                and tables[name].column(old) is not None
                and _is_free(new, _columns(tables[name]))
            )
        case AddStatement() | DropStatement() | Execute() | Run() | Fill():
            return False
        case ChangePrimaryKey() | SetOptions() | DropCheck():
            return False
        case _:
            table = tables.get(operation.table)
            return table is not None and _changes_well(table, operation, tables)


def _changes_well(
    table: Table,
    operation: AddColumn
    | DropColumn
    | AlterColumn
    | AddIndex
    | DropIndex
    | AddCheck
    | AddForeignKey
    | DropForeignKey,
    tables: Tables,
) -> bool:
    match operation:
        case AddColumn(_, column):
            key = operation.foreign_key
            return _is_free(column.name, _columns(table)) and (key is None or _is_key(key, tables))
        case DropColumn(_, column):
            plain = not (_has_sql(column) or table.options.strict)
            return plain and not _is_read(table, column.name)
        case AlterColumn(old=old, new=new):
            plain = not (_has_sql(old) or _has_sql(new) or table.options.strict)
            return plain and old.name not in table.primary_key
        case AddIndex():
            index = operation.index
            return _is_free(index.name, _names(tables)) and _has_all(table, index.columns)
        case DropIndex():
            return not operation.index.texts
        case AddCheck():
            return True
        case AddForeignKey(_, key):
            return _has_all(table, key.columns) and _is_key(key, tables)
        case DropForeignKey():
            return True
        case _:
            assert_never(operation)


_folded = lru_cache(maxsize=10_000)(fold)  # each name is held against all others


def _is_free(name: str, taken: Iterable[str]) -> bool:
    return _folded(name) not in map(_folded, taken)


def _names(tables: Tables) -> Iterable[str]:
    """Yield the names that tables and indexes have, which are of one kind to SQLite."""
    for name, table in tables.items():
        yield name
        yield from (index.name for index in table.indexes)


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _has_all(table: Table, names: Iterable[str]) -> bool:
    return all(table.column(name) is not None for name in names)


def _is_sound(table: Table, tables: Tables) -> bool:
    """Whether all that a new table names is there, in the same spelling."""
    names = [fold(name) for name in _columns(table)]
    own = len(set(names)) == len(names) and _has_all(table, table.primary_key)
    keys = (_is_spelled(key, {**tables, table.name: table}) for key in table.foreign_keys)
    return own and all(keys) and all(_has_all(table, index.columns) for index in table.indexes)


def _is_spelled(key: ForeignKey, tables: Tables) -> bool:
    """Whether a foreign key refers to what is there by its very name, or to what is not there."""
    target = tables.get(key.table)
    return _is_free(key.table, tables) if target is None else _has_all(target, key.keys)


def _is_key(key: ForeignKey, tables: Tables) -> bool:
    """Whether a foreign key refers to the primary key of a table, or to a unique index of it."""
    target = tables.get(key.table)
    if target is None:
        return False
    wanted = set(key.keys)
    unique = (index for index in target.indexes if index.unique and not index.texts)
    return set(target.primary_key) == wanted or any(set(i.columns) == wanted for i in unique)


def _is_needed(name: str, tables: Tables) -> bool:
    others = (table for table in tables.values() if table.name != name)
    return any(key.table == name for table in others for key in table.foreign_keys)


def _has_sql(column: Column) -> bool:
    words = column.generated_as is not None or isinstance(column.default, Sql)
    return words or column.collate is not None or column.type.startswith("raw:")


def _is_plain(table: Table) -> bool:
    """Whether nothing of a table is SQL, which only the database can judge."""
    return not (
        table.checks
        or table.options.strict
        or any(map(_has_sql, table.columns))
        or any(index.texts for index in table.indexes)
    )


def _is_read(table: Table, column: str) -> bool:
    """Whether SQL of a table reads a column."""
    texts = [check.sql for check in table.checks]
    texts += [other.generated_as for other in table.columns if other.generated_as is not None]
    computed = any(index_mentions(index, column) for index in table.indexes)
    return computed or any(mentions(text, column) for text in texts)
