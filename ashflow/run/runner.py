"""Run the steps of a plan on one database: the only room that changes one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ashflow.errors import LockedError, MigrationFailed, RowsForbid, SchemaError
from ashflow.history.ledger import Applied
from ashflow.plan.steps import Done, Down, Step, Up, with_operations
from ashflow.run.events import Began, Ended, Tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.run.bringing import Parcel


@dataclass(frozen=True, slots=True)
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

    def run(self, steps: Iterable[Step]) -> list[Done]:
        """Run steps, each in a transaction of its own together with its row of the ledger.

        What another process did meanwhile is seen inside the lock, and is not done again.

        Args:
            steps: Migrations, loaded, in the order in which they are run.

        Returns:
            What was done.

        Raises:
            AshflowError: A step failed; those before it stay, it is as if it had not begun.
        """
        return [done for step in steps if (done := self._one(step)) is not None]

    def _one(self, step: Step) -> Done | None:
        with self._session(step) as session:
            if _is_done(session, step):
                return None
            self._check_as_planned(session, step)
            self.tell(Began(self.repo, step))
            start = time.perf_counter()
            parcels = self._waiting(session, step)
            notes, back = take(session, step, self.now(), parcels)
        if parcels:
            self.database.close()  # their files must not be read by what is run next
        self._wait_no_more(back)
        done = Done(step.version, step.name, step.direction, _ms(start), notes)
        self.tell(Ended(self.repo, done))
        return done

    def _check_as_planned(self, session: Session, step: Step) -> None:
        """See to it, inside the lock, that nobody changed what the plan was made from."""
        if isinstance(step, Up):
            still = (self.root / step.path).is_file()
            what = f"{step.path} is not there any more"
        else:
            newest = session.ledger().versions[-1]
            still = newest == step.version
            what = f"{newest} was applied to {self.database.shown} after {step.version}"
        if not still:
            raise LockedError(
                f"{what}: another process was at work meanwhile",
                hint="Nothing of it was done. Run the command again: it plans anew.",
            )

    def _waiting(self, session: Session, step: Step) -> tuple[Parcel, ...]:
        """Return what comes back with a migration that is applied."""
        if self.store is None or isinstance(step, Down) or step.migration.foreign_keys:
            return ()
        from ashflow.run.waiting import waiting

        versions = (step.version,)
        return waiting(self.store, self.repo, versions, session.meta().get("database_id"))

    def _wait_no_more(self, runs: Sequence[str]) -> None:
        """Note what is back, after the COMMIT: nobody applies the migration a second time."""
        if self.store is not None and runs:
            from ashflow.run.waiting import no_more

            no_more(self.store, self.repo, runs)

    def _session(self, step: Step) -> AbstractContextManager[Session]:
        if not step.migration.transaction:
            return self.database.unlocked(foreign_keys=step.migration.foreign_keys)
        return self.database.locked(foreign_keys=step.migration.foreign_keys)


def take(
    session: Session, step: Step, now: datetime, parcels: Sequence[Parcel] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Run one step in a session that stands, and write it into the ledger.

    Args:
        session: The session; nothing is committed here.
        step: What is run.
        now: The moment, in UTC.
        parcels: What comes back with it, that earlier runs kept aside.

    Returns:
        What happened to rows though no operation says so; and the runs of which something is back.

    Raises:
        AshflowError: The database or the rows in it refused; the message names the migration.
    """
    if parcels:
        notes, back = _run_bringing(session, step, parcels)
    else:
        notes, back = run_named(session, step), ()
    if isinstance(step, Up):
        session.record(row_of(step, now))
    else:
        session.forget(step.version)
    return notes, back


def _run_bringing(
    session: Session, step: Step, parcels: Sequence[Parcel]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from ashflow.run.bringing import run_bringing

    if not step.migration.transaction:
        with named(step):
            notes, brought = run_bringing(step.operations, session, parcels, session.run)
    else:
        with named(step), session.as_one(step.operations, carries=True) as one:
            notes, brought = run_bringing(step.operations, one, parcels, one.run)
    return (*notes, *brought.notes), brought.runs


def run_named(session: Session, step: Step) -> tuple[str, ...]:
    """Run the operations of a step; an error names the migration.

    Returns:
        What happened to rows though no operation says so.

    Raises:
        AshflowError: The database or the rows in it refused.
    """
    with named(step):
        return session.run(step.operations)


@contextmanager
def named(step: Step) -> Iterator[None]:
    """Say of what refuses which migration it is.

    Args:
        step: The migration.

    Raises:
        AshflowError: The database or the rows in it refused.
    """
    try:
        yield
    except (MigrationFailed, RowsForbid, SchemaError) as error:
        way = "apply" if isinstance(step, Up) else "roll back"
        after = _what_stands(step)
        raise type(error)(
            f"can't {way} {step.version}_{step.name} ({step.path}): {error.message}{after}",
            hint=error.hint,
        ) from (error.__cause__ or error)


def without_functions(step: Step) -> Step:
    """Return a step for a rehearsal: its functions are left out, as they may do anything."""
    from ashflow.change.operations import Run

    return with_operations(step, [op for op in step.operations if not isinstance(op, Run)])


def row_of(step: Up, now: datetime) -> Applied:
    """Return the row of the ledger that says that a migration was applied.

    Args:
        step: The migration.
        now: The moment, in UTC.
    """
    import json

    from ashflow.change.codec import encode_migration

    return Applied(
        position=0,
        version=step.version,
        name=step.name,
        checksum=step.checksum,
        operations=json.dumps(encode_migration(step.migration), ensure_ascii=False),
        applied_at=f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
    )


def _what_stands(step: Step) -> str:
    if step.migration.transaction:
        return ""
    return "\nIt ran outside a transaction: what it did before that point stays."


def _is_done(session: Session, step: Step) -> bool:
    applied = step.version in session.ledger()
    return applied if isinstance(step, Up) else not applied


def _ms(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
