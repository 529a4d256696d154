"""What a database says has been applied to it, as a value."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, KeysView

LEDGER: Final = "ashflow_migrations"
META: Final = "ashflow_meta"
FORMAT: Final = 1

ENVIRONMENT: Final = "environment"
"""The key in `META` of the environment that a database was first migrated under."""
DEVELOPMENT: Final = "development"
"""That environment, where nobody says another one."""


class Applied(NamedTuple):
    """One row of the ledger.

    Args:
        position: The order of application, from 1; 0 where the database is to give it.
        version: 14 digits.
        name: The name of the migration.
        checksum: The SHA-256 of the file's text with LF line ends, in hex.
        operations: What was applied, as the JSON text of `change.codec.encode_migration`.
        applied_at: When, in UTC, as `2026-11-23T06:10:00.000Z`.
    """

    position: int
    version: str
    name: str
    checksum: str
    operations: str
    applied_at: str


class Mark(NamedTuple):
    """What tells a ledger from another state of it: no position is ever given twice.

    https://www.sqlite.org/autoinc.html

    Args:
        rows: How many rows it has.
        newest: The position of the last one; 0 where there is none.
        positions: All positions, added up.
    """

    rows: int
    newest: int
    positions: int


NOTHING: Final = Mark(0, 0, 0)
"""The mark of a ledger without rows."""


_POSITION = attrgetter("position")


class Ledger:
    """The rows of a ledger, in order of application.

    Args:
        rows: The rows, in any order.
    """

    __slots__ = ("_by_version", "_rows")

    def __init__(self, rows: Iterable[Applied] = ()) -> None:
        self._rows = tuple(sorted(rows, key=_POSITION))
        self._by_version = {row.version: row for row in self._rows}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Applied]:
        return iter(self._rows)

    def __contains__(self, version: str) -> bool:
        return version in self._by_version

    @property
    def applied(self) -> KeysView[str]:
        """The versions, to look into."""
        return self._by_version.keys()

    def get(self, version: str) -> Applied | None:
        """Return the row of a version, or None where it is not applied."""
        return self._by_version.get(version)

    @property
    def mark(self) -> Mark:
        """What tells it from another state of the same ledger."""
        positions = [row.position for row in self._rows]
        return Mark(len(positions), max(positions, default=0), sum(positions))

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions, in order of application."""
        return tuple(self._by_version)
