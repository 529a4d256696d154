"""Bring one database up to its files, or take it back: look, choose, run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import LockedError, Overtaken
from ashflow.history.history import History, read_history
from ashflow.history.ledger import NOTHING, Ledger
from ashflow.plan.applied import down, up
from ashflow.plan.migrate import Asked, choose_down, plan_up, refuse_tampered
from ashflow.plan.steps import Down, Up
from ashflow.run.events import Warned
from ashflow.worktree.files import read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ashflow.adapters.protocol import Database
    from ashflow.history.ledger import Mark
    from ashflow.plan.steps import Done, Step
    from ashflow.run.events import Tell


class Target(NamedTuple):
    """A database, and the migrations that it is migrated with.

    Args:
        repo: The name of the repo.
        database: Its database.
        root: The folder that paths are relative to.
        folder: The folder of the migrations, relative to it, with `/`.
        store: Where rows wait for migrations; None: none do.
    """

    repo: str
    database: Database
    root: Path
    folder: str
    store: Path | None = None

    def history(self) -> History:
        """Return the migrations that have a file now.

        Raises:
            DuplicateVersionError: Two carry one version.
            FileError: The folder cannot be read.
        """
        return read_history(read_tree(self.root, (self.folder,)), migrations=self.folder)

    def ledger(self) -> Ledger:
        """Return what is applied; nothing, where the database is not there.

        Raises:
            LedgerError: The ledger's table belongs to another tool.
            NotADatabaseError: The file is no database.
        """
        return ledger_of(self.database)


def ledger_of(database: Database) -> Ledger:
    """Return what is applied to a database; nothing, where it is not there.

    Raises:
        LedgerError: The ledger's table belongs to another tool.
        NotADatabaseError: The file is no database.
    """
    if not database.exists():
        return Ledger()
    with database.read() as session:
        return session.ledger()


class Planned(NamedTuple):
    """What is going to be run on one database.

    Args:
        target: The database.
        steps: The migrations, loaded, in order.
        mark: The ledger by which they were chosen.
        warnings: What is odd.
        asked: Which were asked for; None where they go down, or where all are applied.
    """

    target: Target
    steps: tuple[Step, ...]
    mark: Mark = NOTHING
    warnings: tuple[str, ...] = ()
    asked: Asked | None = None

    @property
    def repo(self) -> str:
        """The repo."""
        return self.target.repo

    @property
    def database(self) -> Database:
        """Its database."""
        return self.target.database


def planned_up(target: Target, asked: Asked) -> Planned:
    """Choose and load the migrations that are to be applied; touches nothing.

    Args:
        target: The database.
        asked: Which of the pending ones.

    Raises:
        AshflowError: A migration does not load, files and ledger do not go together, or the
            database can't be read.
    """
    ledger = target.ledger()
    history = target.history()
    steps, warnings = plan_up(history, ledger, str(target.root), target.folder, asked)
    return Planned(target, steps, ledger.mark, warnings, asked)


def planned_all(target: Target) -> Planned:
    """Load all migrations, for a database that is going to be made anew; touches nothing.

    Raises:
        AshflowError: A migration does not load.
    """
    history = target.history()
    return Planned(target, tuple(up(history, f, str(target.root)) for f in history.migrations))


def planned_down(
    target: Target, *, step: int = 1, to: str | None = None, everything: bool = False
) -> Planned:
    """Choose the migrations that are to be taken back; touches nothing.

    Args:
        target: The database.
        step: How many.
        to: Back to and including this version.
        everything: All of them.

    Raises:
        IrreversibleError: One of them has no way back.
        LedgerError: The ledger was tampered with.
        NotADatabaseError: The database is not there.
        AshflowError: A migration does not load, or the database can't be read.
    """
    with target.database.read() as session:
        ledger = session.ledger()
    refuse_tampered(ledger)
    history = target.history()
    rows = choose_down(history, ledger, step=step, to=to, everything=everything)
    steps = tuple(down(history, row, str(target.root)) for row in rows)
    return Planned(target, steps, ledger.mark)


def forget_what_is_back(target: Target) -> None:
    """Let no rows wait for what is applied: a migrate was killed that had just brought them in.

    Args:
        target: A database that is there.

    Raises:
        FileError: It cannot be noted.
    """
    if target.store is None:
        return
    from ashflow.run.waiting import forget_applied

    with target.database.read() as session:
        applied, database_id = session.ledger().versions, session.meta().get("database_id")
    forget_applied(target.store, target.repo, applied, database_id)


def run(
    planned: Planned, *, now: Callable[[], datetime], tell: Tell, fold: bool = True
) -> Iterator[Done]:
    """Run what was planned; what another process has done meanwhile is not done again.

    Args:
        planned: What is to be run.
        now: Tells the moment, in UTC.
        tell: Is told what happens.
        fold: Whether runs of migrations may be folded where nothing is applied yet.

    Yields:
        What was done, when it is committed.

    Raises:
        AshflowError: A migration failed; those before it stay, it is as if it had not begun.
    """
    if not planned.steps:
        return
    from ashflow.run.runner import Runner  # who has nothing to do need not know how

    target = planned.target
    runner = Runner(target.repo, target.database, target.root, now, tell, target.store)
    downs = tuple(step for step in planned.steps if isinstance(step, Down))
    yield from runner.take_back(downs, planned.mark)
    ups = tuple(step for step in planned.steps if isinstance(step, Up))
    done: list[Done] = []
    while ups:
        try:
            for one in runner.apply(ups, planned.mark, fold=fold):
                done.append(one)
                yield one
        except Overtaken:
            if planned.asked is None:
                raise
            told = planned.warnings
            planned = _anew(planned.target, planned.asked, ups, len(done))
            ups = tuple(step for step in planned.steps if isinstance(step, Up))
            for warning in planned.warnings:
                if warning not in told:
                    tell(Warned(target.repo, warning))
        else:
            return


def _anew(target: Target, asked: Asked, chosen: Sequence[Up], done: int) -> Planned:
    """Choose again: what another process has left of it, and what it has taken back.

    Where so many were asked for, it is those that were chosen: others have applied theirs.

    Args:
        target: The database.
        asked: What was asked for.
        chosen: What was chosen.
        done: How many of it are done.

    Raises:
        LockedError: Another process has taken back what those that were chosen build on.
    """
    found = planned_up(target, asked._replace(step=None))
    if asked.step is None:
        return found._replace(asked=asked)
    versions = {step.version for step in chosen}
    steps = tuple(step for step in found.steps if step.version in versions)
    if found.steps[: len(steps)] != steps:
        raise LockedError(
            f"{found.steps[0].version}_{found.steps[0].name} was rolled back by another process "
            "meanwhile",
            hint="Nothing more was done. Run the command again: it plans anew.",
        )
    return found._replace(steps=steps[: asked.step - done], asked=asked)
