"""Change the user's index with the files: what goes leaves it, and what is new comes as it was."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from ashflow.errors import FileError, LockedError
from ashflow.values import value
from ashflow.worktree.git import Objects, change
from ashflow.worktree.ground import make_folders, refused
from ashflow.worktree.staging import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ashflow.worktree.porcelain import Entry, Kind, Located

_PATIENCE: Final = 2.0
"""So many seconds an index is waited for that another git holds."""

_OUTSIDE: Final = "outside of your sparse-checkout definition"

# Files are written with LF, and core.safecrlf=true would refuse those that a checkout writes with
# CRLF: https://git-scm.com/docs/git-config#Documentation/git-config.txt-coresafecrlf
_ADD: Final = ("-c", "core.safecrlf=false", "add")
_LISTED: Final = ("--pathspec-from-file=-", "--pathspec-file-nul")


@value
class _Step:
    """One call of git that changes the index.

    Args:
        arguments: What git is told.
        stdin: What git reads: the files.
        shown: The command as a user types it.
    """

    arguments: tuple[str, ...]
    stdin: bytes
    shown: str


def kinds_for(written: Iterable[str], replaced: Iterable[Entry]) -> dict[str, Kind]:
    """Say how new files come into the index, where those stood that they replace.

    Args:
        written: The paths of the new files.
        replaced: What the index has of the migrations and snapshots that they replace.

    Returns:
        The kind of each new file, by its path: staged where one that is replaced was staged, else
        intended where one was; nothing where the index has none of them.
    """
    kinds = {entry.kind for entry in replaced}
    kind: Kind = "staged" if "staged" in kinds else "intent"
    return dict.fromkeys(written, kind) if kinds else {}


def save_blobs(located: Located, entries: Mapping[str, Entry], folder: Path) -> None:
    """Keep the contents that are staged: a file may have another one, or be gone.

    Args:
        located: Where the project lies.
        entries: What the index has, by path relative to the project.
        folder: Where the contents go, each under its path, for their owner only.

    Raises:
        GitError: git has lost one.
        FileError: The disk refuses.
    """
    staged = _staged(entries)
    places = {path: folder / path for path in staged}
    with Objects(located) as objects:
        for path, entry in staged.items():
            with refused(f"{places[path]} cannot be written"):
                _save(places[path], objects.read(entry.oid))
    if staged:
        settle({str(place.parent) for place in places.values()}, files=len(places))


def change_index(
    located: Located,
    *,
    remove: Iterable[str] = (),
    add: Iterable[str] = (),
    intend: Iterable[str] = (),
    patience: float = _PATIENCE,
) -> None:
    """Take files out of the index, and bring others in; no file on disk is touched.

    What is done already is no error, so that a run that was cut off can be run again.

    Args:
        located: Where the project lies.
        remove: Those that leave the index, by path relative to the project.
        add: Those that are staged with what they hold on disk.
        intend: Those that are only to be added one day (`git add --intent-to-add`).
        patience: How many seconds the index is waited for where another git holds it.

    Raises:
        LockedError: Another git holds it for longer; the hint has the commands that are left.
        FileError: git refuses, as where it ignores a file; the hint has them too.
    """
    out = ("update-index", "--force-remove")
    steps = (
        _of_paths(located, out, ("-z", "--stdin"), remove),
        _of_paths(located, _ADD, _LISTED, add),
        _of_paths(located, (*_ADD, "--intent-to-add"), _LISTED, intend),
    )
    _run(located, [step for step in steps if step.stdin], patience)


def restore_entries(
    located: Located, entries: Mapping[str, Entry], folder: Path, *, patience: float = _PATIENCE
) -> None:
    """Put entries back into the index as they were, whatever is there now.

    What was only intended to be added comes back where its file is on disk.

    Args:
        located: Where the project lies.
        entries: What the index had, by path relative to the project.
        folder: Where `save_blobs` has put the contents.
        patience: How many seconds the index is waited for where another git holds it.

    Raises:
        LockedError: Another git holds it for longer; the hint has the commands that are left.
        FileError: git refuses, or a content is not in the folder.
    """
    staged = _staged(entries)
    root = located.top / located.prefix
    intended = [path for path in entries if path not in staged and os.path.lexists(root / path)]
    steps = (
        _of_entries(located, staged, _stored(located, [folder / path for path in staged])),
        _of_paths(located, (*_ADD, "--intent-to-add"), _LISTED, intended),
    )
    _run(located, [step for step in steps if step.stdin], patience)


def _staged(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    return {path: entry for path, entry in entries.items() if entry.kind == "staged"}


def _save(place: Path, content: bytes) -> None:
    """Write a file that only its owner may read, down to the disk."""
    make_folders(place.parent, ExitStack(), mode=0o700)
    place.touch(mode=0o600)
    with place.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _stored(located: Located, places: Sequence[Path]) -> list[str]:
    """Have git store what some files hold, byte for byte, and return the names of the objects."""
    if not places:
        return []
    lines = b"".join(_quoted(place) for place in places)
    words = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    return change(located, *words, stdin=lines, patience=0).decode().split()


def _quoted(place: Path) -> bytes:
    """Return a path as a line that git reads back, also one with a line break: as octal escapes."""
    return b'"%s"\n' % b"".join(b"\\%03o" % byte for byte in os.fsencode(place))


def _of_paths(
    located: Located, words: tuple[str, ...], listed: tuple[str, ...], paths: Iterable[str]
) -> _Step:
    of_top = [located.prefix + path for path in paths]
    stdin = b"".join(os.fsencode(path) + b"\0" for path in of_top)
    return _Step((*words, *listed), stdin, _shown(located, *words, "--", *of_top))


def _of_entries(located: Located, entries: Mapping[str, Entry], oids: Sequence[str]) -> _Step:
    found = [
        (entry.mode, oid, located.prefix + path)
        for (path, entry), oid in zip(entries.items(), oids, strict=True)
    ]
    records = (b"%s %s\t%s\0" % tuple(map(os.fsencode, record)) for record in found)
    options = (word for record in found for word in ("--cacheinfo", ",".join(record)))
    shown = _shown(located, "update-index", "--add", *options)
    return _Step(("update-index", "-z", "--index-info"), b"".join(records), shown)


def _shown(located: Located, *words: str) -> str:
    return shlex.join(("git", "-C", str(located.top), *words))


def _run(located: Located, steps: Sequence[_Step], patience: float) -> None:
    for done, step in enumerate(steps):
        try:
            _take(located, step, patience)
        except (FileError, LockedError) as error:
            left = " && ".join(step.shown for step in steps[done:])
            raise type(error)(
                f"the index can't be changed: {error.message}",
                hint=f"When that is mended and no other git runs, this is left to do: {left}",
            ) from error


def _take(located: Located, step: _Step, patience: float) -> None:
    try:
        change(located, *step.arguments, stdin=step.stdin, patience=patience)
    except FileError as error:
        if _OUTSIDE not in error.message:
            raise
        # What was there before is outside too: git from 2.34 on wants to hear that it is meant.
        change(located, *step.arguments, "--sparse", stdin=step.stdin, patience=patience)
