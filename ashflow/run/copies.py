"""Keep a copy of a database before values in it go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ashflow.change.trace import dropped, narrowed
from ashflow.plan.regen import Loss
from ashflow.worktree.ground import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from ashflow.adapters.protocol import Database
    from ashflow.plan.steps import Step
    from ashflow.run.migrating import Planned


def keep_what_goes(
    planned: Planned,
    folder: Callable[[], Path] | None,
    now: datetime,
    limit_mb: float | None = None,
) -> str:
    """Copy a database before values in it go.

    Args:
        planned: What is going to be run.
        folder: Returns where the copy goes; made, for its owner only, where it is not there. None:
            no copy is wanted.
        now: The moment, in UTC.
        limit_mb: The largest database that is copied, in megabytes; None: whatever its size.

    Returns:
        Which values go, and where the copy is, or why there is none; empty where none go.

    Raises:
        DatabaseError: It can't be read, or the disk is full.
        FileError: The folder can't be made.
    """
    lost = losses(planned.database, planned.steps)
    if not lost:
        return ""
    size = planned.database.size() / 1_000_000
    if folder is None:
        kept = "no copy is kept"
    elif limit_mb is not None and size > limit_mb:
        kept = f"no copy is kept, as {size:,.0f} MB are more than backup_limit_mb = {limit_mb:g}"
    else:
        place = _copy(planned, folder(), now)
        kept = f"a copy of the database from before is {place}"
    return f"{'; '.join(lost)}; {kept}"


def _copy(planned: Planned, folder: Path, now: datetime) -> Path:
    with refused(f"{folder} cannot be made"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}-{planned.repo}.sqlite3"
    planned.database.backup(folder / name)
    return folder / name


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
