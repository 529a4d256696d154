"""A column that comes back may be NULL until its values are there again."""

from __future__ import annotations

import pytest

from ashflow.change.apply import apply_all
from ashflow.change.loosen import loosened
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropColumn,
    DropTable,
    Fill,
    RenameColumn,
    RenameTable,
)
from ashflow.schema.table import Column, Schema, Table

NEEDED = Column("color", "text")
OPEN = Column("color", "text", nullable=True)
COMES = AddColumn("posts", NEEDED)
BACK = {("posts", "color")}
START = Schema([Table("posts", [Column("id", "integer")])])


def test_a_needed_column_that_comes_back_is_tightened_at_the_end():
    others = (AddIndex("posts", ["color"], name="by_color"), Fill("posts", "color", "'x'"))
    at_first, then = loosened((COMES, *others), BACK)
    assert at_first == (AddColumn("posts", OPEN), *others)
    assert then == (AlterColumn("posts", old=OPEN, new=NEEDED),)
    assert apply_all(START, (*at_first, *then)) == apply_all(START, (COMES, *others))


@pytest.mark.parametrize(
    "column",
    [
        OPEN,
        Column("color", "text", default="red"),
        Column("color", "text", generated_as="title"),
        Column("other", "text"),
    ],
)
def test_a_column_that_needs_no_value_or_gets_none_stays_as_it_is(column):
    operations = (AddColumn("posts", column),)
    assert loosened(operations, BACK) == (operations, ())


def test_a_column_of_another_table_stays_as_it_is():
    assert loosened((COMES,), {("tags", "color")}) == ((COMES,), ())


@pytest.mark.parametrize(
    "later",
    [
        RenameTable("posts", "articles"),
        RenameTable("articles", "posts"),
        DropTable("posts"),
        RenameColumn("posts", "color", "colour"),
        RenameColumn("posts", "colour", "color"),
        DropColumn("posts", NEEDED),
        AlterColumn("posts", old=NEEDED, new=OPEN),
        ChangePrimaryKey("posts", old=("id",), new=("color",)),
    ],
)
def test_a_column_that_is_changed_once_more_stays_as_it_is(later):
    assert loosened((COMES, later), BACK) == ((COMES, later), ())
    assert loosened((COMES,), BACK, (later,)) == ((COMES,), ())


def test_what_touches_another_table_or_column_later_does_not_matter():
    later = (
        RenameTable("tags", "labels"),
        RenameColumn("posts", "title", "headline"),
        RenameColumn("tags", "color", "colour"),
        CreateTable("tags", [Column("id", "integer")], primary_key=["id"]),
    )
    at_first, then = loosened((COMES, *later), BACK)
    assert at_first == (AddColumn("posts", OPEN), *later)
    assert len(then) == 1


def test_a_column_of_a_table_whose_rows_come_back_waits_for_its_fill():
    key, name = Column("id", "integer"), Column("name", "text")
    made = CreateTable("tags", [key, name, NEEDED], primary_key=["id"])
    fill = Fill("tags", "color", "'x'")
    at_first, then = loosened((made, fill), (), tables={"tags"})
    assert at_first == (CreateTable("tags", [key, name, OPEN], primary_key=["id"]), fill)
    assert then == (fill, AlterColumn("tags", old=OPEN, new=NEEDED))
    assert loosened((made,), (), tables={"tags"}) == ((made,), ())
    assert loosened((made, fill), ()) == ((made, fill), ())
