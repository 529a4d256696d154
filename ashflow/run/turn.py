"""Change a database and its files as one: all of it, or nothing.

The journal is written first. Then the database is changed, without COMMIT; then the files are
moved; then COMMIT, which is the moment from which on there is no way back. Whatever cuts it off
before, `ending` puts the files back, and SQLite the rest.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ashflow.change.loosen import loosened
from ashflow.change.operations import AddStatement
from ashflow.errors import AshflowError, MigrationFailed, RowsForbid, SchemaError
from ashflow.history.ledger import Ledger
from ashflow.plan.choices import NO_RENAMES
from ashflow.plan.steps import with_operations
from ashflow.plan.stretch import touched
from ashflow.run.bringing import Parcel, bring, columns_of, followed, lot_of, taken_by
from ashflow.run.digests import files_digest, ledger_digest, schema_digest
from ashflow.run.ending import (
    BLOBS,
    FILES,
    PARKED,
    clear_staging,
    digests,
    go_back,
    go_forward,
    is_committed,
)
from ashflow.run.journal import RECORD, begin, read_record, run_folder, write_record
from ashflow.run.losing import kept_of, lost_on_the_way, squeezed, survey
from ashflow.run.record import Record
from ashflow.run.runner import run_named
from ashflow.run.waiting import forget_applied
from ashflow.worktree.files import move_away, write_new
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.change.operations import Operation
    from ashflow.change.renames import Renames
    from ashflow.history.ledger import Applied
    from ashflow.plan.regen import Loss
    from ashflow.plan.steps import Step
    from ashflow.plan.stretch import Stretch
    from ashflow.run.record import Deed, Kept
    from ashflow.worktree.porcelain import Entry, Kind, Located


@dataclass(frozen=True, slots=True)
class Turn:
    """What is done in one repo, as one.

    Args:
        id: The name of the run.
        deed: What it is.
        repo: The repo.
        name: The name of the migration that it writes; empty where it writes none.
        root: The project's folder.
        database: The database of the repo.
        ledger: What is applied in it.
        stretch: What is run in it.
        rows: What is written into its ledger, in the order of the stretch.
        paths: All migrations and snapshots of the repo.
        removed: Those that go.
        files: The texts of those that come, by path.
        check: Sees to it, when nobody else is at work any more, that all is as it was planned from.
        losses: What the stretch is known to drop.
        keep: Whether what goes is kept aside.
        renames: What that is called where it returns.
        parcels: What comes back, that earlier runs kept aside.
        waits: The version with which comes back what is kept aside; empty for none.
        hint: What to do where rows forbid it.
        located: Where the project lies in its git repository; None where git has no part in it.
        entries: What git's index has of the files that go, and of others that are gone already.
        index: How the new files stand in git's index.
        undoes: The run that is taken back.
        restored: The entries of git's index that come back with it.
    """

    id: str
    deed: Deed
    repo: str
    name: str
    root: Path
    database: Database
    ledger: Ledger
    stretch: Stretch
    rows: tuple[Applied, ...]
    paths: tuple[str, ...]
    removed: tuple[str, ...]
    files: Mapping[str, str]
    check: Callable[[Session | None], None]
    losses: tuple[Loss, ...] = ()
    keep: bool = True
    renames: Renames = NO_RENAMES
    parcels: tuple[Parcel, ...] = ()
    waits: str = ""
    hint: str = ""
    located: Located | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    index: Kind | None = None
    undoes: str = ""
    restored: Mapping[str, Entry] = field(default_factory=dict)


class Outcome(NamedTuple):
    """What a turn came to.

    Args:
        record: What was done.
        parked: The file with what was kept aside; None where there is none.
        notes: What happened to rows though no operation says so, with counts.
    """

    record: Record
    parked: Path | None
    notes: tuple[str, ...]


def run_turn(turn: Turn, store: Path) -> Outcome:
    """Do what is planned: all of it, or nothing.

    Args:
        turn: What is done.
        store: The store, which is held.

    Returns:
        What it came to.

    Raises:
        AshflowError: Something refused; the database and all files are as they were.
    """
    folder = run_folder(store, turn.id, turn.repo)
    record = _begun(turn)
    forget_applied(store, turn.repo, turn.ledger.versions, record.database_id)
    try:
        begin(store, record)
        with refused(f"{folder} cannot be made"):
            folder.mkdir(mode=0o700, parents=True)
        outcome = _do(turn, folder, record)
        if not record.changes_database:
            begin(store, replace(outcome.record, committed=True))
    except BaseException as error:  # Ctrl-C too, which may come when COMMIT is done
        _end_early(turn, store, record, folder, error)
        raise
    finally:
        turn.database.close()
    _end_well(turn, store, outcome.record)
    return outcome


def _end_well(turn: Turn, store: Path, record: Record) -> None:
    """Do what follows the COMMIT."""
    try:
        go_forward(turn.root, store, record)
    except KeyboardInterrupt:  # it is nearly done
        go_forward(turn.root, store, record)
        raise
    except AshflowError as error:
        raise type(error)(
            f"{turn.deed} is done, but for one thing: {error.message}",
            hint=f"{error.hint} Then run ashflow recover: it does the rest.",
        ) from error


def id_of(database: Database) -> str | None:
    """Return what a database calls itself; None where it is not there, or has no name yet."""
    if not database.exists():
        return None
    with database.read() as session:
        return session.meta().get("database_id")


def _begun(turn: Turn) -> Record:
    """Return what the journal says before the first step."""
    changes = bool(turn.stretch)
    there = changes and turn.database.exists()
    stretch = turn.stretch
    again = {step.version: turn.ledger.get(step.version) for step in stretch.downs}
    return Record(
        id=turn.id,
        deed=turn.deed,
        repo=turn.repo,
        project=str(turn.root),
        name=turn.name,
        undoes=turn.undoes,
        database=turn.database.shown if changes else "",
        database_id=id_of(turn.database) if changes else None,
        removed=digests(turn.root, turn.removed),
        written={path: sha256(text.encode()).hexdigest() for path, text in turn.files.items()},
        taken=tuple(row for row in again.values() if row is not None),
        given=turn.rows,
        apart=len(stretch.before),
        net=_encoded(stretch),
        entries=turn.entries,
        restored=turn.restored,
        index=turn.index,
        made=changes and not there,
        tables=_tables(stretch),
        waits=turn.waits,
    )


def _encoded(stretch: Stretch) -> tuple[Mapping[str, Any], ...] | None:
    if stretch.net is None:
        return None
    from ashflow.change.codec import encode_operation

    return tuple(map(encode_operation, stretch.net))


def _tables(stretch: Stretch) -> tuple[str, ...] | None:
    """Return the tables that a stretch is about; None: all."""
    tables = touched(stretch.operations) if stretch.net is not None else None
    return None if tables is None else tuple(sorted(tables))


def _end_early(turn: Turn, store: Path, record: Record, folder: Path, error: BaseException) -> None:
    """Put back what was done, or go on where COMMIT was done already."""
    turn.database.close()
    others: tuple[Path, ...] = ()
    try:
        if is_committed(record, turn.database):
            go_forward(turn.root, store, read_record(folder / RECORD) or record)
        else:
            others = go_back(turn.root, store, record, turn.database)
        clear_staging(turn.root)
    except AshflowError as trouble:
        raise type(trouble)(
            f"{turn.deed} failed ({error}), and could not put back what it had moved: "
            f"{trouble.message}",
            hint="Mend that, then run ashflow recover: it knows what is to be put back.",
        ) from error
    if others and isinstance(error, AshflowError):
        told = ", ".join(map(str, others))
        raise type(error)(
            f"{error.message}\nSomebody wrote into the place of old files meanwhile: that is now "
            f"{told}",
            hint=error.hint,
        ) from error


def _do(turn: Turn, folder: Path, record: Record) -> Outcome:
    """Do everything up to the COMMIT, and that."""
    if record.made:
        turn.database.create()
    with _session(turn) as session:
        turn.check(session)
        changed = _NOTHING
        if session is not None and turn.stretch:
            changed = _change_database(turn, session, folder)
        _save_index(turn, folder)
        if turn.removed:
            move_away(turn.root, turn.removed, folder / FILES)
        write_new(turn.root, turn.files)
        done = _ended(turn, record, changed, session)
        write_record(folder, done)
        if session is not None and turn.stretch:
            session.set_meta("run", turn.id)
    parked = folder / done.parked if done.parked else None
    return Outcome(done, parked, changed.notes)


def _save_index(turn: Turn, folder: Path) -> None:
    """Keep what git's index has of the files that go; a file may have another text."""
    entries = {path: entry for path, entry in turn.entries.items() if entry.oid}
    if turn.located is None or not entries:
        return
    from ashflow.worktree.index import save_blobs

    save_blobs(turn.located, entries, folder / BLOBS)


