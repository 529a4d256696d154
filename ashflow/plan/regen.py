"""Which migrations a regen replaces in one repo, and what of them must not be lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ashflow.change.codec import canonical, encode_migration
from ashflow.change.operations import AddColumn, CreateTable, RenameColumn, RenameTable
from ashflow.change.renames import Renames
from ashflow.change.trace import renames_in, trace
from ashflow.errors import UsageError
from ashflow.history.files import version_of
from ashflow.plan.stretch import joined, share, touched
from ashflow.schema.table import Column, Schema, Table
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation
    from ashflow.change.trace import Names
    from ashflow.history.files import MigrationFile, SnapshotFile
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied


RESTORE: Final = "git restore --staged --worktree"
"""What brings a file back that was committed."""

_NO_COMMANDS: Final[Mapping[str, str]] = {}


@value
class Replaced:
    """The files that go.

    Args:
        migrations: The migrations, oldest first.
        snapshots: Their snapshots, and those of migrations that are not there.
    """

    migrations: tuple[MigrationFile, ...] = ()
    snapshots: tuple[SnapshotFile, ...] = ()

    @property
    def versions(self) -> frozenset[str]:
        """The versions that go."""
        migrations = (m.version for m in self.migrations)
        return frozenset((*migrations, *(s.version for s in self.snapshots)))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, migrations first."""
        migrations = (m.path for m in self.migrations)
        return (*migrations, *(s.path for s in self.snapshots))

    def but(self, stay: Collection[MigrationFile]) -> Replaced:
        """Return what goes, without some migrations."""
        return replace(self, migrations=tuple(m for m in self.migrations if m not in stay))

    def plus(self, more: Iterable[MigrationFile]) -> Replaced:
        """Return what goes, with some more migrations."""
        migrations = sorted((*self.migrations, *more), key=lambda file: file.version)
        return replace(self, migrations=tuple(migrations))


