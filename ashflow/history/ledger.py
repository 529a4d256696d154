"""What a database says has been applied to it, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEDGER: Final = "ashflow_migrations"
META: Final = "ashflow_meta"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Applied:
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


Mark = tuple[int, str, str]
"""The position, the version and the checksum of a row."""


class Ledger:
    """The rows of a ledger, in order of application.

    Args:
        rows: The rows, in any order.
    """

    __slots__ = ("_by_version", "_rows")

    def __init__(self, rows: Iterable[Applied] = ()) -> None:
        self._rows = tuple(sorted(rows, key=lambda row: row.position))
        self._by_version = {row.version: row for row in self._rows}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Applied]:
        return iter(self._rows)

    def __contains__(self, version: str) -> bool:
        return version in self._by_version

    def get(self, version: str) -> Applied | None:
        """Return the row of a version, or None where it is not applied."""
        return self._by_version.get(version)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What tells it from another state of the same ledger."""
        return tuple((row.position, row.version, row.checksum) for row in self._rows)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions, in order of application."""
        return tuple(self._by_version)
