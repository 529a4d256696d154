"""What branches did to different tables, and what does not go together all the same.

On one branch codegen drops a foreign key before the table or the key that it refers to, and gives
no two tables or indexes one name. Where that stands in the newest snapshots, two branches have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import ForkError
from ashflow.history.lineage import ANEW
from ashflow.schema.keys import is_key
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ashflow.history.snapshot import Snapshot


def clashes_across(leaves: Collection[Snapshot]) -> Iterator[tuple[Snapshot, ForkError]]:
    """Yield the tables that do not go together with another one, each with the error that says so.

    Args:
        leaves: The newest snapshots of a repo.
    """
    dropped = {fold(leaf.table): leaf for leaf in leaves if leaf.state == "dropped"}
    standing = {fold(leaf.table): leaf for leaf in leaves if leaf.standing}
    owners = dict(standing)
    for leaf in standing.values():
        for key in leaf.data["foreign_keys"]:
            name = fold(key["table"])
            # One that came later has its migration run later: SQLite asks for no table then.
            other = dropped.get(name)
            if other is not None and _came(leaf, key["name"]) < other.version:
                what = f"{leaf.table} refers to {other.table} on one, the other drops that"
                yield leaf, _clash(leaf, other, what)
            other = standing.get(name)
            if other is not None and not _has_key(other, key["keys"]):
                keys = f"{', '.join(key['keys'])} of {other.table}"
                what = f"{leaf.table} refers to {keys} on one, which the other makes no key"
                yield leaf, _clash(leaf, other, what)
        for name in _indexes(leaf.data):
            other = owners.setdefault(fold(name), leaf)
            if other is not leaf and fold(other.table) == fold(name):
                what = f"{name} is a table on one, and an index of {leaf.table} on the other"
                yield leaf, _clash(other, leaf, what)
            elif other is not leaf:
                what = f"both {other.table} and {leaf.table} have an index {name}"
                yield leaf, _clash(other, leaf, what)


def _came(leaf: Snapshot, name: str) -> str:
    """Return the oldest version that has a foreign key, among those that a leaf is made of."""
    having = (
        one.version
        for one in leaf.files
        if any(key["name"] == name for key in one.data["foreign_keys"])
    )
    return min(having, default=leaf.version)


def _has_key(leaf: Snapshot, columns: Sequence[str]) -> bool:
    """Whether columns are a key of a table; what nearly all refer to is told without reading it."""
    return columns == leaf.data["primary_key"] or is_key(leaf.physical, columns)


def _indexes(data: Mapping[str, list[Mapping[str, str]]]) -> Iterator[str]:
    for kind in ("identities", "indexes"):
        yield from (index["name"] for index in data[kind])


def _clash(one: Snapshot, other: Snapshot, what: str) -> ForkError:
    return ForkError(
        f"two branches do not go together, {one.path} and {other.path}: {what}", hint=ANEW
    )
