"""Run a planned regen: the database first, uncommitted; then the files; then COMMIT."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.trace import narrowed
from ashflow.errors import (
    AshflowError,
    FileError,
    LockedError,
    MigrationFailed,
    RowsForbid,
    SchemaError,
)
from ashflow.project.regen import Regen, survey
from ashflow.run.events import Created
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.history.history import History
    from ashflow.plan.steps import Step
    from ashflow.project.checkout import Project
    from ashflow.project.untracked import Ground
    from ashflow.worktree.files import Moved


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a regen did in one repo.

    Args:
        plan: What it was to do.
        rows_carried: The rows that a rollback would have dropped, and that are there.
        parked: A copy of the database from before; None where nothing can have been dropped.
        notes: What happened to rows though no operation says so, with counts.
    """

    plan: Regen
    rows_carried: int = 0
    parked: Path | None = None
    notes: tuple[str, ...] = ()


def run_id(now: datetime) -> str:
    """Return a name for a run, which no other run has.

    Args:
        now: The moment, in UTC.
    """
    return f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def run_regen(
    project: Project, ground: Ground, plans: Sequence[Regen], run: str, *, migrate: bool
) -> Iterator[Outcome]:
    """Run planned regens, one repo after the other; the first failure ends it.

    Args:
        project: The checkout.
        ground: What git said.
        plans: What is to be done.
        run: The name of the run.
        migrate: Whether the new migrations are applied.

    Yields:
        What was done in each repo, as soon as it is done.

    Raises:
        AshflowError: A repo failed; its files and its database are as they were.
    """
    if not any(plans):
        yield from map(Outcome, plans)
        return
    from ashflow.worktree.store import held, open_store

    store = open_store(ground.located, project.root)
    with held(store):
        for at, plan in enumerate(plans):
            try:
                outcome = _run_one(project, store / "runs" / run / plan.repo, plan, migrate=migrate)
            except AshflowError as error:
                raise _placed(error, plans, at) from error
            yield outcome


def _placed(error: AshflowError, plans: Sequence[Regen], at: int) -> AshflowError:
    """Return an error that says which of several repos it stopped, and what is done."""
    if len(plans) == 1:
        return error
    done = ", ".join(plan.repo for plan in plans[:at]) or "none"
    waiting = ", ".join(plan.repo for plan in plans[at + 1 :]) or "none"
    where = f"repo {plans[at].repo}: {error.message}\nDone before it: {done}. Not begun: {waiting}."
    return type(error)(where, hint=error.hint)


def _run_one(project: Project, store: Path, plan: Regen, *, migrate: bool) -> Outcome:
    if not plan:
        return Outcome(plan)
    with ExitStack() as undo:
        undo.callback(_remove_empty, store)
        with refused(f"{store} cannot be made"):
            store.mkdir(mode=0o700, parents=True)
        made = migrate and bool(plan.stretch) and plan.database.create()
        if made:
            undo.callback(_unmake, plan.database)
        undo.callback(plan.database.close)
        try:
            with _session(plan) as session:
                _check_unchanged(project, plan, session)
                parked = _park(plan, session, store, undo)
                done = Changed()
                if session is not None and plan.stretch:
                    done = _change_database(project, plan, session, migrate=migrate)
                _change_files(project, plan, store, undo)
                _write_down(project, plan, store, undo)
            undo.pop_all()
        except BaseException:  # Ctrl-C too, which may come when COMMIT is done
            if _is_committed(plan):
                undo.pop_all()
            raise
    plan.database.close()
    if made:
        project.tell(Created(plan.repo, plan.database.shown))
    return Outcome(plan, done.carried, parked, done.notes)


@contextmanager
def _session(plan: Regen) -> Iterator[Session | None]:
    """Hand out the database: locked, where something is done in it, else to look at."""
    if plan.stretch:
        with plan.database.locked() as session:
            yield session
    elif plan.database.exists():
        with plan.database.read() as session:
            yield session
    else:
        yield None


def _is_committed(plan: Regen) -> bool:
    """Whether the database has gone where the plan led: then the files must not go back."""
    if not plan.stretch or not plan.database.exists():
        return False
    with plan.database.read() as session:
        return tuple(session.ledger()) != tuple(plan.ledger)


def _check_unchanged(project: Project, plan: Regen, session: Session | None) -> None:
    """See to it that the plan is still true, now that nobody else works on it."""
    ledger = () if session is None else tuple(session.ledger())
    if ledger != tuple(plan.ledger):
        raise LockedError(
            f"{plan.database.shown} was migrated by another process meanwhile",
            hint="Nothing was changed. Run regen again: it plans anew.",
        )
    if not _is_same_tree(plan, project.history(plan.repo)):
        raise FileError(
            f"migrations or snapshots of {plan.repo} were changed by another process meanwhile",
            hint="Nothing was changed. Run regen again: it plans anew.",
        )


