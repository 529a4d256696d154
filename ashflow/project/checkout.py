"""The facts of one checkout: its configuration, files, resources and databases, each read once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ashflow.config import find_project, read_config
from ashflow.errors import UsageError
from ashflow.run.clock import utc_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ashflow.adapters.protocol import Care, Database, Log
    from ashflow.config import Config, RepoConfig
    from ashflow.history.history import History, Tree
    from ashflow.plan.choices import Choices
    from ashflow.plan.codegen import Folders
    from ashflow.run.events import Event, Tell
    from ashflow.run.migrating import Target
    from ashflow.sources.ahead import Ahead
    from ashflow.sources.load import Declared


def silent(event: Event) -> None:
    """Tell nobody."""


class Project:
    """A checkout of a project.

    Args:
        config: What its pyproject.toml says.
        now: Tells the moment, in UTC.
        tell: Is told what happens.
        log: Is told of every statement of a migration; None: nobody asked.
        care: How carefully databases are changed; None: as carefully as can be.
        ahead: What compiles the modules of resources meanwhile; None: nothing does.
    """

    __slots__ = ("_declared", "ahead", "care", "config", "log", "now", "tell")

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_clock,
        tell: Tell = silent,
        log: Log | None = None,
        care: Care | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        self.config = config
        self.now = now
        self.tell = tell
        self.log = log
        self.care = care
        self.ahead = ahead
        self._declared: dict[str, Declared] = {}

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.config.root

    def repos(self, names: Sequence[str] = ()) -> tuple[RepoConfig, ...]:
        """Return the repos of some names, in the order of the configuration; by default all.

        Raises:
            ConfigError: There is none of that name.
        """
        wanted = {self.config.repo(name).name for name in names}
        return tuple(repo for repo in self.config.repos if not wanted or repo.name in wanted)

    def one_repo(self, names: Sequence[str], why: str) -> tuple[RepoConfig, ...]:
        """Return the one repo that a command is for.

        Args:
            names: The names that were given.
            why: Which option is for one repo only.

        Raises:
            UsageError: There are several.
        """
        repos = self.repos(names)
        if len(repos) > 1:
            raise UsageError(
                f"{why} counts in the history of one database, and there are {len(repos)}: "
                f"{', '.join(repo.name for repo in repos)}",
                hint=f"Say which one: --repo {repos[0].name}",
            )
        return repos

    def folders(self, repo: str) -> Folders:
        """Return where the files of a repo are."""
        from ashflow.plan.codegen import Folders

        return Folders(repo, self.config.migrations(repo), self.config.snapshots(repo))

    def refuse_left_out(self, repos: Sequence[RepoConfig]) -> None:
        """See to it that no file of some repos is left out of the work tree by git.

        Raises:
            GitError: A sparse checkout leaves one out.
        """
        from ashflow.worktree.sparse import refuse_left_out

        refuse_left_out(self.root, self.config.folders([repo.name for repo in repos]))

    def tree(self, repo: str) -> Tree:
        """Return the files in the folders of a repo, as they are on disk now.

        Raises:
            FileError: A folder cannot be read.
        """
        from ashflow.worktree.files import read_tree

        folders = self.folders(repo)
        return read_tree(self.root, (folders.migrations, folders.snapshots))

    def history(self, repo: str, *, doubles: bool = False) -> History:
        """Return what is written down of a repo, as it is on disk now.

        Args:
            repo: The repo.
            doubles: Whether two migrations may carry one version: somebody else looks at that.

        Raises:
            DuplicateVersionError: Two migrations carry one version.
            FileError: A folder cannot be read.
        """
        from ashflow.history.history import read_history

        folders = self.folders(repo)
        return read_history(
            self.tree(repo),
            migrations=folders.migrations,
            snapshots=folders.snapshots,
            doubles=doubles,
        )

    def declared(self, repo: str) -> Declared:
        """Return what the resources of a repo declare; they are imported once.

        Raises:
            ResourceImportError: They do not import.
            ResourceError: They declare something that is no table.
        """
        if not self._declared:
            from ashflow.sources.load import load_declared

            if self.ahead is not None:
                _prepare_to_compare()
                self.ahead.wait()
            self._declared.update(
                load_declared(
                    self.config.domains,
                    pythonpath=[Path(folder) for folder in self.config.pythonpath],
                    root=self.root,
                    repos=[config.name for config in self.config.repos],
                )
            )
        return self._declared[repo]

    def database(self, repo: RepoConfig) -> Database:
        """Return the database of a repo; nothing is opened yet.

        Raises:
            ConfigError: Its url can't be used, or another repo has its database and its ledger.
        """
        from ashflow.adapters.protocol import CAREFUL
        from ashflow.run.configured import database_of

        return database_of(self.config, repo, log=self.log, care=self.care or CAREFUL)

    def target(self, repo: RepoConfig) -> Target:
        """Return the database of a repo with what it is migrated with; nothing is opened yet.

        Raises:
            ConfigError: Its url can't be used.
        """
        from ashflow.run.configured import target_of

        return target_of(self.config, repo, self.database(repo))

    def choices(self, choices: Choices) -> Choices:
        """Return what the user chose, with what the configuration chooses by default."""
        from dataclasses import replace

        return replace(
            choices,
            drop_columns=choices.drop_columns or self.config.drop_columns,
            drop_tables=choices.drop_tables or self.config.drop_tables,
        )


def open_project(
    start: Path,
    env: Mapping[str, str],
    *,
    tell: Tell = silent,
    log: Log | None = None,
    care: Care | None = None,
    ahead: Ahead | None = None,
) -> Project:
    """Find the project that a folder is in, and read its configuration.

    Args:
        start: The folder.
        env: The environment.
        tell: Is told what happens.
        log: Is told of every statement of a migration.
        care: How carefully databases are changed.
        ahead: What compiles the modules of its resources meanwhile.

    Raises:
        ConfigError: There is none, or its configuration can't be used.
    """
    config = read_config(find_project(start), env)
    return Project(config, tell=tell, log=log, care=care, ahead=ahead)


def _prepare_to_compare() -> None:
    """Import what compares and writes: what was edited is most likely not what was written down."""
    import ashflow.change.diff
    import ashflow.change.questions
    import ashflow.plan.clashes
    import ashflow.plan.files
    import ashflow.plan.fills
    import ashflow.plan.kept  # noqa: F401  (they are loaded, and no more)
