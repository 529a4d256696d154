"""Ask git what is new in a project, and go on meanwhile: it looks at each file that it tracks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from ashflow.errors import GitError
from ashflow.project.meanwhile import came_or_went_in, changed_meanwhile
from ashflow.worktree.files import stood
from ashflow.worktree.git import Nowhere, asking, locate, status
from ashflow.worktree.sparse import refuse_left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.project.checkout import Project
    from ashflow.worktree.porcelain import GitStatus, Located

Histories = Mapping[str, "History"]

_LOOKS: Final = 3
"""So often files are listed and git is asked, until nothing comes or goes meanwhile."""


class Ask(Protocol):
    """Lists files while git looks at them, and waits for git."""

    def __call__(self, look: Callable[[], Histories]) -> tuple[Histories, Located, GitStatus]:
        """List files, and return them with what git says of the same files.

        Where one came or went after git began to look, git is asked again. So it is when this is
        called once more: a question to the user may stand between.

        Args:
            look: Lists the files of each repo.

        Returns:
            The files, where the project lies, and what git says.

        Raises:
            GitError: git refuses.
            LockedError: Files come and go all the time.
        """


@contextmanager
def asking_git(project: Project, repos: Sequence[RepoConfig]) -> Iterator[Ask]:
    """Ask git for the files of some repos, and go on meanwhile.

    Args:
        project: The checkout.
        repos: Which of its repos.

    Yields:
        What lists the files and waits for the answer.

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
    began = time.time_ns()
    with asking(located, folders) as answer:
        early = [answer]

        def ask(look: Callable[[], Histories]) -> tuple[Histories, Located, GitStatus]:
            for _ in range(_LOOKS):
                seen = look()
                if early and all(stood(history.tree, began) for history in seen.values()):
                    return seen, located, early.pop()()
                early.clear()
                git = status(located, folders)
                changed = [
                    name
                    for name, history in seen.items()
                    if came_or_went_in(project, name, history.tree)
                ]
                if not changed:
                    return seen, located, git
            raise changed_meanwhile(changed)

        yield ask
