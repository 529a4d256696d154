from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest
from faults import Faulty, Plan, faulty

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import Care
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AlterColumn,
    ChangePrimaryKey,
    DropCheck,
    DropForeignKey,
    Execute,
    Fill,
    SetOptions,
)
from ashflow.errors import MigrationFailed, RowsForbid, SchemaError
from ashflow.schema.datatypes import Sql, utc_now
from ashflow.schema.table import Column, ForeignKey, Options


def column(name="a", type_="text", **said):
    return Column(name, type_, **{"nullable": True, **said})


def altered(old, **said):
    return AlterColumn(
        "t", old=old, new=Column(old.name, **{"type": old.type, "nullable": old.nullable, **said})
    )


@contextmanager
def changed_with(base, **care):
    """Change a database with another care: `run(operation, …)`."""
    with closing(
        connect("sqlite:///base.db", root=base.path.parent, log=base.told, care=Care(**care))
    ) as database:

        def run(*operations):
            base.log.clear()
            with database.locked() as session:
                session.run(operations)
            return list(base.log)

        yield run


def way(log):
    """How a table was changed."""
    if any("UPDATE sqlite_schema" in sql for sql in log):
        return "edited" if not any(sql.startswith("DROP TABLE") for sql in log) else "both"
    return "made anew" if any(sql.startswith("DROP TABLE") for sql in log) else "neither"


@pytest.fixture
def table(base):
    base.do(
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER, x, c TEXT COLLATE NOCASE, "
        "g TEXT AS (upper(a)), u TEXT UNIQUE)",
        "INSERT INTO t (id, a, n, x) VALUES (1, 'x', 1, 1), (2, 'y', 2, 1.0)",
    )
    return base


A, N, X = column(), column("n", "integer"), column("x", "binary")
KEY = ForeignKey("p", "id", columns=["n"], name="t_n_fkey")
FREE = {
    "NOT NULL": [altered(A, nullable=False)],
    "a default": [altered(A, default="d")],
    "a default that is computed": [altered(A, default=Sql("lower('D')"))],
    "a default where 1 and 1.0 are two values": [altered(X, default=1)],
    "another name of its type": [altered(A, type="raw:VARCHAR(20)")],
    "a check": [AddCheck("t", "n > 0", name="some")],
    "a check of a computed column": [AddCheck("t", "g <> 'Z'", name="some")],
    "all at once": [
        altered(A, nullable=False, type="raw:VARCHAR(9)"),
        altered(N, default=3),
        AddCheck("t", "a <> 'z' AND n > 0", name="some"),
    ],
}
BOUND = {
    "another affinity": [altered(A, type="binary")],
    "another collation": [altered(A, collate="NOCASE")],
    "no collation": [
        AlterColumn("t", old=column("c", collate="NOCASE"), new=column("c", type_="text"))
    ],
    "a computed column": [
        AlterColumn(
            "t",
            old=column("g", generated_as="upper(a)"),
            new=column("g", generated_as="lower(a)"),
        )
    ],
    "the type of the key": [
        AlterColumn("t", old=Column("id", "integer"), new=Column("id", "raw:INT", nullable=True))
    ],
    "another key": [ChangePrimaryKey("t", old=["id"], new=["id", "u"])],
    "STRICT": [
        AlterColumn("t", old=X, new=column("x", "raw:ANY")),
        SetOptions("t", old=Options(), new=Options(strict=True)),
    ],
    "WITHOUT ROWID": [SetOptions("t", old=Options(), new=Options(without_rowid=True))],
    "a column too": [altered(A, nullable=False), AddColumn("t", column("k", default=utc_now))],
}


