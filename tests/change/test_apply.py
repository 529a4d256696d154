from __future__ import annotations

from dataclasses import replace

import pytest

from ashflow.change.apply import apply, apply_all
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
)
from ashflow.change.reverse import reverse_all
from ashflow.errors import SchemaError
from ashflow.schema.datatypes import desc, sql
from ashflow.schema.table import (
    Check,
    Column,
    ForeignKey,
    Index,
    Options,
    Schema,
    Statement,
    Table,
)

ID, A = Column("id", "integer"), Column("a", "text")
KEY = ForeignKey("teams", columns=["team_id"]).owned("posts")
TEAMS = Table("teams", [ID, A], primary_key=["id"])
POSTS = Table(
    "posts",
    [
        ID,
        Column("team_id", "integer"),
        Column("title", "text"),
        Column("loud", "text", generated_as="upper(title)"),
    ],
    primary_key=["id"],
    foreign_keys=[KEY],
    indexes=[Index("i", ["title", desc(sql("lower(title)"))], where="title <> ''")],
    checks=[Check("c", "length(title) > 0")],
    statements=[Statement("v", "CREATE VIEW v", "DROP VIEW v")],
)
START = Schema([TEAMS, POSTS])
BARE = Schema([TEAMS])


def up(db):
    db.execute("SELECT 1")


def with_table(table):
    return Schema([TEAMS, table])


def posts(**fields):
    return with_table(replace(POSTS, **fields))


EFFECTS = [
    (CreateTable("tags", [ID]), Schema([TEAMS, POSTS, Table("tags", [ID])])),
    (DropTable("posts"), BARE),
    (AddColumn("posts", A), posts(columns=[*POSTS.columns, A])),
    (
        AlterColumn("posts", old=POSTS.columns[2], new=Column("title", "integer")),
        posts(columns=[*POSTS.columns[:2], Column("title", "integer"), POSTS.columns[3]]),
    ),
    (
        AddIndex("posts", ["id"], name="j", unique=True),
        posts(indexes=[*POSTS.indexes, Index("j", ["id"], unique=True)]),
    ),
    (DropIndex("posts", ["title"], name="i"), posts(indexes=[])),
    (AddCheck("posts", "id > 0", name="d"), posts(checks=[*POSTS.checks, Check("d", "id > 0")])),
    (DropCheck("posts", "length(title) > 0", name="c"), posts(checks=[])),
    (DropForeignKey("posts", KEY), posts(foreign_keys=[])),
    (
        ChangePrimaryKey("posts", old=["id"], new=["title", "id"]),
        posts(primary_key=["title", "id"]),
    ),
    (ChangePrimaryKey("posts", old=["id"], new=[]), posts(primary_key=[])),
    (SetOptions("posts", old=Options(), new=Options(strict=True)), posts(options=Options(True))),
    (
        AddStatement("posts", "w", up="CREATE VIEW w", down="DROP VIEW w"),
        posts(statements=[*POSTS.statements, Statement("w", "CREATE VIEW w", "DROP VIEW w")]),
    ),
    (DropStatement("posts", "v", up="CREATE VIEW v", down="DROP VIEW v"), posts(statements=[])),
    (Fill("posts", "title", "'x'"), START),
    (Execute(up="DROP TABLE posts"), START),
    (Run(up=up), START),
]


@pytest.mark.parametrize(("operation", "after"), EFFECTS, ids=lambda item: type(item).__name__)
def test_an_operation_does_what_its_name_says(operation, after):
    assert apply(START, operation) == after


def test_a_new_column_brings_its_foreign_key_and_takes_it_along():
    column = Column("owner_id", "integer", references=ForeignKey("teams", on_delete="cascade"))
    after = apply(START, AddColumn("posts", column))
    assert after["posts"].column("owner_id") == Column("owner_id", "integer")
    assert after["posts"].foreign_keys[1].name == "posts_owner_id_fkey"
    assert apply(after, DropColumn("posts", column)) == START


