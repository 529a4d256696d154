"""Change a database and its files as one: all of it, or nothing.

The journal is written first. Then the database is changed, without COMMIT; then the files are
moved; then COMMIT, which is the moment from which on there is no way back. Whatever cuts it off
before, `ending` puts the files back, and SQLite the rest.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ashflow.errors import AshflowError
from ashflow.history.ledger import Ledger
from ashflow.plan.stretch import touched
from ashflow.run.changing import Changed, change_database
from ashflow.run.digests import digest_of, file_digests, files_digest, ledger_digest, schema_digest
from ashflow.run.ending import (
    BLOBS,
    FILES,
    Others,
    clear_staging,
    go_back,
    go_forward,
    is_committed,
)
from ashflow.run.journal import RECORD, begin, read_record, run_folder, write_record
from ashflow.run.record import Record
from ashflow.run.turn import Outcome
from ashflow.run.waiting import forget_applied
from ashflow.worktree.files import move_away, write_new
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ashflow.adapters.protocol import Database, Session
    from ashflow.change.renames import Renames
    from ashflow.plan.stretch import Stretch
    from ashflow.run.turn import Turn


def run_turn(turn: Turn, store: Path) -> Outcome:
    """Do what is planned: all of it, or nothing.

    Args:
        turn: What is done.
        store: The store, which is held.

    Returns:
        What it came to.

    Raises:
        AshflowError: Something refused; the database and all files are as they were. Where only
            git's index is left, the message says so, and recover does the rest.
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
        removed=file_digests(turn.root, turn.removed),
        written={path: digest_of(text) for path, text in turn.files.items()},
        taken=tuple(row for row in again.values() if row is not None),
        given=turn.rows,
        apart=len(stretch.before),
        net=_encoded(stretch),
        entries=turn.entries,
        restored=turn.restored,
        index=turn.index,
        made=changes and not there,
        tables=_tables(stretch),
        renames=_pairs(turn.renames),
        waits=turn.waits,
    )


def _pairs(renames: Renames) -> tuple[Any, ...]:
    columns = {table: dict(pairs) for table, pairs in renames.columns.items()}
    return (dict(renames.tables), columns) if renames else ()


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
    others = Others()
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
    if others.moved and isinstance(error, AshflowError):
        told = ", ".join(map(str, others.moved))
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
        changed = Changed()
        if session is not None and turn.stretch:
            changed = change_database(turn, session, folder)
        _save_index(turn, folder)
        if turn.removed:
            move_away(turn.root, turn.removed, folder / FILES)
        write_new(turn.root, turn.files, turn.modes)
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


def _ended(turn: Turn, record: Record, changed: Changed, session: Session | None) -> Record:
    """Return what is written down of the turn when all is done but the COMMIT."""
    gone, removed = {row.version for row in record.taken}, set(turn.removed)
    stay = [row for row in turn.ledger if row.version not in gone]
    last = stay[-1].position if stay else 0
    come = [r._replace(position=r.position or last + n) for n, r in enumerate(record.given, 1)]
    schema = ""
    if session is not None and record.changes_database:
        schema = schema_digest(session.introspect(record.tables))
    return replace(
        record,
        files=files_digest((*(path for path in turn.paths if path not in removed), *turn.files)),
        ledger=ledger_digest(Ledger([*stay, *come])),
        schema=schema,
        kept=changed.kept,
        parked=changed.parked,
        brings=changed.brings,
        carried=changed.carried,
    )
