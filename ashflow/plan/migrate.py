"""Which migrations go up and which go down, decided from the files and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import (
    DuplicateVersionError,
    EditedError,
    LedgerError,
    OutOfOrderError,
    UsageError,
)
from ashflow.history.version import is_version
from ashflow.plan.applied import is_edited, up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.plan.steps import Up


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
    named = ", ".join(f"{row.version}_{row.name}" for row in rows)
    told = f"applied, and without a file here: {named}"
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
