"""The databases that a command is about to change: none in production, unless that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ashflow.config import ENVIRONMENT_VARIABLE, environment_word
from ashflow.errors import AshflowError, LockedError, NotADatabaseError, ProductionError
from ashflow.history.ledger import DEVELOPMENT, ENVIRONMENT
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.adapters.protocol import Database
    from ashflow.project.checkout import Project

PRODUCTION: Final = "production"
FLAG: Final = "--i-know-this-is-production"


@value
class Guarded:
    """A database that a command is about to change or to remove.

    Args:
        repo: Its repo.
        place: Where it really is.
        marked: The environment that it remembers; empty where it remembers none.
        said: The environment that `ASHFLOW_ENV` says; empty where it says none.
        trouble: Why what it remembers can't be read; empty where it can.
    """

    repo: str
    place: str
    marked: str = ""
    said: str = ""
    trouble: str = ""

    @property
    def is_production(self) -> bool:
        """Whether mark or variable say so, or the mark can't be read: then it may be."""
        return bool(self.trouble) or PRODUCTION in {self.marked, self.said}

    @property
    def heir(self) -> str:
        """The environment of a database that is made in its place.

        Where nobody says one, what was in production stays there: nothing leaves it in silence.
        """
        return self.said or (PRODUCTION if self.trouble else self.marked) or DEVELOPMENT

    def __str__(self) -> str:
        marked = "environment unknown" if self.trouble else self.marked or "no environment yet"
        other = f", {ENVIRONMENT_VARIABLE}={self.said}" if self.said not in {"", marked} else ""
        return f"{self.place} ({marked}{other})"


def guarded(project: Project, repos: Iterable[str]) -> tuple[Guarded, ...]:
    """Return the databases of some repos, as far as they are there.

    Args:
        project: The checkout.
        repos: The names of the repos.

    Raises:
        ConfigError: A url can't be used.
        NotADatabaseError: What is there is no database.
        LockedError: Another process keeps a database from being read.
    """
    return tuple(_guarded(project, repos))


def _guarded(project: Project, repos: Iterable[str]) -> Iterator[Guarded]:
    said = project.config.environment
    for repo in repos:
        database = project.database(project.config.repo(repo))
        if database.exists():
            marked, trouble = _mark(database)
            yield Guarded(repo, database.target, marked, said, trouble)


def _mark(database: Database) -> tuple[str, str]:
    """Return the environment that a database remembers, and why that can't be read."""
    try:
        with database.read() as session:
            return environment_word(session.meta().get(ENVIRONMENT, "")), ""
    except (LockedError, NotADatabaseError):
        raise
    except AshflowError as error:  # a database that is damaged can still be dropped
        return "", error.message


def refuse_production(command: str, found: Sequence[Guarded]) -> None:
    """See to it that no database is in production that a command is about to change.

    Args:
        command: What it is called.
        found: The databases, all of them: one that is refused keeps the others as they are too.

    Raises:
        ProductionError: One is, or may be.
    """
    reasons = [_reason(one) for one in found if one.is_production]
    if reasons:
        raise ProductionError(
            f"{command} does not touch production: {'; '.join(reasons)}",
            hint=f"Nothing was changed. Where it is meant, say the same with {FLAG}.",
        )


def _reason(one: Guarded) -> str:
    which = f"the database of {one.repo}, {one.place},"
    if one.trouble:
        return f"the environment that {which} remembers can't be read: {one.trouble}"
    if one.marked == PRODUCTION:
        return f"{which} is marked {PRODUCTION}"
    mark = f"marked {one.marked}" if one.marked else "not marked"
    return f"{which} is {mark}, and {ENVIRONMENT_VARIABLE} says {PRODUCTION}"
