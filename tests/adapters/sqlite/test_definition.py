from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.adapters.sqlite import clauses, edit
from ashflow.adapters.sqlite.definition import definition_of, parse
from ashflow.errors import SchemaError
from ashflow.schema.datatypes import Sql
from ashflow.schema.table import Check, Column, ForeignKey, Options, Table

ODD = """CREATE TABLE `odd` ( -- the start, with ( and ,
  [id] INTEGER /* a, b */ PRIMARY KEY ON CONFLICT ABORT AUTOINCREMENT,
  "a ""b"", c" VARCHAR ( 10 , 2 ) DEFAULT 'it''s, (odd)' CONSTRAINT nn NOT NULL ON CONFLICT REPLACE,
  `c` DEFAULT -1 CHECK(c<>')')NOT NULL UNIQUE ON CONFLICT IGNORE COLLATE "NOCASE",
  d, -- about d
  'e' long varchar GENERATED ALWAYS AS (d || ',' || ifnull(c, (1))) STORED,
  f INT REFERENCES "odd" (id) ON DELETE SET NULL MATCH FULL NOT DEFERRABLE INITIALLY DEFERRED,
  g TEXT AS (lower(d)),
  CONSTRAINT k CHECK ( length(d) > 0 /* ) */ ) -- trailing
  UNIQUE(c, d COLLATE NOCASE DESC) ON CONFLICT ABORT,
  FOREIGN KEY (d) REFERENCES other DEFERRABLE INITIALLY DEFERRED
  -- the end
) STRICT """


def parts():
    names = st.sampled_from(["a", '"b, ("', "`c)`", "[d -- ]", "größe", "'e'", "\"f''\"", "key"])
    types = st.sampled_from(["", "INT", "VARCHAR(10, 2)", "long  text", '"t y"', "/* ( */ TEXT"])
    said = st.lists(
        st.sampled_from(
            [
                *("NOT NULL", "NULL", "DEFAULT 1", "DEFAULT - 1", "DEFAULT ('(' || \"a\")"),
                *("DEFAULT x'00'", "COLLATE nocase", "CHECK (1 IN (1, 2))", "UNIQUE"),
                *("CONSTRAINT [n )] CHECK(')' <> '--')", "REFERENCES t ON DELETE NO ACTION"),
                *("REFERENCES t(a) NOT DEFERRABLE", "AS (1 /* , */)", "PRIMARY KEY DESC"),
            ]
        ),
        max_size=4,
    )
    blank = st.sampled_from([" ", "\n", "  ", "/* , ( */", " -- , ) '\n", "\t"])

    @st.composite
    def column(draw):
        words = [draw(names), draw(types), *draw(said)]
        return draw(blank) + "".join(word + draw(blank) for word in words)

    constraints = st.sampled_from(
        [
            *("PRIMARY KEY (a, b DESC)", "UNIQUE (a)", "CONSTRAINT x CHECK (a <> ')')"),
            "FOREIGN KEY (a, b) REFERENCES t ON UPDATE CASCADE",
        ]
    )
    table = st.tuples(blank, constraints, blank).map("".join)
    suffix = st.sampled_from(["", " STRICT", "WITHOUT ROWID, STRICT", " /* ) */"])
    return st.tuples(
        st.lists(column(), min_size=1, max_size=4), st.lists(table, max_size=2), suffix
    )


@given(parts())
def test_the_parts_of_a_definition_are_its_text(found):
    columns, constraints, suffix = found
    text = f"CREATE TABLE t({','.join([*columns, *constraints])}){suffix}"
    definition = parse("t", text)
    assert definition.text == text
    assert len(definition.columns) == len(columns)
    assert len(definition.constraints) == len(constraints)
    assert not any(item.has("unknown") for item in definition.columns)


