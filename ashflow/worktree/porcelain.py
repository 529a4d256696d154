"""What git says of a project's files, as values: the records of `git status`, read."""

from __future__ import annotations

import os
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@value
class Located:
    """Where a project lies in a git repository; all paths are absolute and real.

    Args:
        top: The top of the work tree.
        git_dir: Git's folder for this work tree.
        common_dir: Git's folder for all work trees.
        prefix: The project's path within the work tree: empty, or ending with `/`.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    prefix: str


class FileState(Enum):
    """What git says of a file."""

    COMMITTED = "committed"
    UNTRACKED = "untracked"
    IGNORED = "ignored"
    INTENT_TO_ADD = "intent to add"
    INTENT_DELETED = "intent to add, then deleted"
    STAGED = "staged"
    STAGED_MODIFIED = "staged, then modified"
    STAGED_DELETED = "staged, then deleted"
    MODIFIED = "modified"
    DELETED = "deleted"
    REMOVED_FROM_INDEX = "removed from the index"
    UNMERGED = "unmerged"


Kind = Literal["intent", "staged"]

_ADDED: Final[Mapping[FileState, Kind]] = {
    FileState.INTENT_TO_ADD: "intent",
    FileState.INTENT_DELETED: "intent",
    FileState.STAGED: "staged",
    FileState.STAGED_MODIFIED: "staged",
    FileState.STAGED_DELETED: "staged",
}

_EMPTY: Final = frozenset(
    {
        b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""An empty content, as SHA-1 and SHA-256 name it."""


@value
class Entry:
    """What the index has of a file that the last commit does not have.

    Args:
        kind: Whether its content is staged, or only that it is to be added one day.
        mode: Its mode in the index, as git writes it.
        oid: The name of the object with its content. Mode and name say nothing where no content
            is staged.
    """

    kind: Kind
    mode: str
    oid: str


@value
class GitStatus:
    """What git knows of a project, asked once.

    Args:
        files: The files that are not as they were committed; paths are relative to the project.
        entries: What the index has of those that the last commit does not have.
        ignored: Folders that are ignored as a whole, ending with `/`; empty text for the project.
        nested: Folders that are git repositories of their own, ending with `/`.
        links: Folders asked for, or above those, that are links, ending with `/`. Into neither of
            the two git looks: it cannot say what is new there.
        head: The commit that is checked out; None before the first.
        branch: The branch; None where HEAD is detached.
        busy: What is under way: merge, rebase, cherry-pick, revert or bisect; None for nothing.
    """

    files: Mapping[str, FileState]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    head: str | None = None
    branch: str | None = None
    busy: str | None = None

    @property
    def unmerged(self) -> tuple[str, ...]:
        """The files that a merge left in conflict."""
        return tuple(path for path, state in self.files.items() if state is FileState.UNMERGED)

    def state_of(self, path: str) -> FileState:
        """Return the state of a file that stands in one of the folders that were asked for.

        Args:
            path: Its path relative to the project, with `/`.
        """
        if path in self.files:
            return self.files[path]
        if path.startswith(self.ignored):
            return FileState.IGNORED
        if path.startswith((*self.nested, *self.links)):
            return FileState.UNTRACKED
        return FileState.COMMITTED


def read_status(
    output: bytes,
    located: Located,
    *,
    links: tuple[str, ...],
    nested: tuple[str, ...],
    busy: str | None,
) -> GitStatus:
    """Read the records of porcelain v2: https://git-scm.com/docs/git-status#_porcelain_format_version_2.

    Args:
        output: The records, each with a NUL behind it.
        located: Where the project lies.
        links: Folders that are links, ending with `/`.
        nested: Folders that are git repositories of their own, ending with `/`.
        busy: What is under way.
    """
    files: dict[str, FileState] = {}
    entries: dict[str, Entry] = {}
    folders: dict[bytes, list[str]] = {b"!": [], b"?": []}
    head: dict[bytes, str] = {}
    for record in output.split(b"\0"):
        kind, _, rest = record.partition(b" ")
        match kind:
            case b"#":
                name, _, value = rest.partition(b" ")
                head[name] = os.fsdecode(value)
            case b"1":
                changed, _, _, mode, _, _, blob, name = rest.split(b" ", 7)
                path = inside(name, located)
                files[path] = _state(changed, located, path, hollow=blob in _EMPTY)
                if added := _ADDED.get(files[path]):
                    entries[path] = Entry(added, mode.decode(), blob.decode())
            case b"u":
                files[inside(rest.split(b" ", 9)[9], located)] = FileState.UNMERGED
            case b"?" | b"!" if rest.endswith(b"/"):
                folders[kind].append(inside(rest, located))
            case b"?" | b"!":
                state = FileState.UNTRACKED if kind == b"?" else FileState.IGNORED
                files.setdefault(inside(rest, located), state)  # may be "removed from the index"
    oid, branch = head[b"branch.oid"], head[b"branch.head"]
    return GitStatus(
        files,
        entries,
        ignored=tuple(folders[b"!"]),
        nested=tuple(dict.fromkeys((*folders[b"?"], *nested))),
        links=links,
        head=None if oid == "(initial)" else oid,
        branch=None if branch == "(detached)" else branch,
        busy=busy,
    )


def inside(name: bytes, located: Located) -> str:
    """Return a path of git relative to the project; empty for a folder that holds the project.

    Args:
        name: The path, relative to the top of the work tree.
        located: Where the project lies.
    """
    path = os.fsdecode(name)
    return "" if located.prefix.startswith(path) else path.removeprefix(located.prefix)


def _state(changed: bytes, located: Located, path: str, *, hollow: bool) -> FileState:
    """Return what two letters say: what the index changes, and what the work tree changes on it.

    Of a file that was only to be added and is gone, git says the same as of one that was committed
    without content. No migration and no snapshot is empty, so it is taken for the former.
    """
    match changed.decode():
        case ".D" if hollow:
            return FileState.INTENT_DELETED
        case ".A":
            return FileState.INTENT_TO_ADD
        case "A.":
            return FileState.STAGED
        case "AD":
            return FileState.STAGED_DELETED
        case letters if letters[0] == "A":
            return FileState.STAGED_MODIFIED
        case letters if letters[0] == "D" and os.path.lexists(located.top / located.prefix / path):
            return FileState.REMOVED_FROM_INDEX
        case letters if "D" in letters:
            return FileState.DELETED
        case _:
            return FileState.MODIFIED