@pytest.mark.parametrize("what", FREE)
def test_rows_stay_where_they_lie_and_the_definition_says_what_a_new_one_would(table, what):
    operations = FREE[what]
    rows = table.ask("SELECT rowid, * FROM t")
    assert way(table.run(*operations)) == "edited"
    edited = table.schema()["t"]
    assert table.ask("SELECT rowid, * FROM t") == rows
    assert table.ask("PRAGMA integrity_check") == [("ok",)]
    with closing(sqlite3.connect(table.path)) as other:  # who was not there reads the same
        assert other.execute("SELECT rowid, * FROM t").fetchall() == rows
        (sql,) = other.execute("SELECT sql FROM sqlite_master WHERE name = 't'").fetchone()
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.execute(sql)
        told = "PRAGMA table_xinfo(t)"
        assert table.ask(told) == fresh.execute(told).fetchall()
    assert edited == table.schema()["t"]


@pytest.mark.parametrize("what", BOUND)
def test_what_changes_how_rows_lie_means_another_table(table, what):
    assert way(table.run(*BOUND[what])) == "made anew"
    assert table.ask("SELECT id, a, n FROM t ORDER BY id") == [(1, "x", 1), (2, "y", 2)]


def test_a_foreign_key_comes_and_goes_and_is_enforced(table):
    table.do("INSERT INTO p VALUES (1), (2)")
    assert way(table.run(AddForeignKey("t", KEY))) == "edited"
    with table.database.locked(foreign_keys=True) as session, pytest.raises(RowsForbid):
        session.execute("UPDATE t SET n = 9")
    assert way(table.run(DropForeignKey("t", KEY))) == "edited"
    with table.database.locked(foreign_keys=True) as session:
        session.execute("UPDATE t SET n = 9")


def test_rows_that_a_new_foreign_key_forbids_are_counted(table):
    before = table.dump()
    with pytest.raises(RowsForbid, match="2 rows of t would refer to rows of p that are not"):
        table.run(AddForeignKey("t", KEY))
    assert table.dump() == before


def test_the_new_constraint_holds_for_the_next_row(table):
    table.run(altered(A, nullable=False), AddCheck("t", "n > 0", name="some"))
    for values in ("(NULL, 1)", "('z', 0)"):
        with pytest.raises(RowsForbid), table.database.locked() as session:
            session.execute(f"INSERT INTO t (a, n) VALUES {values}")
    table.run(DropCheck("t", "n > 0", name="some"))
    table.do("INSERT INTO t (a, n) VALUES ('z', 0)")


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ([altered(A, nullable=False)], "1 row would have NULL in t.a, which is NOT NULL"),
        ([AddCheck("t", "n > 2", name="some")], "2 rows of t would not meet the check some"),
        ([AddCheck("t", "g > 'X'", name="some")], "1 row of t would not meet the check some"),
    ],
)
def test_rows_that_forbid_it_are_counted_before_anything_is_done(table, operations, told):
    table.do("INSERT INTO t (a, n) VALUES (NULL, 7)")
    before = table.dump()
    table.log.clear()
    with pytest.raises(RowsForbid, match=told):
        table.run(*operations)
    assert table.log == []
    assert table.dump() == before


def test_null_is_filled_first(table):
    table.do("INSERT INTO t (id) VALUES (3), (4)", "UPDATE t SET n = 8 WHERE id = 4")
    log = table.run(Fill("t", "a", "'f' || n"), altered(A, nullable=False, default="d"))
    assert way(log) == "edited"
    assert table.ask("SELECT id, a FROM t") == [(1, "x"), (2, "y"), (3, "d"), (4, "f8")]


