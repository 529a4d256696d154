"""See whether somebody else was at work on the files of a project, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ashflow.project.checkout import Project


def changed_meanwhile(repos: Iterable[str]) -> LockedError:
    """Return the error of a plan that its files have left behind.

    Args:
        repos: The repos whose files they are.
    """
    return LockedError(
        f"migrations or snapshots of {', '.join(repos)} were changed by another process meanwhile",
        hint="Nothing was changed. Run the command again: it looks anew.",
    )


def came_or_went_in(project: Project, repo: str, then: Mapping[str, str]) -> frozenset[str]:
    """Return the paths in the folders of a repo that came or went since they were listed.

    Args:
        project: The checkout.
        repo: The repo.
        then: The files of before.

    Raises:
        FileError: A folder cannot be read, or is no folder.
    """
    from ashflow.worktree.files import came_or_went

    folders = project.folders(repo)
    return came_or_went(project.root, (folders.migrations, folders.snapshots), then)
