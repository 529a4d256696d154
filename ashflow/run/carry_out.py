"""Run what was planned for one database, and before it what has to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.run.events import Created, Warned
from ashflow.run.migrating import forget_what_is_back, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ashflow.plan.steps import Done
    from ashflow.run.events import Tell
    from ashflow.run.migrating import Planned


def carry_out(
    planned: Planned,
    *,
    now: Callable[[], datetime],
    tell: Tell,
    create: bool,
    fold: bool = True,
    copies: Callable[[], Path] | None = None,
    limit_mb: float | None = None,
) -> tuple[Done, ...]:
    """Run what was planned, and before it what has to be: make the database, copy what goes.

    Args:
        planned: What is to be run.
        now: Tells the moment, in UTC.
        tell: Is told what happens.
        create: Whether a database that is not there is made.
        fold: Whether runs of migrations may be folded where nothing is applied yet.
        copies: Returns the folder for a copy of the database before values in it go; None: none
            is kept.
        limit_mb: The largest database that is copied, in megabytes; None: whatever its size.

    Returns:
        What was done, in order.

    Raises:
        AshflowError: A migration failed; those before it stay, it is as if it had not begun.
    """
    repo, database = planned.repo, planned.database
    for warning in planned.warnings:
        tell(Warned(repo, warning))
    if create and database.create():
        tell(Created(repo, database.shown))
    if planned.steps:
        from ashflow.run.copies import keep_what_goes

        if told := keep_what_goes(planned, copies, now(), limit_mb):
            tell(Warned(repo, told))
    forget_what_is_back(planned.target)
    return tuple(run(planned, now=now, tell=tell, fold=fold))