def _is_same_tree(plan: Regen, now: History) -> bool:
    same = set(now.paths) == set(plan.history.paths)
    return same and all(now.tree[path] == plan.history.tree[path] for path in plan.replaced.paths)


def _park(plan: Regen, session: Session | None, store: Path, undo: ExitStack) -> Path | None:
    """Copy the database, where values will or may go, or get a narrower type.

    Nobody else writes meanwhile.
    """
    if session is None:
        return None
    asked = {loss.what for loss in plan.losses}
    lost = survey(session, plan.database.shown, plan.stretch)
    if new := next((loss for loss in lost if loss.what not in asked), None):
        raise RowsForbid(
            f"{new} of {plan.database.shown} was written meanwhile and would be dropped",
            hint="Nothing was changed. Run regen again: it plans anew.",
        )
    squeezed = (session.count(t, where_not_null=c) for t, c in narrowed(plan.stretch.operations))
    if not lost and not plan.stretch.blind and not any(squeezed):
        return None
    parked = store / "before.sqlite3"
    undo.callback(_remove, parked)
    plan.database.backup(parked)
    return parked


class Changed(NamedTuple):
    """What the database part of a regen did.

    Args:
        carried: How many rows were carried through it.
        notes: What happened to rows though no operation says so.
    """

    carried: int = 0
    notes: tuple[str, ...] = ()


def _change_database(project: Project, plan: Regen, session: Session, *, migrate: bool) -> Changed:
    """Run the stretch and write the ledger."""
    from ashflow.run.runner import row_of, run_named

    stretch = plan.stretch
    steps: tuple[Step, ...] = stretch.before
    if stretch.net is None:
        steps = (*steps, *stretch.downs, *stretch.ups)
    notes = [note for step in steps for note in run_named(session, step)]
    if stretch.net is not None:
        notes += _run_net(plan, session, migrate=migrate)
    now = project.now()
    for gone in stretch.downs:
        session.forget(gone.version)
    for up in (*stretch.before, *stretch.ups):
        session.record(row_of(up, now))
    return Changed(sum(session.count(table) for table in stretch.kept), tuple(notes))


def _run_net(plan: Regen, session: Session, *, migrate: bool) -> tuple[str, ...]:
    try:
        return session.run(plan.stretch.net or ())
    except (MigrationFailed, RowsForbid, SchemaError) as error:
        hint = error.hint
        if isinstance(error, RowsForbid) and not migrate and plan.generated is not None:
            hint = (
                "Nothing was changed. With -m (ashflow regen NAME -m) the new migration is applied "
                f"and the rows may stay. Or: {hint}"
            )
        raise type(error)(f"can't change {plan.database.shown}: {error.message}", hint=hint) from (
            error.__cause__ or error
        )


def _change_files(project: Project, plan: Regen, store: Path, undo: ExitStack) -> None:
    """Move the old files into the store and write the new ones; undone when what follows fails."""
    import shutil

    from ashflow.worktree.files import move_away, write_new

    if plan.replaced.paths:
        moved = move_away(project.root, plan.replaced.paths, store / "files")
        undo.callback(_put_back, moved)
    if plan.generated is not None:
        files = plan.generated.files
        write_new(project.root, files)
        undo.callback(shutil.rmtree, store / "undone")
        undo.callback(move_away, project.root, tuple(files), store / "undone")


def _put_back(moved: Moved) -> None:
    try:
        moved.put_back()
    except FileError as error:
        raise FileError(
            f"the old files could not be put back: {error.message}",
            hint=f"The database is as it was; they are in {moved.into}, move them back.",
        ) from error


def _write_down(project: Project, plan: Regen, store: Path, undo: ExitStack) -> None:
    """Write what was done beside the files that were moved away."""
    generated = plan.generated
    record = {
        "format": 1,
        "id": store.parent.name,
        "repo": plan.repo,
        "project": str(project.root),
        "database": plan.database.shown,
        "removed": list(plan.replaced.paths),
        "written": [] if generated is None else list(generated.files),
        "rolled_back": list(plan.rolled_back),
        "reapplied": list(plan.reapplied),
        "ledger": [[row.version, row.name, row.checksum, row.operations] for row in plan.ledger],
    }
    path = store / "run.json"
    undo.callback(_remove, path)
    with refused(f"{path} cannot be written"):
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _unmake(database: Database) -> None:
    """Remove a database that was made for a run that failed, where nobody has used it since."""
    with database.read() as session:
        used = bool(session.ledger()) or bool(session.introspect())
    if not used:
        database.drop()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    """Remove what a failed run leaves of its folder, but for files that are in it."""
    for path in (*sorted(folder.rglob("*"), reverse=True), folder, folder.parent):
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
