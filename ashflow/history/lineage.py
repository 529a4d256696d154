"""Which snapshot of a table is the newest: the leaf of the tree that their parents make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import ForkError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ashflow.history.snapshot import Snapshot


def leaf(paths: Sequence[str], read: Callable[[str], Snapshot]) -> Snapshot:
    """Return the one snapshot of a table that no other follows.

    The newest file is the only one read where it counts as many ancestors as there are other files.

    Args:
        paths: The files of the table, oldest version first; at least one.
        read: Reads one of them.

    Raises:
        SnapshotError: A file that has to be read is no snapshot, or one between two is missing.
        ForkError: There are two such snapshots: two branches changed the table.
    """
    newest = read(paths[-1])
    if newest.ancestors + 1 == len(paths):
        return newest
    snapshots = [*map(read, paths[:-1]), newest]
    leaves = _leaves(snapshots)
    if len(leaves) > 1:
        _check_no_gap(snapshots)
        raise _fork(leaves)
    return leaves[0]


def _leaves(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    followed = {parent for snapshot in snapshots for parent in snapshot.parents}
    return [snapshot for snapshot in snapshots if snapshot.hash not in followed]


def _check_no_gap(snapshots: Sequence[Snapshot]) -> None:
    """Tell a file that went missing from a fork: what it followed looks like a leaf."""
    there = {snapshot.hash for snapshot in snapshots}
    for snapshot in snapshots:
        # The first one of a renamed table follows one in the folder of the old name.
        if snapshot.ancestors and there.isdisjoint(snapshot.parents):
            raise SnapshotError(
                f"snapshot {snapshot.path} follows one that is not there",
                hint="Bring it back from git; git log --diff-filter=D --name-only -- "
                f"{snapshot.path.rpartition('/')[0]} says where it was removed.",
            )


def _fork(leaves: Sequence[Snapshot]) -> ForkError:
    files = " and ".join(snapshot.path for snapshot in leaves)
    return ForkError(
        f"table {leaves[0].table} was changed on two branches: {files} follow the same snapshot",
        hint="Write the younger one anew on top of the older one: roll its migration back where it "
        "is applied (ashflow rollback), take that migration and its snapshots away, and run "
        "ashflow codegen NAME.",
    )
