"""The steps that a plan is made of, as values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ashflow.change.migration import Migration
    from ashflow.change.operations import Operation

Direction = Literal["up", "down"]


class Up(NamedTuple):
    """Apply a migration.

    Args:
        version: 14 digits.
        name: What it is called.
        path: Its file, relative to the project's root.
        checksum: The SHA-256 of the file's text.
        migration: What the file says.
    """

    version: str
    name: str
    path: str
    checksum: str
    migration: Migration

    @property
    def operations(self) -> Sequence[Operation]:
        """What is run."""
        return self.migration.operations

    @property
    def direction(self) -> Direction:
        """Which way it goes."""
        return "up"


class Down(NamedTuple):
    """Take a migration back.

    Args:
        version: 14 digits.
        name: What it is called.
        path: Its file, relative to the project's root; where there is none, the word `ledger`.
        migration: What was applied.
        operations: What is run: the reverse of what was applied.
    """

    version: str
    name: str
    path: str
    migration: Migration
    operations: Sequence[Operation]

    @property
    def direction(self) -> Direction:
        """Which way it goes."""
        return "down"


Step = Up | Down


def with_operations(step: Step, operations: Sequence[Operation]) -> Step:
    """Return a step that runs other operations.

    Args:
        step: The step.
        operations: What is run.
    """
    if isinstance(step, Down):
        return step._replace(operations=tuple(operations))
    return step._replace(migration=replace(step.migration, operations=operations))


def as_json(repo: str, steps: Iterable[Step | Done]) -> dict[str, Any]:
    """Return what was run on a repo, or is going to be, for `--json`.

    Args:
        repo: Its name.
        steps: The migrations, in order.
    """
    return {
        "name": repo,
        "migrations": [
            {
                "version": step.version,
                "name": step.name,
                "direction": step.direction,
                "ms": step.ms if isinstance(step, Done) else 0,
            }
            for step in steps
        ],
    }


class Done(NamedTuple):
    """A migration that went one way.

    Args:
        version: 14 digits.
        name: What it is called.
        direction: Which way it went.
        ms: How long it took, in milliseconds.
        notes: What happened to rows though no operation says so, with counts.
    """

    version: str
    name: str
    direction: Direction
    ms: float
    notes: tuple[str, ...] = ()
