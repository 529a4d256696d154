"""What stays when a regen replaces migrations must not have been built on what goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import UsageError
from ashflow.history.files import version_of
from ashflow.plan.stretch import touched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ashflow.change.migration import Migration
    from ashflow.history.history import History
    from ashflow.history.snapshot import Snapshot
    from ashflow.plan.regen import Replaced


def refuse_built_on(history: History, going: Replaced) -> None:
    """See to it that no snapshot that stays follows one that goes.

    Args:
        history: The files on disk.
        going: Those that go.

    Raises:
        UsageError: One does: it would be left hanging.
        SnapshotError: A snapshot can't be read.
    """
    doomed = {history.read(s.path).hash: s.path for s in going.snapshots}
    if not doomed:
        return
    for snapshot in _later(history, going, min(s.version for s in going.snapshots)):
        for parent in snapshot.parents:
            if parent not in doomed:
                continue
            if snapshot.migration is None:
                raise _caught_up(snapshot, f"follows {doomed[parent]}")
            raise UsageError(
                f"git tracks {snapshot.path}, which was built on {doomed[parent]}, which git "
                "does not track",
                hint="Commit the older one too, and go on with ashflow codegen; or take "
                "the newer one out of git as well: git restore --staged, git rm --cached.",
            )


def refuse_caught_up(history: History, going: Replaced, loaded: Mapping[str, Migration]) -> None:
    """See to it that no snapshot that stays says what a migration that goes has done.

    `codegen --snapshots-only` writes down what was done by hand, and can't tell by which migration:
    by any that is older and touches the table.

    Args:
        history: The files on disk.
        going: Those that go.
        loaded: The migrations among them, by version.

    Raises:
        UsageError: One may.
        SnapshotError: A snapshot can't be read.
    """
    if not going.migrations:
        return
    for snapshot in _later(history, going, min(m.version for m in going.migrations)):
        if snapshot.migration is not None:
            continue
        for file in going.migrations:
            tables = touched(loaded[file.version].operations)
            if file.version < snapshot.version and (tables is None or snapshot.table in tables):
                raise _caught_up(snapshot, f"may say what {file.path} has done")


def _later(history: History, going: Replaced, oldest: str) -> Iterator[Snapshot]:
    """Yield the snapshots that stay and are newer than a version."""
    doomed = going.versions
    for path in history.snapshots.paths():
        if (version := version_of(path)) > oldest and version not in doomed:
            yield history.read(path)


def _caught_up(snapshot: Snapshot, what: str) -> UsageError:
    return UsageError(
        f"{snapshot.path} was written by codegen --snapshots-only and {what}, which regen would "
        "replace",
        hint="Commit them together and go on with ashflow codegen; or remove that snapshot first, "
        "where regen is to write down anew what it says.",
    )