@value
class Loss:
    """Values that the database part of a regen would drop.

    Args:
        table: The table.
        column: The column; None for the whole table.
        rows: How many rows there are, or how many have a value in the column.
    """

    table: str
    column: str | None
    rows: int

    @property
    def what(self) -> tuple[str, str | None]:
        """What would go, whatever is in it."""
        return self.table, self.column

    def __str__(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        if self.column is None:
            return f"table {self.table} ({rows})"
        return f"column {self.table}.{self.column} (a value in {rows})"


def replaced(
    history: History, new: Collection[str], gone: History, back: Mapping[str, str] = _NO_COMMANDS
) -> Replaced:
    """Return what a regen replaces.

    Args:
        history: The files on disk.
        new: The paths of those that are new: git does not track them, or they were committed where
            they may still be replaced.
        gone: The files that git tracks, and that are not on disk.
        back: The commands that bring these back, by path, without it.

    Returns:
        The new migrations; the new snapshots of their versions; and new snapshots whose migration
        is not there.

    Raises:
        UsageError: git tracks one half of a migration and its snapshots.
        SnapshotError: A snapshot without a migration can't be read.
    """
    migrations = tuple(m for m in history.migrations if m.path in new)
    there = {m.version for m in history.migrations}
    paths = history.snapshots.paths()  # there may be ten thousands
    found = history.snapshots.files(path for path in paths if path in new)
    orphans = {s.version for s in found if _is_orphan(s, history, there)}
    doomed = {m.version for m in migrations} | orphans
    going = history.snapshots.files(path for path in paths if version_of(path) in doomed)
    _refuse_halves(history, [s for s in going if s.path not in new])
    _refuse_gone(history, gone, orphans, back)
    return Replaced(migrations, going)


def _is_orphan(snapshot: SnapshotFile, history: History, there: set[str]) -> bool:
    """Whether a snapshot names a migration that is not there."""
    return snapshot.version not in there and history.read(snapshot.path).migration is not None


def _refuse_halves(history: History, tracked: Sequence[SnapshotFile]) -> None:
    for half in tracked:
        migration = history.migration(half.version)
        other = "its migration, which is not there" if migration is None else migration.path
        raise UsageError(
            f"git tracks {half.path}, and not {other}",
            hint="Commit or stage both, or neither: git restore --staged takes a file that is not "
            "committed out again.",
        )


def _refuse_gone(
    history: History, gone: History, orphans: set[str], back: Mapping[str, str]
) -> None:
    """Refuse to plan from half of what git tracks."""
    lost = [m.path for m in gone.migrations if m.version in orphans]
    lost += [s.path for s in gone.snapshot_files if history.migration(s.version) is not None]
    if lost:
        raise UsageError(
            f"git tracks {lost[0]}, which is not on disk, while its other half is",
            hint=f"Bring it back: {back.get(lost[0], RESTORE)} -- {lost[0]}",
        )


def unpaired(history: History, going: Replaced, new: Collection[str]) -> Iterator[str]:
    """Yield a warning for every new snapshot of a migration that is not.

    Args:
        history: The files on disk.
        going: Those that go.
        new: The paths of the files that are new.
    """
    left = frozenset(new) - frozenset(going.paths)
    for snapshot in history.snapshots.files(p for p in history.snapshots.paths() if p in left):
        migration = history.migration(snapshot.version)
        if migration is not None:
            yield f"git tracks {migration.path} and not its snapshot {snapshot.path}: add it"


def all_names(base: Schema, operations: Iterable[Operation]) -> Schema:
    """Return tables with all columns that they have or had, under all names.

    Args:
        base: The tables before the replaced migrations.
        operations: Their operations.
    """
    names = {name: {column.name for column in table.columns} for name, table in base.items()}
    for operation in operations:
        match operation:
            case CreateTable(table):
                names.setdefault(table, set()).update(c.name for c in operation.columns)
            case RenameTable(old, new):
                both = names.get(old, set()) | names.get(new, set())
                names[old] = names[new] = both
            case RenameColumn(table, old, new):
                names.setdefault(table, set()).update({old, new})
            case AddColumn(table, column):
                names.setdefault(table, set()).add(column.name)
            case _:
                pass
    return Schema(Table(t, [Column(c, "text") for c in sorted(cs)]) for t, cs in names.items())


def under_all_names(declared: Schema, operations: Sequence[Operation]) -> Schema:
    """Return what is declared, also under the names that replaced migrations renamed.

    Args:
        declared: The tables that the resources declare.
        operations: The operations of the replaced migrations.
    """
    tables = dict(declared)
    for operation in reversed(operations):
        match operation:
            case RenameTable(old, new) if new in tables:
                tables.setdefault(old, replace(tables[new], name=old))
            case _:
                pass
    return Schema(tables.values())


def answers_for(
    base: Schema, operations: Sequence[Operation], declared: Schema, given: Renames
) -> tuple[Renames, Renames]:
    """Return the answers for codegen, and those that speak of what only replaced migrations made.

    A rename that the replaced migrations hold, and that still holds, is an answer. What is given
    by a name that only they gave, is told by the name of before.

    Args:
        base: The tables before the replaced migrations.
        operations: Their operations.
        declared: The tables that the resources declare.
        given: The user's answers.
    """
    own, rest = given.split(base)
    names = trace(base, operations)
    own = _by_old_names(names, own, rest)
    return _still_held(renames_in(names), declared, own).overruled_by(own), rest


def _by_old_names(names: Names, own: Renames, rest: Renames) -> Renames:
    """Return the answers with those that follow on a rename of the replaced migrations."""
    answers = own
    for was, (now, columns) in names.items():
        later = {**rest.columns_of(was), **rest.columns_of(now)}
        for old, new in columns.items():
            if new in later and old != new and old not in own.columns_of(was):
                answers = answers.plus(was, old, later[new])
        if now != was and now in rest.tables and was not in own.tables:
            answers = answers.plus(was, None, rest.tables[now])
    return answers


def _still_held(held: Renames, declared: Schema, own: Renames) -> Renames:
    """Return those renames that nothing else is answered for, and whose new name is declared."""
    tables = {
        was: now
        for was, now in held.tables.items()
        if now in declared and _free(was, None, now, own.tables, own)
    }
    columns = {}
    for table, pairs in held.columns.items():
        target = declared.get(own.tables.get(table) or tables.get(table, table))
        columns[table] = {
            old: new
            for old, new in pairs.items()
            if target is not None
            and target.column(new) is not None
            and _free(table, old, new, own.columns_of(table), own)
        }
    return Renames(tables, {table: pairs for table, pairs in columns.items() if pairs})


def _free(table: str, column: str | None, new: str, given: Mapping[str, str], own: Renames) -> bool:
    """Whether no answer speaks of an old or a new name."""
    refused = (table, column) in own.refused
    return (column or table) not in given and new not in given.values() and not refused


def going_down(
    rows: Sequence[Applied], operations: Mapping[str, Sequence[Operation]], doomed: frozenset[str]
) -> tuple[Applied, ...]:
    """Return what has to be rolled back, newest first.

    That is what is replaced, and what was applied after it and shares a table with what goes down
    below it.

    Args:
        rows: The ledger.
        operations: What was applied, by version, from the first replaced one on.
        doomed: The versions that are replaced.
    """
    down: list[Applied] = []
    tables: frozenset[str] | None = frozenset()
    for row in rows:
        if row.version in doomed or (down and share(tables, operations[row.version])):
            down.append(row)
            tables = joined(tables, touched(operations[row.version]))
    return tuple(reversed(down))


def is_same(migration: Migration, other: Migration) -> bool:
    """Whether two migrations are the same in the JSON of the ledger."""
    return canonical(encode_migration(migration)) == canonical(encode_migration(other))