def test_an_odd_definition_is_understood():
    definition = parse("odd", ODD)
    assert definition.text == ODD
    assert [item.name for item in definition.columns] == [
        *("id", 'a "b", c', "c", "d", "e", "f", "g")
    ]
    kinds = [[clause.kind for clause in item.clauses] for item in definition.columns]
    assert kinds == [
        ["primary_key"],
        ["default", "not_null"],
        ["default", "check", "not_null", "unique", "collate"],
        [],
        ["generated"],
        ["references"],
        ["generated"],
    ]
    assert [clause.kind for clause in definition.constraints] == ["check", "unique", "foreign_key"]
    assert clauses.primary_key(definition) == ("id",)
    assert clauses.autoincrement(definition)
    assert definition.options == Options(strict=True)


def test_only_the_item_that_changes_changes():
    definition = parse("odd", ODD)
    definition = edit.drop_column(definition, "g")
    old, new = Column("c", "raw:X", default=-1), Column("c", "raw:X", default=2, nullable=True)
    definition = edit.alter_column(definition, old, new)
    definition = edit.drop_check(definition, Check("k", "?"))
    expected = (
        ODD.replace("\n  g TEXT AS (lower(d)),", "")
        .replace("DEFAULT -1 CHECK(c<>')')NOT NULL UNIQUE", "DEFAULT 2 CHECK(c<>')') UNIQUE")
        .replace("\n  CONSTRAINT k CHECK ( length(d) > 0 /* ) */ )", "")
    )
    assert definition.text == expected


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("id INTEGER PRIMARY KEY", "id"),
        ("id integer, PRIMARY KEY (id DESC)", "id"),
        ("id INTEGER PRIMARY KEY DESC", None),
        ("id INT PRIMARY KEY", None),
        ('id "INTEGER" PRIMARY KEY', "id"),
        ("id INTEGER, b, PRIMARY KEY (id, b)", None),
    ],
)
def test_the_alias_of_the_rowid_is_that_of_sqlite(text, alias):
    sql = f"CREATE TABLE t({text})"
    assert clauses.rowid_alias(parse("t", sql)) == alias
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(sql)
        db.execute("INSERT INTO t (rowid, id) VALUES (5, 5)")
        if alias is None:
            db.execute("UPDATE t SET id = 7")
        assert db.execute("SELECT rowid = id FROM t").fetchone()[0] == (alias is not None)


def test_a_new_table_is_written_to_be_read():
    table = Table(
        "posts",
        [
            Column("id", "integer", autoincrement=True),
            Column("title", "text", default="it's", collate="NOCASE"),
            Column("price", "decimal", nullable=True),
            Column("loud", "text", nullable=True, generated_as="upper(title)", stored=True),
        ],
        primary_key="id",
        foreign_keys=[
            ForeignKey("a", columns=["price"], name="fk", on_delete="set_null").owned("posts")
        ],
        checks=[Check("c", "title <> '' -- why")],
        options=Options(strict=True),
    )
    assert (
        definition_of(table).text
        == """CREATE TABLE "posts" (
  "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  "title" TEXT NOT NULL DEFAULT 'it''s' COLLATE "NOCASE",
  "price" /* decimal */ TEXT,
  "loud" TEXT GENERATED ALWAYS AS (upper(title)) STORED,
  CONSTRAINT "fk" FOREIGN KEY ("price") REFERENCES "a" ("id") ON DELETE SET NULL,
  CONSTRAINT "c" CHECK (title <> '' -- why
)
) STRICT"""
    )


def test_the_primary_key_moves_between_column_and_table():
    one = parse("t", "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, b TEXT)")
    two = edit.change_primary_key(one, ["a"], ["b", "a"])
    assert two.text == 'CREATE TABLE t(a INTEGER NOT NULL, b TEXT, PRIMARY KEY ("b", "a"))'
    back = edit.set_autoincrement(edit.change_primary_key(two, ["b", "a"], ["a"]), "a", on=True)
    assert back.text == "CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, b TEXT)"
    off = edit.set_autoincrement(back, "a", on=False)
    assert off.text == "CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY, b TEXT)"
    with pytest.raises(SchemaError, match=r"primary key of t is \(a\)"):
        edit.change_primary_key(off, ["b"], ["a"])


