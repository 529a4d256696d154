from __future__ import annotations

import pytest
from hypothesis import given
from strategies import operations

from ashflow.change.describe import describe, destructive, place, summary, table_of, title
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
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    ForeignKey,
    Options,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
    desc,
    sql,
    utc_now,
)

A = Column("a", "text")
KEY = ForeignKey("teams", columns=["team_id"])


def up(db):
    db.execute("SELECT 1")


WORDS = [
    (CreateTable("t", [A]), "create table with 1 column"),
    (CreateTable("t", [A, Column("b", "text")]), "create table with 2 columns"),
    (DropTable("t", [A]), "drop table"),
    (RenameTable("t", "u"), "rename table t to u"),
    (AddColumn("t", A), "add column a text"),
    (AddColumn("t", Column("n", "integer", default=0)), "add column n integer default 0"),
    (AddColumn("t", Column("b", "boolean", default=False)), "add column b boolean default False"),
    (
        AddColumn("t", Column("at", "utc_datetime", nullable=True, default=utc_now)),
        "add column at utc_datetime nullable default utc_now",
    ),
    (
        AddColumn("t", Column("p", "raw:POINT", default=sql("origin()"))),
        "add column p POINT default origin()",
    ),
    (
        AddColumn("t", Column("c", "text", generated_as="upper(a)")),
        "add column c text generated as upper(a)",
    ),
    (
        AddColumn("t", Column("team_id", "uuid", references=ForeignKey("teams"))),
        "add column team_id uuid references teams",
    ),
    (DropColumn("t", A), "drop column a"),
    (RenameColumn("t", "a", "b"), "rename column a to b"),
    (AddIndex("t", ["a"], name="i"), "add index i on a"),
    (
        AddIndex("t", [desc("a"), sql("lower(b)")], name="i", unique=True, where="a > 1"),
        "add identity i on a desc, lower(b) where a > 1",
    ),
    (DropIndex("t", ["a"], name="i"), "drop index i on a"),
    (AddCheck("t", "a > 1", name="c"), "add check c: a > 1"),
    (DropCheck("t", "a > 1", name="c"), "drop check c"),
    (AddForeignKey("t", KEY), "add foreign key (team_id) to teams (id)"),
    (DropForeignKey("t", KEY), "drop foreign key (team_id) to teams (id)"),
    (ChangePrimaryKey("t", old=["a"], new=["a", "b"]), "change primary key from (a) to (a, b)"),
    (SetOptions("t", old=Options(), new=Options(strict=True)), "keep table as strict"),
    (
        SetOptions("t", old=Options(), new=Options(strict=True, without_rowid=True)),
        "keep table as strict and without rowid",
    ),
    (SetOptions("t", old=Options(strict=True), new=Options()), "keep table as an ordinary table"),
    (AddStatement("t", "v", up="CREATE", down="DROP"), "run statement v"),
    (DropStatement("t", "v", up="CREATE", down="DROP"), "undo statement v"),
    (Fill("t", "a", "upper(b)"), "fill a with upper(b)"),
    (Execute(up=["SELECT 1", "SELECT 2"]), "execute 2 SQL statements"),
    (Run(up=up), "run up()"),
]


@pytest.mark.parametrize(("operation", "words"), WORDS, ids=range(len(WORDS)))
def test_an_operation_in_words(operation, words):
    assert describe(operation) == words


ALTERATIONS = [
    ({"type": "integer"}, "type text to integer"),
    ({"nullable": True}, "nullable"),
    ({"default": ""}, "default ''"),
    ({"default": sql("''")}, "default ''"),
    ({"max_length": 80}, "max length 80"),
    ({"precision": 10, "scale": 2}, "precision 10, scale 2"),
    ({"collate": "NOCASE"}, "collate NOCASE"),
    ({"generated_as": "upper(b)"}, "generated as upper(b)"),
    ({"comment": "a word"}, "comment a word"),
    ({"autoincrement": True}, "autoincrement"),
    ({"stored": True}, "stored"),
]
BACK = [
    "type integer to text",
    "not nullable",
    "no default",
    "no default",
    "max length removed",
    "precision removed, scale removed",
    "collate removed",
    "generated as removed",
    "comment removed",
    "no autoincrement",
    "not stored",
]


@pytest.mark.parametrize(
    ("fields", "there", "back"), [(*one, two) for one, two in zip(ALTERATIONS, BACK, strict=True)]
)
def test_what_is_altered_is_told_both_ways(fields, there, back):
    other = Column("a", **{"type": "text", **fields})
    assert describe(AlterColumn("t", old=A, new=other)) == f"alter column a: {there}"
    assert describe(AlterColumn("t", old=other, new=A)) == f"alter column a: {back}"


@given(operations())
def test_every_operation_has_words_and_a_place(operation):
    assert describe(operation)
    assert isinstance(place(table_of(operation)), str)
    assert destructive(operation) == isinstance(operation, DropTable | DropColumn)


def test_what_belongs_to_no_table_has_a_heading_of_its_own():
    assert table_of(Execute(up="SELECT 1")) == ""
    assert place("") == "your own SQL and functions"
    assert place("@domain") == "statements of the domain"
    assert place("posts") == "posts"
    assert table_of(RenameTable("t", "u")) == "u"


def test_a_summary_goes_by_table_in_order_of_first_mention():
    one, two, three = AddColumn("b", A), AddColumn("a", A), DropColumn("b", A)
    assert summary([one, two, three]) == {"b": [one, three], "a": [two]}
    assert list(summary([one, two, three])) == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("add_combobulator", "Add combobulator."), ("2fa", "2fa."), ("_x", "X."), ("a__b", "A  b.")],
)
def test_a_name_as_a_sentence(name, sentence):
    assert title(name) == sentence
