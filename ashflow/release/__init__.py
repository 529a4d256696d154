"""Migrate in production: no git, no command line, no resources.

    from ashflow import release

    release.migrate()                                # every repo of the project
    release.rollback("repo", to="20261123061000")    # back to and including it
    release.status()

The project is found from the current folder, or in the folder that `ASHFLOW_PROJECT` names. A
`Repo` needs none. Several processes and threads may call it at once: one works, the others wait
and find it done. What happens is told to the logger `ashflow`, statements at the level DEBUG;
neither ever holds values of rows or a password.

A worker that is forked while a thread of its parent is in the middle of a migration can't migrate
that database itself: SQLite takes its parent's lock for one of the worker's own. It gets a
`LockedError`, and nothing is disturbed.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ashflow.config import ENVIRONMENT_VARIABLE, environment_of
from ashflow.errors import UsageError
from ashflow.history.ledger import ENVIRONMENT
from ashflow.plan.migrate import Asked, Rules
from ashflow.plan.states import State, states
from ashflow.plan.steps import Done
from ashflow.release.logged import Logged
from ashflow.release.repos import Given, Repo, targets
from ashflow.release.results import Migrated, Standing
from ashflow.run.carry_out import carry_out
from ashflow.run.clock import utc_clock
from ashflow.run.events import Warned
from ashflow.run.migrating import planned_down, planned_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Database
    from ashflow.run.migrating import Planned, Target

__all__ = ["Done", "Migrated", "Repo", "Standing", "State", "migrate", "rollback", "status"]

_TURNS: dict[int, threading.Lock] = {}


def migrate(
    repos: Given = None,
    *,
    to: str | None = None,
    step: int | None = None,
    allow_out_of_order: bool = False,
    allow_edited: bool = False,
    fold: bool = True,
    copies: str | Path | None = None,
    lock_timeout: float | None = None,
) -> tuple[Migrated, ...]:
    """Apply the pending migrations; makes a SQLite file that is not there.

    All are loaded before the first is run, in every repo. Which ones are pending is decided under
    the write lock. Each is committed together with its row of the ledger, several with one COMMIT
    as long as that is half a second of work; one that fails leaves those before it applied.

    A database that is ahead of the files, as when an older image starts late, is a warning, and
    nothing is done.

    Args:
        repos: Repos of the project, by name, or ones that need none; None: all of the project.
        to: The last version, 14 digits; None: all.
        step: How many migrations at most; None: all.
        allow_out_of_order: Whether one is applied that is older than an applied one.
        allow_edited: Whether to go on though the file of an applied one was edited since.
        fold: Whether tables may be made at once as they stand in the end, where nothing is applied.
        copies: A folder for a copy of a database before values in it go; None: none is kept.
        lock_timeout: How many seconds to wait for other processes; None: what is configured, 60.

    Returns:
        What was done in each repo.

    Raises:
        ConfigError: There is no project, no such repo, or a url or folder that can't be used.
        LockedError: Another process kept the lock for longer than we wait.
        OutOfOrderError: A migration is older than one that is applied.
        EditedError: The file of an applied one was edited since.
        MigrationFailed: One was refused by the database; `version` and `path` say which.
        AshflowError: What else stands in the way; see `ashflow.errors`.
    """
    asked = Asked(step, to, Rules(allow_out_of_order, allow_edited, stop_ahead=True))
    if step is not None and step < 1:
        raise UsageError(f"step={step} is no number of migrations", hint="Say 1 or more.")
    with _in_turn(), targets(repos, lock_timeout) as found:
        if step is not None or to is not None:
            _refuse_several(found)
        planned = [planned_up(target, asked) for target in found]
        return tuple(_run(planned, copies=copies, fold=fold, create=True))


def rollback(
    repo: Repo | str | None = None,
    *,
    to: str | None = None,
    step: int | None = None,
    copies: str | Path | None = None,
    lock_timeout: float | None = None,
) -> Migrated:
    """Take migrations back, the one that was applied last first.

    That works without their files, as in an older release: from the operations in the database.

    Args:
        repo: A repo of the project, by name, or one that needs no project; None: the only one.
        to: Back to and including this version, 14 digits.
        step: How many; one of the two has to be given.
        copies: A folder for a copy of the database before values in it go; None: none is kept.
        lock_timeout: How many seconds to wait for other processes; None: what is configured, 60.

    Returns:
        What was done.

    Raises:
        UsageError: Not one of `to` and `step` is given, or that version is not applied.
        IrreversibleError: One has no way back, or runs functions and its file is not here; nothing
            was touched.
        AshflowError: What else stands in the way.
    """
    if (to is None) == (step is None) or (step is not None and step < 1):
        raise UsageError(
            "a rollback in production says how far it goes",
            hint='rollback("repo", to="20261123061000") goes back to and including that version, '
            "step=1 takes back one; on the command line --to and --step.",
        )
    with _in_turn(), targets(repo, lock_timeout) as found:
        _refuse_several(found)
        planned = [planned_down(found[0], step=step or 1, to=to)]
        return _run(planned, copies=copies, fold=False, create=False)[0]


def status(repos: Given = None) -> tuple[Standing, ...]:
    """Return what stands where; makes and writes nothing.

    Args:
        repos: Repos of the project, by name, or ones that need none; None: all of the project.

    Raises:
        AshflowError: A database or the files can't be read.
    """
    with _in_turn(), targets(repos) as found:
        return tuple(
            Standing(
                target.repo,
                target.database.shown,
                target.database.exists(),
                states(target.history(), target.ledger(), str(target.root)),
            )
            for target in found
        )


def _run(
    planned: Sequence[Planned], *, copies: str | Path | None, fold: bool, create: bool
) -> list[Migrated]:
    from ashflow.run.one_by_one import one_by_one

    def deed(one: Planned) -> Migrated:
        return _run_one(one, copies=copies, fold=fold, create=create)

    return list(one_by_one([(one.repo, one) for one in planned], deed))


def _run_one(one: Planned, *, copies: str | Path | None, fold: bool, create: bool) -> Migrated:
    from pathlib import Path

    tell = Logged()
    if told := _another_environment(one.database):
        tell(Warned(one.repo, told))
    place = None if copies is None else Path(copies)
    folder = None if place is None else lambda: place
    done = carry_out(one, now=utc_clock, tell=tell, create=create, fold=fold, copies=folder)
    return Migrated(one.repo, one.database.shown, done, tuple(tell.warnings))


def _another_environment(database: Database) -> str:
    """Return that a database remembers another environment than the variable says; empty if not."""
    said = environment_of(os.environ)
    if not said or not database.exists():  # one that is made remembers what it says
        return ""
    with database.read() as session:
        marked = session.meta().get(ENVIRONMENT, "")
    if not marked or said == marked:
        return ""
    return f"the database is marked {marked}, and {ENVIRONMENT_VARIABLE} says {said}"


def _refuse_several(found: Sequence[Target]) -> None:
    """Refuse one count for two histories, or for none."""
    if not found:
        raise UsageError(
            "that counts in the history of one database, and none is named",
            hint="Name a repo; ashflow status lists those of the project.",
        )
    if len(found) > 1:
        names = ", ".join(target.repo for target in found)
        raise UsageError(
            f"that counts in the history of one database, and there are {len(found)}: {names}",
            hint=f'Name one: "{found[0].repo}", on the command line --repo {found[0].repo}.',
        )


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let one thread of a process work at a time: what a file prints is led elsewhere for all."""
    # A lock of its own for each process: one that is forked meanwhile must not find it held.
    with _TURNS.setdefault(os.getpid(), threading.Lock()):
        yield
