"""What the hooks of git do: judge a commit, and say how the database stands to a branch."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ashflow.config import FILE, is_project, read_config
from ashflow.errors import AshflowError, GitError
from ashflow.plan.migrate import missing, pending
from ashflow.project.check import INSTALLED, Asked, check
from ashflow.project.checkout import Project
from ashflow.run.migrating import ledger_of
from ashflow.worktree.git import Nowhere, Objects, locate
from ashflow.worktree.revisions import named_in_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from ashflow.config import RepoConfig
    from ashflow.plan.problem import Problem
    from ashflow.worktree.porcelain import Located

    Verdict = list[Problem] | AshflowError

MOST: Final = 3
"""So many lines may a hook print that only warns."""


def located_here(start: Path) -> Located:
    """Return where a folder lies in its git repository.

    Args:
        start: The folder.

    Raises:
        GitError: There is no git, or no git repository.
    """
    located = locate(start)
    if isinstance(located, Nowhere):
        raise GitError(
            f"hooks are git's, and {located.value}", hint="git init makes a git repository."
        )
    return located


def judge_commit(start: Path, env: Mapping[str, str]) -> Iterator[tuple[Path, Verdict]]:
    """Judge the commit that is being made: every project that it has.

    Args:
        start: A folder of the work tree.
        env: The environment.

    Yields:
        The folder of each project, and what is wrong with it, or why that cannot be told.

    Raises:
        GitError: git does not say what the commit has.
    """
    for root, text in _staged_configs(located_here(start)).items():
        yield root, _verdict(root, text, env)


def _verdict(root: Path, text: bytes, env: Mapping[str, str]) -> Verdict:
    """Judge one project, by the configuration that is staged."""
    try:
        if not is_project(root / FILE, text):
            return []
        config = read_config(root, env, text)
        with _forgotten(root, *map(Path, config.pythonpath)):
            return check(Project(config), (), Asked(staged=True))
    except AshflowError as error:
        return error


def _staged_configs(located: Located) -> dict[Path, bytes]:
    """Return the folders that may be projects, and what the index has of their configuration.

    A folder that is not on disk is left out: it is one that a sparse checkout leaves out too.
    """
    with Objects(located) as objects:
        return {
            path.parent: objects.read(name)
            for path, name in named_in_index(located, FILE).items()
            if path.parent.is_dir()
        }


@contextmanager
def _forgotten(*folders: Path) -> Iterator[None]:
    """Let a project's modules go when it is judged: the next one may have some of their names."""
    before, path = set(sys.modules), list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in sys.modules.keys() - before:
            if name.partition(".")[0] != "ashflow" and _lies_in(sys.modules[name], folders):
                del sys.modules[name]


def _lies_in(module: ModuleType, folders: Sequence[Path]) -> bool:
    """Whether a module is one of some folders, and not only installed below them."""
    file = getattr(module, "__file__", None)
    for place in [file] if file else getattr(module, "__path__", ()):
        if not INSTALLED & set(Path(place).parts):
            return any(Path(place).is_relative_to(folder) for folder in folders)
    return False


def standing(start: Path, env: Mapping[str, str]) -> list[str]:
    """Return how databases stand to the files of a branch, where they differ: a few lines.

    Args:
        start: A folder of the work tree.
        env: The environment.

    Raises:
        AshflowError: It cannot be told.
    """
    located = located_here(start)
    lines = [
        line
        for root, text in _staged_configs(located).items()
        for line in _of_project(root, text, located.top, env)
    ]
    if len(lines) > MOST:
        lines = [*lines[: MOST - 1], f"and {len(lines) - MOST + 1} more: ashflow status"]
    return lines


def _of_project(root: Path, text: bytes, top: Path, env: Mapping[str, str]) -> Iterator[str]:
    place = os.path.relpath(root, top)
    try:
        if is_project(root / FILE, text):
            project = Project(read_config(root, env))
            for line in (line for repo in project.repos() for line in _of_repo(project, repo)):
                yield line if place == "." else f"{place}: {line}"
    except AshflowError as error:  # whoever switches branches has not asked for this
        yield str(error).partition("\n")[0]


def _of_repo(project: Project, repo: RepoConfig) -> Iterator[str]:
    try:
        ledger = ledger_of(project.database(repo._replace(lock_timeout=0)))
    except AshflowError:  # not to be read now; the command that needs it says why
        return
    history = project.history(repo.name, doubles=True)
    if ledger and (gone := missing(history, ledger)):
        names = f"{gone[-1].version}_{gone[-1].name}"
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        yield (
            f"{repo.name}: the database is ahead of this branch by {names}{more}; "
            "ashflow status says whose, ashflow rollback takes back"
        )
    elif ledger and (waiting := pending(history, ledger)):
        yield f"{repo.name}: {len(waiting)} to apply on this branch: ashflow migrate"
