"""Run the steps of a plan on one database: the only room that changes one."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.change.operations import Run
from ashflow.errors import AshflowError, LockedError, Overtaken, TransactionLost
from ashflow.plan.applied import applied_migration
from ashflow.plan.fold import Fold, folded
from ashflow.plan.steps import Done, Down, Step, Up
from ashflow.run.events import Began, Ended, Tell
from ashflow.run.taking import named, row_of, take
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.history.ledger import Mark
    from ashflow.run.bringing import Parcel

TOGETHER: Final = 0.5
"""So many seconds of work at most share one COMMIT, at which the disk is waited for."""


class _Taken(NamedTuple):
    """What was run in a transaction.

    Args:
        done: The migrations.
        back: The runs of which something came back with them.
    """

    done: tuple[Done, ...]
    back: tuple[str, ...] = ()


class _Group(NamedTuple):
    """What shared a transaction.

    Args:
        taken: What is done, and committed.
        mark: What the ledger is now.
        failure: Why the next one was not done; None: it was not begun.
        lost: How many were undone by one of them, that one included.
    """

    taken: tuple[_Taken, ...] = ()
    mark: Mark | None = None
    failure: AshflowError | None = None
    lost: int = 0


@value
class Runner:
    """Runs steps on the database of one repo.

    Args:
        repo: The name of the repo.
        database: Its database.
        root: The folder of the project.
        now: Tells the moment, in UTC.
        tell: Is told what happens.
        store: Where rows wait for migrations; None: none do.
    """

    repo: str
    database: Database
    root: Path
    now: Callable[[], datetime]
    tell: Tell
    store: Path | None = None

    def apply(self, steps: Sequence[Up], mark: Mark, *, fold: bool) -> Iterator[Done]:
        """Apply migrations, each together with its row of the ledger, and several at once.

        Where one fails, those before it stay, and it is as if it had not begun. What is folded and
        fails, is run again as it is; and where a statement undoes the whole transaction, as
        RAISE(ROLLBACK) does, those before it are run again, each in one of its own.

        Args:
            steps: Migrations, loaded, in the order in which they are run.
            mark: The ledger by which they were chosen.
            fold: Whether runs of them may make each table at once as it stands in the end, where
                nothing is applied yet.

        Yields:
            What was done, when it is committed.

        Raises:
            Overtaken: Another process has migrated the database since.
            AshflowError: A migration failed.
        """
        left: list[Up | Fold] = [*folded(steps)] if fold and not mark.rows else [*steps]
        alone: set[str] = set()
        while left:
            group = self._group(left, mark, alone)
            yield from self._committed(group.taken)
            mark = group.mark or mark
            left = left[len(group.taken) :]
            if group.failure is None:
                continue
            suspects = max(group.lost, 1)
            if suspects == 1 and isinstance(left[0], Up):
                raise group.failure
            again = [step for item in left[:suspects] for step in _steps(item)]
            alone |= {step.version for step in again} if group.lost else set()
            left = [*again, *left[suspects:]]

    def _group(self, left: Sequence[Up | Fold], mark: Mark, alone: set[str]) -> _Group:
        """Take the first of what is left, and what may share its transaction."""
        taken: list[_Taken] = []
        try:
            with self._session(_steps(left[0])[0]) as session:
                self._refuse_overtaken(session, mark)
                failure = self._fill(session, left, alone, taken)
                after = session.mark()
        except TransactionLost as error:
            return _Group(failure=_cause(error), lost=len(taken) + 1)
        except AshflowError as error:
            first = left[0]
            if isinstance(error, LockedError) or (isinstance(first, Up) and len(taken) < 2):
                if taken and isinstance(first, Up):
                    with named(first):  # at its COMMIT
                        raise
                raise
            return _Group(failure=error, lost=len(taken))
        return _Group(tuple(taken), after, failure)

    def _fill(
        self, session: Session, left: Sequence[Up | Fold], alone: set[str], taken: list[_Taken]
    ) -> AshflowError | None:
        """Take what may share a transaction; returns why one of it was not taken, or None.

        Args:
            session: The transaction.
            left: What is left to be taken; the first of it is, whatever it is.
            alone: The versions that have a transaction of their own.
            taken: Gets what was taken.

        Raises:
            TransactionLost: The database has undone all.
            AshflowError: The first one failed: with it, all that there is is undone.
        """
        end = time.monotonic() + TOGETHER
        share = self._shares(left[0], alone)
        for item in left:
            if taken and not (share and self._shares(item, alone) and time.monotonic() < end):
                return None
            try:
                with session.apart() if taken else nullcontext():
                    taken.append(self._take(session, item))
            except AshflowError as error:
                if not taken or isinstance(error, TransactionLost):
                    raise
                return error
        return None

    def _shares(self, item: Up | Fold, alone: set[str]) -> bool:
        """Whether a migration may be in one transaction with others.

        What a function does outside of the database must not be done twice.
        """
        if isinstance(item, Fold):
            return True
        plain = item.migration.transaction and not item.migration.foreign_keys
        runs = any(isinstance(operation, Run) for operation in item.operations)
        return plain and not runs and self.store is None and item.version not in alone

    def _refuse_overtaken(self, session: Session, mark: Mark) -> None:
        if session.mark() != mark:
            raise Overtaken(
                f"{self.database.shown} was migrated by another process meanwhile",
                hint="Nothing was changed. Run it again: it plans anew.",
            )

    def _take(self, session: Session, item: Up | Fold) -> _Taken:
        steps = _steps(item)
        for step in steps:
            self._refuse_gone(step)
        self.tell(Began(self.repo, steps[-1]))
        start = time.perf_counter()
        if isinstance(item, Fold):
            session.run(item.operations)
            now = self.now()
            session.record(*(row_of(step, now) for step in steps))
            each = round(_ms(start) / len(steps), 3)
            return _Taken(tuple(Done(s.version, s.name, s.direction, each) for s in steps))
        parcels = self._waiting(session, item)
        notes, back = take(session, item, self.now(), parcels)
        done = Done(item.version, item.name, item.direction, _ms(start), notes)
        return _Taken((done,), back)

    def _refuse_gone(self, step: Up) -> None:
        if not (self.root / step.path).is_file():
            raise LockedError(
                f"{step.path} is not there any more: another process was at work meanwhile",
                hint="Nothing of it was done. Run the command again: it plans anew.",
            )

    def _committed(self, taken: Iterable[_Taken]) -> Iterator[Done]:
        """Tell of what is committed: nobody applies it a second time."""
        for one in taken:
            if one.back:
                self.database.close()  # files of rows must not be read by what is run next
                self._wait_no_more(one.back)
            for done in one.done:
                self.tell(Ended(self.repo, done))
                yield done

    def take_back(self, steps: Sequence[Down], mark: Mark) -> Iterator[Done]:
        """Roll migrations back, each in a transaction of its own together with its row.

        What another process has rolled back meanwhile is seen inside the lock.

        Args:
            steps: Migrations, in the order in which they are run.
            mark: The ledger by which they were chosen.

        Yields:
            What was done, when it is committed.

        Raises:
            AshflowError: A step failed; those before it stay, it is as if it had not begun.
        """
        for step in steps:
            with self._session(step) as session:
                if session.mark() != mark and self._is_gone(session, step):
                    continue
                self.tell(Began(self.repo, step))
                start = time.perf_counter()
                notes, _ = take(session, step, self.now())
                mark = session.mark()
            done = Done(step.version, step.name, step.direction, _ms(start), notes)
            self.tell(Ended(self.repo, done))
            yield done

    def _is_gone(self, session: Session, step: Down) -> bool:
        """Whether another process has rolled a migration back, where one was at work.

        Raises:
            LockedError: It has applied another one after it, or in its place.
        """
        ledger = session.ledger()
        row = ledger.get(step.version)
        if row is None:
            return True
        newest = ledger.versions[-1]
        if newest != step.version:
            what = f"{newest} was applied to {self.database.shown} after {step.version}"
        elif applied_migration(row) != step.migration:
            what = f"{step.version} was applied to {self.database.shown} anew, as another migration"
        else:
            return False
        raise LockedError(
            f"{what}: another process was at work meanwhile",
            hint="Nothing of it was done. Run the command again: it plans anew.",
        )

    def _waiting(self, session: Session, step: Up) -> tuple[Parcel, ...]:
        """Return what comes back with a migration that is applied."""
        if self.store is None or step.migration.foreign_keys:
            return ()
        from ashflow.run.waiting import waiting

        versions = (step.version,)
        return waiting(self.store, self.repo, versions, session.meta().get("database_id"))

    def _wait_no_more(self, runs: Sequence[str]) -> None:
        if self.store is not None:
            from ashflow.run.waiting import no_more

            no_more(self.store, self.repo, runs)

    def _session(self, step: Step) -> AbstractContextManager[Session]:
        if not step.migration.transaction:
            return self.database.unlocked(foreign_keys=step.migration.foreign_keys)
        return self.database.locked(foreign_keys=step.migration.foreign_keys)


def _steps(item: Up | Fold) -> tuple[Up, ...]:
    return item.steps if isinstance(item, Fold) else (item,)


def _cause(error: TransactionLost) -> AshflowError:
    """Return what the one said that undid the transaction."""
    return error.__cause__ if isinstance(error.__cause__, AshflowError) else error


def _ms(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
