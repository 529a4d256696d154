"""What an operation does to a schema: the model that every database is held against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

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
from ashflow.errors import SchemaError
from ashflow.schema.datatypes import Desc, Key, Sql
from ashflow.schema.sqltext import rename
from ashflow.schema.table import DOMAIN, Column, ForeignKey, Index, Named, Schema, Table, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Tables = dict[str, Table]


def apply(schema: Schema, operation: Operation) -> Schema:
    """Return the schema that an operation makes of a schema.

    Args:
        schema: What is there.
        operation: What is done; what only the database knows (`Execute`, `Run`) changes nothing.

    Raises:
        SchemaError: The operation does not fit: what it needs is not there, or stands already.
    """
    return apply_all(schema, (operation,))


def apply_all(schema: Schema, operations: Iterable[Operation]) -> Schema:
    """Return the schema that operations make of a schema, one after the other.

    Raises:
        SchemaError: One of them does not fit.
    """
    tables = dict(schema)
    for operation in operations:
        take(tables, operation)
    return Schema(tables.values())


def take(tables: Tables, operation: Operation) -> None:
    """Change tables as an operation does.

    Args:
        tables: The tables, by name; changed in place, the tables themselves are new values.
        operation: What is done.

    Raises:
        SchemaError: The operation does not fit.
    """
    match operation:
        case CreateTable(name):
            _absent(name not in tables, f"table {name}", operation)
            tables[name] = operation.definition
        case DropTable(name):
            del tables[_at(tables, name, operation).name]
        case RenameTable(old, new):
            _rename_table(tables, old, new, operation)
        case RenameColumn():
            _rename_column(tables, operation)
        case AddStatement(name):
            table = (
                tables.get(name) or Table(name) if name == DOMAIN else _at(tables, name, operation)
            )
            tables[name] = _plus(table, "statements", operation.statement, operation)
        case DropStatement(name):
            table = _minus(_at(tables, name, operation), "statements", operation.name, operation)
            tables[name] = table
            if name == DOMAIN and not table.statements:
                del tables[name]
        case Fill(name):
            _at(tables, name, operation)
        case Execute() | Run():
            pass
        case _:
            tables[operation.table] = _changed(_at(tables, operation.table, operation), operation)


def _changed(
    table: Table,
    operation: AddColumn
    | DropColumn
    | AlterColumn
    | AddIndex
    | DropIndex
    | AddCheck
    | DropCheck
    | AddForeignKey
    | DropForeignKey
    | ChangePrimaryKey
    | SetOptions,
) -> Table:
    match operation:
        case AddColumn():
            return _add_column(table, operation)
        case DropColumn():
            return _drop_column(table, operation)
        case AlterColumn(new=new):
            _there(table.column(new.name), f"column {table.name}.{new.name}", operation)
            columns = tuple(new if c.name == new.name else c for c in table.columns)
            return replace(table, columns=columns)
        case AddIndex():
            return _plus(table, "indexes", operation.index, operation)
        case DropIndex():
            return _minus(table, "indexes", operation.name, operation)
        case AddCheck():
            return _plus(table, "checks", operation.check, operation)
        case DropCheck():
            return _minus(table, "checks", operation.name, operation)
        case AddForeignKey(_, key):
            return _plus(table, "foreign_keys", key, operation)
        case DropForeignKey(_, key):
            return _minus(table, "foreign_keys", key.name, operation)
        case ChangePrimaryKey(new=new):
            for name in new:
                _there(table.column(name), f"column {table.name}.{name}", operation)
            return replace(table, primary_key=new)
        case SetOptions(new=new):
            return replace(table, options=new)
        case _:
            assert_never(operation)


def _add_column(table: Table, operation: AddColumn) -> Table:
    table = _plus(table, "columns", operation.column.bare, operation)
    key = operation.foreign_key
    return table if key is None else _plus(table, "foreign_keys", key, operation)


def _drop_column(table: Table, operation: DropColumn) -> Table:
    key = operation.foreign_key
    if key is not None:
        table = _minus(table, "foreign_keys", key.name, operation)
    name = operation.column.name
    keyed = [index.name for index in table.indexes if name in index.keys]
    keyed += [key.name for key in table.foreign_keys if name in key.columns]
    keyed += ["the primary key"] if name in table.primary_key else []
    if keyed:
        raise _misfit(operation, f"{', '.join(keyed)} of table {table.name} has column {name}")
    return _minus(table, "columns", name, operation)


def _rename_table(tables: Tables, old: str, new: str, operation: Operation) -> None:
    _absent(new not in tables, f"table {new}", operation)
    table = _at(tables, old, operation)
    del tables[old]
    tables[new] = replace(table, name=new)
    for name, other in tables.items():
        if any(key.table == old for key in other.foreign_keys):
            keys = (replace(k, table=new) if k.table == old else k for k in other.foreign_keys)
            tables[name] = replace(other, foreign_keys=tuple(keys))


def _rename_column(tables: Tables, operation: RenameColumn) -> None:
    table = _at(tables, operation.table, operation)
    old, new = operation.old, operation.new
    _there(table.column(old), f"column {table.name}.{old}", operation)
    _absent(table.column(new) is None, f"column {table.name}.{new}", operation)
    tables[table.name] = _with_column_renamed(table, old, new)
    for name, other in tables.items():
        if any(key.table == table.name and old in key.keys for key in other.foreign_keys):
            keys = tuple(_retargeted(key, table.name, old, new) for key in other.foreign_keys)
            tables[name] = replace(other, foreign_keys=keys)


def _with_column_renamed(table: Table, old: str, new: str) -> Table:
    return replace(
        table,
        columns=tuple(_renamed_column(column, old, new) for column in table.columns),
        primary_key=_renamed(table.primary_key, old, new),
        foreign_keys=tuple(
            replace(key, columns=_renamed(key.columns, old, new)) for key in table.foreign_keys
        ),
        indexes=tuple(_renamed_index(index, old, new) for index in table.indexes),
        checks=tuple(replace(check, sql=rename(check.sql, old, new)) for check in table.checks),
    )


def _renamed(names: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)


def _renamed_column(column: Column, old: str, new: str) -> Column:
    if column.name == old:
        column = replace(column, name=new)
    if column.generated_as is None:
        return column
    return replace(column, generated_as=rename(column.generated_as, old, new))


def _renamed_index(index: Index, old: str, new: str) -> Index:
    where = None if index.where is None else rename(index.where, old, new)
    keys = tuple(_renamed_key(key, old, new) for key in index.keys)
    return replace(index, keys=keys, where=where)


def _renamed_key(key: Key, old: str, new: str) -> Key:
    match key:
        case Desc(inner):
            renamed = _renamed_key(inner, old, new)
            return renamed if isinstance(renamed, Desc) else Desc(renamed)
        case Sql(text):
            return Sql(rename(text, old, new))
        case _:
            return new if key == old else key


def _retargeted(key: ForeignKey, table: str, old: str, new: str) -> ForeignKey:
    return replace(key, keys=_renamed(key.keys, old, new)) if key.table == table else key


def _plus(table: Table, field: str, item: Named, operation: Operation) -> Table:
    items = getattr(table, field)
    _absent(find(items, item.name) is None, f"{item.name} of table {table.name}", operation)
    return _with(table, field, (*items, item))


def _minus(table: Table, field: str, name: str, operation: Operation) -> Table:
    items = getattr(table, field)
    _there(find(items, name), f"{name} of table {table.name}", operation)
    return _with(table, field, tuple(item for item in items if item.name != name))


def _with(table: Table, field: str, items: Any) -> Table:  # noqa: ANN401  (the field's own type)
    return replace(table, **{field: items})


def _at(tables: Tables, name: str, operation: Operation) -> Table:
    _there(tables.get(name), f"table {name}", operation)
    return tables[name]


def _there(found: object | None, what: str, operation: Operation) -> None:
    if found is None:
        raise _misfit(operation, f"{what} is not there")


def _absent(absent: bool, what: str, operation: Operation) -> None:
    if not absent:
        raise _misfit(operation, f"{what} is there already")


def _misfit(operation: Operation, why: str) -> SchemaError:
    return SchemaError(
        f"{type(operation).__name__} does not fit the schema: {why}",
        hint="Put the operations of the migration into an order in which each one fits.",
    )
