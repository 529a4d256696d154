"""Branches that changed one schema: what goes together, and what they clash over."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import changed_schemas, changes_of

from ashflow.change.diff import diff
from ashflow.change.merge import Conflict, merge
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    Fill,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from ashflow.change.replay import Changes, replay
from ashflow.schema.datatypes import Sql
from ashflow.schema.flaws import flaws
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Schema, Table

POSTS = Table(
    "posts",
    [Column("id", "integer"), Column("title", "text"), Column("rank", "integer", nullable=True)],
    primary_key=["id"],
    indexes=[Index("posts_title_index", ["title"])],
    checks=[Check("posts_rank_check", "rank >= 0")],
)
BASE = Schema([POSTS])
TITLE = POSTS.column("title")
RANK = POSTS.column("rank")


def branch(version, *operations):
    return (Changes(f"{version:014}", operations),)


# ------------------------------------------------------------------ the law
@st.composite
def divided(draw):
    """A schema, two that differ from it in different members, and the one that has both."""
    base, both = draw(changed_schemas())
    left, right = {}, {}
    for name in {**base, **both}:
        if name not in base or name not in both:
            mine, theirs = (left, right) if draw(st.booleans()) else (right, left)
            _put(mine, name, both.get(name))
            _put(theirs, name, base.get(name))
            continue
        left[name], right[name] = _split(draw, base[name], both[name])
    return base, Schema(left.values()), Schema(right.values()), both


def _put(tables, name, table):
    if table is not None:
        tables[name] = table


def _split(draw, before, after):
    """The table with some of the changes, and with the others."""
    one, other = {}, {}
    for field in ("columns", "foreign_keys", "indexes", "checks", "statements"):
        was = {item.name: item for item in getattr(before, field)}
        now = {item.name: item for item in getattr(after, field)}
        mine = {name for name in {**was, **now} if draw(st.booleans())}
        one[field] = _some(was, now, mine)
        other[field] = _some(now, was, mine)
    for field in ("primary_key", "options"):
        pair = [getattr(before, field), getattr(after, field)]
        one[field], other[field] = draw(st.permutations(pair))
    return replace(before, **one), replace(before, **other)


def _some(was, now, mine):
    found = {name: now.get(name) if name in mine else was.get(name) for name in {**was, **now}}
    return [item for item in found.values() if item is not None]


def _sound(schema, known):
    return not any(flaws(table, known) for table in schema.values()) and not any(
        key.table not in schema or any(schema[key.table].column(name) is None for name in key.keys)
        for table in schema.values()
        for key in table.foreign_keys
    )


@given(divided())
def test_branches_that_change_different_members_go_together_whichever_comes_first(parts):
    base, left, right, both = parts
    known = {c.name for schema in (base, both) for table in schema.values() for c in table.columns}
    assume(all(_sound(schema, known) for schema in (left, right, both)))
    ours, theirs = branch(1, *diff(base, left)), branch(2, *diff(base, right))
    assert merge(base, [ours, theirs]) == both
    assert merge(base, [theirs, ours]) == both


@given(changed_schemas(), st.data())
def test_any_two_branches_merge_to_the_same_or_clash_whichever_comes_first(pair, data):
    base, left = pair
    right = data.draw(changes_of(base))
    ours, theirs = branch(1, *diff(base, left)), branch(2, *diff(base, right))
    one, other = merge(base, [ours, theirs]), merge(base, [theirs, ours])
    assert isinstance(one, Conflict) == isinstance(other, Conflict)
    if isinstance(one, Schema):
        assert one == other == replay(base, [*theirs, *ours])


# ------------------------------------------------------------------ what goes together
TOGETHER = {
    "two columns": (
        AddColumn("posts", Column("a", "text", nullable=True)),
        AddColumn("posts", Column("b", "text", nullable=True)),
    ),
    "an index on a column that gets another type": (
        AddIndex("posts", ["rank"], name="posts_rank_index"),
        AlterColumn("posts", old=RANK, new=replace(RANK, type="float")),
    ),
    "a renamed column and a check of another": (
        RenameColumn("posts", "title", "headline"),
        AddCheck("posts", "id > 0", name="posts_id_check"),
    ),
    "an option and a column": (
        SetOptions("posts", old=Options(), new=Options(strict=True)),
        DropColumn("posts", RANK),
    ),
    "two statements": (
        AddStatement("posts", "one", up=["SELECT 1"], down=["SELECT 1"]),
        AddStatement("posts", "two", up=["SELECT 2"], down=["SELECT 2"]),
    ),
    "a filled column and another": (
        Fill("posts", "rank", "0"),
        AddColumn("posts", Column("b", "text", nullable=True)),
    ),
    "the same change": (
        AlterColumn("posts", old=RANK, new=replace(RANK, default=1)),
        AlterColumn("posts", old=RANK, new=replace(RANK, default=1)),
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_it_goes_together(case):
    left, right = TOGETHER[case]
    base = Schema([replace(POSTS, checks=())])
    merged = merge(base, [branch(1, left), branch(2, right)])
    assert isinstance(merged, Schema), merged
    assert merged == merge(base, [branch(2, right), branch(1, left)])


def test_columns_come_in_order_of_version():
    older = branch(1, AddColumn("posts", Column("z", "text", nullable=True)))
    younger = branch(2, AddColumn("posts", Column("a", "text", nullable=True)))
    for branches in permutations([older, younger]):
        merged = merge(BASE, branches)
        assert [c.name for c in merged["posts"].columns] == ["id", "title", "rank", "z", "a"]


def test_three_branches_go_together_too():
    branches = [
        branch(i, AddColumn("posts", Column(f"c{i}", "text", nullable=True))) for i in (3, 1, 2)
    ]
    found = [merge(BASE, order) for order in permutations(branches)]
    names = ["id", "title", "rank", "c1", "c2", "c3"]
    assert [[c.name for c in each["posts"].columns] for each in found] == [names] * 6


def test_what_two_of_three_branches_share_is_done_once():
    shared = Changes(f"{1:014}", (AddColumn("posts", Column("a", "text", nullable=True)),))
    one = (shared, *branch(2, AddIndex("posts", ["a"], name="posts_a_index")))
    two = (shared, *branch(3, AddColumn("posts", Column("b", "text", nullable=True))))
    three = branch(4, AddColumn("posts", Column("c", "text", nullable=True)))
    merged = merge(BASE, [one, two, three])
    assert {"a", "b", "c"} < {c.name for c in merged["posts"].columns}


def test_a_rename_of_a_table_that_is_not_at_hand_is_followed_by_its_foreign_keys():
    key = ForeignKey("teams", "id", columns=["rank"], name="posts_rank_fkey")
    base = Schema([replace(POSTS, foreign_keys=[key])])
    left = branch(1, RenameTable("teams", "squads"), RenameColumn("squads", "id", "number"))
    right = branch(2, DropIndex("posts", ["title"], name="posts_title_index"))
    merged = merge(base, [left, right])
    assert [*merged] == ["posts"]
    assert merged["posts"].foreign_keys == (replace(key, table="squads", keys=("number",)),)


# ------------------------------------------------------------------ what does not
CLASHES = {
    "a column dropped and indexed": (
        DropColumn("posts", RANK),
        AddIndex("posts", ["rank"], name="posts_rank_index"),
        "column posts.rank",
    ),
    "a column dropped and used in an expression": (
        DropColumn("posts", RANK),
        AddIndex("posts", [Sql("abs(rank)")], name="posts_rank_index"),
        "column posts.rank",
    ),
    "a column dropped and checked": (
        DropColumn("posts", RANK),
        AddCheck("posts", "rank < 9", name="posts_small_check"),
        "column posts.rank",
    ),
    "a column dropped and computed from": (
        DropColumn("posts", RANK),
        AddColumn("posts", Column("twice", "integer", nullable=True, generated_as="rank * 2")),
        "column posts.rank",
    ),
    "a column renamed and altered": (
        RenameColumn("posts", "rank", "place"),
        AlterColumn("posts", old=RANK, new=replace(RANK, default=1)),
        "column posts.rank",
    ),
    "a column renamed twice": (
        RenameColumn("posts", "rank", "place"),
        RenameColumn("posts", "rank", "position"),
        "column posts.rank",
    ),
    "a column renamed to what another is called": (
        RenameColumn("posts", "rank", "place"),
        AddColumn("posts", Column("place", "text", nullable=True)),
        "column posts.place",
    ),
    "a column altered in two ways": (
        AlterColumn("posts", old=RANK, new=replace(RANK, default=1)),
        AlterColumn("posts", old=RANK, new=replace(RANK, type="float")),
        "column posts.rank",
    ),
    "a column added twice": (
        AddColumn("posts", Column("a", "text", nullable=True)),
        AddColumn("posts", Column("a", "text", nullable=True)),
        "column posts.a",
    ),
    "names that differ in case only": (
        AddColumn("posts", Column("Color", "text", nullable=True)),
        AddColumn("posts", Column("color", "text", nullable=True)),
        "column posts.Color",
    ),
    "an index of one name": (
        AddIndex("posts", ["rank"], name="posts_new_index"),
        AddIndex("posts", ["id"], name="posts_new_index"),
        "the index posts_new_index of table posts",
    ),
    "a key that is changed twice": (
        ChangePrimaryKey("posts", old=["id"], new=["id", "title"]),
        ChangePrimaryKey("posts", old=["id"], new=["title"]),
        "the primary key of table posts",
    ),
    "a column in a new key dropped": (
        ChangePrimaryKey("posts", old=["id"], new=["id", "rank"]),
        DropColumn("posts", RANK),
        "column posts.rank",
    ),
    "a table dropped and changed": (
        DropTable("posts", POSTS.columns),
        AddColumn("posts", Column("a", "text", nullable=True)),
        "table posts",
    ),
    "a table renamed and changed": (
        RenameTable("posts", "articles"),
        AddColumn("posts", Column("a", "text", nullable=True)),
        "table posts",
    ),
    "a foreign key to a table that is renamed": (
        RenameTable("teams", "squads"),
        AddForeignKey("posts", ForeignKey("teams", "id", columns=["rank"], name="posts_rank_fkey")),
        "table teams",
    ),
}


@pytest.mark.parametrize("case", CLASHES)
def test_it_clashes_and_the_part_is_named(case):
    left, right, part = CLASHES[case]
    kept = ForeignKey("teams", "id", columns=["id"], name="posts_id_fkey")
    foreign = [kept] if "foreign" in case else []
    base = Schema([replace(POSTS, checks=(), indexes=(), foreign_keys=foreign)])
    conflict = merge(base, [branch(1, left), branch(2, right)])
    assert isinstance(conflict, Conflict), conflict
    assert conflict.part == part
    assert (conflict.left, conflict.right) == (f"{1:014}", f"{2:014}")
    assert conflict.deeds == (left, right)
    swapped = merge(base, [branch(2, right), branch(1, left)])
    assert isinstance(swapped, Conflict)


def test_the_same_table_made_on_both_is_a_clash():
    made = CreateTable("posts", POSTS.columns)
    conflict = merge(Schema(), [branch(1, made), branch(2, made)])
    assert conflict.part == "table posts"


def test_a_table_renamed_to_what_another_branch_made_is_a_clash():
    conflict = merge(
        Schema(),
        [branch(1, RenameTable("notes", "posts")), branch(2, CreateTable("posts", POSTS.columns))],
    )
    assert conflict.part == "table posts"


def test_a_spare_name_on_the_way_is_a_clash_where_another_branch_uses_it():
    """Each branch alone after the other fits; their migrations in order of version do not."""
    left = (
        *branch(1, RenameColumn("posts", "rank", "spare")),
        *branch(4, RenameColumn("posts", "spare", "rank")),
    )
    right = (
        *branch(2, AddColumn("posts", Column("spare", "text", nullable=True))),
        *branch(3, DropColumn("posts", Column("spare", "text", nullable=True))),
    )
    base = Schema([replace(POSTS, checks=())])
    assert merge(base, [left, right]).part == "column posts.spare"
