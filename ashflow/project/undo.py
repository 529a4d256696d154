"""Take the last run back that replaced migrations: its files, its rows of the ledger, its schema.

No resource is imported: what the run did is written down in the store.
"""

from __future__ import annotations

import stat
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ashflow.change.codec import decode_operation
from ashflow.change.renames import Renames
from ashflow.change.reverse import reverse_all
from ashflow.errors import UsageError
from ashflow.history.history import read_history
from ashflow.plan.applied import again, down
from ashflow.plan.regen import Replaced
from ashflow.plan.stretch import Stretch
from ashflow.project.rerun import check_unchanged, run_turns
from ashflow.project.untracked import git_of
from ashflow.run.bringing import at_home, renamed
from ashflow.run.digests import digest_of, file_digest, files_digest, ledger_digest, schema_digest
from ashflow.run.ending import FILES, versions_of
from ashflow.run.journal import records, run_folder
from ashflow.run.losing import survey
from ashflow.run.migrating import ledger_of
from ashflow.run.turn import Turn
from ashflow.run.waiting import parcel_of, waiting
from ashflow.run.whole import id_of
from ashflow.values import value
from ashflow.worktree.files import read_tree
from ashflow.worktree.ground import read_bytes, refused
from ashflow.worktree.porcelain import FileState
from ashflow.worktree.store import store_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.adapters.protocol import Database, Session
    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.plan.regen import Loss
    from ashflow.project.checkout import Project
    from ashflow.run.bringing import Parcel
    from ashflow.run.record import Record
    from ashflow.run.turn import Outcome
    from ashflow.worktree.porcelain import Entry, GitStatus, Located


@value
class Undo:
    """What taking a run back will do in one repo.

    Args:
        record: The run.
        database: Its database.
        ledger: What is applied now.
        history: The files now.
        replaced: Those that go.
        files: What those hold that come back, by path.
        modes: Their permissions.
        stretch: What is run in the database.
        parcels: What the run kept aside, and what comes back.
        losses: Values that go: they are kept aside.
        located: Where the project lies in its git repository; None where there is none.
        entries: What git's index has of the files that go.
        committed: Those of them that were committed since.
    """

    record: Record
    database: Database
    ledger: Ledger
    history: History
    replaced: Replaced
    files: Mapping[str, bytes]
    modes: Mapping[str, int]
    stretch: Stretch
    parcels: tuple[Parcel, ...]
    losses: tuple[Loss, ...]
    located: Located | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    committed: tuple[str, ...] = ()

    @property
    def repo(self) -> str:
        """The repo."""
        return self.record.repo


def runs(project: Project, repos: Sequence[RepoConfig]) -> Iterator[Record]:
    """Yield what the runs did in some repos, the newest first.

    Args:
        project: The checkout.
        repos: Which of its repos.

    Raises:
        FileError: A record can't be read.
    """
    names = {repo.name for repo in repos}
    return (one for one in records(store_folder(project.root)) if one.repo in names)


def plan_undo(project: Project, repos: Sequence[RepoConfig], run: str | None = None) -> list[Undo]:
    """Plan to take a run back; touches nothing.

    Args:
        project: The checkout.
        repos: In which of its repos.
        run: The name of the run; None: the last one.

    Returns:
        What will be done in each repo that the run was in, in the order of the configuration.

    Raises:
        UsageError: There is none, or files, ledger or schema are no longer what it left.
        AshflowError: A file or a database can't be read.
    """
    found = list(runs(project, repos))
    wanted = run or next((one.id for one in found), None)
    chosen = {one.repo: one for one in found if one.id == wanted}
    if not chosen and run is not None:
        raise UsageError(
            f"there is no run {run} to be taken back", hint="ashflow undo --list shows them."
        )
    plans = [_plan(project, repo, chosen[repo.name]) for repo in repos if repo.name in chosen]
    found_git = git_of(project, [plan.repo for plan in plans]) if plans else None
    return plans if found_git is None else [_in_git(plan, *found_git) for plan in plans]


def _in_git(plan: Undo, located: Located, git: GitStatus) -> Undo:
    """Return a plan with what git has of the files that go.

    Raises:
        UsageError: One of them is on a branch of a remote.
    """
    paths = plan.replaced.paths
    known = {FileState.COMMITTED, FileState.MODIFIED}
    committed = tuple(path for path in paths if git.state_of(path) in known)
    if committed:
        from ashflow.worktree.git import branches_with

        for path, branches in branches_with(located, committed, remote=True).items():
            if branches:
                raise _changed(plan.record, f"{path} is on {branches[0]} already")
    entries = {path: git.entries[path] for path in paths if path in git.entries}
    return replace(plan, located=located, entries=entries, committed=committed)