def test_a_renamed_column_is_renamed_wherever_it_is_named():
    after = apply(START, RenameColumn("posts", "title", "order"))["posts"]
    assert [column.name for column in after.columns] == ["id", "team_id", "order", "loud"]
    assert after.column("loud").generated_as == 'upper("order")'
    assert after.indexes[0].keys == ("order", desc(sql('lower("order")')))
    assert after.indexes[0].where == "\"order\" <> ''"
    assert after.checks[0].sql == 'length("order") > 0'
    assert after.statements == POSTS.statements, "SQL of the user's own is the user's to change"


def test_a_renamed_key_is_renamed_in_the_tables_that_refer_to_it():
    after = apply(START, RenameColumn("teams", "id", "number"))
    assert after["teams"].primary_key == ("number",)
    assert after["posts"].foreign_keys[0].keys == ("number",)
    after = apply(START, RenameColumn("posts", "team_id", "owner_id"))
    assert after["posts"].foreign_keys[0].columns == ("owner_id",)
    assert after["posts"].foreign_keys[0].name == KEY.name


def test_a_renamed_table_keeps_its_place_in_the_keys_of_others_and_its_own():
    own = ForeignKey("posts", columns=["team_id"], name="own").owned("posts")
    start = posts(foreign_keys=[KEY, own])
    after = apply_all(start, [RenameTable("posts", "articles"), RenameTable("teams", "groups")])
    assert set(after) == {"articles", "groups"}
    assert {key.table for key in after["articles"].foreign_keys} == {"articles", "groups"}


def test_statements_of_a_domain_stand_under_a_name_of_their_own():
    operation = AddStatement("@domain", "v", up="CREATE VIEW v", down="DROP VIEW v")
    after = apply(BARE, operation)
    assert after["@domain"].statements[0].name == "v"
    assert apply_all(after, reverse_all([operation])) == BARE


MISFITS = [
    (CreateTable("posts", [ID]), "table posts is there already"),
    (DropTable("tags"), "table tags is not there"),
    (RenameTable("tags", "x"), "table tags is not there"),
    (RenameTable("posts", "teams"), "table teams is there already"),
    (AddColumn("tags", A), "table tags is not there"),
    (AddColumn("teams", A), "a of table teams is there already"),
    (DropColumn("teams", Column("x", "text")), "x of table teams is not there"),
    (DropColumn("teams", ID), "the primary key of table teams has column id"),
    (DropColumn("posts", POSTS.columns[1]), "posts_team_id_fkey of table posts has column team_id"),
    (DropColumn("posts", POSTS.columns[2]), "i of table posts has column title"),
    (RenameColumn("teams", "x", "y"), "column teams.x is not there"),
    (RenameColumn("teams", "id", "a"), "column teams.a is there already"),
    (AlterColumn("teams", old=Column("x", "text"), new=Column("x", "json")), "column teams.x"),
    (AddIndex("posts", ["id"], name="i"), "i of table posts is there already"),
    (DropIndex("teams", ["id"], name="i"), "i of table teams is not there"),
    (AddCheck("posts", "1", name="c"), "c of table posts is there already"),
    (DropCheck("teams", "1", name="c"), "c of table teams is not there"),
    (AddForeignKey("posts", KEY), "posts_team_id_fkey of table posts is there already"),
    (DropForeignKey("teams", KEY), "posts_team_id_fkey of table teams is not there"),
    (ChangePrimaryKey("teams", old=["id"], new=["x"]), "column teams.x is not there"),
    (SetOptions("tags", old=Options(), new=Options()), "table tags is not there"),
    (AddStatement("tags", "v", up="", down=""), "table tags is not there"),
    (AddStatement("posts", "v", up="", down=""), "v of table posts is there already"),
    (DropStatement("@domain", "v", up="", down=""), "table @domain is not there"),
    (DropStatement("posts", "w", up="", down=""), "w of table posts is not there"),
    (Fill("tags", "a", "1"), "table tags is not there"),
]


@pytest.mark.parametrize(("operation", "why"), MISFITS, ids=range(len(MISFITS)))
def test_an_operation_that_does_not_fit_says_why(operation, why):
    with pytest.raises(SchemaError) as caught:
        apply(START, operation)
    name = type(operation).__name__
    assert caught.value.message.startswith(f"{name} does not fit the schema: {why}")
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_schema_is_never_changed_in_place():
    before = Schema([TEAMS, POSTS])
    apply_all(START, [DropTable("posts"), RenameTable("teams", "x")])
    assert before == START
