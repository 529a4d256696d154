from __future__ import annotations

import pytest

from ashflow.adapters.sqlite.catalog import EMPTY
from ashflow.adapters.sqlite.dialect import statements
from ashflow.adapters.sqlite.stretches import stretches
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropTable,
    Execute,
    Fill,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from ashflow.change.reverse import reverse_all
from ashflow.errors import MigrationFailed, RowsForbid, SchemaError
from ashflow.schema.datatypes import Sql, desc, sql, utc_now
from ashflow.schema.table import Column, ForeignKey, Options

ID = Column("id", "integer", primary_key=True)
TEAMS = CreateTable("teams", [Column("id", "text", primary_key=True), Column("name", "text")])
POSTS = CreateTable(
    "posts",
    [
        Column("id", "integer", primary_key=True, autoincrement=True),
        Column("title", "text"),
        Column("body", "text", nullable=True),
        Column(
            "team_id", "text", nullable=True, references=ForeignKey("teams", on_delete="cascade")
        ),
    ],
)
REBUILT = "__ashflow_new_"


def rebuilt(log):
    return sum(statement.startswith("DROP TABLE") for statement in log)


@pytest.fixture
def blog(base):
    base.run(TEAMS, POSTS)
    base.do(
        "INSERT INTO teams VALUES ('t', 'Team')",
        "INSERT INTO posts VALUES (3, 'a', 'A', 't'), (5, 'b', NULL, NULL), (9, 'z', NULL, NULL)",
        "DELETE FROM posts WHERE id = 9",
    )
    return base


@pytest.mark.parametrize(
    "column",
    [
        Column("n", "integer", nullable=True),
        Column("n", "integer", default=0),
        Column("n", "float", default=float("inf")),
        Column("n", "text", default="it's", collate="NOCASE"),
        Column("n", "text", nullable=True, generated_as="upper(title)"),
        Column("n", "text", nullable=True, references=ForeignKey("teams")),
    ],
)
def test_a_column_that_sqlite_can_add_is_added_by_sqlite(blog, column):
    log = blog.run(AddColumn("posts", column))
    assert len(log) == 1
    assert log[0].startswith('ALTER TABLE "posts" ADD COLUMN "n"')
    assert blog.schema()["posts"].column("n").nullable == column.nullable


@pytest.mark.parametrize(
    "column",
    [
        Column("n", "utc_datetime", default=utc_now),
        Column("n", "text", nullable=True, default=Sql("lower('A')")),
        Column("n", "text", nullable=True, generated_as="upper(title)", stored=True),
        Column("n", "text", generated_as="upper(title)"),
        Column("n", "text", default="t", references=ForeignKey("teams")),
    ],
)
def test_a_column_that_sqlite_would_add_to_an_empty_table_only_means_a_rebuild(blog, column):
    assert rebuilt(blog.run(AddColumn("posts", column))) == 1
    assert blog.ask("SELECT id, title, n IS NULL FROM posts") == [(3, "a", 0), (5, "b", 0)]


def test_new_rows_and_old_ones_get_the_moment_as_utc_now_writes_it(blog):
    blog.run(AddColumn("posts", Column("at", "utc_datetime", default=utc_now)))
    form = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9]*Z"
    assert blog.ask(f"SELECT count(*) FROM posts WHERE at GLOB '{form}'") == [(2,)]


def test_a_column_that_nothing_names_is_dropped_by_sqlite(blog):
    log = blog.run(DropColumn("posts", Column("body", "text", nullable=True)))
    assert log == ['ALTER TABLE "posts" DROP COLUMN "body"']


