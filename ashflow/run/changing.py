"""Change a database as a turn wants it, and keep or carry the values that go on the way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.loosen import loosened
from ashflow.change.operations import AddStatement
from ashflow.errors import MigrationFailed, RowsForbid, SchemaError
from ashflow.plan.steps import with_operations
from ashflow.run.bringing import Parcel, bring, columns_of, followed, lot_of, tables_of, taken_by
from ashflow.run.ending import PARKED
from ashflow.run.losing import kept_of, lost_on_the_way, squeezed, survey
from ashflow.run.taking import run_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Session
    from ashflow.change.operations import Operation
    from ashflow.plan.regen import Loss
    from ashflow.plan.steps import Step
    from ashflow.run.record import Kept
    from ashflow.run.turn import Turn


class Changed(NamedTuple):
    """What the database part of a turn did.

    Args:
        kept: What was kept aside.
        parked: The name of its file; empty for none.
        carried: How many rows were carried through.
        notes: What happened to rows though no operation says so.
        brings: The runs that had kept aside what is back.
    """

    kept: tuple[Kept, ...] = ()
    parked: str = ""
    carried: int = 0
    notes: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()


def change_database(turn: Turn, session: Session, folder: Path) -> Changed:
    """Run the stretch and write the ledger; nothing is committed here.

    Args:
        turn: What is done.
        session: A session that holds the lock.
        folder: The folder of the run, for what is kept aside.

    Raises:
        AshflowError: The database or the rows in it refused.
    """
    stretch = turn.stretch
    known = kept_of(_still_known(turn, session), turn.renames)
    known += kept_of(squeezed(session, stretch), turn.renames, squeezed=True)
    # Before the first change: another connection may not read what is not committed.
    parked = _keep(turn, folder, known)
    before = tuple(note for step in stretch.before for note in run_named(session, step))
    with (
        _in_words(turn),
        session.as_one(stretch.operations, carries=bool(turn.parcels) or stretch.blind) as one,
    ):
        changed = _run(turn, one, known, parked, folder)
    for gone in stretch.downs:
        session.forget(gone.version)
    for row in turn.rows:
        session.record(row)
    stayed = sum(session.count(table) for table in stretch.kept)
    return changed._replace(carried=changed.carried + stayed, notes=(*before, *changed.notes))


def _still_known(turn: Turn, session: Session) -> tuple[Loss, ...]:
    """Return what is going to be dropped: nothing that was not known when the user was asked."""
    asked = {loss.what for loss in turn.losses}
    losses = survey(session, turn.database.shown, turn.stretch)
    if new := next((loss for loss in losses if loss.what not in asked), None):
        raise RowsForbid(
            f"{new} of {turn.database.shown} was written meanwhile and would be dropped",
            hint=f"Nothing was changed. Run {turn.deed} again: it plans anew.",
        )
    return losses


def _run(turn: Turn, session: Session, known: Sequence[Kept], parked: str, folder: Path) -> Changed:
    """Run the way down and the way up, and bring back what has a place again.

    What SQL takes away nobody can tell beforehand: then the whole database is copied first, and
    what is lost is seen at the turning point.
    """
    down, up = _legs(turn, session)
    before = session.holding() if (parked and down) or turn.parcels else {}
    going, coming = ([op for leg in legs for op in leg.operations] for legs in (down, up))
    notes, then = _walk(down, turn.parcels, coming)
    lost: list[Kept] = []
    if parked and down:
        lost = kept_of(lost_on_the_way(before, session.holding(), going), turn.renames)
    parcels = (*turn.parcels, Parcel(folder / PARKED, tuple(lost))) if lost else turn.parcels
    parcels = tuple(followed(parcel, coming) for parcel in parcels)
    more, at_last = _walk(up, parcels, ())
    then += at_last
    taken = taken_by(_without(before, lost), (*going, *coming))
    brought = bring(session, parcels, taken)
    notes += [*more, *(session.run(then) if then else ()), *brought.notes]
    seen = {(one.table, one.column) for one in lost}
    kept = [*brought.kept[len(brought.kept) - len(lost) :]]
    kept += [one for one in known if (one.table, one.column) not in seen]
    runs = tuple(run for run in brought.runs if run)
    return Changed(tuple(kept) if parked else (), parked, brought.rows, tuple(notes), runs)


def _walk(
    legs: Sequence[_Leg], parcels: Sequence[Parcel], later: Sequence[Operation]
) -> tuple[list[str], list[Operation]]:
    """Run legs, with room for the values that come back.

    Args:
        legs: What is run.
        parcels: What comes back.
        later: What is run after them.

    Returns:
        What there is to be told of rows, and what has to be run when the values are there.
    """
    way = [*(op for leg in legs for op in leg.operations), *later]
    notes: list[str] = []
    then: list[Operation] = []
    for leg in legs:
        way = way[len(leg.operations) :]
        at_first, at_last = loosened(leg.operations, columns_of(parcels), way, tables_of(parcels))
        notes += leg.run(at_first)
        then += at_last
    return notes, then


def _without(before: Mapping[str, Sequence[str]], lost: Sequence[Kept]) -> dict[str, list[str]]:
    """Return the columns of the tables that were there, without those that are lost."""
    gone = {(one.table, one.column) for one in lost}
    return {
        table: [column for column in columns if (table, column) not in gone]
        for table, columns in before.items()
        if (table, None) not in gone
    }


class _Leg(NamedTuple):
    """A part of the way.

    Args:
        operations: What is done.
        run: Does it, or something like it, and returns what there is to be told of rows.
    """

    operations: Sequence[Operation]
    run: Callable[[Sequence[Operation]], Sequence[str]]


def _legs(turn: Turn, session: Session) -> tuple[list[_Leg], list[_Leg]]:
    """Return the way down and the way up; what was changed in between is on both."""
    stretch = turn.stretch
    if stretch.net is None:
        return (
            [_leg_of(step, session) for step in stretch.downs],
            [_leg_of(step, session) for step in stretch.ups],
        )
    # Statements come last: what those that went have taken with them is seen before that.
    made = (at for at, op in enumerate(stretch.net) if isinstance(op, AddStatement))
    turning = next(made, len(stretch.net)) if stretch.blind else 0
    parts = (stretch.net[:turning], stretch.net[turning:])
    down, up = ([_Leg(part, session.run)] if part else [] for part in parts)
    return down, up


def _leg_of(step: Step, session: Session) -> _Leg:
    return _Leg(step.operations, lambda ops: run_named(session, with_operations(step, ops)))


def _keep(turn: Turn, folder: Path, known: Sequence[Kept]) -> str:
    """Copy what will go, or all where that can't be told; returns the name of the file."""
    if not turn.keep:
        return ""
    if turn.stretch.blind:
        turn.database.backup(folder / PARKED)
    elif known:
        turn.database.park(folder / PARKED, [lot_of(one) for one in known])
    else:
        return ""
    return PARKED


@contextmanager
def _in_words(turn: Turn) -> Iterator[None]:
    """Say of what refuses which database it is; a step that is really run says which step."""
    try:
        yield
    except (MigrationFailed, RowsForbid, SchemaError) as error:
        if turn.stretch.net is None:
            raise
        hint = error.hint
        if isinstance(error, RowsForbid) and turn.hint:
            hint = f"Nothing was changed. {turn.hint} Or: {hint}"
        raise type(error)(f"can't change {turn.database.shown}: {error.message}", hint=hint) from (
            error.__cause__ or error
        )
