"""Which databases are migrated, and where their migrations are: of a project, or given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ashflow.config import (
    DEFAULT_LOCK_TIMEOUT,
    current_folder,
    environment_of,
    find_project,
    read_config,
)
from ashflow.errors import ConfigError
from ashflow.history.ledger import LEDGER
from ashflow.release.logged import log_statement
from ashflow.run.configured import database_of, refuse_shared, target_of
from ashflow.run.migrating import Target
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ashflow.config import Config, RepoConfig

PROJECT: Final = "ASHFLOW_PROJECT"


@value
class Repo:
    """A database that is migrated without a project.

    Args:
        name: What it is called in results and in the log.
        url: `sqlite:///relative/to/the/current/folder.db` or `sqlite:////absolute.db`. It may hold
            a password, so it is not part of the `repr`.
        migrations: The folder of its migrations: a path, or `package:folder` inside of a package
            that is installed. The package itself is not imported.
        ledger: The table that says what is applied.
        lock_timeout: How many seconds to wait for other processes.
    """

    name: str
    url: str = field(repr=False)
    migrations: str | Path
    ledger: str = LEDGER
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT

    def __post_init__(self) -> None:
        for field_name in ("url", "migrations"):
            if not getattr(self, field_name):
                raise ConfigError(
                    f"{field_name} of the repo {self.name} is empty",
                    hint="Is an environment variable not set?",
                )


Given = Repo | str | Sequence[Repo | str] | None
"""How repos are given: by their names in the project, or as ones that need none."""


@contextmanager
def targets(given: Given, lock_timeout: float | None = None) -> Iterator[list[Target]]:
    """Hand out the databases that are meant; what was opened of them is closed at the end.

    Args:
        given: Repos of the project, by name, or ones that need none; None: all of the project.
        lock_timeout: How many seconds to wait for other processes; None: what is configured.

    Raises:
        ConfigError: There is no project, no such repo, or a url or folder that can't be used.
        CutOffError: A regen was cut off in the project.
    """
    found = list(_targets(given, lock_timeout))
    refuse_shared((target.repo, target.database) for target in found)
    try:
        yield found
    finally:
        for target in found:
            target.database.close()


def _targets(given: Given, lock_timeout: float | None) -> Iterator[Target]:
    project = lru_cache(_project)  # read once, and only where a name stands for a repo
    repos: Sequence[Repo | str]
    if given is None:
        repos = [repo.name for repo in project().repos]
    else:
        repos = [given] if isinstance(given, str | Repo) else given
    for repo in repos:
        if isinstance(repo, Repo):
            yield _given(repo, lock_timeout)
        else:
            yield _configured(project(), project().repo(repo), lock_timeout)


def _project() -> Config:
    """Return the configuration of the project.

    Raises:
        ConfigError: There is none, or it can't be used.
        CutOffError: A regen was cut off in it: its files and databases may not go together.
    """
    from ashflow.run.cut_off import refuse_cut_off

    named = os.environ.get(PROJECT)
    start = Path(named) if named else current_folder()
    if named and not _is_folder(start):
        raise ConfigError(f"{PROJECT} is {named}, and there is no such folder")
    config = read_config(find_project(start), os.environ)
    refuse_cut_off(config.root)
    return config


def _configured(config: Config, repo: RepoConfig, lock_timeout: float | None) -> Target:
    folder = config.migrations(repo.name)
    if not _is_folder(config.root / folder):
        raise ConfigError(
            f"there is no folder {folder} in {config.root}: the repo {repo.name} has no migrations",
            hint="Was it packed along? Where there is to be none, make it empty, or name the other "
            "repos.",
        )
    database = database_of(config, repo, lock_timeout=lock_timeout, log=log_statement)
    return target_of(config, repo, database)


def _given(repo: Repo, lock_timeout: float | None) -> Target:
    from ashflow.adapters.connect import connect

    folder = folder_of(repo.migrations)
    database = connect(
        repo.url,
        root=None,
        lock_timeout=repo.lock_timeout if lock_timeout is None else lock_timeout,
        log=log_statement,
        ledger=repo.ledger,
        environment=environment_of(os.environ),
    )
    return Target(repo.name, database, folder.parent, folder.name)


def folder_of(migrations: str | Path) -> Path:
    """Return the folder that a repo names.

    Args:
        migrations: A path, or `package:folder`.

    Raises:
        ConfigError: It is not there, or none is named.
    """
    path = Path(migrations)
    path = path if path.is_absolute() else current_folder() / path
    package, colon, inside = str(migrations).partition(":")
    if _is_folder(path) or not colon or isinstance(migrations, Path):
        if not _is_folder(path):
            raise ConfigError(
                f"the folder of migrations {path} is not there",
                hint="Look at the path, and whether the folder was packed along.",
            )
        return path
    if not inside:
        raise ConfigError(
            f"{migrations!r} names a package, and no folder in it",
            hint=f'Say which, such as "{package}:migrations".',
        )
    for place in _places(package):
        if _is_folder(place / inside):
            return place / inside
    raise ConfigError(
        f"there is no folder {inside} in the package {package}",
        hint="Look whether the package is installed, and not as an archive, and whether its "
        "migrations were packed along as package data.",
    )


def _places(package: str) -> Iterator[Path]:
    """Yield the folders of a package. It is not imported: that would run the user's code."""
    from importlib.util import find_spec

    top, *below = package.split(".")
    try:
        spec = find_spec(top) if top else None
    except ValueError:  # `__main__`
        spec = None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place, *below)


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder.

    Raises:
        ConfigError: A folder above it may not be entered, or the path is too long.
    """
    try:
        return path.is_dir()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be reached: {error.strerror}",
            hint="Look at the path, and whether the folders above it are open to you.",
        ) from error
