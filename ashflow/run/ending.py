"""End a run that was cut off: its files go back, or what follows its COMMIT is done.

Which of the two it is, is never asked: the database says so, or the journal where no database has
a part in the run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.errors import DatabaseError, FileError
from ashflow.run.digests import file_digest
from ashflow.run.journal import RECORD, clear_half_written, end, run_folder
from ashflow.run.waiting import hand_on, let_wait, no_more
from ashflow.worktree.files import Moved, move_away
from ashflow.worktree.ground import remove
from ashflow.worktree.staging import clear

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ashflow.adapters.protocol import Database
    from ashflow.run.record import Record

FILES: Final = "files"
"""The folder of a run in which the files are that it moved away."""

BLOBS: Final = "index"
"""The folder of a run in which that is which git's index had of them."""

PARKED: Final = "rows.sqlite3"
"""The file of a run that has the rows which it kept aside."""

_UNDONE: Final = "undone"


class Others(NamedTuple):
    """What somebody else has written while a run was cut off.

    Args:
        moved: What stood in the place of old files: where it is now.
        left: What stands in the place of new ones: it stays.
    """

    moved: tuple[Path, ...] = ()
    left: tuple[Path, ...] = ()


def is_committed(record: Record, database: Database) -> bool:
    """Whether a run was done when it was cut off.

    Args:
        record: What the journal tells of.
        database: The database of its repo.

    Raises:
        DatabaseError: The database is not there, or is another one.
    """
    if not record.changes_database:
        return record.committed
    if not database.exists():
        if record.database_id is None and record.database == database.shown:
            return False  # the run was to make it
        raise _another(record, f"{database.shown} is not there")
    with database.read() as session:
        meta = session.meta()
    found = meta.get("database_id")
    if record.database_id is None:
        if record.database != database.shown:
            raise _another(record, f"the url of {record.repo} is {database.shown} now")
    elif found != record.database_id:
        raise _another(
            record, f"{database.shown} is another database ({found}, not {record.database_id})"
        )
    return meta.get("run") == record.id


def _another(record: Record, what: str) -> DatabaseError:
    return DatabaseError(
        f"the {record.deed} {record.id} was at work in {record.database}, and {what}",
        hint="Bring that database back to its place, or its url into pyproject.toml, and run "
        "ashflow recover again.",
    )


def go_back(root: Path, store: Path, record: Record, database: Database) -> Others:
    """Put everything back to where it was before a run; done twice it is done once.

    The database is as it was: nothing was committed.

    Args:
        root: The project's folder.
        store: The store, which is held.
        record: What the journal tells of.
        database: The database of its repo.

    Returns:
        What somebody has put into the place of an old file meanwhile: where it is now. And what of
        the new files somebody has changed meanwhile: it stays.

    Raises:
        FileError: A file cannot be put back; the journal still stands then.
    """
    folder = run_folder(store, record.id, record.repo)
    _take_away(root, folder, record.written)
    others = _put_back(root, folder, record.removed)
    if record.made and database.exists():
        _unmake(database)
    _clear(folder)
    end(store)
    left = tuple(root / path for path in record.written if os.path.lexists(root / path))
    return Others(others, left)


def go_forward(root: Path, store: Path, record: Record) -> None:
    """Do what follows the COMMIT of a run; done twice it is done once.

    Args:
        root: The project's folder.
        store: The store, which is held.
        record: What the journal tells of.

    Raises:
        AshflowError: It can't be done now; the journal still stands then.
    """
    no_more(store, record.repo, record.brings)
    if record.waits:
        gone = versions_of(record.removed)
        hand_on(store, record.repo, gone, record.waits, record.renames)
    if record.waits and record.kept:
        let_wait(store, record.repo, record.id, record.waits)
    _change_index(root, store, record)
    end(store)


def clear_staging(root: Path) -> None:
    """Remove the folders in which new files waited when a process was killed.

    Args:
        root: The project's folder.
    """
    for folder in (root / "priv").glob(".ashflow-*.new"):
        clear(folder)


def _change_index(root: Path, store: Path, record: Record) -> None:
    if not (record.entries or record.index or record.restored):
        return
    from ashflow.worktree.git import Nowhere, locate
    from ashflow.worktree.index import change_index, restore_entries

    located = locate(root)
    if isinstance(located, Nowhere):
        return
    change_index(
        located,
        remove=record.entries,
        add=record.written if record.index == "staged" else (),
        intend=record.written if record.index == "intent" else (),
    )
    if record.restored:
        blobs = run_folder(store, record.undoes, record.repo) / BLOBS
        restore_entries(located, record.restored, blobs)


def versions_of(paths: Iterable[str]) -> frozenset[str]:
    """Return the versions of the migrations among some files.

    Args:
        paths: The paths of the files.
    """
    return frozenset(path.rpartition("/")[2][:14] for path in paths if path.endswith(".py"))


def _take_away(root: Path, folder: Path, written: Mapping[str, str]) -> None:
    """Take the files away that the run wrote; one that is another's by now, or was, stays."""
    _erase(folder, written)  # killed while they were moved
    ours = [path for path, digest in written.items() if file_digest(root / path) == digest]
    if ours:
        move_away(root, ours, folder / _UNDONE)
    _erase(folder, written)


def _erase(folder: Path, written: Mapping[str, str]) -> None:
    """Erase what was taken away, but for what somebody else has written."""
    for path, digest in written.items():
        if file_digest(folder / _UNDONE / path) == digest:
            remove(folder / _UNDONE / path)


def _put_back(root: Path, folder: Path, removed: Mapping[str, str]) -> tuple[Path, ...]:
    """Put the old files back, and move away what is in their place; returns where to."""
    away, others = [], []
    for path, digest in removed.items():
        place, stored = root / path, folder / FILES / path
        if not os.path.lexists(stored):
            if not os.path.lexists(place):
                raise FileError(
                    f"{path} is neither at its place nor in {folder / FILES}",
                    hint="Bring it back, then run ashflow recover again.",
                )
        elif file_digest(place) == digest:  # killed while it was moved
            stored.unlink()
        elif file_digest(stored) == digest:
            if os.path.lexists(place):
                others.append(path)
            away.append(path)
        else:
            raise FileError(
                f"{stored} is not what was moved away from {path}",
                hint="Somebody changed it. Put the file that you want at its place, remove the "
                "other, and run ashflow recover again.",
            )
    if others:
        move_away(root, others, folder / _UNDONE)
    if away:
        Moved(root, folder / FILES, tuple(away)).put_back()
    return tuple(folder / _UNDONE / path for path in others)


def _unmake(database: Database) -> None:
    """Remove a database that was made for a run that failed, where nobody has used it since."""
    with database.read() as session:
        used = bool(session.ledger()) or bool(session.introspect())
    if not used:
        database.drop()


def _clear(folder: Path) -> None:
    """Remove what a run that was undone leaves of its folder, but for files of other people."""
    clear(folder / BLOBS)
    clear_half_written(folder)
    for path in (folder / RECORD, *folder.glob(f"{PARKED}*")):
        remove(path)
    for path in (*sorted(folder.rglob("*"), reverse=True), folder, folder.parent):
        if path.is_dir():
            remove(path)
