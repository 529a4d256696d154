"""Which migrations go up and which go down, decided from the files and the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ashflow.errors import (
    DuplicateVersionError,
    EditedError,
    IrreversibleError,
    LedgerError,
    MigrationFileError,
    OutOfOrderError,
    UsageError,
)
from ashflow.history.version import is_version
from ashflow.plan.steps import Down, Up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation, Run
    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied, Ledger


class Rules(NamedTuple):
    """What is refused where files and ledger do not go together; the rest is told.

    Args:
        allow_out_of_order: Whether a migration is applied that is older than an applied one.
        allow_edited: Whether others are applied though an applied one was edited since.
        stop_ahead: Whether nothing is applied to a database that is ahead of the files: what they
            are for has been replaced already.
    """

    allow_out_of_order: bool = True
    allow_edited: bool = False
    stop_ahead: bool = False


class Asked(NamedTuple):
    """Which of the pending migrations are to be applied.

    Args:
        step: How many at most; None: all.
        to: The last one; None: all.
        rules: What is refused.
    """

    step: int | None = None
    to: str | None = None
    rules: Rules = Rules()


def plan_up(
    history: History, ledger: Ledger, root: str, folder: str, asked: Asked
) -> tuple[tuple[Up, ...], tuple[str, ...]]:
    """Choose and load the migrations that are to be applied.

    Args:
        history: The files.
        ledger: What is applied.
        root: The folder of the project, for tracebacks.
        folder: The folder of the migrations, relative to it.
        asked: Which of them.

    Returns:
        The migrations, in order; and what is odd, in words.

    Raises:
        LedgerError: The ledger was tampered with.
        DuplicateVersionError: Another migration of a file's version is applied.
        EditedError: An applied migration was edited since.
        OutOfOrderError: A migration is older than an applied one.
        MigrationFileError: One does not run, or is no migration.
        UsageError: There is no migration of that version.
    """
    refuse_tampered(ledger)
    told = list(_edited(history, ledger, root, asked.rules))
    behind_files = missing(history, ledger)
    ahead = _is_ahead(behind_files, history)
    if behind_files:
        told.append(_without_a_file(behind_files, ahead=ahead))
    chosen = choose_up(history, ledger, step=asked.step, to=asked.to)
    if asked.rules.stop_ahead and ahead:
        chosen = ()
    told += _late(chosen, ledger, asked.rules)
    told += (
        f"{path} is no migration by its name, which is 14 digits, _, and [a-z0-9_]+.py"
        for path in misnamed(history, folder)
    )
    return tuple(up(history, file, root) for file in chosen), tuple(told)


def _without_a_file(rows: Sequence[Applied], *, ahead: bool) -> str:
    told = f"applied, and without a file here: {', '.join(map(_shown, rows))}"
    return f"the database is ahead of the files; {told}" if ahead else told


def _is_ahead(rows: Sequence[Applied], history: History) -> bool:
    """Whether something newer than all files is applied: they are those of an older release."""
    newest = max((file.version for file in history.migrations), default="")
    return any(row.version > newest for row in rows)


def _late(chosen: Sequence[MigrationFile], ledger: Ledger, rules: Rules) -> Iterator[str]:
    """Yield which migrations come late.

    Raises:
        OutOfOrderError: That is not allowed.
    """
    for file in late(chosen, ledger):
        what = f"{file.path} is older than a migration that is applied already"
        if not rules.allow_out_of_order:
            raise OutOfOrderError(
                what,
                hint="Give it a version of now (ashflow regen --since does), so that it is applied "
                "in the same place everywhere; or allow it: ashflow migrate without --strict, "
                "allow_out_of_order=True in ashflow.release.",
            ).at(file.version, file.path)
        yield what


def _edited(history: History, ledger: Ledger, root: str, rules: Rules) -> Iterator[str]:
    """Yield which applied migrations were edited since.

    Raises:
        DuplicateVersionError: One is another migration of the same version.
        EditedError: That is not allowed.
    """
    for file in history.migrations:
        row = ledger.get(file.version)
        if row is None or not is_edited(history, file, row, root):
            continue
        if row.name != file.name:
            raise DuplicateVersionError(
                f"{file.path} is not applied: what is applied as {row.version} is {row.name}, "
                "another migration",
                hint="Two branches came to one version. Roll back what is applied (ashflow "
                f"rollback --to {row.version}), or write this one anew with ashflow codegen.",
            ).at(file.version, file.path)
        what = f"{file.path} was edited after it was applied"
        if not rules.allow_edited:
            raise EditedError(
                what,
                hint="Take the edit back, or roll it back as it was applied (ashflow rollback "
                f"--to {row.version}) and migrate again. To go on all the same: ashflow migrate "
                "--allow-edited, allow_edited=True in ashflow.release.",
            ).at(file.version, file.path)
        yield what


def refuse_tampered(ledger: Ledger) -> None:
    """Refuse a ledger with a row that ashflow has not written.

    Raises:
        LedgerError: A version in it is none.
    """
    for row in ledger:
        if not is_version(row.version):
            raise LedgerError(
                f"row {row.position} of the ledger has the version {row.version!r}, which is none: "
                "14 digits",
                hint="It was changed by hand: put back what was there, or delete the row.",
            )


def pending(history: History, ledger: Ledger) -> tuple[MigrationFile, ...]:
    """Return the migrations that have a file and are not applied, oldest first."""
    applied = ledger.applied
    return tuple(m for m in history.migrations if m.version not in applied)


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
