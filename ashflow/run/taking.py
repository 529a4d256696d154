"""Take one step in a session that stands, and write it into the ledger."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ashflow.change.operations import Run
from ashflow.errors import AshflowError, DatabaseError, MigrationFailed, RowsForbid, SchemaError
from ashflow.history.ledger import Applied
from ashflow.plan.fold import Fold, folded
from ashflow.plan.steps import Step, Up, with_operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ashflow.adapters.protocol import Session
    from ashflow.run.bringing import Parcel


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


def run_in(session: Session, steps: Sequence[Step], *, fold: bool) -> None:
    """Run steps in a session, and neither call their functions nor write them into the ledger.

    Args:
        session: The session: a rehearsal.
        steps: What is run.
        fold: Whether runs of them are folded.

    Raises:
        AshflowError: The database refused.
    """
    ups = [step for step in steps if isinstance(step, Up)]
    for item in folded(ups) if fold else steps:
        if isinstance(item, Fold):
            _run_fold(session, item)
        elif item.migration.transaction:
            run_named(session, without_functions(item))
        else:
            with session.bare() as bare:
                run_named(bare, without_functions(item))


def _run_fold(session: Session, fold: Fold) -> None:
    try:
        with session.apart():
            session.run(fold.operations)
    except AshflowError:  # one by one then, as migrate does
        for step in fold.steps:
            run_named(session, step)


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
    except (DatabaseError, MigrationFailed, RowsForbid, SchemaError) as error:
        way = "apply" if isinstance(step, Up) else "roll back"
        after = _what_stands(step)
        raise type(error)(
            f"can't {way} {step.version}_{step.name} ({step.path}): {error.message}{after}",
            hint=error.hint,
        ).at(step.version, step.path) from (error.__cause__ or error)


def without_functions(step: Step) -> Step:
    """Return a step for a rehearsal: its functions are left out, as they may do anything."""
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
