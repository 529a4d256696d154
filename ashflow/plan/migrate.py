"""Which migrations go up and which go down, decided from the files and the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.errors import (
    DuplicateVersionError,
    IrreversibleError,
    LedgerError,
    MigrationFileError,
    UsageError,
)
from ashflow.plan.steps import Down, Up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation, Run
    from ashflow.history.history import History, MigrationFile
    from ashflow.history.ledger import Applied, Ledger


def pending(history: History, ledger: Ledger) -> tuple[MigrationFile, ...]:
    """Return the migrations that have a file and are not applied, oldest first."""
    return tuple(m for m in history.migrations if m.version not in ledger)


def misnamed(history: History, folder: str) -> tuple[str, ...]:
    """Return the Python files that begin with digits as migrations do, and are none by their name.

    Args:
        history: The files.
        folder: The folder of the migrations.
    """
    known = {migration.path for migration in history.migrations}
    names = (path.rpartition("/") for path in history.tree if path not in known)
    return tuple(
        f"{place}/{name}"
        for place, _, name in names
        if place == folder and name[:1].isdigit() and name.endswith(".py")
    )


def missing(history: History, ledger: Ledger) -> tuple[Applied, ...]:
    """Return what is applied and has no file, in order of application."""
    files = {m.version for m in history.migrations}
    return tuple(row for row in ledger if row.version not in files)


def choose_up(
    history: History, ledger: Ledger, *, step: int | None = None, to: str | None = None
) -> tuple[MigrationFile, ...]:
    """Return the migrations that `migrate` applies, in order.

    Args:
        history: The files.
        ledger: What is applied.
        step: How many at most; None: all.
        to: The last one; None: all.

    Raises:
        UsageError: There is no migration of that version.
    """
    chosen = pending(history, ledger)
    if to is not None:
        check_known(to, history, ledger)
        chosen = tuple(m for m in chosen if m.version <= to)
    return chosen if step is None else chosen[:step]


def refuse_another(history: History, ledger: Ledger, root: str) -> None:
    """Refuse to take a file for applied where another migration of its version was.

    Args:
        history: The files.
        ledger: What is applied.
        root: The folder of the project, for tracebacks.

    Raises:
        DuplicateVersionError: There is such a file: two branches came to one version.
    """
    for file in history.migrations:
        row = ledger.get(file.version)
        if row is not None and row.name != file.name and is_edited(history, row, root):
            raise DuplicateVersionError(
                f"{file.path} is not applied: what is applied as {row.version} is {row.name}, "
                "another migration",
                hint="Two branches came to one version. Roll back what is applied (ashflow "
                f"rollback --to {row.version}), or write this one anew with ashflow codegen.",
            )


def late(chosen: Sequence[MigrationFile], ledger: Ledger) -> tuple[MigrationFile, ...]:
    """Return those that are older than a migration that is applied already."""
    newest = max(ledger.versions, default="")
    return tuple(m for m in chosen if m.version < newest)


def choose_down(
    history: History,
    ledger: Ledger,
    *,
    step: int = 1,
    to: str | None = None,
    everything: bool = False,
) -> tuple[Applied, ...]:
    """Return what `rollback` takes back: what was applied last comes first.

    Args:
        history: The files.
        ledger: What is applied.
        step: How many.
        to: Back to and including this version, with all that was applied after it.
        everything: All of it.

    Raises:
        UsageError: That version is not applied.
    """
    rows = tuple(reversed(tuple(ledger)))
    if everything:
        return rows
    if to is None:
        return rows[:step]
    check_known(to, history, ledger)
    target = ledger.get(to)
    if target is None:
        raise UsageError(
            f"migration {to} is not applied, so nothing can be rolled back to it",
            hint="ashflow status shows what is applied.",
        )
    return tuple(row for row in rows if row.position >= target.position)


def check_known(version: str, history: History, ledger: Ledger) -> None:
    """Refuse a version that no file and no row of the ledger has.

    Raises:
        UsageError: There is none.
    """
    if history.migration(version) is None and version not in ledger:
        raise UsageError(
            f"there is no migration {version}",
            hint="ashflow status lists the versions, 14 digits each.",
        )


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
            hint=f"Give it a down in {file.path if file else 'its file'}, or take it out of the "
            f"ledger by hand: ashflow rollback --mark {row.version}",
        ) from error
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
    except (ValueError, TypeError, KeyError) as error:
        raise LedgerError(
            f"the ledger's row of migration {_shown(row)} can't be read: {error}",
            hint="It was changed by hand, or by a newer ashflow: install that one.",
        ) from error


def is_edited(history: History, row: Applied, root: str) -> bool:
    """Whether the file of an applied migration does something else now than was applied.

    Another layout and other comments are no edit; in a file with functions every change is.

    Args:
        history: The files.
        row: What was applied.
        root: The folder of the project, for tracebacks.
    """
    from ashflow.change.codec import canonical, encode_migration

    file = history.migration(row.version)
    if file is None or history.checksum(file) == row.checksum:
        return False
    try:
        migration = history.load(file, root)
    except MigrationFileError:
        return True  # what does not even load is not what was applied
    if any(_is_run(operation) for operation in migration.operations):
        return True
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
    functions = _functions(history, history.migration(row.version), row, root)
    return tuple(_with_function(operation, functions, row) for operation in operations)


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
        )
    runs = [op for op in history.load(file, root).operations if isinstance(op, Run)]
    named = (f for run in runs for f in (run.up, run.down) if callable(f))
    return {function.__name__: function for function in named}


def _with_function(operation: Operation, functions: dict[str, Any], row: Applied) -> Operation:
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
        )
    run: Run = Run(up=functions[names[0]], down=functions[names[1]] if names[1:] else None)
    return run


def _shown(row: Applied) -> str:
    return f"{row.version}_{row.name}"
