"""What stands where: the migrations of files, databases and git, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ashflow.errors import ForkError, SnapshotError, UnreadableError
from ashflow.history.version import is_dev
from ashflow.plan.states import states
from ashflow.run.migrating import ledger_of
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import History
    from ashflow.plan.states import Stand, State
    from ashflow.project.checkout import Project
    from ashflow.worktree.porcelain import GitStatus, Located

GitState = Literal["untracked", "ignored", "staged", "committed", "modified"]


@value
class MigrationStatus:
    """One migration of one repo.

    Args:
        version: 14 digits.
        name: What it is called.
        path: Its file; None where there is none.
        state: Whether it is applied (`up`), or not (`down`), or applied and without a file.
        git: What git says of the file; None where there is no git or no file.
        applied_at: When it was applied; None where it is not.
        edited: Whether the file does something else now than was applied.
        branches: Of one without a file: the branches that have it.
        dev: Whether it was made with --dev, to be replaced by one with a name.
    """

    version: str
    name: str
    path: str | None
    state: Stand
    git: GitState | None = None
    applied_at: str | None = None
    edited: bool = False
    branches: tuple[str, ...] = ()
    dev: bool = False


@value
class RepoStatus:
    """The migrations of one repo.

    Args:
        name: The repo.
        url: Its url, without a password.
        exists: Whether the database is there.
        migrations: Its migrations, oldest version first.
        forks: The tables that several branches changed, and whether that goes together; in words.
    """

    name: str
    url: str
    exists: bool
    migrations: tuple[MigrationStatus, ...]
    forks: tuple[str, ...] = ()


_GIT: Final[Mapping[str, GitState]] = {
    "COMMITTED": "committed",
    "UNTRACKED": "untracked",
    "INTENT_TO_ADD": "untracked",
    "IGNORED": "ignored",
    "STAGED": "staged",
    "STAGED_MODIFIED": "staged",
    "STAGED_DELETED": "staged",
}
"""The words of the contract, by the states that git knows; every other one is `modified`."""


def status(project: Project, repos: Sequence[RepoConfig]) -> list[RepoStatus]:
    """Return what stands where; makes and writes nothing.

    Args:
        project: The checkout.
        repos: Which of its repos.

    Raises:
        AshflowError: A database or the files can't be read.
    """
    located, git = _git(project, repos)
    return [_of_repo(project, repo, located, git) for repo in repos]


def _git(project: Project, repos: Sequence[RepoConfig]) -> tuple[Located | None, GitStatus | None]:
    from ashflow.worktree.git import Nowhere, locate
    from ashflow.worktree.git import status as git_status

    located = locate(project.root)
    if isinstance(located, Nowhere):
        return None, None
    folders = [project.config.migrations(repo.name) for repo in repos]
    return located, git_status(located, folders)


def _of_repo(
    project: Project, repo: RepoConfig, located: Located | None, git: GitStatus | None
) -> RepoStatus:
    database = project.database(repo)
    ledger = ledger_of(database)
    database.close()
    history = project.history(repo.name)
    found = states(history, ledger, str(project.root))
    lost = [state for state in found if state.state == "missing"]
    branches = _branches(project, repo.name, lost, located)
    rows = tuple(_told(state, git, branches) for state in found)
    there = database.exists()
    return RepoStatus(repo.name, database.shown, there, rows, tuple(_forks(history)))


def _forks(history: History) -> Iterator[str]:
    """Yield the tables whose branches were merged; a snapshot that can't be read is for `check`."""
    for folder in history.snapshots:
        try:
            leaf = history.leaf(folder)
        except ForkError as error:
            yield error.message
        except (SnapshotError, UnreadableError) as error:
            yield error.message
        else:
            if leaf.follows:
                versions = " and ".join(one.version for one in leaf.follows)
                yield f"table {leaf.table} was changed on branches by {versions}, which go together"


def _told(
    state: State, git: GitStatus | None, branches: Mapping[str, tuple[str, ...]]
) -> MigrationStatus:
    known = git is not None and state.path is not None
    place = git.state_of(state.path or "").name if git is not None else ""
    return MigrationStatus(
        state.version,
        state.name,
        state.path,
        state.state,
        git=_GIT.get(place, "modified") if known else None,
        applied_at=state.applied_at,
        edited=state.edited,
        branches=branches.get(state.version, ()),
        dev=is_dev(state.name),
    )


def _branches(
    project: Project, repo: str, lost: Sequence[State], located: Located | None
) -> dict[str, tuple[str, ...]]:
    """Return the branches that have the files of those that are missing here, by version."""
    if not lost or located is None:
        return {}
    from ashflow.worktree.git import branches_with

    folder = project.config.migrations(repo)
    paths = {state.version: f"{folder}/{state.version}_{state.name}.py" for state in lost}
    found = branches_with(located, paths.values())
    return {version: found[path] for version, path in paths.items()}