@contextmanager
def _session(turn: Turn) -> Iterator[Session | None]:
    """Hand out the database: locked, where something is done in it, else to look at."""
    if turn.stretch:
        with turn.database.locked() as session:
            yield session
    elif turn.database.exists():
        with turn.database.read() as session:
            yield session
    else:
        yield None


class _Changed(NamedTuple):
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


_NOTHING: Final = _Changed()


def _change_database(turn: Turn, session: Session, folder: Path) -> _Changed:
    """Run the stretch and write the ledger; nothing is committed here."""
    losses = _still_known(turn, session)
    stretch = turn.stretch
    before = tuple(note for step in stretch.before for note in run_named(session, step))
    with (
        _in_words(turn),
        session.as_one(stretch.operations, carries=bool(turn.parcels) or stretch.blind) as one,
    ):
        changed = _run(turn, one, folder, losses)
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


def _run(turn: Turn, session: Session, folder: Path, losses: Sequence[Loss]) -> _Changed:
    """Run the way down and the way up, and bring back what has a place again.

    What SQL takes away nobody can tell beforehand: then the whole database is copied first, and
    what is lost is seen at the turning point.
    """
    stretch = turn.stretch
    down, up = _legs(turn, session)
    known = kept_of(losses, turn.renames)
    known += kept_of(squeezed(session, stretch), turn.renames, squeezed=True)
    parked = _keep(turn, folder, known)
    before = session.holding() if (parked and down) or turn.parcels else {}
    ways = [op for leg in down for op in leg.operations], [op for leg in up for op in leg.operations]
    notes, then = _walk(down, turn.parcels, ways[1])
    lost: list[Kept] = []
    if parked and down:
        lost = kept_of(lost_on_the_way(before, session.holding(), ways[0]), turn.renames)
    parcels = (*turn.parcels, Parcel(folder / PARKED, tuple(lost))) if lost else turn.parcels
    parcels = tuple(followed(parcel, ways[1]) for parcel in parcels)
    more, at_last = _walk(up, parcels, ())
    then += at_last
    taken = taken_by(_without(before, lost), (*ways[0], *ways[1]))
    brought = bring(session, parcels, taken)
    notes += [*more, *(session.run(then) if then else ()), *brought.notes]
    seen = {(one.table, one.column) for one in lost}
    kept = [*brought.kept[len(brought.kept) - len(lost) :]]
    kept += [one for one in known if (one.table, one.column) not in seen]
    runs = tuple(run for run in brought.runs if run)
    return _Changed(tuple(kept) if parked else (), parked, brought.rows, tuple(notes), runs)


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
        at_first, at_last = loosened(leg.operations, columns_of(parcels), way)
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


def _ended(turn: Turn, record: Record, changed: _Changed, session: Session | None) -> Record:
    """Return what is written down of the turn when all is done but the COMMIT."""
    gone = {row.version for row in record.taken}
    stay = [row for row in turn.ledger if row.version not in gone]
    last = stay[-1].position if stay else 0
    come = [replace(r, position=r.position or last + n) for n, r in enumerate(record.given, 1)]
    schema = ""
    if session is not None and record.changes_database:
        schema = schema_digest(session.introspect(record.tables))
    return replace(
        record,
        files=files_digest((set(turn.paths) - set(turn.removed)).union(turn.files)),
        ledger=ledger_digest(Ledger([*stay, *come])),
        schema=schema,
        kept=changed.kept,
        parked=changed.parked,
        brings=changed.brings,
        carried=changed.carried,
    )
