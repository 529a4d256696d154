"""Which snapshot of a table is the newest: the leaf of the tree that their parents make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ashflow.history.snapshot import Snapshot


ANEW: Final = (
    "Write the younger one anew on top of the other: on its branch, ashflow regen NAME --since "
    "BASE."
)
"""The way out that there always is."""


class Fork(NamedTuple):
    """Several branches changed one table.

    Args:
        base: The newest snapshot that all of them follow; None where they have none in common.
        branches: What each has written since, the oldest version first; the last one is its leaf.
            A snapshot that several of them follow is on each of these.
        size: How many snapshots the table has.
    """

    base: Snapshot | None
    branches: tuple[tuple[Snapshot, ...], ...]
    size: int

    @property
    def leaves(self) -> tuple[Snapshot, ...]:
        """The newest snapshot of each branch, the oldest version first."""
        return tuple(branch[-1] for branch in self.branches)


def newest(paths: Sequence[str], read: Callable[[str], Snapshot]) -> Snapshot | Fork:
    """Return the one snapshot of a table that no other follows, or what there is in its place.

    The newest file is the only one read where it counts as many ancestors as there are other files.

    Args:
        paths: The files of the table, oldest version first; at least one.
        read: Reads one of them.

    Raises:
        SnapshotError: A file that has to be read is no snapshot, or one between two is missing.
    """
    last = read(paths[-1])
    if last.ancestors + 1 == len(paths):
        return last
    snapshots = [*map(read, paths[:-1]), last]
    leaves = _leaves(snapshots)
    if len(leaves) == 1:
        return leaves[0]
    check_no_gap(snapshots)
    return _fork(snapshots, leaves)


def _leaves(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    followed = {parent for snapshot in snapshots for parent in snapshot.parents}
    return [snapshot for snapshot in snapshots if snapshot.hash not in followed]


def check_no_gap(snapshots: Sequence[Snapshot]) -> None:
    """Tell a file that went missing from a fork: what it followed looks like a leaf.

    Args:
        snapshots: All of a table.

    Raises:
        SnapshotError: One between two is missing, or the first.
    """
    there = {snapshot.hash for snapshot in snapshots}
    for snapshot in snapshots:
        # The first one of a renamed table follows one in the folder of the old name.
        if snapshot.ancestors and there.isdisjoint(snapshot.parents):
            raise SnapshotError(
                f"snapshot {snapshot.path} follows one that is not there",
                hint="Bring it back from git; git log --diff-filter=D --name-only -- "
                f"{snapshot.path.rpartition('/')[0]} says where it was removed.",
            )


def _fork(snapshots: Sequence[Snapshot], leaves: Iterable[Snapshot]) -> Fork:
    by_hash = {snapshot.hash: snapshot for snapshot in snapshots}
    lines = {snapshot.hash: _line(snapshot, by_hash) for snapshot in snapshots}
    base = next((one for one in reversed(snapshots) if _parts_all(one, lines)), None)
    below = lines[base.hash] if base is not None else frozenset()
    branches = (
        tuple(one for one in snapshots if one.hash in lines[leaf.hash] - below) for leaf in leaves
    )
    return Fork(base, tuple(branches), len(snapshots))


def _line(snapshot: Snapshot, by_hash: Mapping[str, Snapshot]) -> frozenset[str]:
    """Return the hashes of a snapshot and of all that it follows."""
    return frozenset(_walk(snapshot, by_hash))


def _walk(snapshot: Snapshot, by_hash: Mapping[str, Snapshot]) -> Iterator[str]:
    waiting, seen = [snapshot.hash], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in by_hash:
            seen.add(name)
            yield name
            waiting += by_hash[name].parents


def _parts_all(one: Snapshot, lines: Mapping[str, frozenset[str]]) -> bool:
    """Whether each snapshot stands below or above one, none beside it."""
    return all(one.hash in line or name in lines[one.hash] for name, line in lines.items())
