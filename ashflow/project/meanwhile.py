"""Say that somebody else was at work on the files of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Iterable


def changed_meanwhile(repos: Iterable[str]) -> LockedError:
    """Return the error of a plan that its files have left behind.

    Args:
        repos: The repos whose files they are.
    """
    return LockedError(
        f"migrations or snapshots of {', '.join(repos)} were changed by another process meanwhile",
        hint="Nothing was changed. Run the command again: it looks anew.",
    )
