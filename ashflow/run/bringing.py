"""Run operations, and bring back in the same transaction what an earlier step kept aside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.adapters.protocol import Lot
from ashflow.change.loosen import loosened
from ashflow.change.operations import RenameColumn, RenameTable
from ashflow.change.renames import Renames
from ashflow.change.trace import trace
from ashflow.errors import RowsForbid
from ashflow.schema.sqltext import fold
from ashflow.schema.table import Column, Schema, Table
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Session
    from ashflow.change.operations import Operation
    from ashflow.run.record import Kept

    Holding = Mapping[str, Sequence[str]]
    Run = Callable[[Sequence[Operation]], tuple[str, ...]]


Place = tuple[str, str | None]
"""A table, with None, or a column of one, in small letters."""

_NOWHERE: Final = "__ashflow_nowhere"
"""The name of a table that no database has."""


@value
class Parcel:
    """Values that wait in a file to be brought back.

    Args:
        path: The file.
        kept: What of it is brought back.
        run: The name of the run that kept it.
        at_end: Whether the names that it returns under are those when all is done.
    """

    path: Path
    kept: tuple[Kept, ...]
    run: str = ""
    at_end: bool = False


class Brought(NamedTuple):
    """What was brought back.

    Args:
        rows: How many rows, and values of single columns, are there again.
        kept: What each parcel had, in order, with how much of it is left in the file.
        runs: The runs that had kept aside what is back, or some of it.
        notes: What is back, and what is left in which file.
    """

    rows: int = 0
    kept: tuple[Kept, ...] = ()
    runs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def lot_of(kept: Kept) -> Lot:
    """Return what a database is asked to keep aside, or to bring back."""
    return Lot(kept.table, kept.column, kept.to, kept.columns, kept.squeezed)


def renamed(parcel: Parcel, renames: Renames) -> Parcel:
    """Return a parcel whose tables and columns are called otherwise where they return.

    Args:
        parcel: The parcel.
        renames: The new names, by those that they would return under.
    """
    return replace(parcel, kept=tuple(_renamed(kept, renames) for kept in parcel.kept))


def _renamed(kept: Kept, renames: Renames) -> Kept:
    pairs = renames.columns_of(kept.to)
    known = dict(kept.columns)
    columns = {old: pairs.get(new, new) for old, new in known.items()}
    columns |= {old: new for old, new in pairs.items() if old not in known.values()}
    to = renames.tables.get(kept.to, kept.to)
    return replace(kept, to=to, columns=tuple(sorted(columns.items())))


def followed(parcel: Parcel, operations: Iterable[Operation]) -> Parcel:
    """Return a parcel under the names that operations give to what was there before them.

    Args:
        parcel: The parcel.
        operations: What is done before it is brought back.
    """
    for operation in operations if not parcel.at_end else ():
        match operation:
            case RenameTable(old, new):
                parcel = renamed(parcel, Renames({old: new}))
            case RenameColumn(table, old, new):
                parcel = renamed(parcel, Renames({}, {table: {old: new}}))
            case _:
                pass
    return parcel


def at_home(parcel: Parcel) -> Parcel:
    """Return a parcel under the names that its values had when they were kept aside."""
    kept = tuple(replace(one, to=one.table, columns=()) for one in parcel.kept)
    return replace(parcel, kept=kept, at_end=True)


def taken_by(there: Holding, operations: Iterable[Operation]) -> frozenset[Place]:
    """Return the places that something stands in which was there before: nothing returns there.

    Args:
        there: The columns of the tables that stay, before the operations.
        operations: What is done.
    """
    start = Schema(Table(t, [Column(c, "text") for c in columns]) for t, columns in there.items())
    found: set[Place] = set()
    for table, columns in trace(start, operations).values():
        found |= {(fold(table), None), *((fold(table), fold(c)) for c in columns.values())}
    return frozenset(found)


def columns_of(parcels: Iterable[Parcel]) -> frozenset[tuple[str, str]]:
    """Return the single columns that are brought back, by the names that they return under."""
    return frozenset(
        (kept.to, _column_of(kept))
        for parcel in parcels
        for kept in parcel.kept
        if kept.column is not None
    )


def tables_of(parcels: Iterable[Parcel]) -> frozenset[str]:
    """Return the tables that are brought back whole, by the names that they return under."""
    return frozenset(k.to for parcel in parcels for k in parcel.kept if k.column is None)


def bring(
    session: Session, parcels: Sequence[Parcel], taken: frozenset[Place] = frozenset()
) -> Brought:
    """Bring back what parcels hold, where it has a place.

    Args:
        session: A session that holds the lock.
        parcels: What is brought back, in order: what comes later wins.
        taken: The places in which something else stands.

    Raises:
        RowsForbid: Rows that this run took away would refer to what is not there.
    """
    own = [parcel for parcel in parcels if not parcel.run]
    earlier = [parcel for parcel in parcels if parcel.run]
    brought = _earlier(session, earlier, taken) if earlier else Brought()
    for parcel in own:
        brought = _joined(brought, _told(parcel, _carry(session, parcel, taken)))
    return brought


def _earlier(session: Session, parcels: Sequence[Parcel], taken: frozenset[Place]) -> Brought:
    """Bring back what earlier runs kept: all of it, or what goes with the foreign keys of now."""
    carried: list[tuple[Kept, ...]]
    try:
        with session.attempt():
            carried = [_carry(session, parcel, taken) for parcel in parcels]
    except RowsForbid:
        carried = _one_by_one(session, parcels, taken)
    brought = Brought()
    for parcel, kept in zip(parcels, carried, strict=True):
        brought = _joined(brought, _told(parcel, kept))
    return brought


def _one_by_one(
    session: Session, parcels: Sequence[Parcel], taken: frozenset[Place]
) -> list[tuple[Kept, ...]]:
    """Bring back what can be, each by itself; again, as long as one makes room for another."""
    done = {(i, k): kept for i, parcel in enumerate(parcels) for k, kept in enumerate(parcel.kept)}
    waiting = list(done)
    while waiting:
        left = []
        for i, k in waiting:
            alone = replace(parcels[i], kept=(parcels[i].kept[k],))
            try:
                with session.attempt():
                    (carried,) = _carry(session, alone, taken)
            except RowsForbid:
                left.append((i, k))
            else:
                done[i, k] = carried
        if len(left) == len(waiting):
            break
        waiting = left
    return [tuple(done[i, k] for k in range(len(p.kept))) for i, p in enumerate(parcels)]


def _carry(session: Session, parcel: Parcel, taken: frozenset[Place]) -> tuple[Kept, ...]:
    """Bring a parcel back; returns what it had, with how much of it is left in the file."""
    carried = session.carry(parcel.path, [_lot(kept, taken) for kept in parcel.kept])
    return tuple(
        replace(kept, rows=one.rows + one.left, left=one.left)
        for kept, one in zip(parcel.kept, carried, strict=True)
    )


def _told(parcel: Parcel, kept: tuple[Kept, ...]) -> Brought:
    rows = sum(one.rows - one.left for one in kept)
    return Brought(rows, kept, (parcel.run,) * (rows > 0), tuple(_notes(parcel, kept)))


def _lot(kept: Kept, taken: frozenset[Place]) -> Lot:
    """Return what is asked to come back; what would come into another's place comes nowhere."""
    lot = lot_of(kept)
    column = None if kept.column is None else fold(_column_of(kept))
    is_taken = not kept.squeezed and (fold(kept.to), column) in taken
    return replace(lot, to=_NOWHERE) if is_taken else lot