def run_undo(project: Project, plans: Sequence[Undo]) -> Iterator[Outcome | None]:
    """Take a run back, one repo after the other; the first failure ends it.

    Args:
        project: The checkout.
        plans: What is to be done.

    Yields:
        What was done in each repo, as soon as it is done.

    Raises:
        AshflowError: A repo failed; its files and its database are as they were.
    """

    def turn_of(plan: Undo, run: str, _: Path) -> Turn:
        return _turn(project, plan, run)

    return run_turns(project, plans, turn_of)


def _plan(project: Project, repo: RepoConfig, record: Record) -> Undo:
    folder = run_folder(store_folder(project.root), record.id, record.repo)
    history = project.history(repo.name)
    replaced = _written(history, record)
    files = _stored(folder / FILES, history, record)
    _refuse_others(history, record)
    database = project.database(repo)
    ledger = ledger_of(database)
    _check_ledger(record, ledger, database)
    stretch = _stretch(project, record, history, ledger, folder / FILES)
    losses: tuple[Loss, ...] = ()
    if stretch:
        with database.read() as session:
            _check_database(record, session, database)
            losses = survey(session, database.shown, stretch)
    parcels = _parcels(project, record, id_of(database))
    modes = {path: stat.S_IMODE((folder / FILES / path).stat().st_mode) for path in files}
    return Undo(record, database, ledger, history, replaced, files, modes, stretch, parcels, losses)


def _parcels(project: Project, record: Record, database_id: str | None) -> tuple[Parcel, ...]:
    """Return what comes back: what waits for the migrations that go, or what the run kept aside.

    What waits may be newer: a migration that was applied in between has had the rows of the run.
    """
    store = store_folder(project.root)
    own = parcel_of(store, record.repo, record.id, database_id)
    if own is not None and not own.path.is_file():
        raise _changed(record, f"{own.path}, which has the rows that it kept aside, is gone")
    if not record.changes_database:
        return ()
    versions = versions_of(record.written)
    found = waiting(store, record.repo, versions, database_id) or ((own,) if own else ())
    back = _back(record)
    return tuple(at_home(one) if one == own else renamed(one, back) for one in found)


def _written(history: History, record: Record) -> Replaced:
    """Return the files that the run wrote, sure that they are as it wrote them."""
    root = Path(record.project)
    for path, digest in record.written.items():
        if path not in history.tree:
            raise _changed(record, f"{path}, which it wrote, is not there any more")
        if digest not in {file_digest(root / path), digest_of(history.tree[path])}:
            raise _changed(record, f"{path}, which it wrote, was changed since")
    return Replaced(
        tuple(m for m in history.migrations if m.path in record.written),
        tuple(s for s in history.snapshot_files if s.path in record.written),
    )


def _refuse_others(history: History, record: Record) -> None:
    """See to it that no migration and no snapshot came or went since."""
    if files_digest(history.paths) == record.files:
        return
    since = max(versions_of(record.written), default="")
    came = [m.path for m in history.migrations if m.version > since]
    came += [s.path for s in history.snapshot_files if s.version > since]
    what = f"{came[0]} came since" if came else "other migrations or snapshots came or went since"
    raise _changed(record, what)


def _stored(folder: Path, history: History, record: Record) -> dict[str, bytes]:
    """Return what the files hold that the run moved away, sure that they have a place."""
    files = {}
    for path, digest in record.removed.items():
        if path in history.tree:
            raise _changed(record, f"{path}, which it removed, is there again")
        if not (folder / path).is_file():
            raise _changed(record, f"{folder / path}, the old file, is not there any more")
        with refused(f"{folder / path} cannot be read"):
            files[path] = read_bytes(str(folder / path))
        if digest_of(files[path]) != digest:
            raise _changed(record, f"{folder / path}, the old file, was changed since")
    return files


def _changed(record: Record, what: str) -> UsageError:
    return UsageError(
        f"{record.deed} {record.id} of {record.repo} can't be taken back: {what}",
        hint="Nothing was changed. Bring that back to what it was, or go on from here: the old "
        f"files stay in the store, in runs/{record.id}/{record.repo}/files.",
    )


