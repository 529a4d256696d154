"""Touch the disk one careful step at a time: below priv/, through no link, over no file."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ashflow.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_FEW = 16
"""So many files or folders are put on the disk one by one; more of them all at once."""

_EFFECTIVE = os.access in os.supports_effective_ids
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


def free_places(root: Path, paths: Iterable[str]) -> dict[str, Path]:
    """Return where new files go.

    Args:
        root: The project's folder.
        paths: Their paths relative to it, with `/`.

    Raises:
        FileError: Something stands there, a path leaves `priv/`, a link is in the way, or a folder
            may not be written to.
    """
    folders: dict[str, Path] = {}
    places = _places(root, paths, folders)
    standing = {folder for folder in folders.values() if _mode(folder)}
    for path, place in places.items():
        if place.parent in standing and _mode(place):
            raise FileError(f"{path} is there already", hint="Nothing was written: move it away.")
    for folder in {place.parent for place in places.values()} & standing:
        if not os.access(folder, os.W_OK, effective_ids=_EFFECTIVE):
            said = f"{folder.relative_to(root).as_posix()} cannot be written to: Permission denied"
            raise FileError(said, hint=_NOT_ALLOWED)
    return places


def standing_files(root: Path, paths: Iterable[str]) -> dict[str, Path]:
    """Return where regular files stand.

    Args:
        root: The project's folder.
        paths: Their paths relative to it, with `/`.

    Raises:
        FileError: One is none, a path leaves `priv/`, or a link is in the way.
    """
    places = _places(root, paths, {})
    for path, place in places.items():
        if not stat.S_ISREG(_mode(place)):
            what = "is no regular file" if _mode(place) else "is not there"
            raise FileError(f"{path} {what}", hint="Nothing was moved: look at it and try again.")
    return places


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
    _write(path, text, down=True)
    return path


def _write(path: Path, text: str, *, down: bool) -> None:
    """Write a new file, down to the disk where that is asked for."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        if down:
            file.flush()
            os.fsync(file.fileno())


def make_staging(root: Path, undo: ExitStack) -> Path:
    """Make a folder in which new files wait, on the file system of their places.

    Args:
        root: The project's folder.
        undo: Told how to take it back, with all that waits in it.
    """
    folder = root / "priv" / f".ashflow-{os.urandom(8).hex()}.new"
    make_folders(folder.parent, undo)
    undo.callback(clear, folder)
    folder.mkdir()
    return folder


def clear(staging: Path) -> None:
    """Remove a folder of staged files with what is left in it: all of it is ours."""
    import shutil

    shutil.rmtree(staging, ignore_errors=True)


def stage_all(staging: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Write texts to files that wait for their places.

    Few are put on the disk one by one; for many, `settle` does it once they are in place.

    Args:
        staging: The folder in which they wait.
        files: The texts, by the path that they are for; those of one folder wait in one.

    Returns:
        Where each waits.

    Raises:
        FileError: The disk refuses.
    """
    folders: dict[str, Path] = {}
    staged: dict[str, Path] = {}
    for path, text in files.items():
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = staging / str(len(folders))
            folders[folder].mkdir()
        staged[path] = folders[folder] / name
        with refused(f"{path} cannot be written"):
            _write(staged[path], text, down=len(files) <= _FEW)
    return staged


def settle(folders: Iterable[Path], *, files: int) -> None:
    """Put on the disk what folders say is in them.

    Where much was moved, the system is asked once to write all that it holds back
    (https://man7.org/linux/man-pages/man2/sync.2.html): for a thousand files that takes a tenth of
    the time. A power cut before that may leave some of them empty; a snapshot without its text does
    not fit its hash, and codegen writes it again.

    Args:
        folders: The folders.
        files: How many files were moved.
    """
    folders = list(folders)
    if max(files, len(folders)) > _FEW and hasattr(os, "sync"):
        os.sync()
        return
    for folder in folders:
        _sync(folder)


def move_folder(source: Path, target: Path) -> None:
    """Move a folder to where nothing stands.

    Args:
        source: The folder.
        target: Where to; an empty folder that came in the meantime is replaced.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        target.mkdir()
        for path in source.iterdir():
            move(path, target / path.name)


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


def _sync(folder: Path) -> None:
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


def _places(root: Path, paths: Iterable[str], folders: dict[str, Path]) -> dict[str, Path]:
    """Return the places of paths, sure that all are below priv/ and that no link leads to them.

    Args:
        root: The project's folder.
        paths: The paths, relative to it.
        folders: Gets all folders on the way, each looked at once.
    """
    places: dict[str, Path] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        parts = path.split("/")
        if parts[0] != "priv" or len(parts) < 2 or not all(map(_is_plain, parts)):
            raise FileError(f"{path!r} is no path below priv/", hint="ashflow writes nowhere else.")
        places[path] = _folder(root, folder, folders) / name
    return places


def _folder(root: Path, path: str, seen: dict[str, Path]) -> Path:
    if path in seen:
        return seen[path]
    above, _, name = path.rpartition("/")
    place = (_folder(root, above, seen) if above else root) / name
    mode = _mode(place)
    if stat.S_ISLNK(mode):
        raise FileError(
            f"{place} is a link, and ashflow moves no files through links",
            hint="Make it a folder of the project.",
        )
    if mode and not stat.S_ISDIR(mode):
        raise FileError(f"{place} is no folder", hint="Move it away.")
    seen[path] = place
    return place


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
