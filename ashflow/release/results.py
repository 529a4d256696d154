"""What the functions of a release return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.values import value

if TYPE_CHECKING:
    from ashflow.plan.states import State
    from ashflow.plan.steps import Done


@value
class Migrated:
    """What was done in one repo.

    Args:
        name: The repo.
        url: Its url, without a password.
        migrations: The migrations that went up or down, in order; none where nothing was to do.
        warnings: What was odd, in words.
    """

    name: str
    url: str
    migrations: tuple[Done, ...] = ()
    warnings: tuple[str, ...] = ()


@value
class Standing:
    """What stands where in one repo.

    Args:
        name: The repo.
        url: Its url, without a password.
        exists: Whether the database is there.
        migrations: Its migrations, oldest version first.
    """

    name: str
    url: str
    exists: bool
    migrations: tuple[State, ...] = ()
