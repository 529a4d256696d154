"""What is wrong with the files of a repo, before anybody else gets to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import ForkError, MigrationFileError, SnapshotError, UnreadableError
from ashflow.history.across import clashes_across
from ashflow.history.lineage import check_no_gap
from ashflow.history.version import is_dev
from ashflow.plan.codegen import find_change
from ashflow.worktree.folders import table_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ashflow.change.migration import Migration
    from ashflow.history.files import MigrationFile, SnapshotFile
    from ashflow.history.snapshot import Snapshot
    from ashflow.plan.choices import Choices
    from ashflow.plan.codegen import Change
    from ashflow.plan.problem import Facts, Problem
    from ashflow.schema.table import Schema, Table

CODEGEN = "ashflow codegen NAME"


def problems(
    facts: Facts,
    declared: Schema,
    choices: Choices,
    unmanaged: frozenset[str] = frozenset(),
    in_order: Callable[[Table], Table] | None = None,
) -> list[Problem]:
    """Return what is wrong with the files of a repo.

    Args:
        facts: What is known of them.
        declared: The tables that the resources declare.
        choices: What is dropped by default; nothing is asked.
        unmanaged: Tables of resources that are to be left alone.
        in_order: Puts the columns of a declared table into the order of the source, as for
            `find_change`.

    Raises:
        UsageError: The resources want something for which there is no room.
    """
    leaves, broken = _leaves(facts)
    clashes = list(_clashes(facts, leaves))
    found = [*broken, *_doubles(facts), *_orphans(facts, [*broken, *clashes])]
    unread = facts.history.snapshots.keys() - {table_folder(table) for table in leaves}
    known = declared.only(lambda table: table_folder(table) not in unread)
    standing = _without_dropped(facts, leaves, found)
    change = find_change(standing, known, choices, unmanaged, in_order)
    stale = list(_stale(facts, leaves, change)) if change else []
    loaded = dict(_loaded(facts, found))
    # Of snapshots that are missing, it may be.
    signs = [*stale, *_gaps(facts, leaves), *clashes]
    missing = list(_missing(facts, loaded, {problem.table for problem in signs}))
    told = {problem.table for problem in missing}
    found += [*missing, *(problem for problem in signs if problem.table not in told)]
    found += [*_dev(facts, leaves), *_edited(facts, loaded), *_late(facts)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.path, one.code))


# ------------------------------------------------------------------ snapshots
def _leaves(facts: Facts) -> tuple[dict[str, Snapshot], list[Problem]]:
    """Return the newest snapshots that can be read, and what is wrong with the others."""
    leaves: dict[str, Snapshot] = {}
    broken: list[Problem] = []
    for folder, files in facts.history.snapshots.items():
        try:
            leaf = facts.history.leaf(folder)
            if facts.everything:
                for file in files:
                    facts.history.read(file.path)
        except ForkError as error:
            path = files[-1].path
            broken.append(facts.problem("forked-snapshot", path, error.message, error.hint))
        except (SnapshotError, UnreadableError) as error:
            path = next((f.path for f in files if f.path in error.message), files[-1].path)
            broken.append(facts.problem("invalid-snapshot", path, error.message, error.hint))
        else:
            leaves[leaf.table] = leaf
    return leaves, broken


def _clashes(facts: Facts, leaves: Mapping[str, Snapshot]) -> Iterator[Problem]:
    """Yield the tables that do not go together with another one."""
    for leaf, clash in clashes_across(leaves.values()):
        path, table = leaf.path, leaf.table
        yield facts.problem("forked-snapshot", path, clash.message, clash.hint, table=table)


def _gaps(facts: Facts, leaves: Mapping[str, Snapshot]) -> Iterator[Problem]:
    """Yield snapshots that follow one that is gone, with its migration: new databases lack that."""
    for table, leaf in leaves.items():
        files = facts.history.of_table(table)
        if leaf.ancestors + 1 == len(files):
            continue
        try:
            check_no_gap([facts.history.read(file.path) for file in files])
        except SnapshotError as error:
            path = next((f.path for f in files if f.path in error.message), leaf.path)
            folder = f"{path.rpartition('/')[0]}/"
            versions = {_version(p) for p in _gone(facts) if p.startswith(folder)}
            lost = [p for p in _gone(facts) if _version(p) in versions]
            fix = f"bring it back, with its migration: {facts.back(*lost)}" if lost else error.hint
            yield facts.problem("missing-snapshot", path, error.message, fix, table=table)


def _gone(facts: Facts) -> list[str]:
    """Return the files that are no more."""
    return sorted(path for path in facts.old if path not in facts.history.tree)


def _version(path: str) -> str:
    """Return the version of a migration or snapshot."""
    return path.rpartition("/")[2][:14]


def _orphans(facts: Facts, broken: Iterable[Problem]) -> Iterator[Problem]:
    there = {migration.version for migration in facts.history.migrations}
    unread = {problem.path for problem in broken}
    for file in facts.history.snapshot_files:
        if file.version in there or file.path in unread:
            continue
        try:
            snapshot = facts.history.read(file.path)
        except (SnapshotError, UnreadableError) as error:
            yield facts.problem("invalid-snapshot", file.path, error.message, error.hint)
            continue
        if snapshot.migration is not None:
            yield _orphan(facts, file, snapshot)


def _orphan(facts: Facts, file: SnapshotFile, snapshot: Snapshot) -> Problem:
    name = f"{file.version}_{snapshot.migration}.py"
    path = next((path for path in facts.beside if path.endswith(f"/{name}")), None)
    if path is not None:
        message = f"the snapshot of {snapshot.table} is staged, and its migration {name} is not"
        fix = facts.add(path)
        return facts.problem("not-staged", file.path, message, fix, table=snapshot.table)
    message = f"the snapshot of {snapshot.table} was written with {name}, which is not there"
    gone = next((path for path in facts.old if path.endswith(f"/{name}")), None)
    fix = "bring it back, or take the snapshot away too and run " + CODEGEN
    if gone is not None:
        fix = f"bring it back: {facts.back(gone)}"
    return facts.problem("orphan-snapshot", file.path, message, fix, table=snapshot.table)


# ------------------------------------------------------------------ resources
def _without_dropped(
    facts: Facts, leaves: Mapping[str, Snapshot], found: list[Problem]
) -> Mapping[str, Snapshot]:
    """Return the snapshots without what was dropped by hand; what does not run is a problem."""
    if not any(leaf.keeps for leaf in leaves.values()):
        return leaves
    from ashflow.history.by_hand import without_dropped

    try:
        return without_dropped(facts.history, leaves, facts.root)
    except MigrationFileError as error:
        path = next((m.path for m in facts.history.migrations if m.path in error.message), "")
        found.append(facts.problem("invalid-migration", path, error.message, error.hint))
        return leaves


def _stale(facts: Facts, leaves: Mapping[str, Snapshot], change: Change) -> Iterator[Problem]:
    from ashflow.change.describe import describe, table_of

    told: dict[str, list[str]] = {outcome.table.name: [] for outcome in change.outcomes}
    for operation in change.operations:
        told.setdefault(table_of(operation), []).append(describe(operation))
    for kept in change.kept:
        told.setdefault(kept.table, []).append(kept.note)
    for table, says in told.items():
        leaf = leaves.get(table)
        path = leaf.path if leaf is not None else _folder(facts, table)
        said = ", ".join(says) or "it is another"
        waiting = sorted(p for p in facts.beside if p.startswith(f"{_folder(facts, table)}/"))
        fix = facts.add(*_pair(facts, waiting[-1])) if waiting else CODEGEN
        message = f"the resources say something new of {table}, and no snapshot does: {said}"
        yield facts.problem("stale-snapshot", path, message, fix, table=table)


def _pair(facts: Facts, snapshot: str) -> list[str]:
    """Return a snapshot that is only on disk, with all else of its version that is."""
    return sorted(path for path in facts.beside if _version(path) == _version(snapshot))


def _folder(facts: Facts, table: str) -> str:
    for file in facts.history.snapshot_files:
        return f"{file.path.rpartition('/')[0].rpartition('/')[0]}/{table_folder(table)}"
    return f"priv/resource_snapshots/{facts.repo}/{table_folder(table)}"


# ------------------------------------------------------------------ migrations
def _doubles(facts: Facts) -> Iterator[Problem]:
    seen: dict[str, MigrationFile] = {}
    for migration in facts.history.migrations:
        other = seen.setdefault(migration.version, migration)
        if other is not migration:
            yield facts.problem(
                "duplicate-version",
                migration.path,
                f"{other.path} and {migration.path} carry one version, {migration.version}",
                "take the files of the younger one away, rolled back where it is applied, and run "
                + CODEGEN,
            )


def _loaded(facts: Facts, found: list[Problem]) -> Iterator[tuple[MigrationFile, Migration]]:
    """Yield the migrations that have to be read; what does not run is a problem."""
    paired = {file.version for file in facts.history.snapshot_files}
    for migration in facts.history.migrations:
        wanted = facts.everything or migration.path in facts.new
        wanted = wanted or migration.path in facts.before or migration.version in facts.lost
        if not wanted and migration.version in paired:
            continue
        try:
            if wanted or _is_generated(facts, migration):
                yield migration, facts.history.load(migration, facts.root)
        except (MigrationFileError, UnreadableError) as error:
            path = migration.path
            found.append(facts.problem("invalid-migration", path, error.message, error.hint))


def _is_generated(facts: Facts, migration: MigrationFile) -> bool:
    from ashflow.history.render import GENERATED

    return GENERATED in facts.history.tree[migration.path]


def _missing(
    facts: Facts, loaded: Mapping[MigrationFile, Migration], behind: Collection[str | None]
) -> Iterator[Problem]:
    """Yield generated migrations without the snapshots that were written with them.

    An operation that was added by hand has none: a table counts only where its snapshots are
    behind, or where the migration has no snapshot at all.
    """
    folders: dict[str, set[str]] = {}
    for file in facts.history.snapshot_files:
        folders.setdefault(file.version, set()).add(file.folder)
    for migration, said in loaded.items():
        if not _is_generated(facts, migration):
            continue
        there = folders.get(migration.version, set())
        for table in _tables(said):
            if table_folder(table) not in there and (not there or table in behind):
                yield _without(facts, migration, table)


def _tables(migration: Migration) -> list[str]:
    """Return the tables that a migration changes, as far as that is known."""
    from ashflow.change.describe import table_of
    from ashflow.change.operations import Execute, Run

    known = (op for op in migration.operations if not isinstance(op, Execute | Run))
    return list(dict.fromkeys(map(table_of, known)))


def _without(facts: Facts, migration: MigrationFile, table: str) -> Problem:
    path = f"{_folder(facts, table)}/{migration.version}.json"
    if path in facts.beside:
        message = f"{migration.path} is staged, and its snapshot of {table} is not"
        return facts.problem("not-staged", path, message, facts.add(path), table=table)
    message = f"{migration.path} changes {table}, and the snapshot of that is not there"
    base = f" --since {facts.since}" if facts.since else ""
    fix = f"write both anew: ashflow regen NAME{base} --discard-edits"
    if path in facts.old:
        fix = f"bring it back: {facts.back(path)}"
    return facts.problem("missing-snapshot", path, message, fix, table=table)


def _dev(facts: Facts, leaves: Mapping[str, Snapshot]) -> Iterator[Problem]:
    versions = {leaf.version for leaf in leaves.values() if leaf.data["dev"]}
    for migration in facts.history.migrations:
        if is_dev(migration.name) or migration.version in versions:
            message = f"{migration.path} was made with --dev, to be replaced by one with a name"
            yield facts.problem("dev-migration", migration.path, message, CODEGEN)


def _edited(facts: Facts, loaded: Mapping[MigrationFile, Migration]) -> Iterator[Problem]:
    by_path = {migration.path: said for migration, said in loaded.items()}
    place = facts.since or "the last commit"
    for path, text in facts.before.items():
        said = by_path.get(path)
        if said is not None and _is_another(facts, path, text, said):
            message = f"{path} does something else than in {place}: others have applied that"
            fix = "write what it shall do into a migration of its own, and take the edit back: "
            fix += facts.back(path)
            yield facts.problem("edited-migration", path, message, fix)
    for path in facts.gone:
        message = f"{path} is in {place} and not here: others have applied it"
        lost = [p for p in _gone(facts) if _version(p) == _version(path)]
        fix = f"bring it back, and write a migration that undoes it: {facts.back(*lost)}"
        yield facts.problem("edited-migration", path, message, fix)


def _is_another(facts: Facts, path: str, text: str, said: Migration) -> bool:
    """Whether a migration does something else than before; what a function does, nobody knows."""
    from ashflow.change.operations import Run
    from ashflow.history.load import load
    from ashflow.plan.regen import is_same

    if any(isinstance(operation, Run) for operation in said.operations):
        return facts.history.tree[path] != text
    try:
        return not is_same(load(text, f"{facts.root}/{path}", shown=path), said)
    except MigrationFileError:  # then it was mended
        return False


def _late(facts: Facts) -> Iterator[Problem]:
    """Yield new migrations that are older than one that the main branch has."""
    if facts.newest is None:
        return
    branch, newest = facts.newest
    for migration in facts.history.migrations:
        new = migration.path in facts.new and migration.path not in facts.on_main
        if new and migration.version < newest.version:
            yield facts.problem(
                "out-of-order",
                migration.path,
                f"{migration.path} is new, and older than {newest.path} on {branch}",
                f"ashflow regen NAME --since {branch}",
            )
