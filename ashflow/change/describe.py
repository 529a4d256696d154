"""An operation in the user's words, and a name for a migration."""

from __future__ import annotations

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
    function_name,
)
from ashflow.schema.datatypes import Desc, Key, Sql
from ashflow.schema.table import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.schema.table import Column, ForeignKey, Options


def describe(operation: Operation) -> str:
    """Return what an operation does, in a few words, without the name of its table."""
    match operation:
        case CreateTable(columns=columns):
            return f"create table with {_count(len(columns), 'column')}"
        case DropTable():
            return "drop table"
        case RenameTable(old, new):
            return f"rename table {old} to {new}"
        case AddColumn(_, column):
            return f"add column {_column(column)}"
        case DropColumn(_, column):
            return f"drop column {column.name}"
        case RenameColumn(_, old, new):
            return f"rename column {old} to {new}"
        case AlterColumn(old=before, new=after):
            return f"alter column {after.name}: {', '.join(_alterations(before, after))}"
        case AddIndex():
            return f"add {_index(operation)}"
        case DropIndex():
            return f"drop {_index(operation)}"
        case AddCheck(_, sql):
            return f"add check {operation.name}: {sql}"
        case DropCheck():
            return f"drop check {operation.name}"
        case AddForeignKey(_, key):
            return f"add foreign key {_foreign_key(key)}"
        case DropForeignKey(_, key):
            return f"drop foreign key {_foreign_key(key)}"
        case ChangePrimaryKey(old=before, new=after):
            return f"change primary key from ({', '.join(before)}) to ({', '.join(after)})"
        case SetOptions(new=after):
            return f"keep table as {_options(after)}"
        case AddStatement(_, name):
            return f"run statement {name}"
        case DropStatement(_, name):
            return f"undo statement {name}"
        case Fill(_, column, sql):
            return f"fill {column} with {sql}"
        case Execute(up=up):
            return f"execute {_count(len(up), 'SQL statement')}"
        case Run(up=up):
            return f"run {function_name(up)}()"
        case _:
            assert_never(operation)


def table_of(operation: Operation) -> str:
    """Return the table that an operation is told under; empty for SQL and functions of your own."""
    match operation:
        case Execute() | Run():
            return ""
        case _:
            return operation.table


def member_of(operation: Operation) -> str:
    """Return what an operation is about in its table, by the name that it is declared with.

    Empty for what goes, and for the table as a whole: no line of a resource says that.
    """
    match operation:
        case AddColumn(_, column) | AlterColumn(new=column):
            return column.name
        case RenameColumn(new=name) | Fill(column=name):
            return name
        case AddIndex() | AddCheck() | AddStatement():
            return operation.name
        case AddForeignKey(_, key):
            return key.name
        case _:
            return ""


def destructive(operation: Operation) -> bool:
    """Whether rows or values go with the operation."""
    return isinstance(operation, DropTable | DropColumn)


def title(name: str) -> str:
    """Return the first line of a migration: its name as a sentence.

    Args:
        name: The name of the migration, such as `add_combobulator`.
    """
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:] + "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _column(column: Column) -> str:
    words = [column.name, column.type.removeprefix("raw:")]
    if column.nullable:
        words.append("nullable")
    if column.default is not None:
        words.append(f"default {_default(column)}")
    if column.generated_as is not None:
        words.append(f"generated as {column.generated_as}")
    if column.references is not None:
        words.append(f"references {column.references.table}")
    return " ".join(words)


def _default(column: Column) -> str:
    value = column.default
    return value.text if isinstance(value, Sql) else repr(value)


def _alterations(before: Column, after: Column) -> list[str]:
    words = []
    if before.type != after.type:
        words.append(f"type {before.type} to {after.type}")
    if before.nullable != after.nullable:
        words.append("nullable" if after.nullable else "not nullable")
    if (before.default, type(before.default)) != (after.default, type(after.default)):
        words.append("no default" if after.default is None else f"default {_default(after)}")
    for field in ("max_length", "precision", "scale", "collate", "generated_as", "comment"):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            words.append(f"{field.replace('_', ' ')} {'removed' if new is None else new}")
    if before.autoincrement != after.autoincrement:
        words.append("autoincrement" if after.autoincrement else "no autoincrement")
    if before.stored != after.stored:
        words.append("stored" if after.stored else "not stored")
    return words


def _index(operation: AddIndex | DropIndex) -> str:
    kind = "identity" if operation.unique else "index"
    where = f" where {operation.where}" if operation.where else ""
    return f"{kind} {operation.name} on {', '.join(map(_key, operation.keys))}{where}"


def _key(key: Key) -> str:
    match key:
        case Desc(inner):
            return f"{_key(inner)} desc"
        case Sql(text):
            return text
        case _:
            return key


def _foreign_key(key: ForeignKey) -> str:
    return f"({', '.join(key.columns)}) to {key.table} ({', '.join(key.keys)})"


def _options(options: Options) -> str:
    words = ["strict"] if options.strict else []
    words += ["without rowid"] if options.without_rowid else []
    return " and ".join(words) or "an ordinary table"


def sign(operation: Operation) -> str:
    """Return the sign that an operation is listed with: `+`, `-`, `~`; `!` where values go."""
    if destructive(operation):
        return "!"
    match operation:
        case CreateTable() | AddColumn() | AddIndex() | AddCheck() | AddForeignKey():
            return "+"
        case AddStatement():
            return "+"
        case DropIndex() | DropCheck() | DropForeignKey() | DropStatement():
            return "-"
        case _:
            return "~"


def place(table: str) -> str:
    """Return the heading under which the operations of a table are told."""
    return {"": "your own SQL and functions", DOMAIN: "statements of the domain"}.get(table, table)


def summary(operations: Sequence[Operation]) -> dict[str, list[Operation]]:
    """Return operations by the table that they are told under, in order of first mention."""
    by_table: dict[str, list[Operation]] = {}
    for operation in operations:
        by_table.setdefault(table_of(operation), []).append(operation)
    return by_table
