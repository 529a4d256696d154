"""What stands where: each migration of files and ledger, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ashflow.plan.applied import is_edited
from ashflow.plan.migrate import missing
from ashflow.values import value

if TYPE_CHECKING:
    from ashflow.history.history import History
    from ashflow.history.ledger import Ledger

Stand = Literal["up", "down", "missing"]


@value
class State:
    """One migration of one repo.

    Args:
        version: 14 digits.
        name: What it is called.
        path: Its file; None where there is none.
        state: Whether it is applied (`up`), or not (`down`), or applied and without a file.
        applied_at: When it was applied, in UTC; None where it is not.
        edited: Whether the file does something else now than was applied.
    """

    version: str
    name: str
    path: str | None
    state: Stand
    applied_at: str | None = None
    edited: bool = False


def states(history: History, ledger: Ledger, root: str) -> tuple[State, ...]:
    """Return the migrations that have a file or are applied, oldest version first.

    Args:
        history: The files.
        ledger: What is applied.
        root: The folder of the project, for tracebacks.

    Raises:
        LedgerError: The ledger says something that is no migration.
    """
    found = []
    for file in history.migrations:
        row = ledger.get(file.version)
        if row is None:
            found.append(State(file.version, file.name, file.path, "down"))
        else:
            edited = is_edited(history, file, row, root)
            found.append(State(row.version, file.name, file.path, "up", row.applied_at, edited))
    found += (
        State(row.version, row.name, None, "missing", row.applied_at)
        for row in missing(history, ledger)
    )
    return tuple(sorted(found, key=lambda one: one.version))
