"""Load migrations as steps: up from their files, down and once more from what was applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.errors import IrreversibleError, LedgerError, MigrationFileError
from ashflow.plan.steps import Down, Up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation, Run
    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied


def up(history: History, file: MigrationFile, root: str) -> Up:
    """Load a migration that is to be applied.

    Args:
        history: The files.
        file: The migration.
        root: The folder of the project, for tracebacks.

    Raises:
        MigrationFileError: It does not run, or is no migration.
    """
    migration = history.load(file, root)
    return Up(file.version, file.name, file.path, history.checksum(file), migration)


def down(history: History, row: Applied, root: str) -> Down:
    """Return the way back of a migration: from the operations in the ledger, as it was applied.

    Only functions come from the file, because a database keeps no Python.

    Args:
        history: The files.
        row: What was applied.
        root: The folder of the project, for tracebacks.

    Raises:
        IrreversibleError: An operation has no reverse, or its function is not here.
        LedgerError: The ledger says something that is no migration.
        MigrationFileError: The file, which has to be run for its functions, does not run.
    """
    applied = applied_migration(row)
    file = history.migration(row.version)
    try:
        operations = applied.down
    except IrreversibleError as error:
        raise IrreversibleError(
            f"migration {_shown(row)} can't be rolled back: {error.message}",
            hint="A rollback goes by what was applied: a down that is written now does not count. "
            "Undo it by hand, then take it out of the ledger: ashflow rollback --mark "
            f"{row.version}",
        ).at(row.version, file.path if file else None) from error
    operations = _bound(history, row, operations, root)
    path = file.path if file else "ledger"
    return Down(row.version, row.name, path, applied, operations)


def again(history: History, row: Applied, root: str) -> Up:
    """Return a migration that is applied once more, with the operations that the ledger has.

    Args:
        history: The files.
        row: What was applied.
        root: The folder of the project, for tracebacks.

    Raises:
        IrreversibleError: A function that it runs is not here.
        LedgerError: The ledger says something that is no migration.
        MigrationFileError: The file, which has to be run for its functions, does not run.
    """
    migration = applied_migration(row)
    file = history.migration(row.version)
    operations = _bound(history, row, migration.operations, root)
    path = file.path if file else "ledger"
    return Up(row.version, row.name, path, row.checksum, replace(migration, operations=operations))


def applied_migration(row: Applied) -> Migration:
    """Return what was applied, as the ledger has it.

    Raises:
        LedgerError: The ledger says something that is no migration.
    """
    import json

    from ashflow.change.codec import decode_migration

    try:
        return decode_migration(json.loads(row.operations))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LedgerError(
            f"the ledger's row of migration {_shown(row)} can't be read: {error}",
            hint="It was changed by hand, or by a newer ashflow: install that one.",
        ).at(row.version, None) from error


def is_edited(history: History, file: MigrationFile, row: Applied, root: str) -> bool:
    """Whether the file of an applied migration does something else now than was applied.

    Another layout and other comments are no edit; in a file with functions every change is.

    Args:
        history: The files.
        file: That of the migration.
        row: What was applied.
        root: The folder of the project, for tracebacks.
    """
    if history.checksum(file) == row.checksum:
        return False
    try:
        migration = history.load(file, root)
    except MigrationFileError:
        return True  # what does not even load is not what was applied
    if any(_is_run(operation) for operation in migration.operations):
        return True
    from ashflow.change.codec import canonical, encode_migration  # most files are as they were

    applied = encode_migration(applied_migration(row))
    return canonical(encode_migration(migration)) != canonical(applied)


def _is_run(operation: Operation) -> bool:
    from ashflow.change.operations import Run

    return isinstance(operation, Run)


def _bound(
    history: History, row: Applied, operations: Sequence[Operation], root: str
) -> tuple[Operation, ...]:
    """Return operations of the ledger with the functions of the file, where they run some."""
    if not any(_is_run(operation) for operation in operations):
        return tuple(operations)
    file = history.migration(row.version)
    functions = _functions(history, file, row, root)
    path = file.path if file else None
    return tuple(_with_function(operation, functions, row, path) for operation in operations)


def _functions(
    history: History, file: MigrationFile | None, row: Applied, root: str
) -> dict[str, Any]:
    """Return the functions that the file's `Run`s name, by name."""
    from ashflow.change.operations import Run

    if file is None:
        raise IrreversibleError(
            f"migration {_shown(row)} runs functions of its own, and its file is not here",
            hint="Bring the file back (ashflow status shows the branches that have it), then roll "
            "back again.",
        ).at(row.version, None)
    runs = [op for op in history.load(file, root).operations if isinstance(op, Run)]
    named = (f for run in runs for f in (run.up, run.down) if callable(f))
    return {function.__name__: function for function in named}


def _with_function(
    operation: Operation, functions: dict[str, Any], row: Applied, path: str | None
) -> Operation:
    from ashflow.change.operations import Run

    if not isinstance(operation, Run):
        return operation
    names = [name for name in operation.names if name is not None]
    lacking = next((name for name in names if name not in functions), None)
    if lacking is not None:
        raise IrreversibleError(
            f"migration {_shown(row)} was applied with the function {lacking}, which its file has "
            "no more",
            hint="Put the function back into the file.",
        ).at(row.version, path)
    run: Run = Run(up=functions[names[0]], down=functions[names[1]] if names[1:] else None)
    return run


def _shown(row: Applied) -> str:
    return f"{row.version}_{row.name}"
