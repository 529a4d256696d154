"""Read a tree of text from the disk; put new files into it and take files out of it, whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import UnreadableError
from ashflow.worktree.ground import (
    clear,
    free_places,
    make_folders,
    make_staging,
    move,
    move_folder,
    refused,
    remove,
    settle,
    stage_all,
    standing_files,
)

if TYPE_CHECKING:
    from pathlib import Path

_SNAPSHOTS = ("priv", "resource_snapshots")


class DiskTree(Mapping[str, str]):
    """The files below some folders: their paths, and their texts, each read when it is asked for.

    Args:
        root: The folder that the paths are relative to.
        paths: The paths, with `/`.
    """

    __slots__ = ("_root", "_texts")

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        self._root = root
        self._texts: dict[str, str | None] = dict.fromkeys(sorted(paths))

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
    paths: set[str] = set()
    for folder in folders:
        with refused(f"{folder} cannot be read"):
            paths.update(_files_below(str(root / folder), folder))
    return DiskTree(root, paths)


def write_new(root: Path, files: Mapping[str, str]) -> None:
    """Write new files: all of them, or none.

    They are written together in a folder of their own beside their places, and only then moved to
    where they belong, in the order given; a folder that is new comes as a whole. Whatever stops
    that, what was placed and the folders that were made go away again; a killed process leaves
    files that are whole, and perhaps `priv/.ashflow-….new`, which nobody reads.

    Args:
        root: The project's folder.
        files: The texts, by path relative to it, with `/`; all below `priv/`.

    Raises:
        FileError: A file is there already, a path leaves `priv/`, a link stands in the way, or
            the disk refuses.
    """
    if not files:
        return
    places = free_places(root, files)
    with ExitStack() as undo:
        with refused("priv cannot be written to"):
            staging = make_staging(root, undo)
            staged = stage_all(staging, files)
        for folder, paths in _by_folder(files).items():
            _place(root, folder, {staged[path]: places[path] for path in paths}, undo)
        settle(_folders(root, places.values()), files=len(files))
        undo.pop_all()
    clear(staging)


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    return folders


def _place(root: Path, folder: str, files: Mapping[Path, Path], undo: ExitStack) -> None:
    """Move the files of one folder to their places; with the folder, where that is not there."""
    place = root / folder
    with refused(f"{folder} cannot be written to"):
        make_folders(place.parent, undo)
        new = not place.exists()
        if new:
            undo.callback(remove, place)
    if new:
        for target in files.values():
            undo.callback(remove, target)
        with refused(f"{folder} cannot be made"):
            move_folder(next(iter(files)).parent, place)
        return
    for source, target in files.items():
        with refused(f"{target.relative_to(root).as_posix()} cannot be written"):
            move(source, target)
            undo.callback(remove, target)


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
            _move_all({self.into / path: place for path, place in places.items()}, undo)
            settle(_folders(self.root, places.values()), files=len(places))
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
        _move_all({source: into / path for path, source in sources.items()}, undo)
        stored = _folders(into, (into / path for path in sources))
        settle([*stored, *{source.parent for source in sources.values()}], files=len(sources))
        undo.pop_all()
    for path in sources:
        _remove_if_empty(root, path.rpartition("/")[0])
    return Moved(root, into, tuple(sources))


def _move_all(places: Mapping[Path, Path], undo: ExitStack) -> None:
    for source, target in places.items():
        with refused(f"{source} cannot be moved to {target}"):
            make_folders(target.parent, undo)
            move(source, target)
            undo.callback(move, target, source)


def _remove_if_empty(root: Path, folder: str) -> None:
    """Remove the folder of a table's snapshots when nothing is in it; no other folder."""
    parts = folder.split("/")
    if len(parts) == 4 and tuple(parts[:2]) == _SNAPSHOTS:
        remove(root / folder)


def _folders(root: Path, places: Iterable[Path]) -> list[Path]:
    """Return the folders that say that files are there, from the root down to their own."""
    folders = {root}
    for folder in {place.parent for place in places}:
        while folder not in folders:
            folders.add(folder)
            folder = folder.parent
    return sorted(folders)


def _files_below(folder: str, path: str) -> Iterator[str]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path, f"{path}/{entry.name}")
            elif entry.is_file():
                yield f"{path}/{entry.name}"


def _read(root: Path, path: str) -> str:
    """Return the text of a file; bytes are read, because a text layer doubles the time."""
    with refused(f"{path} cannot be read"), open(f"{root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123  (a thousand times)
        raw = file.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{path} is not UTF-8 (byte {error.start + 1})",
            hint="Save it as UTF-8, or take it from git again: git restore -- " + path,
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
