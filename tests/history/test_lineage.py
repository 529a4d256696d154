from __future__ import annotations

import pytest

from ashflow.errors import SnapshotError
from ashflow.history.lineage import newest
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

    def newest(self):
        return newest(sorted(self.snapshots), self.read)


def test_the_newest_of_a_line_is_the_only_one_read():
    shelf = Shelf()
    one = shelf.add(1)
    two = shelf.add(2, one, ancestors=1)
    three = shelf.add(3, two, ancestors=2)
    assert shelf.newest() is three
    assert shelf.read_paths == [three.path]


def test_a_branch_that_goes_on_from_an_older_one_is_no_leaf_of_its_own():
    shelf = Shelf()
    one = shelf.add(1)
    late = shelf.add(9, one, column="b")
    two = shelf.add(5, late, ancestors=2)
    assert shelf.newest() is two, "by lineage, not by version"


def test_two_leaves_are_a_fork_with_what_each_branch_has_written_since():
    shelf = Shelf()
    shelf.add(1)
    base = shelf.add(2, *shelf.snapshots.values())
    left, right = shelf.add(3, base, column="b"), shelf.add(4, base, column="c")
    more = shelf.add(5, left, ancestors=3)
    fork = shelf.newest()
    assert fork.base is base
    assert fork.branches == ((right,), (left, more))
    assert fork.leaves == (right, more)
    assert fork.size == 5


def test_two_first_ones_are_a_fork_of_nothing():
    shelf = Shelf()
    left, right = shelf.add(1, column="b"), shelf.add(2, column="c")
    fork = shelf.newest()
    assert fork.base is None
    assert fork.branches == ((left,), (right,))


def test_what_two_of_three_branches_share_is_on_both():
    shelf = Shelf()
    base = shelf.add(1)
    shared = shelf.add(2, base, column="b")
    one, two = shelf.add(3, shared, ancestors=2), shelf.add(4, shared, ancestors=2, column="c")
    three = shelf.add(5, base, column="d")
    fork = shelf.newest()
    assert fork.base is base
    assert fork.branches == ((shared, one), (shared, two), (three,))


def test_branches_that_were_merged_and_went_apart_again_begin_at_the_merge():
    shelf = Shelf()
    base = shelf.add(1)
    left, right = shelf.add(2, base, column="b"), shelf.add(3, base, column="c")
    both = shelf.add(4, left, right, ancestors=3)
    one, two = shelf.add(5, both, ancestors=4), shelf.add(6, both, ancestors=4, column="d")
    assert shelf.newest().base is both
    assert shelf.newest().branches == ((one,), (two,))


def test_branches_that_merged_each_other_begin_where_one_line_was():
    shelf = Shelf()
    base = shelf.add(1)
    left, right = shelf.add(2, base, column="b"), shelf.add(3, base, column="c")
    one = shelf.add(4, left, right, ancestors=3)
    two = shelf.add(5, left, right, ancestors=3, column="d")
    fork = shelf.newest()
    assert fork.base is base, "no one of the two parents has the other one below it"
    assert fork.branches == ((left, right, one), (left, right, two))


def test_a_snapshot_that_names_both_ends_a_fork():
    shelf = Shelf()
    one = shelf.add(1)
    left, right = shelf.add(2, one, column="b"), shelf.add(3, one, column="c")
    both = shelf.add(4, left, right, ancestors=3)
    assert shelf.newest() is both
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
        shelf.newest()
    assert f"git log --diff-filter=D --name-only -- {FOLDER}" in caught.value.hint


def test_the_first_one_of_a_renamed_table_has_a_parent_elsewhere():
    elsewhere = Shelf().add(1, column="z")
    shelf = Shelf()
    first = shelf.add(2, elsewhere, ancestors=0)
    assert shelf.newest() is first
    shelf.add(3, first, column="b")
    shelf.add(4, first, column="c")
    assert shelf.newest().base is first
