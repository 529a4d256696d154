"""What undoes each operation, and which tables it touches."""

from __future__ import annotations

from dataclasses import fields
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
    function_name,
)
from ashflow.errors import IrreversibleError

if TYPE_CHECKING:
    from collections.abc import Sequence


def reverse_all(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Return the operations that undo a list of operations.

    Raises:
        IrreversibleError: One of them has no reverse.
    """
    return tuple(back for operation in reversed(operations) for back in reverse(operation))


def reverse(operation: Operation) -> tuple[Operation, ...]:
    """Return what undoes an operation: one operation, or none where nothing is to be undone.

    Raises:
        IrreversibleError: It has no reverse.
    """
    match operation:
        case CreateTable():
            return (_turned(operation, DropTable),)
        case DropTable():
            return (_turned(operation, CreateTable),)
        case RenameTable(old, new):
            return (RenameTable(new, old),)
        case AddColumn(table, column):
            return (DropColumn(table, column),)
        case DropColumn(table, column):
            return (AddColumn(table, column),)
        case RenameColumn(table, old, new):
            return (RenameColumn(table, new, old),)
        case AlterColumn(table, old=before, new=after):
            return (AlterColumn(table, old=after, new=before),)
        case AddIndex():
            return (_turned(operation, DropIndex),)
        case DropIndex():
            return (_turned(operation, AddIndex),)
        case AddCheck():
            return (_turned(operation, DropCheck),)
        case DropCheck():
            return (_turned(operation, AddCheck),)
        case AddForeignKey(table, key):
            return (DropForeignKey(table, key),)
        case DropForeignKey(table, key):
            return (AddForeignKey(table, key),)
        case ChangePrimaryKey(table, old=before, new=after):
            return (ChangePrimaryKey(table, old=after, new=before),)
        case SetOptions(table, old=before, new=after):
            return (SetOptions(table, old=after, new=before),)
        case AddStatement():
            return (_turned(operation, DropStatement),)
        case DropStatement():
            return (_turned(operation, AddStatement),)
        case Fill():
            return ()
        case Execute(up=up, down=down):
            if down is None:
                raise _no_way_down("an Execute without down")
            return (Execute(up=down, down=up),) if down else ()
        case Run(up=up, down=down):
            if down is None:
                raise _no_way_down(f"Run(up={function_name(up)}) without down")
            return (Run(up=down, down=up),)
        case _:
            assert_never(operation)


def tables_of(operation: Operation) -> frozenset[str] | None:
    """Return the tables that an operation touches or refers to; None: any, only SQL knows."""
    match operation:
        case RenameTable(old, new):
            return frozenset({old, new})
        case CreateTable() | DropTable():
            return frozenset({operation.table, *(key.table for key in operation.foreign_keys)})
        case AddColumn() | DropColumn():
            key = operation.foreign_key
            return frozenset({operation.table} if key is None else {operation.table, key.table})
        case AddForeignKey(table, key) | DropForeignKey(table, key):
            return frozenset({table, key.table})
        case AddStatement() | DropStatement() | Execute() | Run():
            return None
        case _:
            return frozenset({operation.table})


def _no_way_down(what: str) -> IrreversibleError:
    return IrreversibleError(f"{what} has no way down")


def _turned(operation: Any, kind: Any) -> Any:  # noqa: ANN401  (two classes of the same fields)
    return kind(**{field.name: getattr(operation, field.name) for field in fields(operation)})