def _column_of(kept: Kept) -> str:
    """Return what the column is called where it returns."""
    return dict(kept.columns).get(kept.column or "", kept.column or "")


def _notes(parcel: Parcel, told: Iterable[Kept]) -> Iterator[str]:
    """Yield what there is to be told of what an earlier run kept: its own is told elsewhere."""
    for kept in told if parcel.run else ():
        if back := kept.rows - kept.left:
            yield f"{replace(kept, left=back)} is back from run {parcel.run}"
        if kept.left:
            yield f"{kept} has no place, and stays in {parcel.path}"


def _joined(one: Brought, other: Brought) -> Brought:
    return Brought(
        one.rows + other.rows,
        (*one.kept, *other.kept),
        (*one.runs, *other.runs),
        (*one.notes, *other.notes),
    )


def run_bringing(
    operations: Sequence[Operation], session: Session, parcels: Sequence[Parcel], run: Run
) -> tuple[tuple[str, ...], Brought]:
    """Run operations, and bring back what has a place then.

    Args:
        operations: What is done.
        session: A session that holds the lock, in which foreign keys are looked at afterwards.
        parcels: What is brought back.
        run: Runs operations in that session.

    Returns:
        What happened to rows though no operation says so; and what was brought back.

    Raises:
        AshflowError: The database or the rows in it refused.
    """
    taken = taken_by(session.holding(), operations)
    back = [followed(parcel, operations) for parcel in parcels]
    at_first, then = loosened(operations, columns_of(back), (), tables_of(back))
    notes = run(at_first)
    brought = bring(session, back, taken)
    return (*notes, *(run(then) if then else ())), brought
