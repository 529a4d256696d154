"""What branches did to different tables, and what does not go together all the same.

On one branch codegen drops a foreign key before the table that it refers to, and gives no two
indexes one name. Where that stands in the newest snapshots, two branches have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.errors import ForkError
from ashflow.history.lineage import ANEW
from ashflow.schema.sqltext import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ashflow.history.snapshot import Snapshot


def clashes_across(leaves: Collection[Snapshot]) -> Iterator[tuple[Snapshot, ForkError]]:
    """Yield the tables that do not go together with another one, each with the error that says so.

    Args:
        leaves: The newest snapshots of a repo.
    """
    dropped = {fold(leaf.table): leaf for leaf in leaves if leaf.state == "dropped"}
    owners: dict[str, Snapshot] = {}
    for leaf in leaves:
        if not leaf.standing:
            continue
        for key in leaf.data["foreign_keys"] if dropped else ():
            other = dropped.get(fold(key["table"]))
            # One that came later has its migration run later: SQLite asks for no table then.
            if other is not None and leaf.version < other.version:
                what = f"{leaf.table} refers to {other.table} on one, the other drops that"
                yield leaf, _clash(leaf, other, what)
        for name in _indexes(leaf.data):
            other = owners.setdefault(fold(name), leaf)
            if other is not leaf:
                what = f"both {other.table} and {leaf.table} have an index {name}"
                yield leaf, _clash(other, leaf, what)


def _indexes(data: Mapping[str, list[Mapping[str, str]]]) -> Iterator[str]:
    for kind in ("identities", "indexes"):
        yield from (index["name"] for index in data[kind])


def _clash(one: Snapshot, other: Snapshot, what: str) -> ForkError:
    return ForkError(
        f"two branches do not go together, {one.path} and {other.path}: {what}", hint=ANEW
    )