def _check_ledger(record: Record, ledger: Ledger, database: Database) -> None:
    """See to it that what is applied is what the run left."""
    if record.changes_database and not database.exists():
        raise _changed(record, f"{database.shown} is not there any more")
    if record.changes_database and record.database_id not in {None, id_of(database)}:
        raise _changed(record, f"{database.shown} is another database than it was at work in")
    if not database.exists() or ledger_digest(ledger) == record.ledger:
        return
    if not ledger and not record.changes_database:
        return
    given = {row.version for row in record.given}
    lacking = sorted(given - set(ledger.versions))
    if lacking:
        raise _changed(record, f"{lacking[0]}, which it applied, was rolled back since")
    newest = next(reversed(tuple(ledger)), None)
    if newest is not None and newest.version in versions_of(record.written) - given:
        raise UsageError(
            f"{record.deed} {record.id} of {record.repo} can't be taken back: its migration "
            f"{newest.version}_{newest.name} was applied since",
            hint=f"Roll that back first: ashflow rollback --repo {record.repo}, then ashflow undo.",
        )
    last = "none" if newest is None else f"{newest.version}_{newest.name}"
    raise _changed(
        record,
        f"migrations were applied or rolled back since in {database.shown}; the last that is "
        f"applied is {last}",
    )


def _check_database(record: Record, session: Session, database: Database) -> None:
    """See to it that a database is the one that the run was at work in, and as it left it."""
    if schema_digest(session.introspect(record.tables)) != record.schema:
        tables = ", ".join(record.tables or ()) or "tables"
        raise _changed(record, f"{tables} of {database.shown} were changed by hand since")


def _stretch(
    project: Project,
    record: Record,
    history: History,
    ledger: Ledger,
    store: Path,
) -> Stretch:
    """Return the way back: what went up goes down, what went down comes up."""
    if not record.changes_database:
        return Stretch()
    root = str(project.root)
    rows = [row for row in reversed(tuple(ledger)) if row.version in _versions(record.given)]
    downs = tuple(down(history, row, root) for row in rows)
    folders = project.folders(record.repo)
    old = read_history(
        read_tree(store, ["priv"]), migrations=folders.migrations, snapshots=folders.snapshots
    )
    ups = tuple(
        again(old if old.migration(row.version) else history, row, root)
        for row in _in_order(record.taken)
    )
    if record.net is None:
        return Stretch(downs, ups)
    apart = _versions(record.given[: record.apart])
    net = (
        *reverse_all([decode_operation(operation) for operation in record.net]),
        *(op for step in downs if step.version in apart for op in step.operations),
    )
    return Stretch(downs, ups, net)


def _versions(rows: Sequence[Applied]) -> frozenset[str]:
    return frozenset(row.version for row in rows)


def _in_order(rows: Sequence[Applied]) -> list[Applied]:
    return sorted(rows, key=lambda row: row.position)


def _turn(project: Project, plan: Undo, run: str) -> Turn:
    record = plan.record
    return Turn(
        id=run,
        deed="undo",
        repo=record.repo,
        name=record.name,
        root=project.root,
        database=plan.database,
        ledger=plan.ledger,
        stretch=plan.stretch,
        rows=tuple(_in_order(record.taken)),
        paths=plan.history.paths,
        removed=plan.replaced.paths,
        files=plan.files,
        modes=plan.modes,
        check=lambda session: _check(project, plan, session),
        losses=plan.losses,
        renames=_back(record),
        parcels=plan.parcels,
        waits=_waits(plan),
        located=plan.located,
        entries=plan.entries,
        undoes=record.id,
        restored=record.entries,
    )


def _check(project: Project, plan: Undo, session: Session | None) -> None:
    check_unchanged(project, plan, session)
    if session is not None and plan.stretch:
        _check_database(plan.record, session, plan.database)


def _back(record: Record) -> Renames:
    """Return what is called how where it returns: the renames of the run, the other way round."""
    tables = {kept.to: kept.table for kept in record.kept if kept.to != kept.table}
    columns = {kept.to: {new: old for old, new in kept.columns} for kept in record.kept}
    return Renames(tables, {table: pairs for table, pairs in columns.items() if pairs})


def _waits(plan: Undo) -> str:
    """Return the newest migration that comes back and is not applied: with it, rows may return."""
    applied = _versions(plan.record.taken)
    return max(versions_of(plan.files) - applied, default="")
