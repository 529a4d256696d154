"""The journal of a run that is under way, and the records of those that are done.

The journal is written before the first step and removed after the last, so where one stands and
nobody is at work, a run was cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.run.record import decode_record, encode_record
from ashflow.worktree.ground import refused, replace_file, sync_folder
from ashflow.worktree.store import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from ashflow.run.record import Record

RECORD: Final = "run.json"


def run_folder(store: Path, run: str, repo: str) -> Path:
    """Return the folder of what a run moved away in a repo.

    Args:
        store: The store.
        run: The name of the run.
        repo: The repo.
    """
    return store / "runs" / run / repo


def begin(store: Path, record: Record) -> None:
    """Write the journal, down to the disk; one that stands is replaced as a whole.

    Args:
        store: The store.
        record: What is going to be done.

    Raises:
        FileError: It cannot be written.
    """
    with refused(f"{store / JOURNAL} cannot be written"):
        clear_half_written(store)
        replace_file(store / JOURNAL, encode_record(record))


def clear_half_written(folder: Path) -> None:
    """Remove the records in a folder that were being written when a process was killed.

    Args:
        folder: The store, which is held, or the folder of a run in it.
    """
    for path in folder.glob(".*.json-*.new"):
        path.unlink(missing_ok=True)


def end(store: Path) -> None:
    """Remove the journal: what it told of is done, or undone.

    Args:
        store: The store.

    Raises:
        FileError: It cannot be removed.
    """
    with refused(f"{store / JOURNAL} cannot be removed"):
        (store / JOURNAL).unlink(missing_ok=True)
        sync_folder(store)


def standing(store: Path) -> Record | None:
    """Return what the journal tells of; None where none stands.

    Args:
        store: The store.

    Raises:
        FileError: It can't be read.
    """
    return read_record(store / JOURNAL)


def write_record(folder: Path, record: Record) -> None:
    """Write down what a run did, down to the disk.

    Args:
        folder: The folder of the run in its repo.
        record: What it did.

    Raises:
        FileError: It cannot be written.
    """
    with refused(f"{folder / RECORD} cannot be written"):
        replace_file(folder / RECORD, encode_record(record))


def records(store: Path) -> Iterator[Record]:
    """Yield what the runs did that are done, the newest first.

    Args:
        store: The store.

    Raises:
        FileError: A record can't be read.
    """
    begun = standing(store)
    for run in run_names(store):
        for folder in sorted((store / "runs" / run).iterdir()):
            record = read_record(folder / RECORD)
            if record is not None and not _is_of(begun, record):
                yield record


def run_names(store: Path) -> list[str]:
    """Return the names of the runs that have a folder, the newest first.

    Args:
        store: The store.
    """
    folder = store / "runs"
    found = folder.iterdir() if folder.is_dir() else ()
    names = (path.name for path in found if path.name.isdecimal() and path.is_dir())
    return sorted(names, reverse=True)


def prune(store: Path, keep: int, wanted: Collection[str]) -> None:
    """Remove what the oldest runs moved away, but for so many.

    Args:
        store: The store, which is held.
        keep: How many stay.
        wanted: Names of runs that stay whatever their age: something waits for them.

    Raises:
        FileError: One can't be removed.
    """
    import shutil

    for run in run_names(store)[keep:]:
        if run not in wanted:
            with refused(f"{store / 'runs' / run} cannot be removed"):
                shutil.rmtree(store / "runs" / run)


def next_run(store: Path, now: datetime) -> str:
    """Return a name for a new run: it comes after all others, whatever the clock says.

    Args:
        store: The store, which is held.
        now: The moment, in UTC.
    """
    name = f"{now:%Y%m%d%H%M%S%f}"
    newest = max(run_names(store), default="")
    return name if name > newest else str(int(newest) + 1)


def _is_of(begun: Record | None, record: Record) -> bool:
    return begun is not None and (begun.id, begun.repo) == (record.id, record.repo)


def read_record(path: Path) -> Record | None:
    """Return what a record, or a journal, tells of; None where there is none.

    Args:
        path: The file.

    Raises:
        FileError: It can't be read.
    """
    try:
        with refused(f"{path} cannot be read"):
            text = path.read_text(encoding="utf-8") if path.exists() else None
    except UnicodeDecodeError:
        text = ""
    return None if text is None else decode_record(text, str(path))
