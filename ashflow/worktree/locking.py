"""Keep others out with the lock of a file; it goes with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ashflow.errors import LockedError

_OFTEN: Final = 0.02
"""Seconds between two tries."""


@contextmanager
def holding(path: Path, lock_timeout: float, refusal: LockedError) -> Iterator[None]:
    """Hold the lock of a file, which is made where it is not there.

    Whatever ends the process that holds it, the lock is gone then. Threads of one process keep each
    other out too. Who holds it may remove the file: who waits for it then makes a new one.

    Args:
        path: The file; nothing is written to it.
        lock_timeout: How many seconds to wait for another one who holds it.
        refusal: Raised when it was held for longer.

    Raises:
        LockedError: It was.
        FileError: The file cannot be made.
    """
    deadline = time.monotonic() + lock_timeout
    while True:
        with refused(f"{path} cannot be made"):
            file = path.open("ab")
        with file:
            if not _lock(file):
                if time.monotonic() >= deadline:
                    raise refusal
            elif _stands(file, path):
                try:
                    yield
                finally:
                    _unlock(file)
                return
        time.sleep(_OFTEN)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of a file.

    Args:
        path: The file.
    """
    try:
        with path.open("rb") as file:
            return not _lock(file)
    except OSError:
        return False


def _stands(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is still the one at its path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _lock(file: IO[bytes]) -> bool:
    """Take the lock of an open file; False where somebody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(file: IO[bytes]) -> None:
    """Let go of the lock, also where a process that was forked meanwhile has the file open too."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)
