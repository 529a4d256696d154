"""Touch the disk one careful step at a time: below priv/, through no link, over no file."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ashflow.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOT_ALLOWED = "Make it writable for you (who owns it? is the disk read-only?) and try again."
_HINTS = {
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
    errno.ENOSPC: "Make room on the disk and try again.",
    errno.EDQUOT: "Make room on the disk and try again.",
    errno.ENOTDIR: "A file stands where a folder should: move it away.",
    errno.EEXIST: "It is there already: move it away.",
}


@contextmanager
def refused(message: str) -> Iterator[None]:
    """Turn what the operating system refuses into a `FileError`.

    Args:
        message: What cannot be done, and to which file or folder.
    """
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "Mend that and try again.")
        raise FileError(f"{message}: {error.strerror}", hint=hint) from error


def free_place(root: Path, path: str) -> Path:
    """Return where a new file goes.

    Args:
        root: The project's folder.
        path: Its path relative to it, with `/`.

    Raises:
        FileError: Something stands there, the path leaves `priv/`, or a link is in the way.
    """
    place = _place(root, path)
    if _mode(place):
        raise FileError(f"{path} is there already", hint="Nothing was written: move it away.")
    return place


def standing_file(root: Path, path: str) -> Path:
    """Return where a regular file stands.

    Args:
        root: The project's folder.
        path: Its path relative to it, with `/`.

    Raises:
        FileError: It is none, the path leaves `priv/`, or a link is in the way.
    """
    place = _place(root, path)
    if not stat.S_ISREG(_mode(place)):
        what = "is no regular file" if _mode(place) else "is not there"
        raise FileError(f"{path} {what}", hint="Nothing was moved: look at it and try again.")
    return place


def make_folders(folder: Path, undo: ExitStack, *, mode: int = 0o777) -> None:
    """Make a folder and those above it that are not there; they go again when it is undone.

    Args:
        folder: The folder.
        undo: Told how to take each one back.
        mode: The permissions of those that are made.
    """
    if folder.is_dir():
        return
    make_folders(folder.parent, undo, mode=mode)
    folder.mkdir(mode)
    undo.callback(remove, folder)


def stage(folder: Path, text: str, undo: ExitStack) -> Path:
    """Write a text to a file of its own in a folder, down to the disk.

    Args:
        folder: The folder.
        text: The text.
        undo: Told how to take it back.
    """
    path = folder / f".ashflow-{os.urandom(8).hex()}.new"
    undo.callback(remove, path)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def move(source: Path, target: Path) -> None:
    """Move a file to where nothing stands, also to another file system.

    A rename would overwrite what came there in the meantime; a link refuses.

    Args:
        source: The file.
        target: Where to.
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links; a copy says if it is anything else
        _copy(source, target)
    try:
        source.unlink()
    except OSError:  # its folder may not be written to: then it is not moved, and nothing is left
        target.unlink()
        raise


def remove(path: Path) -> None:
    """Remove a file that we made, or a folder where it is empty; what refuses, stays."""
    with suppress(OSError):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def sync(folder: Path) -> None:
    """Put on the disk what a folder says is in it."""
    if os.name == "nt":  # opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path) -> None:
    import shutil  # for another file system only

    with ExitStack() as undo:
        with source.open("rb") as old, target.open("xb") as new:
            undo.callback(remove, target)
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())
        shutil.copystat(source, target)
        undo.pop_all()


def _place(root: Path, path: str) -> Path:
    """Return the place of a path, sure that it is below priv/ and that no link leads to it."""
    parts = path.split("/")
    if parts[0] != "priv" or len(parts) < 2 or not all(_is_plain(part) for part in parts):
        raise FileError(f"{path!r} is no path below priv/", hint="ashflow writes nowhere else.")
    place = root
    for part in parts[:-1]:
        place /= part
        mode = _mode(place)
        if stat.S_ISLNK(mode):
            raise FileError(
                f"{place} is a link, and ashflow moves no files through links",
                hint="Make it a folder of the project.",
            )
        if mode and not stat.S_ISDIR(mode):
            raise FileError(f"{place} is no folder", hint="Move it away.")
    return root / path


def _is_plain(part: str) -> bool:
    return part not in {"", ".", ".."} and not set(part) & {"\\", "\0"}


def _mode(path: Path) -> int:
    """Return the mode of what stands at a path, a link itself; 0 where nothing does."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise FileError(f"{path} cannot be looked at: {error.strerror}") from error
