"""The migrations and snapshots of one repo in one tree of files; it can't tell which tree it is."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import (
    DuplicateVersionError,
    MigrationFileError,
    SnapshotError,
    UsageError,
)
from ashflow.history.files import MigrationFile, SnapshotFile, Snapshots, told_apart, version_of
from ashflow.history.lineage import Fork, newest
from ashflow.history.version import is_dev

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ashflow.change.migration import Migration
    from ashflow.history.snapshot import Snapshot

Tree = Mapping[str, str]
"""A tree of files: texts, by their paths relative to the project's root, with `/`."""


class History(NamedTuple):
    """What is written down of one repo.

    Args:
        tree: The files.
        migrations: Those that are migrations, oldest first.
        snapshots: Those that are snapshots, by the folder of their table, oldest first.
    """

    tree: Tree
    migrations: tuple[MigrationFile, ...]
    snapshots: Snapshots

    @property
    def snapshot_files(self) -> tuple[SnapshotFile, ...]:
        """Those that are snapshots, of all tables."""
        return self.snapshots.files(self.snapshots.paths())

    @property
    def paths(self) -> tuple[str, ...]:
        """Where they are, migrations first."""
        migrations = (migration.path for migration in self.migrations)
        return (*migrations, *self.snapshots.paths())

    @property
    def newest(self) -> str:
        """The greatest version that a file has; empty where there is none."""
        last = [version_of(self.snapshots.paths(folder)[-1]) for folder in self.snapshots]
        last += (migration.version for migration in self.migrations[-1:])
        return max(last, default="")

    @property
    def dev_migrations(self) -> tuple[MigrationFile, ...]:
        """The migrations that were made with --dev, oldest first."""
        return tuple(m for m in self.migrations if is_dev(m.name))

    @property
    def dev_paths(self) -> tuple[str, ...]:
        """Where those are and their snapshots, and the snapshots of others that are not there.

        Raises:
            SnapshotError: A snapshot without a migration can't be read.
        """
        there = {m.version for m in self.migrations}
        dev = {m.version for m in self.dev_migrations}
        snapshots = (
            s.path
            for s in self.snapshot_files
            if s.version in dev or (s.version not in there and self._is_dev(s.path))
        )
        return (*(m.path for m in self.dev_migrations), *snapshots)

    def _is_dev(self, path: str) -> bool:
        """Whether a snapshot was made with --dev; it is decoded only where it may have been."""
        return '"dev": true' in self.tree[path] and bool(self.read(path).data["dev"])

    def migration(self, version: str) -> MigrationFile | None:
        """Return the migration of a version, or None."""
        return next((m for m in self.migrations if m.version == version), None)

    def of_table(self, table: str) -> tuple[SnapshotFile, ...]:
        """Return the snapshots of a table, oldest version first."""
        from ashflow.worktree.folders import table_folder

        return self.snapshots.get(table_folder(table), ())

    def read(self, path: str) -> Snapshot:
        """Return the snapshot in a file.

        Raises:
            SnapshotError: It is no snapshot, or one of another table.
        """
        from ashflow.history.snapshot import read_snapshot  # migrate reads none
        from ashflow.worktree.folders import table_folder

        snapshot = read_snapshot(self.tree[path], path)
        folder = path.split("/")[-2]
        if table_folder(snapshot.table) != folder:
            raise SnapshotError(
                f"snapshot {path} is of table {snapshot.table}: it was moved here, or copied",
                hint=f"Its folder is {table_folder(snapshot.table)}/ beside {folder}/; put it "
                "there, or remove it where it stands there already.",
            )
        if path != f"{path.rpartition('/')[0]}/{snapshot.version}.json":
            raise SnapshotError(
                f"snapshot {path} is of version {snapshot.version}: it was renamed, or copied",
                hint=f"Give it its name back, {snapshot.version}.json, or remove the copy.",
            )
        return snapshot

    def leaves(self, *, resolve: bool = False) -> dict[str, Snapshot]:
        """Return the newest snapshot of every table, by the table's name.

        Where branches changed one table, it is what they come to together.

        Args:
            resolve: Whether branches that do not go together count in order of version.

        Raises:
            SnapshotError: A file that has to be read is no snapshot.
            ForkError: Branches changed one table, or two, in ways that do not go together.
        """
        from ashflow.history.across import clashes_across

        found = [self.leaf(folder, resolve=resolve) for folder in self.snapshots]
        for _, error in clashes_across(found):
            raise error
        return {snapshot.table: snapshot for snapshot in found}

    def leaf(self, folder: str, *, resolve: bool = False) -> Snapshot:
        """Return the newest snapshot of the table that a folder is of.

        Args:
            folder: The name of the folder.
            resolve: Whether branches that do not go together count in order of version.

        Raises:
            SnapshotError: A file that has to be read is no snapshot.
            ForkError: Branches changed the table in ways that do not go together.
        """
        found = newest(self.snapshots.paths(folder), self.read)
        if not isinstance(found, Fork):
            return found
        from ashflow.history.fold import fold

        return fold(found, resolve=resolve)

    def without(self, versions: Iterable[str]) -> History:
        """Return the history without the migrations and snapshots of some versions."""
        gone = frozenset(versions)
        migrations = tuple(m for m in self.migrations if m.version not in gone)
        return History(self.tree, migrations, self.snapshots.without(gone))

    def of(self, tables: Iterable[str]) -> History:
        """Return the history with the snapshots of some tables only.

        Args:
            tables: Their names.
        """
        from ashflow.worktree.folders import table_folder

        folders = frozenset(map(table_folder, tables))
        return self._replace(snapshots=self.snapshots.of(folders))

    def load(self, migration: MigrationFile, root: str) -> Migration:
        """Run a migration's file and return what it says.

        Args:
            migration: The file.
            root: The folder of the project, for tracebacks.

        Raises:
            MigrationFileError: It does not run, or is no migration.
        """
        from ashflow.history.load import load

        path = migration.path
        try:
            return load(self.tree[path], f"{root}/{path}", shown=path)
        except MigrationFileError as error:
            error.at(migration.version, path)
            raise

    def checksum(self, migration: MigrationFile) -> str:
        """Return the SHA-256 of the file's text with LF line ends, in hex."""
        return sha256(self.tree[migration.path].encode()).hexdigest()


