"""The parts of a schema that an operation changes, and those that it needs: what two clash over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

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
from ashflow.schema.sqltext import fold, mentions

if TYPE_CHECKING:
    from ashflow.schema.table import ForeignKey


class Part(NamedTuple):
    """A part of a schema.

    Args:
        kind: What it is, in a word or two.
        table: The table that it is, or that it is a part of.
        name: Its name in the table; empty where the table has only one.
    """

    kind: str
    table: str
    name: str = ""

    def __str__(self) -> str:
        if self.kind == "table":
            return f"table {self.table}"
        if self.kind in {"column", "definition"}:
            return f"column {self.table}.{self.name}"
        named = f" {self.name}" if self.name else ""
        return f"the {self.kind}{named} of table {self.table}"

    @property
    def folded(self) -> tuple[str, str, str]:
        """The part as a database finds it, whatever the case of the letters."""
        return self.kind, fold(self.table), fold(self.name)


class Touches(NamedTuple):
    """What an operation touches.

    Args:
        changes: What it makes, takes away or makes otherwise.
        needs: What has to be there.
        reads: SQL over the columns of its table.
    """

    changes: tuple[Part, ...] = ()
    needs: tuple[Part, ...] = ()
    reads: tuple[str, ...] = ()


def clash(left: Operation, right: Operation) -> Part | None:
    """Return the part that two operations do not agree about; None where each lets the other be.

    Args:
        left: What one branch does.
        right: What another one does to the same schema.
    """
    ours, theirs = touches(left), touches(right)
    return _first(ours, theirs) or _first(theirs, ours)


def _first(doer: Touches, other: Touches) -> Part | None:
    held = {part.folded for part in (*other.changes, *other.needs)}
    tables = {fold(part.table) for part in other.needs}
    for part in doer.changes:
        read = part.kind == "column" and fold(part.table) in tables
        if part.folded in held or (read and any(mentions(sql, part.name) for sql in other.reads)):
            return part
    return None


def touches(operation: Operation) -> Touches:
    """Return what an operation touches; nothing for SQL and functions of your own."""
    match operation:
        case CreateTable(name) | DropTable(name):
            return Touches((_table(name),))
        case RenameTable(old, new):
            return Touches((_table(old), _table(new)))
        case RenameColumn(name, old, new):
            return Touches(_columns(name, old, new), (_table(name),))
        case Execute() | Run():
            return Touches()
        case _:
            changes, needs, reads = _inside(operation)
            return Touches(changes, (_table(operation.table), *needs), reads)


def _inside(
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
    | SetOptions
    | AddStatement
    | DropStatement
    | Fill,
) -> Touches:
    name = operation.table
    match operation:
        case AddColumn(_, column) | DropColumn(_, column):
            key = operation.foreign_key
            changes, needs, _ = Touches() if key is None else _foreign_key(name, key)
            reads = () if column.generated_as is None else (column.generated_as,)
            own = _columns(name, column.name)
            return Touches((*own, *changes), tuple(p for p in needs if p not in own), reads)
        case AlterColumn(new=new):
            changed = (Part("definition", name, new.name),)
            reads = () if new.generated_as is None else (new.generated_as,)
            return Touches(changed, _columns(name, new.name), reads)
        case AddIndex() | DropIndex():
            index = operation.index
            changed = (Part("index", name, index.name),)
            return Touches(changed, _columns(name, *index.columns), index.texts)
        case AddCheck(_, sql) | DropCheck(_, sql):
            return Touches((Part("check", name, operation.name),), (), (sql,))
        case AddForeignKey(_, key) | DropForeignKey(_, key):
            return _foreign_key(name, key)
        case ChangePrimaryKey(old=old, new=new):
            return Touches((Part("primary key", name),), _columns(name, *old, *new))
        case SetOptions():
            return Touches((Part("options", name),))
        case AddStatement(_, statement, up=up) | DropStatement(_, statement, up=up):
            return Touches((Part("statement", name, statement),), (), tuple(up))
        case Fill(_, column, sql):
            return Touches((), _columns(name, column), (sql,))
        case _:
            assert_never(operation)


def _foreign_key(table: str, key: ForeignKey) -> Touches:
    needs = (*_columns(table, *key.columns), _table(key.table), *_columns(key.table, *key.keys))
    return Touches((Part("foreign key", table, key.name),), needs)


def _table(name: str) -> Part:
    return Part("table", name)


def _columns(table: str, *names: str) -> tuple[Part, ...]:
    return tuple(Part("column", table, name) for name in names)