def test_autoincrement_of_a_table_constraint_is_switched_too():
    plain = parse("t", "CREATE TABLE t(a INTEGER, CONSTRAINT k PRIMARY KEY ( a ))")
    on = edit.set_autoincrement(plain, "a", on=True)
    assert on.text == "CREATE TABLE t(a INTEGER, CONSTRAINT k PRIMARY KEY ( a AUTOINCREMENT))"
    off = edit.set_autoincrement(on, "a", on=False)
    assert not clauses.autoincrement(off)


def test_words_do_not_run_together_when_one_between_goes():
    packed = parse("t", 'CREATE TABLE t(a "INT"NOT NULL,b TEXT CHECK(b)NOT NULL)')
    column = Column("a", "integer")
    typed = edit.alter_column(packed, column, Column("a", "text"))
    assert edit.drop_check(typed, Check("?", "b")).text == (
        "CREATE TABLE t(a TEXT NOT NULL,b TEXT NOT NULL)"
    )


def test_a_foreign_key_goes_by_its_name_or_by_what_it_says():
    definition = parse(
        "t",
        "CREATE TABLE t(a REFERENCES u, b CONSTRAINT x REFERENCES u(id), "
        "FOREIGN KEY (a, b) REFERENCES w (c, d))",
    )
    named = edit.drop_foreign_key(definition, ForeignKey("u", columns=["b"], name="x"))
    assert [key.columns for key in clauses.references(named)] == [("a",), ("a", "b")]
    told = edit.drop_foreign_key(named, ForeignKey("W", ("C", "D"), columns=["a", "b"]))
    assert edit.drop_foreign_key(told, ForeignKey("u", columns="a")).text == "CREATE TABLE t(a, b)"
    with pytest.raises(SchemaError, match="no foreign key"):
        edit.drop_foreign_key(told, ForeignKey("u", columns=["b"]).owned("t"))


def test_what_is_not_understood_is_refused_by_name():
    definition = parse("t", "CREATE TABLE t(a INT WHATEVER NOT SURE, b)")
    assert definition.text == "CREATE TABLE t(a INT WHATEVER NOT SURE, b)"
    with pytest.raises(SchemaError, match=r"column t\.a says what ashflow does not understand"):
        edit.alter_column(definition, Column("a", "integer"), Column("a", "text"))
    with pytest.raises(SchemaError, match="none that ashflow can change"):
        parse("v", "CREATE VIRTUAL TABLE v USING fts5(a)")


def test_decimals_follow_strict_and_back():
    loose = definition_of(Table("t", [Column("d", "decimal"), Column("t", "text")]))
    strict = edit.set_options(loose, Options(strict=True))
    assert [item.declared for item in strict.columns] == ["TEXT", "TEXT"]
    assert edit.set_options(strict, Options()).text == loose.text


@pytest.mark.parametrize(
    ("default", "value"),
    [
        *((0, 0), (-1, -1), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (1.5, 1.5)),
        *((float("inf"), float("inf")), (float("-inf"), float("-inf")), (b"\0\xff", b"\0\xff")),
        *(("", ""), ("it's", "it's"), ('"', '"'), ("NULL", "NULL"), (Sql("1 + 1 -- two"), 2)),
    ],
)
def test_sqlite_reads_a_default_as_it_was_meant(default, value):
    text = definition_of(Table("t", [Column("a", "raw:BLOB", default=default)])).text
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(text)
        db.execute("INSERT INTO t DEFAULT VALUES")
        assert db.execute("SELECT a FROM t").fetchone() == (value,)


@pytest.mark.parametrize("default", ["a\0b", float("nan"), 2**63])
def test_a_default_that_sqlite_cannot_keep_is_refused(default):
    with pytest.raises(SchemaError):
        definition_of(Table("t", [Column("a", "raw:BLOB", default=default)]))
