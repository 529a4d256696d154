"""Let new files wait together, on the disk and as a whole, until they are moved to their places."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ashflow.worktree.ground import folder_of, make_folders, refused, sync_folder, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

_FEW: Final = 16
"""So many files, and the folders on the way to them, are put on the disk one by one."""


def make_staging(root: Path, undo: ExitStack) -> Path:
    """Make a folder in which new files wait, on the file system of their places.

    Where a process is killed it stays, and nobody reads it: no migrations and no snapshots stand
    right below `priv/`, and git ignores it.

    Args:
        root: The project's folder.
        undo: Told how to take it back, with all that waits in it.
    """
    folder = root / "priv" / f".ashflow-{os.urandom(8).hex()}.new"
    make_folders(folder.parent, undo)
    undo.callback(clear, folder)
    folder.mkdir()
    write(folder / ".gitignore", "*\n", down=False)
    return folder


def stage_all(
    staging: Path, files: Mapping[str, str | bytes], modes: Mapping[str, int]
) -> dict[str, str]:
    """Write texts to files that wait for their places, and put them on the disk.

    Args:
        staging: The folder in which they wait.
        files: The texts, by the path that they are for.
        modes: The permissions of those that have not the usual ones, by that path.

    Returns:
        The folder in which those of a folder wait, under their names, by the folder they are for.

    Raises:
        FileError: The disk refuses.
    """
    one_by_one = not _at_once(len(files))
    waiting: dict[str, str] = {}
    for path, text in files.items():
        folder = folder_of(path)
        with refused(f"{path} cannot be written"):
            if folder not in waiting:
                waiting[folder] = f"{staging}/{len(waiting)}"
                os.mkdir(waiting[folder])
            place = f"{waiting[folder]}/{path[len(folder) + 1 :]}"
            write(place, text, down=one_by_one)
            if path in modes:
                os.chmod(place, modes[path])
    if not one_by_one:
        os.sync()
    return waiting


def settle(folders: Iterable[str], *, files: int) -> None:
    """Put on the disk what folders say is in them.

    Args:
        folders: The folders.
        files: How many files were moved.
    """
    if _at_once(files):
        os.sync()
        return
    for folder in folders:
        sync_folder(folder)


def clear(staging: Path) -> None:
    """Remove a folder of staged files with what is left in it: all of it is ours."""
    for folder, _, names in os.walk(staging, topdown=False):
        with suppress(OSError):
            for name in names:
                os.unlink(f"{folder}/{name}")
            os.rmdir(folder)


def _at_once(files: int) -> bool:
    """Whether the system is asked once to write all that it holds back, and not file by file.

    https://man7.org/linux/man-pages/man2/sync.2.html: a thousand files take 40 ms that way, and
    more than a second one by one. For a few it is not worth to wait for what other programs wrote.
    """
    return files > _FEW and hasattr(os, "sync")
