from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import names, operations

from ashflow.change.naming import LONGEST, auto_name
from ashflow.history.version import clean_name
from ashflow.migration import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    Column,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    Execute,
    Fill,
    ForeignKey,
    Options,
    RenameColumn,
    RenameTable,
    SetOptions,
)

RPM, PRICE = Column("rpm", "integer"), Column("price", "decimal")
TEAMS, POSTS = CreateTable("teams", [RPM]), CreateTable("posts", [RPM])
UNIQUE = {"name": "posts_unique_name_index", "unique": True}
KEY = ForeignKey("teams", "id", columns=["team_id"], name="posts_team_id_fkey")

NAMED = {
    "add_rpm_to_combobulators": [AddColumn("combobulators", RPM)],
    "add_rpm_and_price_to_posts": [AddColumn("posts", RPM), AddColumn("posts", PRICE)],
    "add_rpm_to_posts": [AddColumn("posts", RPM), Fill("posts", "rpm", "0")],
    "create_teams_and_posts": [TEAMS, POSTS],
    "create_posts": [POSTS, AddIndex("posts", ["name"], **UNIQUE), AddForeignKey("posts", KEY)],
    "drop_rpm_from_posts": [DropColumn("posts", RPM)],
    "drop_posts": [DropTable("posts", [RPM])],
    "rename_posts_to_articles": [RenameTable("posts", "articles")],
    "rename_title_to_headline_in_posts": [RenameColumn("posts", "title", "headline")],
    "change_rpm_in_posts": [AlterColumn("posts", old=RPM, new=Column("rpm", "float"))],
    "change_unique_name_in_posts": [
        DropIndex("posts", ["name"], **UNIQUE),
        AddIndex("posts", ["name", "rpm"], **UNIQUE),
    ],
    "add_unique_name_to_posts": [AddIndex("posts", ["name"], **UNIQUE)],
    "add_positive_to_posts": [AddCheck("posts", "rpm > 0", name="posts_positive_check")],
    "add_team_id_to_posts": [AddForeignKey("posts", KEY)],
    "change_primary_key_in_posts": [ChangePrimaryKey("posts", old=["a"], new=["b"])],
    "change_options_in_posts": [SetOptions("posts", old=Options(), new=Options(strict=True))],
    "add_search": [AddStatement("@domain", "search", up="x", down="y")],
    "create_teams_and_add_team_id_to_posts": [
        TEAMS,
        AddColumn("posts", Column("team_id", "uuid", references=KEY)),
    ],
    "run_sql": [Execute(up="SELECT 1", down="SELECT 1")],
    "add_it_to_it": [AddColumn("таблица", Column("ß№", "text"))],
    "add_order_line_to_odd_name": [AddColumn('Odd "Name"', Column("order-line", "text"))],
}


@pytest.mark.parametrize("name", NAMED)
def test_the_name_says_what_is_done(name):
    assert auto_name(NAMED[name]) == name


def test_what_has_no_room_is_counted():
    columns = [AddColumn("posts", Column(f"a_long_name_{i}", "text")) for i in range(9)]
    assert auto_name(columns) == "add_a_long_name_0_and_a_long_name_1_and_7_more_to_posts"
    tables = [CreateTable(f"a_long_name_{i}", [RPM]) for i in range(9)]
    assert auto_name(tables) == "create_a_long_name_0_and_a_long_name_1_and_7_more"
    mixed = [columns[0], TEAMS, RenameTable("notes", "articles"), DropTable("drafts", [RPM])]
    assert auto_name(mixed) == "add_a_long_name_0_to_posts_and_create_teams_and_2_more"


def test_words_are_not_cut():
    name = auto_name([AddColumn("_".join(["table"] * 30), RPM)])
    assert name == "add_rpm_to_table_table_table_table_table_table_table_table"
    assert len(auto_name([DropTable("x" * 200, [RPM])])) <= LONGEST


def test_without_operations_it_is_named_after_what_is_kept():
    assert auto_name((), ["posts.body"]) == "keep_posts_body"
    assert auto_name(()) == "change_nothing"


def test_a_name_that_is_taken_gets_a_number():
    taken = ["create_teams", "create_teams_2"]
    assert auto_name([TEAMS], (), taken) == "create_teams_3"


@given(st.lists(operations(), max_size=8), st.lists(names(), max_size=3))
def test_it_is_always_a_name_for_a_migration(done, kept):
    name = auto_name(done, kept)
    assert clean_name(name) == name
    assert len(name) <= LONGEST
    again = auto_name(done, kept, [name])
    assert clean_name(again) == again != name
