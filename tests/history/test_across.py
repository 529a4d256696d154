"""Branches that changed different tables, and do not go together all the same."""

from __future__ import annotations

import pytest
from strategies.repo import NO, Repo

from ashflow.errors import ForkError
from ashflow.plan.choices import Choices
from ashflow.schema.table import Column, ForeignKey, Index, Schema, Table

DROP = Choices(no_renames=True, drop_tables=True)


def table(name, *columns, **more):
    return Table(name, [Column("id", "integer"), *columns], primary_key=["id"], **more)


T, U = table("t"), table("u")
OF_U = table(
    "w",
    Column("u_id", "integer"),
    foreign_keys=[ForeignKey("u", ["id"], columns=["u_id"], name="w_u_id_fkey")],
)


def met(*ways, base=(T, U)):
    """A repo in which branches have met: of each, what it declares and how it is written down."""
    trunk = Repo(Schema(base))
    branches = []
    for i, (tables, choices) in enumerate(ways):
        branch = trunk.branch(10 * i)
        branch.codegen(Schema(tables), choices)
        branches.append(branch)
    return trunk.merge(*branches)


@pytest.mark.parametrize("resolve", [False, True])
def test_a_key_to_a_table_that_another_branch_drops_later_is_a_clash(resolve):
    repo = met(([T, U, OF_U], NO), ([T], DROP))
    with pytest.raises(ForkError, match="w refers to u on one, the other drops that") as caught:
        repo.leaves(resolve=resolve)
    for name in ("w", "u"):
        assert repo.history.snapshots.paths(name)[-1] in caught.value.message
    assert "regen NAME --since" in caught.value.hint


def test_a_key_that_comes_after_the_table_went_can_be_taken_away():
    repo = met(([T], DROP), ([T, U, OF_U], NO))
    (operation,) = repo.find(Schema([T, table("w", Column("u_id", "integer"))])).operations
    assert type(operation).__name__ == "DropForeignKey"


def test_an_index_name_that_two_branches_give_to_two_tables_is_a_clash():
    left = table("t", indexes=[Index("Found", ["id"])])
    right = table("u", indexes=[Index("found", ["id"], unique=True)])
    repo = met(([left, U], NO), ([T, right], NO))
    with pytest.raises(ForkError, match="both t and u have an index found"):
        repo.leaves()


def test_a_name_that_one_gives_to_a_table_and_the_other_to_an_index_is_a_clash():
    right = table("u", indexes=[Index("New", ["id"])])
    repo = met(([T, U, table("new")], NO), ([T, right], NO))
    with pytest.raises(ForkError, match="New is a table on one, and an index of u on the other"):
        repo.leaves()


@pytest.mark.parametrize("keyed", ["w", "u"])
def test_a_key_to_what_another_branch_makes_no_key_is_a_clash(keyed):
    loose = Table("u", [Column("id", "integer")])
    own = ForeignKey("u", ["id"], columns=["id"], name="u_own")
    first = [T, U, OF_U] if keyed == "w" else [T, table("u", foreign_keys=[own])]
    repo = met((first, NO), ([T, loose], NO))
    with pytest.raises(ForkError, match=f"{keyed} refers to id of u on one, which the other makes"):
        repo.leaves()


def test_a_key_of_a_table_that_both_changed_and_one_made_before_the_other_drops_its_table():
    plain = table("w", Column("u_id", "integer"))
    more = table("w", Column("u_id", "integer"), Column("more", "text", nullable=True))
    repo = met(([T, U, OF_U], NO), ([T, more], DROP), base=(T, U, plain))
    with pytest.raises(ForkError, match="w refers to u on one, the other drops that"):
        repo.leaves()


def test_what_one_branch_made_anew_is_no_clash():
    moved = table("u", indexes=[Index("found", ["id"])])
    repo = Repo(Schema([table("t", indexes=[Index("found", ["id"])]), U]))
    repo.codegen(Schema([T, moved]))
    assert repo.said == Schema([T, moved])
    repo.codegen(Schema([T]), DROP)
    repo.codegen(Schema([T, U, OF_U]))
    assert repo.said == Schema([T, U, OF_U])
