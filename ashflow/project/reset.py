"""Make databases anew; what was in production does not leave it in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.history.ledger import DEVELOPMENT, ENVIRONMENT
from ashflow.project.migrate import run
from ashflow.run.events import Created
from ashflow.run.one_by_one import one_by_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.adapters.protocol import Database
    from ashflow.project.checkout import Project
    from ashflow.project.guard import Guarded
    from ashflow.project.migrate import Ran
    from ashflow.run.migrating import Planned


def reset(project: Project, planned: Sequence[Planned], found: Sequence[Guarded]) -> list[Ran]:
    """Remove databases and migrate them from nothing, one after the other.

    Args:
        project: The checkout.
        planned: All migrations of each.
        found: Those of the databases that are there.

    Raises:
        DatabaseError: One can't be removed or made.
        AshflowError: A migration failed; those databases that come later are as they were.
    """
    heirs = {one.repo: one.heir for one in found}

    def deed(one: Planned) -> Ran:
        one.database.drop()
        _mark(project, one.repo, one.database, heirs.get(one.repo, DEVELOPMENT))
        (ran,) = run(project, [one], create=True)
        return ran

    return list(one_by_one([(one.repo, one) for one in planned], deed))


def _mark(project: Project, repo: str, database: Database, environment: str) -> None:
    """Make a database with its mark at once: the migration that would write it may fail."""
    if environment == DEVELOPMENT:
        return
    if database.create():
        project.tell(Created(repo, database.shown))
    with database.locked() as session:
        session.set_meta(ENVIRONMENT, environment)
