"""Refuse to write where a run was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import CutOffError, LockedError
from ashflow.worktree.store import JOURNAL, store_folder

if TYPE_CHECKING:
    from pathlib import Path

    from ashflow.run.record import Record


def refuse_cut_off(root: Path) -> None:
    """See to it that no run was cut off, and none is at work.

    Args:
        root: The project's folder.

    Raises:
        CutOffError: One was.
        LockedError: One is at work.
        FileError: The journal can't be read.
    """
    store = store_folder(root)
    if not (store / JOURNAL).exists():
        return
    from ashflow.run.journal import standing
    from ashflow.worktree.store import is_held

    record = standing(store)
    if record is None:
        return
    if is_held(store):
        raise LockedError(
            f"another {record.deed} is at work in {record.repo} of this project",
            hint="Nothing was changed. Wait for it, then look at ashflow status.",
        )
    raise cut_off(record)


def cut_off(record: Record) -> CutOffError:
    """Return the error that says that a run was cut off.

    Args:
        record: What its journal tells of.
    """
    return CutOffError(
        f"{record.deed} {record.id} was cut off in {record.repo}: its files and "
        f"{record.database or 'the database'} may not go together",
        hint="ashflow recover ends it: all is as before it, or done where it had committed. "
        "Nothing is lost.",
    )
