"""What migrations make one after the other, and where a database would stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ashflow.change.operations import (
    AddCheck,
    AddIndex,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropColumn,
    DropTable,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from ashflow.change.replay import Changes, by_version, migrated, replay
from ashflow.errors import SchemaError
from ashflow.schema.table import Column, Options, Schema, Table

ID, TITLE = Column("id", "integer"), Column("title", "text")
RANK = Column("rank", "integer", nullable=True)
POSTS = Table("posts", [ID, TITLE, RANK], primary_key=["id"])
BASE = Schema([POSTS])
BOTH = pytest.mark.parametrize("run", [replay, migrated])


def changes(*operations):
    return [Changes(f"{number:014}", (one,)) for number, one in enumerate(operations, 1)]


def test_changes_that_two_branches_have_come_once_and_the_oldest_first():
    one, two, three = changes(*(AddCheck("posts", "id > 0", name=name) for name in "abc"))
    assert by_version([(one, three), (two, three)]) == [one, two, three]


@BOTH
def test_what_comes_later_is_done_to_what_was_made_before(run):
    index = AddIndex("posts", ["rank"], name="posts_rank_index")
    made = run(BASE, changes(index, RenameColumn("posts", "rank", "place")))
    assert made["posts"].index("posts_rank_index").keys == ("place",)


@BOTH
@pytest.mark.parametrize(
    "operations",
    [
        (RenameColumn("posts", "rank", "place"), DropColumn("posts", RANK)),
        (DropTable.of(POSTS), RenameColumn("posts", "rank", "place")),
        (DropTable.of(POSTS), RenameTable("posts", "articles")),
        (ChangePrimaryKey("posts", old=("id",), new=()),) * 2,
        (SetOptions("posts", old=Options(), new=Options(strict=True)),) * 2,
    ],
)
def test_what_does_not_fit_behind_the_others_is_refused(run, operations):
    with pytest.raises(SchemaError, match="posts"):
        run(BASE, changes(*operations))


@BOTH
def test_a_table_that_is_not_at_hand_is_there_for_its_renames(run):
    renames = (RenameColumn("drafts", "a", "b"), RenameTable("drafts", "notes"))
    assert run(BASE, changes(*renames)) == BASE
    assert run(BASE, changes(RenameTable("drafts", "notes"), DropTable.of(POSTS))) == {}


@BOTH
def test_a_name_that_another_table_took_is_not_that_of_the_one_at_hand(run):
    taken = (RenameTable("posts", "archive"), RenameTable("drafts", "posts"))
    made = run(
        BASE, changes(*taken, RenameColumn("posts", "a", "b"), RenameTable("posts", "notes"))
    )
    assert [*made] == ["archive"]
    assert made["archive"].columns == POSTS.columns


@BOTH
def test_a_table_may_go_and_come_again(run):
    made = run(BASE, changes(DropTable.of(POSTS), CreateTable.of(POSTS), DropTable.of(POSTS)))
    assert made == {}


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        (
            (DropColumn("posts", RANK), AddCheck("posts", "rank > 0", name="c")),
            r"is about posts\.rank, which is gone",
        ),
        (
            (RenameColumn("posts", "rank", "place"), AddCheck("posts", "rank > 0", name="c")),
            r"is about posts\.rank, which is gone",
        ),
        (
            (RenameColumn("posts", "rank", "place"), DropTable.of(POSTS)),
            "drop table posts does not know its column place",
        ),
    ],
)
def test_a_database_stops_where_the_tables_alone_would_not(operations, why):
    replay(BASE, changes(*operations))
    with pytest.raises(SchemaError, match=why):
        migrated(BASE, changes(*operations))


def test_a_database_changes_the_facets_in_which_the_two_columns_of_a_migration_differ():
    first = replace(TITLE, default="x", comment="why")
    second = replace(TITLE, collate="NOCASE", nullable=True)
    altered = changes(*(AlterColumn("posts", old=TITLE, new=new) for new in (first, second)))
    assert replay(BASE, altered)["posts"].column("title") == second
    both = replace(first, collate="NOCASE", nullable=True)
    assert migrated(BASE, altered)["posts"].column("title") == both


def test_how_a_column_is_generated_is_one_facet():
    old = Column("size", "integer", generated_as="length(title)")
    base = Schema([replace(POSTS, columns=(*POSTS.columns, old))])
    first = replace(old, generated_as="2 * length(title)")
    altered = changes(
        *(AlterColumn("posts", old=old, new=new) for new in (first, replace(old, stored=True)))
    )
    assert migrated(base, altered)["posts"].column("size") == replace(old, stored=True)
