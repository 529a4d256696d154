"""Show and tell what a run did: regen, undo and recover say it in the same words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ashflow.cli.output import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.cli.output import Output
    from ashflow.plan.codegen import Generated
    from ashflow.plan.stretch import Stretch
    from ashflow.run.record import Record
    from ashflow.run.turn import Outcome

UNDO = "undo: ashflow undo"
"""How a run is taken back, as its last line."""


def show_rows(output: Output, outcome: Outcome) -> None:
    """Print what a run did to rows."""
    record = outcome.record
    if record.carried:
        output.result(f"{record.repo}: {count(record.carried, 'row')} kept")
    for note in outcome.notes:
        output.result(f"{record.repo}: {note}")
    for line in parked_lines(record, outcome.parked):
        output.result(f"{record.repo}: {line}")


def parked_lines(record: Record, parked: Path | None) -> Iterator[str]:
    """Yield what a run kept aside, and where it is."""
    if parked is None:
        return
    left = [kept for kept in record.kept if kept.left]
    if record.waits and left:
        told = ", ".join(map(str, left))
        yield f"kept aside until ashflow migrate applies {record.waits}: {told}, in {parked}"
    elif left:
        yield f"parked {', '.join(map(str, left))} in {parked}"
    else:
        yield f"a copy of the database from before is {parked}"


def as_json(done: Sequence[tuple[Record, Path | None]], root: Path) -> dict[str, Any]:
    """Return what a run did, as the contract has it."""
    return {
        "id": done[0][0].id if done else "",
        "repos": [repo_json(record, parked, root) for record, parked in done],
    }


def repo_json(record: Record, parked: Path | None, root: Path) -> dict[str, Any]:
    """Return what a run did in one repo, as the contract has it."""
    given = {row.version for row in record.given}
    taken = [row.version for row in record.taken]
    new = None if record.undoes else _new(record)
    return {
        "name": record.repo,
        "rolled_back": taken,
        "reapplied": [version for version in reversed(taken) if version in given],
        "removed": list(record.removed),
        "migration": new,
        "migrated": new is not None and new["version"] in given,
        "rows_carried": record.carried,
        "parked": path_json(parked, root),
    }


def _new(record: Record) -> dict[str, str] | None:
    """Return the new migration of a record, as the contract has it."""
    for path in record.written:
        version, _, name = path.rpartition("/")[2].removesuffix(".py").partition("_")
        if path.endswith(".py") and name == record.name:
            return {"version": version, "name": name, "path": path}
    return None


def plan_json(
    repo: str, stretch: Stretch, removed: Sequence[str], generated: Generated | None = None
) -> dict[str, Any]:
    """Return what a plan would do in one repo, as the contract has it."""
    ups = {step.version for step in stretch.ups}
    downs = [step.version for step in stretch.downs]
    return {
        "name": repo,
        "rolled_back": downs,
        "reapplied": [version for version in reversed(downs) if version in ups],
        "removed": list(removed),
        "migration": migration_json(generated)["migration"],
        "migrated": False,
        "rows_carried": 0,
        "parked": None,
    }


def path_json(path: Path | None, root: Path) -> str | None:
    """Return a path relative to the project's root, with `/`."""
    return None if path is None else Path(os.path.relpath(path, root)).as_posix()


def migration_json(generated: Generated | None) -> dict[str, Any]:
    """Return the files of a migration, as the contract has it."""
    if generated is None:
        return {"migration": None, "snapshots": []}
    if not generated.path:
        return {"migration": None, "snapshots": list(generated.snapshots)}
    return {
        "migration": {
            "version": generated.version,
            "name": generated.name,
            "path": generated.path,
        },
        "snapshots": list(generated.snapshots),
    }
