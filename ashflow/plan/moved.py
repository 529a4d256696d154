"""Migrations begun by hand that go above the one that a regen writes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ashflow.history.files import MigrationFile
from ashflow.history.version import next_version
from ashflow.plan.steps import Up
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ashflow.change.migration import Migration
    from ashflow.plan.by_hand import Olds
    from ashflow.plan.codegen import Generated


@value
class Moved:
    """A migration that gets another version, and stays what it is.

    Args:
        old: Its file until now.
        file: Its file from now on.
        text: The text of the file.
        migration: What it says.
    """

    old: MigrationFile
    file: MigrationFile
    text: str
    migration: Migration

    @property
    def step(self) -> Up:
        """What applies it under its new version."""
        checksum = sha256(self.text.encode()).hexdigest()
        return Up(self.file.version, self.file.name, self.file.path, checksum, self.migration)


def moved_above(
    olds: Olds, generated: Generated, taken: Iterable[str], now: datetime
) -> tuple[Moved, ...]:
    """Return the migrations that go above a new one, in their order.

    Args:
        olds: The migrations that a regen is about.
        generated: The new one.
        taken: The versions that are taken beside it.
        now: The moment, in UTC.

    Raises:
        UsageError: There is no greater version.
    """
    greatest = max((generated.version, *taken))
    found = []
    for old in olds.above:
        version = greatest = next_version(now, [greatest])
        folder = old.file.path.rpartition("/")[0]
        file = MigrationFile(f"{folder}/{version}_{old.file.name}.py", version, old.file.name)
        found.append(Moved(old.file, file, old.text, old.migration))
    return tuple(found)
