"""Read a tree of text from the disk; put new files into it and take files out of it, whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from ashflow.errors import UnreadableError
from ashflow.worktree.ground import (
    free_place,
    make_folders,
    move,
    refused,
    remove,
    stage,
    standing_file,
    sync,
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

    They are written beside their places, put on the disk, and only then moved there, in the order
    given. Whatever stops that, what was placed and the folders that were made go away again.

    Args:
        root: The project's folder.
        files: The texts, by path relative to it, with `/`; all below `priv/`.

    Raises:
        FileError: A file is there already, a path leaves `priv/`, a link stands in the way, or
            the disk refuses.
    """
    places = {path: free_place(root, path) for path in files}
    with ExitStack() as undo:
        staged: dict[str, Path] = {}
        for path, text in files.items():
            folder = path.rpartition("/")[0]
            with refused(f"{folder} cannot be written to"):
                make_folders(places[path].parent, undo)
                staged[path] = stage(places[path].parent, text, undo)
        for path, place in places.items():
            with refused(f"{path} cannot be written"):
                move(staged[path], place)
                undo.callback(remove, place)
        _sync(root, places.values())
        undo.pop_all()


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
        places = {path: free_place(self.root, path) for path in self.paths}
        with ExitStack() as undo:
            _move_all({self.into / path: place for path, place in places.items()}, undo)
            _sync(self.root, places.values())
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
    sources = {path: standing_file(root, path) for path in paths}
    with ExitStack() as undo:
        with refused(f"{into} cannot be made"):
            make_folders(into, undo, mode=0o700)
        _move_all({source: into / path for path, source in sources.items()}, undo)
        folders = {source.parent for source in sources.values()}
        _sync(into, (into / path for path in sources))
        for folder in folders:
            sync(folder)
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


def _sync(root: Path, places: Iterable[Path]) -> None:
    """Put on the disk what folders say, from the root down to those of the files."""
    folders = {root}
    for place in places:
        folders.update(folder for folder in place.parents if folder.is_relative_to(root))
    for folder in folders:
        sync(folder)


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
    try:
        with refused(f"{path} cannot be read"):
            return (root / path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{path} is not UTF-8 (byte {error.start + 1})",
            hint="Save it as UTF-8, or take it from git again: git restore -- " + path,
        ) from error
