"""Ask git what is new in a project, and go on meanwhile: it looks at each file that it tracks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ashflow.errors import GitError
from ashflow.worktree.git import Nowhere, asking, locate, status
from ashflow.worktree.sparse import refuse_left_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.checkout import Project
    from ashflow.worktree.porcelain import GitStatus, Located

Ask = Callable[[], "tuple[Located, GitStatus]"]
"""Waits for git, and returns where the project lies and what git says of its files."""


@contextmanager
def asking_git(project: Project, repos: Sequence[RepoConfig]) -> Iterator[Ask]:
    """Ask git once for the files of some repos.

    Args:
        project: The checkout.
        repos: Which of its repos.

    Yields:
        What waits for the answer; who calls it again gets one of then.

    Raises:
        GitError: There is no git here, it refuses, or a sparse checkout leaves a file out.
    """
    located = locate(project.root)
    if isinstance(located, Nowhere):
        raise GitError(
            f"regen finds the untracked migrations through git, and {located.value}",
            hint="git init makes a git repository; without one, use ashflow rollback and codegen.",
        )
    folders = project.config.folders([repo.name for repo in repos])
    refuse_left_out(project.root, folders)
    with asking(located, folders) as answer:
        early = [answer]

        def ask() -> tuple[Located, GitStatus]:
            return located, early.pop()() if early else status(located, folders)

        yield ask
