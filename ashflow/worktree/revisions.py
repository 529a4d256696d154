"""What git has under its names: the files of the index and of commits, and how branches parted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ashflow.errors import GitError
from ashflow.worktree.git import asked, said
from ashflow.worktree.porcelain import inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ashflow.worktree.porcelain import Located

_DEEPER = (
    "git fetch --unshallow brings what a shallow clone lacks; in GitHub Actions, actions/checkout "
    "does with fetch-depth: 0."
)

UNTRACKED = "??"
EDITED = " M"
INTENDED = " A"
"""`git add --intent-to-add`: the index names it, and no commit has it."""

UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})


def staged(located: Located, folders: Sequence[str] = ()) -> dict[str, str]:
    """Return the files of the index below some folders, with the names of their objects.

    In a hook of a commit it is the index that the commit is made from.

    Args:
        located: Where the project lies.
        folders: The folders or files, relative to the project, with `/`; none: all of it.
    """
    output = asked(located, "ls-files", "--stage", "-z", "--", *_within(located, folders))
    return _listed(output, located, place=1)


def ignored(located: Located, folders: Sequence[str]) -> tuple[str, ...]:
    """Return the files below some folders that git ignores.

    Args:
        located: Where the project lies.
        folders: The folders, relative to the project, with `/`.
    """
    words = ("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--")
    output = asked(located, *words, *_within(located, folders))
    return tuple(inside(name, located) for name in output.split(b"\0") if name)


def committed(located: Located, revision: str, folders: Sequence[str] = ()) -> dict[str, str]:
    """Return the files of a commit below some folders, with the names of their objects.

    Args:
        located: Where the project lies.
        revision: The commit.
        folders: The folders or files, relative to the project, with `/`; none: all of it.
    """
    paths = _within(located, folders)
    output = asked(located, "ls-tree", "-r", "-z", "--full-tree", revision, "--", *paths)
    return _listed(output, located, place=2)


def letters(located: Located, folders: Iterable[Path]) -> dict[Path, str]:
    """Return what `git status` says of each file that is not as it was committed, by its real path.

    Two letters: what the index changes on the last commit, and what the work tree changes on the
    index; `??` for a file that git does not track (https://git-scm.com/docs/git-status#_output).
    In a hook of a commit it is the index that the commit is made from.

    Args:
        located: Where the project lies.
        folders: The folders to look in; what is outside of the work tree is not looked at.
    """
    paths = _of_top(located, folders)
    if not paths:
        return {}
    output = asked(
        located,
        *("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", *paths),
    )
    records = output.split(b"\0")[:-1]
    return {located.top / os.fsdecode(record[3:]): record[:2].decode() for record in records}


def unwatched(located: Located, folders: Iterable[Path]) -> frozenset[Path]:
    """Return the files of which git does not know how they are on disk, by their real paths.

    Outside of a sparse checkout they are not there, and `git update-index --assume-unchanged` has
    git not look (https://git-scm.com/docs/git-ls-files#Documentation/git-ls-files.txt--v).

    Args:
        located: Where the project lies.
        folders: The folders to look in; what is outside of the work tree is not looked at.
    """
    paths = _of_top(located, folders)
    if not paths:
        return frozenset()
    records = asked(located, "ls-files", "-v", "-z", "--", *paths).split(b"\0")[:-1]
    unknown = (record for record in records if record[:1] == b"S" or record[:1].islower())
    return frozenset(located.top / os.fsdecode(record[2:]) for record in unknown)


def named_in_index(located: Located, name: str) -> dict[Path, str]:
    """Return all files of a name that the index has, wherever they are, and their objects' names.

    Args:
        located: Where a project lies in the work tree.
        name: The last part of their paths.
    """
    output = asked(located, "ls-files", "--stage", "-z")
    return _in_index(output, located, lambda path: path.rpartition(b"/")[2] == os.fsencode(name))


def names_in_index(located: Located, files: Iterable[Path]) -> dict[Path, str]:
    """Return the names of the objects that the index has for some files.

    Args:
        located: Where the project lies.
        files: Their real paths; what the index does not have is left out.
    """
    paths = sorted(file.relative_to(located.top).as_posix() for file in files)
    if not paths:
        return {}
    return _in_index(asked(located, "ls-files", "--stage", "-z", "--", *paths), located)


def changed_since(located: Located, revision: str, folders: Sequence[str]) -> frozenset[str]:
    """Return the files that a commit has and that are otherwise on disk, or gone.

    Args:
        located: Where the project lies.
        revision: The commit.
        folders: The folders to look in, relative to the project, with `/`.
    """
    output = asked(
        located,
        *("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"),
        *("--diff-filter=MDT", revision, "--", *_within(located, folders)),
    )
    return frozenset(inside(name, located) for name in output.split(b"\0")[:-1])


def added_since(located: Located, revision: str, folders: Sequence[str]) -> frozenset[str]:
    """Return the files that this branch has committed since it left another one.

    Args:
        located: Where the project lies.
        revision: The other branch, or any other name of a commit.
        folders: The folders to look in, relative to the project, with `/`.

    Raises:
        GitError: There is no such commit, the two have none in common, or git refuses.
    """
    base = merge_base(located, revision)
    output = asked(
        located,
        *("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=A"),
        *(base, "HEAD", "--", *_within(located, folders)),
    )
    return frozenset(inside(name, located) for name in output.split(b"\0")[:-1])


def merge_base(located: Located, revision: str) -> str:
    """Return the commit at which this branch left another one.

    https://git-scm.com/docs/git-merge-base

    Args:
        located: Where the project lies.
        revision: The other branch, or any other name of a commit.

    Raises:
        GitError: There is no such commit, or the two have none in common.
    """
    named = _verified(located, revision)
    cut_off = (located.common_dir / "shallow").exists()
    if not named:
        raise GitError(
            f"git knows no commit called {revision}",
            hint="Say the branch that this one left, such as main or origin/main; git fetch brings "
            "what only the other side has." + (f" {_DEEPER}" if cut_off else ""),
        )
    base = said(located, "merge-base", "HEAD", named)
    if not base and cut_off:
        raise GitError(
            f"HEAD and {revision} have no commit in common in this clone, which is shallow: "
            "where they parted is missing",
            hint=_DEEPER,
        )
    if not base:
        raise GitError(
            f"HEAD and {revision} have no commit in common",
            hint="Say the branch that this one left.",
        )
    return base


def first_known(located: Located, names: Iterable[str]) -> str | None:
    """Return the first of some names of commits that git knows; None where it knows none.

    Args:
        located: Where the project lies.
        names: Branches, or other names of commits.
    """
    return next((name for name in names if _verified(located, name)), None)


def _listed(output: bytes, located: Located, *, place: int) -> dict[str, str]:
    """Return the regular files of a listing; links and git repositories are none."""
    found = {}
    for record in output.split(b"\0")[:-1]:
        facts, _, name = record.partition(b"\t")
        fields = facts.split()
        if fields[0].startswith(b"100"):
            found[inside(name, located)] = fields[place].decode()
    return found


def _in_index(
    output: bytes, located: Located, wanted: Callable[[bytes], bool] = bool
) -> dict[Path, str]:
    """Return the files of a listing of the index, be they what they may, by their real paths."""
    records = (record.partition(b"\t") for record in output.split(b"\0")[:-1])
    return {
        located.top / os.fsdecode(path): facts.split()[1].decode()
        for facts, _, path in records
        if wanted(path)
    }


def _of_top(located: Located, folders: Iterable[Path]) -> list[str]:
    """Return those of some folders that lie in the work tree, relative to its top."""
    real = (folder.resolve() for folder in folders)
    inner = (folder for folder in real if folder.is_relative_to(located.top))
    return sorted({folder.relative_to(located.top).as_posix() for folder in inner})


def _within(located: Located, folders: Sequence[str]) -> list[str]:
    if not folders:
        return [located.prefix] if located.prefix else []
    return [located.prefix + folder for folder in folders]


def _verified(located: Located, revision: str) -> str:
    """Return the commit that a revision is; empty where git knows none."""
    question = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    return said(located, *question, f"{revision}^{{commit}}")