def test_a_column_of_a_view_elsewhere_is_dropped_by_a_rebuild(blog):
    blog.do("CREATE VIEW broken AS SELECT * FROM nowhere", "CREATE VIEW fine AS SELECT 1 AS body")
    log = blog.run(DropColumn("posts", Column("body", "text", nullable=True)))
    assert rebuilt(log) == 1


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("CREATE INDEX by_body ON posts (lower(body))", "index by_body"),
        ("CREATE TRIGGER t AFTER UPDATE OF title, body ON posts BEGIN SELECT 1; END", "trigger t"),
    ],
)
def test_a_column_that_an_index_or_trigger_needs_is_not_dropped(blog, made, what):
    blog.do(made)
    before = blog.dump()
    with pytest.raises(SchemaError, match=f"posts.body cannot be dropped: .*{what}"):
        blog.run(DropColumn("posts", Column("body", "text", nullable=True)))
    assert blog.dump() == before


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW v AS SELECT body FROM posts",
        "CREATE TRIGGER v AFTER INSERT ON posts BEGIN UPDATE posts SET title = NEW.body; END",
        "CREATE TRIGGER v AFTER DELETE ON teams BEGIN DELETE FROM posts WHERE body = OLD.id; END",
    ],
)
def test_a_column_that_a_view_or_trigger_body_needs_is_not_dropped(blog, made):
    blog.do(made)
    before = blog.dump()
    with pytest.raises(MigrationFailed, match=r"would break the (view|trigger) v"):
        blog.run(DropColumn("posts", Column("body", "text", nullable=True)))
    assert blog.dump() == before


def test_a_column_goes_with_its_index_in_one_migration(blog):
    index = AddIndex("posts", ["body"], name="by_body")
    blog.run(index)
    log = blog.run(
        DropIndex("posts", ["body"], name="by_body"),
        DropColumn("posts", Column("body", "text", nullable=True)),
    )
    assert log == ['DROP INDEX "by_body"', 'ALTER TABLE "posts" DROP COLUMN "body"']


def test_a_column_that_another_constraint_names_is_not_dropped(blog):
    blog.run(AddCheck("posts", "length(body) < 9", name="short"))
    with pytest.raises(SchemaError, match="used by check short"):
        blog.run(DropColumn("posts", Column("body", "text", nullable=True)))


def test_a_function_of_the_same_name_is_no_column(blog):
    blog.run(
        AddColumn("posts", Column("length", "integer", nullable=True)),
        AddCheck("posts", "length(title) < 9", name="short"),
    )
    blog.run(DropColumn("posts", Column("length", "integer", nullable=True)))
    assert blog.schema()["posts"].column("length") is None


@pytest.mark.parametrize(
    "operations",
    [
        [AlterColumn("posts", old=Column("title", "text"), new=Column("title", "binary"))],
        [
            AlterColumn(
                "posts", old=Column("title", "text"), new=Column("title", "text", nullable=True)
            )
        ],
        [
            AlterColumn(
                "posts", old=Column("title", "text"), new=Column("title", "text", default="x")
            )
        ],
        [
            AlterColumn(
                "posts", old=Column("title", "text"), new=Column("title", "text", collate="NOCASE")
            )
        ],
        [
            AlterColumn(
                "posts",
                old=Column("id", "integer", autoincrement=True),
                new=Column("id", "integer"),
            )
        ],
        [AddCheck("posts", "title <> ''", name="some")],
        [AddForeignKey("posts", ForeignKey("posts", "id", columns=["body"]))],
        [DropForeignKey("posts", ForeignKey("teams", columns=["team_id"], on_delete="cascade"))],
        [ChangePrimaryKey("posts", old=["id"], new=["title", "id"])],
        [ChangePrimaryKey("posts", old=["id"], new=[])],
        [SetOptions("posts", old=Options(), new=Options(strict=True))],
        [RenameColumn("posts", "title", "headline"), RenameTable("posts", "articles")],
        [
            DropColumn("posts", Column("body", "text", nullable=True)),
            AddColumn("posts", Column("body", "integer", default=1)),
        ],
        [
            AddColumn("posts", Column("n", "text", default=utc_now)),
            AddIndex("posts", [desc("title"), sql("lower(body)")], name="i", where="id > 0"),
        ],
        [CreateTable("tags", [ID], indexes=[AddIndex("tags", "id", name="x").index])],
    ],
)
def test_an_operation_goes_up_and_down_and_up_again(blog, operations):
    if isinstance(operations[0], AddForeignKey):
        blog.do("UPDATE posts SET body = NULL")
    shared = "SELECT rowid, title, team_id FROM posts"
    start, rows = blog.schema(), blog.ask(shared)
    blog.run(*operations)
    there = blog.schema()
    assert there != start
    down = reverse_all(operations)
    if any(isinstance(op, AlterColumn) and op.new.nullable for op in operations):
        down = [Fill("posts", "title", "''"), *down]
    blog.run(*down)
    back = blog.schema()
    assert dict(back)["posts"].column("title") == start["posts"].column("title")
    assert {name: set(t.columns) for name, t in back.items()} == {
        name: set(t.columns) for name, t in start.items()
    } or isinstance(operations[0], ChangePrimaryKey)
    assert blog.ask(shared) == rows
    blog.run(*operations)
    assert dict(blog.schema()) == dict(there)
    assert blog.ask("PRAGMA integrity_check") == [("ok",)]