def test_a_fill_sets_off_the_triggers_that_keep_other_things_in_step(table):
    table.do(
        "INSERT INTO t (id) VALUES (3)",
        "CREATE VIRTUAL TABLE found USING fts5 (a, content='t', content_rowid='id')",
        "INSERT INTO found (found) VALUES ('rebuild')",
        "CREATE TRIGGER changed AFTER UPDATE ON t BEGIN "
        "INSERT INTO found (found, rowid, a) VALUES ('delete', OLD.id, OLD.a); "
        "INSERT INTO found (rowid, a) VALUES (NEW.id, NEW.a); END",
    )
    loose, tight = altered(A, nullable=False, default="filled"), altered(A, nullable=False)
    for operations in ([loose], [AddColumn("t", column("k", default=utc_now)), loose]):
        table.run(*operations)
        assert table.ask("SELECT rowid FROM found WHERE found MATCH 'filled'") == [(3,)]
        table.do("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")
        table.run(AlterColumn("t", old=tight.new, new=A))
        table.do("UPDATE t SET a = NULL WHERE id = 3")


def test_a_trigger_that_forbids_a_fill_is_heard(table):
    table.do(
        "CREATE TRIGGER still BEFORE UPDATE ON t BEGIN SELECT RAISE(ABORT, 'still!'); END",
        "INSERT INTO t (id) VALUES (3)",
    )
    before = table.dump()
    with pytest.raises(RowsForbid, match="still!"):
        table.run(altered(A, nullable=False, default="d"))
    assert table.dump() == before


def test_a_trigger_that_passes_over_a_fill_is_guessed(table):
    table.do(
        "CREATE TRIGGER still BEFORE UPDATE ON t BEGIN SELECT RAISE(IGNORE); END",
        "INSERT INTO t (id) VALUES (3)",
    )
    before = table.dump()
    with pytest.raises(RowsForbid, match=r"NULL in t\.a, .* though it") as error:
        table.run(altered(A, nullable=False, default="d"))
    assert "a trigger of the table passes over the UPDATE" in error.value.hint
    assert table.dump() == before


@pytest.mark.parametrize("sql", ["(NULL)", "nullif(1, 1)"])
@pytest.mark.parametrize("verify", [True, False])
def test_a_default_that_is_null_fills_nothing(table, sql, verify):
    table.do("INSERT INTO t (id) VALUES (3)")
    before = table.dump()
    refused = pytest.raises(RowsForbid, match=r"1 row would have NULL in t\.a")
    with changed_with(table, verify=verify) as run, refused:
        run(altered(A, nullable=False, default=Sql(sql)))
    assert table.dump() == before


@pytest.mark.parametrize(("fill", "check"), [("-1", "g > 0"), ("1", "n <> '5'"), ("9", "n < 9")])
def test_a_check_that_comes_with_a_fill_is_counted_on_the_rows_as_they_will_be(base, fill, check):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, g INTEGER AS (n * 2))",
        "INSERT INTO t (n) VALUES (5), (NULL)",
    )
    before = base.dump()
    with pytest.raises(RowsForbid, match="1 row of t would not meet the check k"):
        base.run(Fill("t", "n", fill), altered(N, nullable=False), AddCheck("t", check, name="k"))
    assert base.dump() == before


def test_a_check_that_goes_does_not_stand_in_the_way_of_a_fill(table):
    table.run(AddCheck("t", "a IS NULL OR a <> 'd'", name="some"))
    table.do("INSERT INTO t (id) VALUES (3)")
    drop = DropCheck("t", "a IS NULL OR a <> 'd'", name="some")
    table.run(drop, altered(A, nullable=False, default="d"))
    assert table.ask("SELECT a FROM t WHERE id = 3") == [("d",)]


# A default of which rows are made


DEFAULTS = [
    *(("5", "7"), ("5", None), (None, "7"), ("5", "(abs(-7))"), ("-5", "5"), ("0", None)),
    *(("TRUE", "FALSE"), ("(CAST('1' AS INTEGER))", "(CAST('2' AS INTEGER))")),
]


