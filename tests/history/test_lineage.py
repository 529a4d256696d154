from __future__ import annotations

import pytest

from ashflow.errors import ForkError, SnapshotError
from ashflow.history.lineage import leaf
from ashflow.history.snapshot import Snapshot, new_snapshot
from ashflow.schema.table import Column, Table

FOLDER = "priv/resource_snapshots/repo/posts"


class Shelf:
    """Snapshots of one table, and which of them were read."""

    def __init__(self):
        self.snapshots = {}
        self.read_paths = []

    def add(self, version, *parents, ancestors=None, column="a"):
        path = f"{FOLDER}/{version:014}.json"
        data = new_snapshot(
            Table("posts", [Column(column, "text")]),
            version=f"{version:014}",
            repo="repo",
            migration="m",
            parents=parents,
            ancestors=ancestors if ancestors is not None else int(bool(parents)),
        )
        self.snapshots[path] = Snapshot(data, path)
        return self.snapshots[path]

    def read(self, path):
        self.read_paths.append(path)
        return self.snapshots[path]

    def leaf(self):
        return leaf(sorted(self.snapshots), self.read)


def test_the_newest_of_a_line_is_the_only_one_read():
    shelf = Shelf()
    one = shelf.add(1)
    two = shelf.add(2, one, ancestors=1)
    three = shelf.add(3, two, ancestors=2)
    assert shelf.leaf() is three
    assert shelf.read_paths == [three.path]


def test_a_branch_that_goes_on_from_an_older_one_is_no_leaf_of_its_own():
    shelf = Shelf()
    one = shelf.add(1)
    late = shelf.add(9, one, column="b")
    two = shelf.add(5, late, ancestors=2)
    assert shelf.leaf() is two, "by lineage, not by version"


def test_two_leaves_are_a_fork_that_names_both_files():
    shelf = Shelf()
    one = shelf.add(1)
    left, right = shelf.add(2, one, column="b"), shelf.add(3, one, column="c")
    with pytest.raises(ForkError, match="table posts was changed on two branches") as caught:
        shelf.leaf()
    assert left.path in caught.value.message
    assert right.path in caught.value.message
    assert one.path not in caught.value.message
    assert "ashflow codegen NAME" in caught.value.hint


def test_two_first_ones_are_a_fork_too():
    shelf = Shelf()
    shelf.add(1, column="b")
    shelf.add(2, column="c")
    with pytest.raises(ForkError):
        shelf.leaf()


def test_a_snapshot_that_names_both_ends_a_fork():
    shelf = Shelf()
    one = shelf.add(1)
    left, right = shelf.add(2, one, column="b"), shelf.add(3, one, column="c")
    both = shelf.add(4, left, right, ancestors=3)
    assert shelf.leaf() is both
    assert shelf.read_paths == [both.path]


def test_a_gap_is_no_fork():
    shelf = Shelf()
    one = shelf.add(1)
    two = shelf.add(2, one, ancestors=1)
    three = shelf.add(3, two, ancestors=2)
    del shelf.snapshots[two.path]
    with pytest.raises(
        SnapshotError, match=f"{three.path} follows one that is not there"
    ) as caught:
        shelf.leaf()
    assert f"git log --diff-filter=D --name-only -- {FOLDER}" in caught.value.hint


def test_the_first_one_of_a_renamed_table_has_a_parent_elsewhere():
    elsewhere = Shelf().add(1, column="z")
    shelf = Shelf()
    first = shelf.add(2, elsewhere, ancestors=0)
    assert shelf.leaf() is first
    shelf.add(3, first, column="b")
    shelf.add(4, first, column="c")
    with pytest.raises(ForkError):
        shelf.leaf()
