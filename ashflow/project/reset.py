"""Remove databases to make them anew; what was in production does not leave it in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.history.ledger import DEVELOPMENT, ENVIRONMENT
from ashflow.project.migrate import drop
from ashflow.run.events import Created

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.checkout import Project
    from ashflow.project.guard import Guarded


def make_room(project: Project, repos: Sequence[RepoConfig], found: Sequence[Guarded]) -> None:
    """Remove the databases of some repos, so that they can be migrated from nothing.

    One that gets another environment than development is made again at once, with its mark: the
    first migration, which would write it, may fail.

    Args:
        project: The checkout.
        repos: The repos.
        found: Those of their databases that are there.

    Raises:
        DatabaseError: One can't be removed or made.
    """
    heirs = {one.repo: one.heir for one in found}
    for repo in repos:
        drop(project, [repo])
        environment = heirs.get(repo.name, DEVELOPMENT)
        if environment != DEVELOPMENT:
            _make_marked(project, repo, environment)


def _make_marked(project: Project, repo: RepoConfig, environment: str) -> None:
    database = project.database(repo)
    if database.create():
        project.tell(Created(repo.name, database.shown))
    with database.locked() as session:
        session.set_meta(ENVIRONMENT, environment)
    database.close()