@pytest.mark.parametrize(("before", "after"), DEFAULTS)
@pytest.mark.parametrize("made", [(), ("CREATE INDEX i ON t (n)",), ("CREATE INDEX i ON t (-n)",)])
@pytest.mark.parametrize("rowid", ["", " WITHOUT ROWID"])
def test_a_row_that_is_made_of_a_default_keeps_its_value(base, before, after, made, rowid):
    base.do(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, fat){rowid}",
        "INSERT INTO t VALUES (1, zeroblob(500))",
        f"ALTER TABLE t ADD COLUMN n INTEGER DEFAULT {before or 'NULL'}",
        *made,
    )
    old, new = (None if sql is None else Sql(sql) for sql in (before, after))
    rows = base.ask("SELECT id, n FROM t NOT INDEXED")
    assert way(base.run(altered(column("n", "integer", default=old), default=new))) == "made anew"
    assert base.ask("SELECT id, n FROM t NOT INDEXED") == rows
    assert base.ask("PRAGMA integrity_check") == [("ok",)]
    base.do("INSERT INTO t (id) VALUES (2)")
    assert base.ask("SELECT n FROM t WHERE id = 2") == base.ask(f"SELECT {after or 'NULL'}")


def test_of_two_defaults_the_last_one_counts(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 1 DEFAULT 2",
    )
    base.run(altered(column("n", "integer", default=2), default=1))
    assert base.ask("SELECT * FROM t") == [(1, 2)]


def test_a_default_is_edited_where_every_row_has_its_own_value(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    old = column("n", "integer", default=5)
    base.run(AddColumn("t", old))
    base.do("UPDATE t SET n = n")
    assert way(base.run(altered(old, default=7))) == "edited"
    assert base.ask("SELECT id, n FROM t") == [(1, 5)]


def test_row_ids_that_no_name_reaches_stay_where_they_are(base):
    base.do("CREATE TABLE t (rowid, _rowid_, oid, a TEXT)", "INSERT INTO t VALUES (1, 2, 3, 'x')")
    assert way(base.run(altered(A, nullable=False))) == "edited"
    old = column("n", "integer", default=5)
    base.run(AddColumn("t", old))
    before = base.dump()
    with pytest.raises(SchemaError, match="row ids cannot be kept"):
        base.run(altered(old, default=7))
    assert base.dump() == before


def test_two_spellings_of_one_default_are_one(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    old = column("n", "integer", default=5)
    base.run(AddColumn("t", old))
    assert way(base.run(altered(old, default=Sql("5")))) == "edited"
    assert base.ask("SELECT n FROM t") == [(5,)]


# Where nobody may write a definition, or it goes wrong


def test_a_build_that_lets_nobody_write_there_makes_the_table_anew(table, monkeypatch):
    whole = Faulty.execute

    def execute(self, sql, *args):
        if sql.startswith("UPDATE sqlite_schema"):
            raise sqlite3.OperationalError("table sqlite_master may not be modified")
        return whole(self, sql, *args)

    monkeypatch.setattr(Faulty, "execute", execute)
    table.database.close()
    with faulty(Plan()):
        log = table.run(altered(A, nullable=False))
    assert way(log) == "both"  # it was told before it failed
    assert not table.schema()["t"].column("a").nullable
    assert table.ask("SELECT id, a FROM t") == [(1, "x"), (2, "y")]


def test_a_definition_that_was_undone_is_not_what_the_next_change_sees(table):
    before = table.schema()["t"]
    with pytest.raises(MigrationFailed), table.database.locked() as session:
        session.run([altered(A, nullable=False), Execute(up="nonsense")])
    with closing(sqlite3.connect(table.path, isolation_level=None)) as other:
        other.execute("CREATE TABLE elsewhere (a)")  # counts the schema as far as we had
    with table.database.locked() as session:
        assert session.introspect()["t"] == before
        session.execute("INSERT INTO t (a) VALUES (NULL)")
    assert way(table.run(AddCheck("t", "id > 0", name="some"))) == "edited"
    assert table.schema()["t"].column("a").nullable


def test_a_table_is_made_anew_where_that_is_asked_for(table):
    with changed_with(table, rebuild=True) as run:
        assert way(run(altered(A, nullable=False))) == "made anew"
