"""Keep what regen takes away, in a folder that no commit and no clean-up reaches."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ashflow.errors import LockedError
from ashflow.worktree import locking
from ashflow.worktree.git_folder import git_folder, pointed
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL: Final = "journal.json"
"""The file that stands in the store while a run is under way; see `run.journal`."""
WAITING: Final = "waiting"
"""The folder of the rows that wait for a migration; see `run.waiting`."""


def store_folder(root: Path) -> Path:
    """Return the folder that keeps what regen takes away: in git's common folder, if there is one.

    Every command looks there whether a run was cut off, so git itself is not asked.

    Args:
        root: The project's folder.
    """
    real = root.resolve()
    folder = git_folder(real)
    if folder is None:
        return real / ".ashflow"
    common = pointed(folder / "commondir") or folder
    return common / "ashflow" / hashlib.sha256(os.fsencode(real)).hexdigest()[:16]


def waiting_folder(store: Path, repo: str) -> Path:
    """Return the folder of the rows that wait for migrations of a repo; see `run.waiting`.

    It is there where something waits, or has waited.

    Args:
        store: The store; it need not be there.
        repo: The repo.
    """
    return store / WAITING / repo


def open_store(root: Path) -> Path:
    """Make the store where it is not there, for its owner only, and return its folder.

    Args:
        root: The project's folder.

    Raises:
        FileError: It cannot be made.
    """
    folder = store_folder(root)
    with refused(f"{folder} cannot be made"):
        if folder.name != ".ashflow":
            folder.parent.mkdir(0o700, exist_ok=True)
        folder.mkdir(0o700, exist_ok=True)
        folder.chmod(0o700)
        if folder.name == ".ashflow":
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Keep other processes out of a store while one works in it.

    The lock goes with the process that holds it, whatever ends that.

    Args:
        store: Its folder.

    Raises:
        LockedError: Another process is at work in it.
        FileError: The lock's file cannot be made.
    """
    refusal = LockedError(
        "another regen, undo or codegen is at work in this project",
        hint="Nothing was changed. Wait for it, then look at ashflow status.",
    )
    with locking.holding(_lock(store), 0, refusal):
        yield


def is_held(store: Path) -> bool:
    """Whether a process is at work in a store.

    Args:
        store: Its folder.
    """
    return locking.is_held(_lock(store))


def _lock(store: Path) -> Path:
    return store / "lock"
