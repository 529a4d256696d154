"""Keep a copy of a database before values in it go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ashflow.change.trace import dropped, narrowed
from ashflow.plan.regen import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ashflow.adapters.protocol import Database
    from ashflow.plan.steps import Step
    from ashflow.project.checkout import Project


def losses(database: Database, steps: Sequence[Step]) -> tuple[str, ...]:
    """Count the values that steps would drop or write into a narrower type, as they are now.

    Args:
        database: The database.
        steps: What is to be run, in order.

    Returns:
        What happens to which values, in words; nothing where there are none.
    """
    operations = [operation for step in steps for operation in step.operations]
    going, squeezed = dropped(operations), narrowed(operations)
    if not (going or squeezed) or not database.exists():
        return ()
    with database.read() as session:
        lost = [Loss(t, c, session.count(t, where_not_null=c)) for t, c in going]
        less = [Loss(t, c, session.count(t, where_not_null=c)) for t, c in squeezed]
    told = ", ".join(str(loss) for loss in lost if loss.rows)
    changed = ", ".join(str(loss) for loss in less if loss.rows and loss not in lost)
    return (
        *((f"{told} will be dropped",) if told else ()),
        *((f"{changed} will get a narrower type",) if changed else ()),
    )


def park(project: Project, repo: str, database: Database) -> Path:
    """Copy a database into the store, where only its owner may read it.

    Args:
        project: The checkout.
        repo: The repo that the database is of.
        database: The database.

    Returns:
        Where the copy is.

    Raises:
        DatabaseError: It can't be read, or the disk is full.
        FileError: The store can't be made.
    """
    from ashflow.worktree.ground import refused
    from ashflow.worktree.store import open_store

    folder = open_store(project.root) / "parked"
    with refused(f"{folder} cannot be made"):
        folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{project.now():%Y%m%dT%H%M%S}-{os.urandom(3).hex()}-{repo}.sqlite3"
    database.backup(folder / name)
    return folder / name
