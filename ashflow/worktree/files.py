"""Read a tree of text from the disk; put new files into it and take files out of it, whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ashflow.errors import UnreadableError
from ashflow.worktree.ground import (
    arrived,
    folder_of,
    free_places,
    make_folders,
    move,
    move_folder,
    read_bytes,
    refusal,
    refused,
    remove,
    standing_files,
)
from ashflow.worktree.staging import clear, make_staging, settle, stage_all

_SNAPSHOTS = ("priv", "resource_snapshots")
_TICK = 50_000_000
"""So many nanoseconds after a change, another one may leave a folder's time as it is: the
clocks of kernels tick 64 times a second and more."""
_COARSE_TICK = 2_000_000_000
"""The same for a file system that keeps no parts of a millisecond; FAT counts two seconds
(https://learn.microsoft.com/windows/win32/sysinfo/file-times)."""
_USUAL: Mapping[str, int] = {}
_NONE: Mapping[str, Listed] = {}


class Listed(NamedTuple):
    """What stood in one folder when it was listed.

    Args:
        time: When it was last changed, in nanoseconds; 0 where that may not tell it from later.
        files: The paths of its files.
    """

    time: int
    files: list[str]


class DiskTree(Mapping[str, str]):
    """The files below some folders: their paths, and their texts, each read when it is asked for.

    Args:
        root: The folder that the paths are relative to.
        paths: The paths, with `/`.
        listed: The folders in which they were found, by their paths.
    """

    __slots__ = ("_root", "_texts", "listed")

    def __init__(
        self, root: Path, paths: Iterable[str], listed: Mapping[str, Listed] | None = None
    ) -> None:
        self._root = root
        self._texts: dict[str, str | None] = dict.fromkeys(sorted(paths))
        self.listed = listed or {}

    def __getitem__(self, path: str) -> str:
        """Return the text of a file, with LF line ends.

        Raises:
            FileError: It cannot be read.
            UnreadableError: It is not UTF-8.
        """
        text = self._texts[path]
        if text is None:
            text = self._texts[path] = _read(self._root, path)
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, path: object) -> bool:
        return path in self._texts


def read_tree(root: Path, folders: Sequence[str]) -> DiskTree:
    """List the files below some folders; a folder that is not there has none.

    Links to folders are not followed, and what is no file is left out.

    Args:
        root: The project's folder.
        folders: The folders, relative to it, with `/`.

    Raises:
        FileError: A folder cannot be read, or is no folder.
    """
    listed = _list(str(root), folders)
    return DiskTree(root, chain.from_iterable(one.files for one in listed.values()), listed)


def came_or_went(root: Path, folders: Sequence[str], then: Mapping[str, str]) -> frozenset[str]:
    """Return the paths of the files that are there now and were not, or were there and are not.

    Only the folders are listed again of which the time has changed, or had when they were listed.

    Args:
        root: The project's folder.
        folders: The folders that are looked at, relative to it, with `/`.
        then: The files of before.

    Raises:
        FileError: A folder cannot be read, or is no folder.
    """
    listed = then.listed if isinstance(then, DiskTree) else {}
    if not listed.keys() >= set(folders):
        return frozenset(set(read_tree(root, folders)) ^ set(then))
    doubtful = [
        folder
        for folder, before in listed.items()
        if not before.time or before.time != _changed_at(f"{root}/{folder}")
    ]
    now = _list(str(root), doubtful, known=listed)
    here = chain.from_iterable(one.files for one in now.values())
    return frozenset({path for folder in doubtful for path in listed[folder].files} ^ {*here})


def stood(tree: Mapping[str, str], moment: int) -> bool:
    """Whether nothing came into the folders of a tree, or went from them, since some moment.

    Args:
        tree: The files, as they were listed after it.
        moment: The moment, in nanoseconds since 1970.
    """
    if not isinstance(tree, DiskTree):
        return False
    return all(one.time and _is_settled(one.time, moment) for one in tree.listed.values())


def write_new(
    root: Path, files: Mapping[str, str | bytes], modes: Mapping[str, int] = _USUAL
) -> None:
    """Write new files: all of them, or none.

    They are written together in a folder of their own beside their places, put on the disk, and
    only then moved to where they belong, in the order given; a folder that is new comes as a whole.
    Whatever stops that, what was placed and the folders that were made go away again. A killed
    process and a power cut leave files that are whole, some of them or all, and perhaps
    `priv/.ashflow-….new`, which nobody reads; once this returns, all are on the disk. How often the
    disk is asked to write does not grow with the number of files.

    Args:
        root: The project's folder.
        files: The texts, by path relative to it, with `/`; all below `priv/`.
        modes: The permissions of those that have not the usual ones, by path.

    Raises:
        FileError: A file is there already, a path leaves `priv/`, a link stands in the way, or
            the disk refuses.
    """
    if not files:
        return
    free_places(root, files)
    with ExitStack() as undo:
        with refused("priv cannot be written to"):
            staging = make_staging(root, undo)
        waiting = stage_all(staging, files, modes)
        for folder, names in _by_folder(files).items():
            _place(root, folder, waiting[folder], names, undo)
        settle(_on_the_way(root, waiting), files=len(files))
        undo.pop_all()
    clear(staging)


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for path in paths:
        folder = folder_of(path)
        folders.setdefault(folder, []).append(path[len(folder) + 1 :])
    return folders


