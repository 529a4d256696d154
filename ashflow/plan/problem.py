"""What is known of the files of a repo, and what is wrong with them, as values."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ashflow.history.files import MigrationFile
    from ashflow.history.history import History


class Problem(NamedTuple):
    """Something that should not be committed.

    Args:
        code: What kind of problem it is.
        repo: The repo.
        path: The file, relative to the project's root; where there is none yet, its folder.
        message: What is wrong.
        fix: What to do.
        table: The table, where it is about one.
    """

    code: str
    repo: str
    path: str
    message: str
    fix: str
    table: str | None = None


@value
class Facts:
    """What is known of a repo.

    Args:
        repo: The repo.
        root: The folder of the project, for tracebacks.
        history: The files that are judged.
        since: What they are compared with: a branch; None for the last commit.
        old: The files that are there.
        new: Those that are not there yet, as far as that is known.
        before: The texts of the migrations that are there, and are otherwise now.
        gone: The migrations that are there, and are no more.
        lost: The versions of snapshots that are there, and are no more.
        beside: Files on disk that are not among those that are judged.
        ignored: Those of them that git ignores.
        links: Those of them that are links.
        newest: The newest migration of the main branch, where it is known.
        on_main: The migrations of the main branch; a merge may bring some of them.
        everything: Whether old files are read too, and not only counted.
    """

    repo: str
    root: str
    history: History
    since: str | None = None
    old: Collection[str] = ()
    new: Collection[str] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    gone: Collection[str] = ()
    lost: Collection[str] = ()
    beside: frozenset[str] = frozenset()
    ignored: Collection[str] = ()
    links: Collection[str] = ()
    newest: tuple[str, MigrationFile] | None = None
    on_main: frozenset[str] = frozenset()
    everything: bool = False

    def back(self, *paths: str) -> str:
        """Return the command that brings files back as they are there."""
        return f"git checkout {self.since or 'HEAD'} -- {' '.join(paths)}"

    def add(self, *paths: str) -> str:
        """Return what brings files into the commit, in words where a command alone does not."""
        hidden = next((path for path in paths if path in self.ignored), None)
        link = next((path for path in paths if path in self.links), None)
        command = f"git add {' '.join(paths)}"
        if hidden is not None:
            return f"git ignores {hidden}: git check-ignore -v {hidden} names the rule; take it out"
        if link is not None:
            return f"{link} is a link: put the file itself in its place, then add it with git"
        return command

    def problem(self, code: str, path: str, message: str, fix: str, **more: str) -> Problem:
        """Return a problem of this repo."""
        return Problem(code, self.repo, path, message, fix, **more)
