"""End a run that was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import UsageError
from ashflow.worktree.store import store_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ashflow.project.checkout import Project
    from ashflow.run.ending import Others
    from ashflow.run.record import Record


class Recovered(NamedTuple):
    """How a run ended that had been cut off.

    Args:
        record: What it was to do, or what it did.
        forward: Whether it is done; else everything is as it was before it.
        parked: The file with what it kept aside; None where there is none.
        others: What somebody else has written meanwhile.
    """

    record: Record
    forward: bool
    parked: Path | None = None
    others: Others | None = None


def recover(project: Project, repos: Collection[str]) -> Recovered | None:
    """End a run that was cut off.

    Args:
        project: The checkout.
        repos: The repos in which one is ended.

    Returns:
        How it ended; None where none was cut off.

    Raises:
        DatabaseError: Its database is not there, or is another one.
        FileError: A file can't be put back.
        LockedError: A run is at work.
    """
    from ashflow.run.ending import clear_staging, go_back, go_forward, is_committed
    from ashflow.run.journal import (
        RECORD,
        clear_half_written,
        read_record,
        run_folder,
        standing,
    )
    from ashflow.worktree.store import held

    store = store_folder(project.root)
    if not store.is_dir():
        return None
    with held(store):
        clear_half_written(store)
        record = standing(store)
        if record is None:
            return None
        if record.repo not in repos:
            raise UsageError(
                f"the {record.deed} {record.id} was cut off in another repo, {record.repo}",
                hint=f"End it: ashflow recover --repo {record.repo}",
            )
        database = project.database(project.config.repo(record.repo))
        committed = is_committed(record, database)
        clear_staging(project.root)
        if not committed:
            others = go_back(project.root, store, record, database)
            return Recovered(record, forward=False, others=others)
        folder = run_folder(store, record.id, record.repo)
        done = read_record(folder / RECORD) or record
        go_forward(project.root, store, done)
        return Recovered(done, forward=True, parked=folder / done.parked if done.parked else None)
