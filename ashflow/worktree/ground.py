"""Touch the disk one careful step at a time: below priv/, through no link, over no file."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ashflow.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    StrPath = str | Path

_PART = 65536
_BINARY = getattr(os, "O_BINARY", 0)
_DETOURS = frozenset({"", ".", ".."})
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
        raise refusal(message, error) from error


def refusal(message: str, error: OSError) -> FileError:
    """Return what the operating system refuses as an error of ours.

    Args:
        message: What cannot be done, and to which file or folder.
        error: Why.
    """
    hint = _HINTS.get(error.errno or 0, "Mend that and try again.")
    return FileError(f"{message}: {error.strerror}", hint=hint)


def free_places(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return where new files go.

    Args:
        root: The project's folder.
        paths: Their paths relative to it, with `/`.

    Raises:
        FileError: Something stands there, a path leaves `priv/`, a link is in the way, or a folder
            may not be written to.
    """
    standing: dict[str, bool] = {}
    places = {path: _place(root, path, standing) for path in paths}
    for path, place in places.items():
        if standing[folder_of(path)] and _mode(place):
            raise FileError(f"{path} is there already", hint="Nothing was written: move it away.")
    for folder in sorted(set(map(folder_of, places))):
        place = f"{root}/{folder}"
        if standing[folder] and not os.access(place, os.W_OK, effective_ids=_EFFECTIVE):
            raise FileError(f"{folder} cannot be written to: Permission denied", hint=_NOT_ALLOWED)
    return places


def standing_files(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return where regular files stand.

    Args:
        root: The project's folder.
        paths: Their paths relative to it, with `/`.

    Raises:
        FileError: One is none, a path leaves `priv/`, or a link is in the way.
    """
    standing: dict[str, bool] = {}
    places = {path: _place(root, path, standing) for path in paths}
    for path, place in places.items():
        if not stat.S_ISREG(_mode(place)):
            what = "is no regular file" if _mode(place) else "is not there"
            raise FileError(f"{path} {what}", hint="Nothing was moved: look at it and try again.")
    return places


def folder_of(path: str) -> str:
    """Return the folder that a path leads to, relative to the same root."""
    return path.rpartition("/")[0]


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
    write(path, text, down=True)
    return path


def read_bytes(path: str) -> bytes:
    """Return what a file holds, in as few calls of the system as there can be."""
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    try:
        found = part = os.read(descriptor, _PART)
        while len(part) == _PART:
            part = os.read(descriptor, _PART)
            found += part
        return found
    finally:
        os.close(descriptor)


def write(path: StrPath, text: str | bytes, *, down: bool) -> None:
    """Write a new file, in as few calls of the system as there can be.

    Args:
        path: Where.
        text: The text, or its bytes; its line ends stay as they are.
        down: Whether it is put on the disk at once.
    """
    left = memoryview(text.encode() if isinstance(text, str) else text)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    descriptor = os.open(path, flags, 0o666)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
        if down:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str) -> None:
    """Write a text to a file, down to the disk; one that stands there is replaced as a whole.

    Args:
        path: Where; only its owner may read it.
        text: The text.
    """
    new = path.with_name(f".{path.name}-{os.urandom(4).hex()}.new")
    try:
        write(new, text, down=True)
        new.chmod(0o600)
        os.replace(new, path)
    except BaseException:
        remove(new)
        raise
    sync_folder(path.parent)


def sync_folder(folder: StrPath) -> None:
    """Put on the disk what a folder says is in it."""
    if os.name == "nt":  # opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: StrPath, target: StrPath) -> None:
    """Move a file to where nothing stands, also to another file system.

    A rename would overwrite what came there in the meantime; a link refuses.

    Args:
        source: The file.
        target: Where to.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links; a copy says if it is anything else
        _copy(source, target)
    try:
        os.unlink(source)
    except OSError:  # its folder may not be written to: then it is not moved, and nothing is left
        os.unlink(target)
        raise


def move_folder(source: str, target: str) -> None:
    """Move a folder of files to where nothing stands.

    Args:
        source: The folder.
        target: Where to; an empty folder that came in the meantime is replaced.
    """
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        os.mkdir(target)
        for name in os.listdir(source):
            move(f"{source}/{name}", f"{target}/{name}")


def arrived(source: StrPath, target: StrPath) -> bool:
    """Whether a file that was to be moved is at its target: what stands there may be another's.

    Args:
        source: Where it was.
        target: Where it was to go; between link and unlink it is in both places.
    """
    if not os.path.lexists(source):
        return os.path.lexists(target)
    with suppress(OSError):
        return os.path.samefile(source, target)
    return False


def remove(path: StrPath) -> None:
    """Remove a file that we made, or a folder where it is empty; what refuses, stays."""
    with suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)


def _copy(source: StrPath, target: StrPath) -> None:
    import shutil  # for another file system only

    with ExitStack() as undo:
        with open(source, "rb") as old, open(target, "xb") as new:
            undo.callback(remove, target)
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())
        shutil.copystat(source, target)
        undo.pop_all()


def _place(root: Path, path: str, standing: dict[str, bool]) -> str:
    """Return the place of a path, sure that it is below priv/ and that no link leads to it.

    Args:
        root: The project's folder.
        path: The path, relative to it.
        standing: Gets all folders on the way, each looked at once, and whether they are there.
    """
    if not is_below_priv(path):
        raise FileError(f"{path!r} is no path below priv/", hint="ashflow writes nowhere else.")
    _look_at(root, folder_of(path), standing)
    return f"{root}/{path}"


def _look_at(root: Path, folder: str, standing: dict[str, bool]) -> None:
    if folder in standing:
        return
    above, place = folder_of(folder), f"{root}/{folder}"
    if above:
        _look_at(root, above, standing)
    mode = _mode(place) if standing.get(above, True) else 0
    if stat.S_ISLNK(mode):
        raise FileError(
            f"{place} is a link, and ashflow moves no files through links",
            hint="Make it a folder of the project.",
        )
    if mode and not stat.S_ISDIR(mode):
        raise FileError(f"{place} is no folder", hint="Move it away.")
    standing[folder] = bool(mode)


def is_below_priv(path: str) -> bool:
    """Whether a path is one below `priv/`, spelled without detours."""
    parts = path.split("/")
    plain = _DETOURS.isdisjoint(parts) and "\\" not in path and "\0" not in path
    return plain and parts[0] == "priv" and len(parts) > 1


def _mode(path: str) -> int:
    """Return the mode of what stands at a path, a link itself; 0 where nothing does."""
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise FileError(f"{path} cannot be looked at: {error.strerror}") from error