def _place(root: Path, folder: str, waiting: str, names: Sequence[str], undo: ExitStack) -> None:
    """Move the files of one folder to their places; with the folder, where that is not there."""
    place = f"{root}/{folder}"
    with refused(f"{folder} cannot be written to"):
        make_folders(root / folder_of(folder), undo)
        new = not os.path.lexists(place)
    if new:
        undo.callback(remove, place)
    for name in names:
        undo.callback(_take_back, f"{waiting}/{name}", f"{place}/{name}")
    if new:
        with refused(f"{folder} cannot be made"):
            move_folder(waiting, place)
        return
    for name in names:
        with refused(f"{folder}/{name} cannot be written"):
            move(f"{waiting}/{name}", f"{place}/{name}")


def _take_back(waiting: str, place: str) -> None:
    """Remove a file from its place, where it got there."""
    if arrived(waiting, place):
        remove(place)


class Moved(NamedTuple):
    """Files that were moved into a store, and the way back.

    Args:
        root: The project's folder.
        into: The store; every file has its path of before below it.
        paths: The files, relative to the root.
    """

    root: Path
    into: Path
    paths: tuple[str, ...]

    def put_back(self) -> None:
        """Move the files back to where they were: all of them, or none.

        Raises:
            FileError: Something stands in their place, or the disk refuses.
        """
        places = free_places(self.root, self.paths)
        with ExitStack() as undo:
            _move_all({f"{self.into}/{path}": place for path, place in places.items()}, undo)
            settle(_on_the_way(self.root, map(folder_of, places)), files=len(places))
            undo.pop_all()


def move_away(root: Path, paths: Iterable[str], into: Path) -> Moved:
    """Move files into a store, under the paths that they have: all of them, or none.

    Nothing is erased. The folder of a table's snapshots goes when it is empty.

    Args:
        root: The project's folder.
        paths: The files, relative to it, with `/`; all below `priv/`.
        into: The store; made, for its owner only, where it is not there.

    Raises:
        FileError: A path leaves `priv/`, is no regular file, or stands behind a link; something
            of that name is in the store; or the disk refuses.
    """
    sources = standing_files(root, paths)
    with ExitStack() as undo:
        with refused(f"{into} cannot be made"):
            make_folders(into, undo, mode=0o700)
        _move_all({source: f"{into}/{path}" for path, source in sources.items()}, undo)
        folders = dict.fromkeys(map(folder_of, sources))
        left = (f"{root}/{folder}" for folder in folders)
        settle((*_on_the_way(into, folders), *left), files=len(sources))
        undo.pop_all()
    for folder in folders:
        _remove_if_empty(root, folder)
    return Moved(root, into, tuple(sources))


def _move_all(places: Mapping[str, str], undo: ExitStack) -> None:
    for source, target in places.items():
        with refused(f"{source} cannot be moved to {target}"):
            make_folders(Path(target).parent, undo)
            undo.callback(_move_back, source, target)
            move(source, target)


def _move_back(source: str, target: str) -> None:
    """Move a file back from its target, where it got there."""
    if not arrived(source, target):
        return
    if os.path.lexists(source):
        remove(target)
    else:
        move(target, source)


def _remove_if_empty(root: Path, folder: str) -> None:
    """Remove the folder of a table's snapshots when nothing is in it; no other folder."""
    parts = folder.split("/")
    if len(parts) == 4 and tuple(parts[:2]) == _SNAPSHOTS:
        remove(root / folder)


def _on_the_way(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Yield the folders that say that files are there, from the root down to their own."""
    yield str(root)
    seen: set[str] = set()
    for folder in folders:
        parts = folder.split("/")
        for i in range(1, len(parts) + 1):
            part = "/".join(parts[:i])
            if part not in seen:
                seen.add(part)
                yield f"{root}/{part}"


def _list(
    root: str, folders: Iterable[str], known: Mapping[str, Listed] = _NONE
) -> dict[str, Listed]:
    """List some folders and those below them; there may be ten thousands of files.

    Args:
        root: The project's folder.
        folders: The folders, relative to it.
        known: Those below them that are left out.

    Raises:
        FileError: A folder cannot be read, or is no folder.
    """
    found: dict[str, Listed] = {}
    waiting = [*folders]
    now = time.time_ns()
    while waiting:
        path = waiting.pop()
        place = f"{root}/{path}"
        changed = _changed_at(place)
        try:
            there = [*os.scandir(place)]
            files = [f"{path}/{entry.name}" for entry in there if entry.is_file()]
        except FileNotFoundError:
            there = files = []
        except OSError as error:
            raise refusal(f"{path} cannot be read", error) from error
        if len(files) != len(there):
            below = [entry for entry in there if entry.is_dir(follow_symlinks=False)]
            paths = (f"{path}/{entry.name}" for entry in below)
            waiting.extend(path for path in paths if path not in known)
        found[path] = Listed(changed if _is_settled(changed, now) else 0, files)
    return found


def _is_settled(changed: int, now: int) -> bool:
    """Whether a folder that changed at a time can't change once more within the same tick."""
    return changed < now - (_TICK if changed % 1_000_000 else _COARSE_TICK)


def _changed_at(folder: str) -> int:
    """Return when a folder was last changed, in nanoseconds; 0 where it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:  # who lists it will say so
        return 0


def _read(root: Path, path: str) -> str:
    with refused(f"{path} cannot be read"):
        raw = read_bytes(f"{root}/{path}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{path} is not UTF-8 (byte {error.start + 1})",
            hint="Save it as UTF-8, or take it from git again: git restore -- " + path,
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