def test_a_word_for_the_reader_touches_nothing(blog):
    old = Column("title", "text")
    new = Column("title", "text", max_length=9, comment="short", precision=1, scale=1)
    assert blog.run(AlterColumn("posts", old=old, new=new)) == []


def test_a_table_is_rebuilt_once_however_many_operations_touch_it(blog):
    log = blog.run(
        AddCheck("posts", "title <> ''", name="some"),
        AddColumn("posts", Column("n", "integer", default=1)),
        AddIndex("posts", ["n"], name="by_n"),
        AlterColumn("teams", old=Column("name", "text"), new=Column("name", "text", default="")),
        AlterColumn(
            "posts",
            old=Column("body", "text", nullable=True),
            new=Column("body", "text", default="none"),
        ),
        DropIndex("posts", ["n"], name="by_n"),
        AddIndex("posts", ["body"], name="by_body"),
    )
    assert [sql for sql in log if sql.startswith("DROP")] == ['DROP TABLE "posts"']
    assert log[-1] == 'CREATE INDEX "by_body" ON "posts" ("body")'
    assert not any("by_n" in sql for sql in log)
    assert blog.ask("SELECT id, body, n FROM posts") == [(3, "A", 1), (5, "none", 1)]


def test_a_table_made_in_the_same_migration_is_made_in_its_final_form(base):
    log = base.run(
        CreateTable("t", [ID]),
        AddColumn("t", Column("a", "text")),
        AddCheck("t", "a <> ''", name="some"),
        ChangePrimaryKey("t", old=["id"], new=["a"]),
        CreateTable("u", [ID]),
        DropTable("u", [ID]),
    )
    assert len(log) == 1
    assert base.schema()["t"].primary_key == ("a",)


def test_a_table_and_an_index_can_change_places(base):
    base.run(CreateTable("t", [ID]), AddIndex("t", "id", name="i"), CreateTable("u", [ID]))
    base.do("INSERT INTO t VALUES (1)")
    base.run(
        DropIndex("t", "id", name="i"),
        DropTable("t", [ID]),
        CreateTable("t", [Column("x", "text", primary_key=True)]),
        AddIndex("u", "id", name="i"),
    )
    assert base.ask("SELECT * FROM t") == []
    assert base.schema()["u"].indexes[0].name == "i"


def test_a_thousand_new_tables_are_one_stretch_that_reads_nothing():
    operations = [
        part
        for n in range(1000)
        for part in (
            CreateTable(f"t{n}", [ID]),
            AddColumn(f"t{n}", Column("a", "text")),
            AddIndex(f"t{n}", "a", name=f"i{n}"),
        )
    ]
    (stretch,) = stretches(operations)
    assert stretch.reads == frozenset()
    assert len(list(statements(EMPTY, stretch))) == 2000


def test_the_users_sql_and_renames_stand_apart():
    found = list(
        stretches(
            [
                AddColumn("t", Column("a", "text")),
                AddIndex("u", "a", name="i"),
                Execute(up="SELECT 1"),
                RenameTable("t", "v"),
                AddColumn("v", Column("b", "text")),
                Fill("v", "b", "upper(a)"),
                Fill("v", "c", "b"),
            ]
        )
    )
    assert [len(stretch.operations) for stretch in found] == [2, 1, 1, 2, 1]
    assert [sorted(stretch.reads) for stretch in found] == [["t"], [], [], ["v"], []]


def test_a_fill_gives_a_new_column_its_values(blog):
    blog.run(
        AddColumn("posts", Column("slug", "text")),
        Fill("posts", "slug", "lower(title) || '-' || id"),
        Fill("posts", "body", "'-'"),
        AlterColumn("posts", old=Column("body", "text", nullable=True), new=Column("body", "text")),
    )
    assert blog.ask("SELECT slug, body FROM posts") == [("a-3", "A"), ("b-5", "-")]


