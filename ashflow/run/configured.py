"""The databases of a project's repos, as they are configured; none holds another's ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import CAREFUL
from ashflow.errors import ConfigError
from ashflow.run.migrating import Target
from ashflow.worktree.store import store_folder, waiting_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ashflow.adapters.protocol import Care, Database, Log
    from ashflow.config import Config, RepoConfig


def database_of(
    config: Config,
    repo: RepoConfig,
    *,
    lock_timeout: float | None = None,
    log: Log | None = None,
    care: Care = CAREFUL,
) -> Database:
    """Return the database of a repo; nothing is opened yet.

    Args:
        config: The configuration of the project.
        repo: One of its repos.
        lock_timeout: How many seconds to wait for other processes; None: what is configured.
        log: Is told of every statement.
        care: How carefully the database is changed.

    Raises:
        ConfigError: Its url can't be used, or another repo has its database and its ledger.
    """
    database = connect(
        repo.url,
        root=config.root,
        lock_timeout=repo.lock_timeout if lock_timeout is None else lock_timeout,
        log=log,
        ledger=repo.ledger,
        environment=config.environment,
        care=care,
    )
    refuse_shared([(repo.name, database), *_others(config, repo)])
    return database


def target_of(config: Config, repo: RepoConfig, database: Database) -> Target:
    """Return the database of a repo with what it is migrated with.

    Args:
        config: The configuration of the project.
        repo: One of its repos.
        database: Its database.
    """
    store = store_folder(config.root)
    waits = waiting_folder(store, repo.name).is_dir()
    folder = config.migrations(repo.name)
    return Target(repo.name, database, config.root, folder, store if waits else None)


def refuse_shared(databases: Iterable[tuple[str, Database]]) -> None:
    """Refuse two repos with one ledger: each would take the other's migrations for its own.

    Args:
        databases: The names of the repos, and their databases.

    Raises:
        ConfigError: Two of them have one database and one ledger.
    """
    owners: dict[tuple[str, str], str] = {}
    for repo, database in databases:
        other = owners.setdefault(database.place, repo)
        if other != repo:
            raise ConfigError(
                f"the repos {other} and {repo} have one database and one ledger",
                hint="Give each a url of its own, or a ledger of its own, such as ledger = "
                f'"{repo}_migrations".',
            )


def _others(config: Config, repo: RepoConfig) -> Iterator[tuple[str, Database]]:
    """Yield the databases of the other repos, as far as their urls can be used."""
    for other in config.repos:
        if other.name == repo.name:
            continue
        try:
            yield other.name, connect(other.url, root=config.root, ledger=other.ledger)
        except ConfigError:  # who needs that database hears of it
            continue
