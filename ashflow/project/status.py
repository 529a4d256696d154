"""What stands where: the migrations of files, databases and git, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ashflow.errors import ForkError, SnapshotError, UnreadableError
from ashflow.history.version import is_dev
from ashflow.plan.migrate import is_edited, missing
from ashflow.run.migrating import ledger_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.history.history import History, MigrationFile
    from ashflow.history.ledger import Applied, Ledger
    from ashflow.project.checkout import Project
    from ashflow.worktree.porcelain import GitStatus, Located

GitState = Literal["untracked", "ignored", "staged", "committed", "modified"]


@dataclass(frozen=True, slots=True)
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
    state: Literal["up", "down", "missing"]
    git: GitState | None = None
    applied_at: str | None = None
    edited: bool = False
    branches: tuple[str, ...] = ()
    dev: bool = False


@dataclass(frozen=True, slots=True)
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
    rows = [_of_file(project, history, file, ledger, git) for file in history.migrations]
    rows += _missing(project, repo.name, missing(history, ledger), located)
    rows.sort(key=lambda row: row.version)
    there = database.exists()
    return RepoStatus(repo.name, database.shown, there, tuple(rows), tuple(_forks(history)))


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


def _of_file(
    project: Project, history: History, file: MigrationFile, ledger: Ledger, git: GitStatus | None
) -> MigrationStatus:
    row = ledger.get(file.version)
    return MigrationStatus(
        file.version,
        file.name,
        file.path,
        "down" if row is None else "up",
        git=None if git is None else _GIT.get(git.state_of(file.path).name, "modified"),
        applied_at=None if row is None else row.applied_at,
        edited=row is not None and is_edited(history, row, str(project.root)),
        dev=is_dev(file.name),
    )


def _missing(
    project: Project, repo: str, rows: Sequence[Applied], located: Located | None
) -> list[MigrationStatus]:
    folder = project.config.migrations(repo)
    paths = {row.version: f"{folder}/{row.version}_{row.name}.py" for row in rows}
    branches: Mapping[str, tuple[str, ...]] = {}
    if rows and located is not None:
        from ashflow.worktree.git import branches_with

        branches = branches_with(located, paths.values())
    return [
        MigrationStatus(
            row.version,
            row.name,
            None,
            "missing",
            applied_at=row.applied_at,
            branches=branches.get(paths[row.version], ()),
            dev=is_dev(row.name),
        )
        for row in rows
    ]
