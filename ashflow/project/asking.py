"""Ask git what is new in a project, and go on meanwhile: it looks at each file that it tracks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ashflow.errors import GitError
from ashflow.project.meanwhile import changed_meanwhile
from ashflow.worktree.files import changed_at
from ashflow.worktree.git import Nowhere, asking, locate, status
from ashflow.worktree.sparse import refuse_left_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.checkout import Project
    from ashflow.worktree.porcelain import GitStatus, Located

SeenT = TypeVar("SeenT")

_LOOKS: Final = 3
"""So often files and git are looked at until nothing comes or goes meanwhile."""


class Ask(Protocol):
    """Looks at files while git does, and waits for git."""

    def __call__(self, look: Callable[[], SeenT]) -> tuple[SeenT, Located, GitStatus]:
        """Look at files, and return what was seen and what git says of the same files.

        Where one comes or goes meanwhile, git may not have seen what was seen: both look again.

        Args:
            look: Looks at the files that git is asked for.

        Returns:
            What was seen, where the project lies, and what git says.

        Raises:
            GitError: git refuses.
            LockedError: Files come and go all the time.
        """


@contextmanager
def asking_git(project: Project, repos: Sequence[RepoConfig]) -> Iterator[Ask]:
    """Ask git once for the files of some repos.

    Args:
        project: The checkout.
        repos: Which of its repos.

    Yields:
        What waits for the answer.

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

    def changed() -> list[int]:
        return [changed_at(f"{project.root}/{folder}") for folder in folders]

    before = changed()
    with asking(located, folders) as answer:

        def ask(look: Callable[[], SeenT]) -> tuple[SeenT, Located, GitStatus]:
            then = before
            for at in range(_LOOKS):
                seen = look()
                git = status(located, folders) if at else answer()
                if (now := changed()) == then:
                    return seen, located, git
                then = now
            raise changed_meanwhile(repo.name for repo in repos)

        yield ask