def read_history(
    tree: Tree, *, migrations: str, snapshots: str | None = None, doubles: bool = False
) -> History:
    """Return the history in a tree of files. Files of other names are not looked at.

    Args:
        tree: The files.
        migrations: The folder of the repo's migrations.
        snapshots: The folder of the repo's snapshots; None: they are not looked at.
        doubles: Whether two migrations may carry one version: somebody else looks at that.

    Raises:
        DuplicateVersionError: Two migrations carry one version.
    """
    found, states = told_apart(tree, migrations, snapshots)
    if not doubles:
        _check_versions(found)
    return History(tree, found, states)


def _check_versions(migrations: Iterable[MigrationFile]) -> None:
    seen: dict[str, MigrationFile] = {}
    for migration in migrations:
        other = seen.setdefault(migration.version, migration)
        if other is not migration:
            raise DuplicateVersionError(
                f"{other.path} and {migration.path} carry one version, {migration.version}",
                hint="Two branches came to the same version. Roll the younger one back where it is "
                "applied, take its files away, and write it anew with ashflow codegen.",
            ).at(migration.version, migration.path)


def check_new_name(history: History, name: str) -> None:
    """Refuse a name that a migration has already.

    Raises:
        UsageError: There is one.
    """
    taken = next((m for m in history.migrations if m.name == name), None)
    if taken is not None:
        raise UsageError(
            f"a migration is called {name} already: {taken.path}",
            hint="Choose another name, or replace an untracked migration with ashflow regen.",
        )
