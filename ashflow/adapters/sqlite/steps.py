"""What is done to a SQLite database: statements, and guards that no row may stand in the way of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ashflow.change.operations import Function


@dataclass(frozen=True, slots=True)
class Do:
    """Run a statement of ours.

    Args:
        sql: The statement.
        why: What is run where rows forbid it: guards, and what they need, that say which.
    """

    sql: str
    why: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Theirs:
    """Run a statement of the user, who must not end the transaction with it.

    Args:
        sql: The statement.
    """

    sql: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function of the user with the session.

    Args:
        function: The function.
    """

    function: Function


@dataclass(frozen=True, slots=True)
class Guard:
    """See to it that no row forbids what comes next.

    Args:
        select: A query of one number, which has to be 0.
        rows: What the rows are that it counts, as `would have NULL in posts.title`; no values.
        hint: What the user does about them.
    """

    select: str
    rows: str
    hint: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Count rows whose values are about to change though no operation says so.

    Args:
        select: A query of one number.
        rows: What happens to them, as `with NULL in posts.rank got its default`; no values.
    """

    select: str
    rows: str


Step = Do | Theirs | Call | Guard | Tally


def rows_text(count: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if count == 1 else f"{count} rows"