@pytest.mark.parametrize("columns_first", [True, False])
def test_a_fill_that_reads_another_one_has_its_new_column_with_it(blog, columns_first):
    one, two = (AddColumn("posts", Column(name, "integer")) for name in ("one", "two"))
    fills = Fill("posts", "one", "length(title)"), Fill("posts", "two", "one + 1")
    operations = [one, two, *fills] if columns_first else [one, fills[0], two, fills[1]]
    assert [stretch.operations for stretch in stretches(operations)] == [
        (one, fills[0]),
        (two, fills[1]),
    ]
    blog.run(*operations)
    assert blog.ask("SELECT one, two FROM posts") == [(1, 2), (1, 2)]


def test_a_fill_from_a_column_that_goes_keeps_its_values(blog):
    blog.run(
        AddColumn("posts", Column("text", "text")),
        Fill("posts", "text", "coalesce(body, title)"),
        DropColumn("posts", Column("body", "text", nullable=True)),
    )
    assert blog.ask("SELECT text FROM posts") == [("A",), ("b",)]


def test_a_fill_alone_is_an_update_that_writes_only_where_nothing_stands(blog):
    assert len(blog.run(Fill("posts", "body", "title"))) == 1
    assert blog.ask("SELECT body FROM posts") == [("A",), ("b",)]


def test_a_fill_in_a_rebuild_fires_the_triggers_of_the_table(blog):
    blog.do(
        "CREATE TABLE log (what)",
        "CREATE TRIGGER watch AFTER UPDATE ON posts BEGIN INSERT INTO log VALUES (NEW.body); END",
    )
    blog.run(
        Fill("posts", "body", "title"),
        AlterColumn("posts", old=Column("body", "text", nullable=True), new=Column("body", "text")),
    )
    assert blog.ask("SELECT what FROM log") == [("b",)]


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (
            AlterColumn(
                "posts", old=Column("body", "text", nullable=True), new=Column("body", "text")
            ),
            "1 row would have NULL in posts.body",
        ),
        (AddColumn("posts", Column("n", "integer")), "2 rows would have no value in posts.n"),
        (AddCheck("posts", "title = 'a'", name="c"), "1 row of posts would not meet the check c"),
        (
            AddIndex("posts", sql("length(title)"), name="i", unique=True),
            "2 rows of posts would not be unique",
        ),
        (
            ChangePrimaryKey("posts", old=["id"], new=["kind"]),
            "2 rows of posts would not be unique",
        ),
        (
            AddForeignKey("posts", ForeignKey("teams", columns=["kind"])),
            "2 rows of posts would refer to rows of teams that are not there",
        ),
    ],
)
def test_rows_that_forbid_a_change_are_counted_and_nothing_is_changed(blog, operation, told):
    blog.run(AddColumn("posts", Column("kind", "text", default="secret")))
    before = blog.dump()
    with pytest.raises(RowsForbid) as caught:
        blog.run(AddColumn("teams", Column("more", "text", default="")), operation)
    assert told in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    assert blog.dump() == before


def test_a_fill_that_finds_no_value_is_counted(blog):
    with pytest.raises(RowsForbid, match=r"1 row would have NULL in posts\.n"):
        blog.run(AddColumn("posts", Column("n", "text")), Fill("posts", "n", "team_id"))


def test_a_new_check_over_a_new_column_is_counted(blog):
    with pytest.raises(RowsForbid, match="2 rows of posts would not meet the check c"):
        blog.run(
            AddColumn("posts", Column("n", "integer", default=0)),
            AddCheck("posts", "posts.n > 0 AND id > 0", name="c"),
        )


def test_an_operation_on_what_is_not_there_is_an_error(blog):
    for operation, told in [
        (AddColumn("nope", Column("a", "text", nullable=True)), "no table nope"),
        (DropColumn("posts", Column("nope", "text")), "posts has no column nope"),
        (DropCheck("posts", "1", name="nope"), "posts has no check nope"),
        (AddColumn("posts", Column("title", "text", nullable=True)), "title already"),
    ]:
        with pytest.raises(SchemaError, match=told):
            blog.run(operation)
