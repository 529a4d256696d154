"""Rows that wait in the store until the migration is applied that brings their table back.

`waiting/<repo>/<version>/<run>` is a file: what the run kept aside comes back with that version,
under the names that the renames in the file lead to. Where another migration takes the place of
that one, they wait for both: an undo may bring the first one back. All files of a run go when its
rows are brought in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ashflow.change.renames import Renames
from ashflow.run.bringing import Parcel, renamed
from ashflow.run.journal import RECORD, read_record, run_folder
from ashflow.worktree.ground import refused, remove, replace_file
from ashflow.worktree.store import WAITING, waiting_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path


def is_waited(store: Path, repo: str) -> bool:
    """Whether something waits, or has waited, for migrations of a repo.

    Args:
        store: The store; it need not be there.
        repo: The repo.
    """
    return waiting_folder(store, repo).is_dir()


def waiting(
    store: Path, repo: str, versions: Iterable[str], database_id: str | None
) -> tuple[Parcel, ...]:
    """Return what waits for one of some versions, what was kept first coming first.

    Args:
        store: The store.
        repo: The repo.
        versions: The versions.
        database_id: What the database calls itself: rows of another one are not for it.

    Raises:
        FileError: The record of a run can't be read.
    """
    folder = waiting_folder(store, repo)
    places = [folder / version for version in sorted(versions)]  # of two, the newer one counts
    marks = {run: place / run for place in places for run in _names(place)}
    found = []
    for run in sorted(marks):
        parcel = parcel_of(store, repo, run, database_id)
        if parcel is not None:
            found.append(_under_new_names(parcel, marks[run]))
    return tuple(found)


def _under_new_names(parcel: Parcel, mark: Path) -> Parcel:
    for tables, columns in _steps(mark):
        parcel = renamed(parcel, Renames(tables, columns))
    return parcel


def _steps(mark: Path) -> list[Any]:
    """Return the renames that a file which waits tells of, one after the other."""
    with refused(f"{mark} cannot be read"):
        text = mark.read_text(encoding="utf-8") if mark.exists() else ""
    return list(json.loads(text)) if text else []


def parcel_of(store: Path, repo: str, run: str, database_id: str | None) -> Parcel | None:
    """Return what a run kept aside and did not bring back; None where that is nothing.

    Args:
        store: The store.
        repo: The repo.
        run: The name of the run.
        database_id: What the database calls itself.

    Raises:
        FileError: Its record can't be read.
    """
    folder = run_folder(store, run, repo)
    record = read_record(folder / RECORD)
    if record is None or not record.parked or record.database_id != database_id:
        return None
    left = tuple(kept for kept in record.kept if kept.left == kept.rows)
    return Parcel(folder / record.parked, left, run) if left else None


def let_wait(store: Path, repo: str, run: str, version: str, steps: Sequence[Any] = ()) -> None:
    """Let what a run kept aside wait for a version; done twice it is done once.

    Args:
        store: The store.
        repo: The repo.
        run: The name of the run.
        version: The version.
        steps: The renames that lead to the names of then: of tables and of columns, a pair each.

    Raises:
        FileError: It cannot be noted.
    """
    folder = waiting_folder(store, repo) / version
    with refused(f"{folder} cannot be written to"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(folder / run, json.dumps(steps) if steps else "")


def hand_on(
    store: Path, repo: str, versions: Iterable[str], to: str, renames: Sequence[Any]
) -> None:
    """Let what waits for some versions wait for another one too; done twice it is done once.

    Args:
        store: The store.
        repo: The repo.
        versions: What it waits for.
        to: What it shall wait for.
        renames: What is called otherwise there: of tables and of columns, a pair.

    Raises:
        FileError: It cannot be noted.
    """
    for version in versions:
        for run in _names(waiting_folder(store, repo) / version):
            known = _steps(waiting_folder(store, repo) / version / run)
            let_wait(store, repo, run, to, [*known, renames] if any(renames) else known)


def no_more(store: Path, repo: str, runs: Collection[str]) -> None:
    """Let what some runs kept aside wait no more: it is back; done twice it is done once.

    Args:
        store: The store.
        repo: The repo.
        runs: The names of the runs.

    Raises:
        FileError: It cannot be noted.
    """
    folder = waiting_folder(store, repo)
    for version in _names(folder) if runs else ():
        with refused(f"{folder / version} cannot be written to"):
            for run in runs:
                (folder / version / run).unlink(missing_ok=True)
        remove(folder / version)
    if runs:
        remove(folder)


def forget_applied(store: Path, repo: str, applied: Iterable[str], database_id: str | None) -> None:
    """Let nothing wait for a version that is applied: the process was killed that brought it in.

    Args:
        store: The store.
        repo: The repo.
        applied: The versions that are applied.
        database_id: What the database calls itself.

    Raises:
        FileError: It cannot be noted, or the record of a run can't be read.
    """
    back = waiting(store, repo, applied, database_id) if is_waited(store, repo) else ()
    no_more(store, repo, [parcel.run for parcel in back])


def still_wanted(store: Path) -> frozenset[str]:
    """Return the names of the runs of which something waits."""
    return frozenset(path.name for path in (store / WAITING).glob("*/*/*"))


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []
