from __future__ import annotations

import pytest

from ashflow.schema.datatypes import Desc, Sql
from ashflow.schema.table import DOMAIN, Check, ForeignKey, Index, Options


def told(base, *statements):
    base.do(*statements)
    return base.schema()


def test_a_table_is_read_back_whole(base):
    table = told(
        base,
        "CREATE TABLE u (k TEXT PRIMARY KEY)",
        """CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL DEFAULT ('x') COLLATE nocase CONSTRAINT c CHECK(name<>''),
        up TEXT AS (upper(name)) STORED, u TEXT REFERENCES u ON DELETE SET NULL,
        CHECK (id > 0)) STRICT""",
        "CREATE UNIQUE INDEX i ON t (name, lower(up) DESC) WHERE name IS NOT NULL",
    )["t"]
    assert table.primary_key == ("id",)
    assert table.options == Options(strict=True)
    name = table.column("name")
    assert (name.type, name.nullable, name.default, name.collate) == (
        *("raw:TEXT", False, Sql("('x')")),
        "nocase",
    )
    assert table.column("id").autoincrement
    assert table.column("up").generated_as == "upper(name)"
    assert table.column("up").stored
    assert table.foreign_keys == (
        ForeignKey("u", "k", columns=["u"], on_delete="set_null", name="t_u_fkey"),
    )
    assert table.checks == (Check("c", "name <> ''"), Check("t_unnamed_2_check", "id > 0"))
    assert table.indexes == (
        Index("i", ["name", Desc(Sql("lower(up)"))], unique=True, where="name IS NOT NULL"),
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("(a TEXT PRIMARY KEY)", "(a  TEXT , PRIMARY KEY(a))"),
        ("(a REFERENCES u(k))", '("a", FOREIGN KEY ([a]) REFERENCES "u" (`k`))'),
        ("(a, CONSTRAINT c CHECK (a>0))", '(a CONSTRAINT "c" CHECK ( "a" > /* x */ 0 ))'),
        ("(a DEFAULT NULL)", "(a)"),
        ("(a UNIQUE)", "(a, UNIQUE (a))"),
        ("(a AS (b+1), b)", '(a GENERATED ALWAYS AS ( "b" + 1 ) VIRTUAL, b)'),
    ],
)
def test_two_ways_to_say_the_same_are_the_same(base, left, right):
    base.do("CREATE TABLE u (k PRIMARY KEY)", f"CREATE TABLE t {left}")
    first = base.schema()["t"]
    base.do("DROP TABLE t", f"CREATE TABLE t {right}")
    assert base.schema()["t"] == first


def test_what_is_no_table_comes_as_statements(base):
    schema = told(
        base,
        "CREATE TABLE t (a)",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE VIRTUAL TABLE s USING fts5(a)",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER h INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
    )
    assert set(schema) == {"t", DOMAIN}
    assert [statement.name for statement in schema["t"].statements] == ["g"]
    assert [statement.name for statement in schema[DOMAIN].statements] == ["s", "v", "h"]


def test_odd_names_are_read_back(base):
    schema = told(
        base,
        """CREATE TABLE "a ""b"" (c)" ([x y] INT, `q``r` TEXT, 'it''s' BLOB, "größe 🐘" REAL)""",
        """CREATE INDEX "on (x)" ON "a ""b"" (c)" ([x y], `q``r` COLLATE NOCASE ASC)""",
    )
    table = schema['a "b" (c)']
    assert [column.name for column in table.columns] == ["x y", "q`r", "it's", "größe 🐘"]
    assert table.index("on (x)").keys == ("x y", Sql('"q`r" COLLATE NOCASE'))
