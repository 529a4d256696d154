from __future__ import annotations

from dataclasses import replace

import pytest

from ashflow.adapters.sqlite.dependents import update_columns
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropColumn,
    DropForeignKey,
    DropTable,
    Execute,
    Fill,
    RenameTable,
    SetOptions,
)
from ashflow.errors import MigrationFailed, RowsForbid, SchemaError
from ashflow.schema.datatypes import Sql, utc_now
from ashflow.schema.table import Column, ForeignKey, Options


def change(table="t"):
    """An operation that means a rebuild."""
    return AddColumn(table, Column("at", "utc_datetime", default=utc_now))


def test_everything_that_hangs_on_a_table_is_there_afterwards(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT UNIQUE, up REFERENCES t(id))",
        "CREATE TABLE child (t_id INTEGER NOT NULL REFERENCES t(id) ON DELETE CASCADE)",
        "CREATE TABLE log (what)",
        "CREATE INDEX one ON t (a, up)",
        "CREATE UNIQUE INDEX two ON t (lower(a)) WHERE a IS NOT NULL",
        "CREATE TRIGGER own AFTER UPDATE OF a ON t BEGIN INSERT INTO log VALUES (NEW.a); END",
        "CREATE TRIGGER other AFTER INSERT ON child BEGIN UPDATE t SET a = a; END",
        "CREATE VIEW seen AS SELECT t.a, child.t_id FROM t JOIN child ON child.t_id = t.id",
        "CREATE VIEW broken AS SELECT * FROM nowhere",
        "CREATE TRIGGER through INSTEAD OF INSERT ON seen BEGIN INSERT INTO t(a) VALUES (1); END",
        "INSERT INTO t VALUES (4, 'x', NULL), (7, 'y', 4), (90, 'z', 90)",
        "DELETE FROM t WHERE id = 90",
        "INSERT INTO child VALUES (4), (7)",
        "DELETE FROM log",
    )
    made = "SELECT type, name, sql FROM sqlite_master WHERE name <> 't' AND sql IS NOT NULL"
    before, views = base.ask(made), base.ask("SELECT * FROM seen")
    base.run(change())
    assert sorted(base.ask(made)) == sorted(before)
    assert base.ask("SELECT * FROM seen") == views
    assert base.ask("SELECT id, a, up FROM t") == [(4, "x", None), (7, "y", 4)]
    assert base.ask("SELECT t_id FROM child") == [(4,), (7,)]
    assert base.ask("SELECT * FROM sqlite_sequence") == [("t", 90)]
    assert base.ask("SELECT * FROM log") == []
    with base.database.locked(foreign_keys=True) as session:
        session.execute("UPDATE t SET a = 'w' WHERE id = 7")
        session.execute("INSERT INTO t (a) VALUES ('new')")
        assert session.execute("SELECT max(id) FROM t") == [(91,)]
        assert session.execute("SELECT * FROM log") == [("w",)]
        session.execute("DELETE FROM t WHERE id = 4 OR up = 4")
        assert session.execute("SELECT * FROM child") == []


def test_the_counter_of_an_emptied_table_goes_on(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
        "INSERT INTO t VALUES (41, 1)",
        "DELETE FROM t",
    )
    base.run(change())
    base.run(change_again := AddCheck("t", "t.a > 0", name="own_name"))
    assert change_again.table == "t"
    base.do("INSERT INTO t (a) VALUES (1)")
    assert base.ask("SELECT id FROM t") == [(42,)]
    assert base.ask("SELECT * FROM sqlite_sequence") == [("t", 42)]


@pytest.mark.parametrize(
    "columns",
    [
        *("a", "a TEXT PRIMARY KEY", "rowid TEXT, a", "rowid, _rowid_, a"),
        *("a, n INTEGER PRIMARY KEY DESC", "a, n INTEGER, m, PRIMARY KEY (n, m)"),
    ],
)
def test_row_ids_are_kept(base, columns):
    base.do(f"CREATE TABLE t ({columns})", "INSERT INTO t (oid, a) VALUES (3, 'x'), (8, 'y')")
    base.run(change())
    assert base.ask("SELECT oid, a FROM t ORDER BY oid") == [(3, "x"), (8, "y")]


def test_row_ids_that_no_name_reaches_are_a_refusal(base):
    base.do("CREATE TABLE t (rowid, _rowid_, oid)", "INSERT INTO t VALUES (1, 2, 3)")
    with pytest.raises(SchemaError, match="row ids cannot be kept"):
        base.run(change())


def test_a_key_that_was_the_rowid_stays_the_rowid_when_it_is_a_key_no_more(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (9, 1)")
    base.run(ChangePrimaryKey("t", old=["id"], new=[]))
    assert base.ask("SELECT rowid, id FROM t") == [(9, 9)]


def test_a_new_integer_key_takes_the_row_ids(base):
    base.do("CREATE TABLE t (a)", "INSERT INTO t (rowid, a) VALUES (9, 'x'), (12, 'y')")
    base.run(
        AddColumn("t", Column("id", "integer", autoincrement=True)),
        ChangePrimaryKey("t", old=[], new=["id"]),
    )
    assert base.ask("SELECT id, a FROM t") == [(9, "x"), (12, "y")]
    base.do("INSERT INTO t (a) VALUES ('z')")
    assert base.ask("SELECT max(id) FROM t") == [(13,)]


def test_on_conflict_of_a_column_drops_no_row(base):
    base.do(
        "CREATE TABLE t (a TEXT UNIQUE ON CONFLICT IGNORE, b TEXT)",
        "INSERT INTO t VALUES ('x', 1), ('y', NULL)",
    )
    base.run(
        AlterColumn(
            "t", old=Column("b", "text", nullable=True), new=Column("b", "text", default="d")
        )
    )
    assert base.ask("SELECT * FROM t") == [("x", "1"), ("y", "d")]


def test_values_are_copied_as_they_are(base):
    base.do(
        "CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB, n)",
        "INSERT INTO t VALUES (9223372036854775807, 9e999, 'a' || char(0) || 'b', x'00ff', 'q'), "
        "(-9223372036854775808, -0.0, '', zeroblob(2), NULL), ('text', 'text', x'01', 1, 1.5)",
    )
    told = "SELECT typeof(i), i, typeof(r), r, hex(s), typeof(b), hex(b), typeof(n), n FROM t"
    before = base.ask(told)
    base.run(change())
    assert base.ask(told) == before


def test_generated_columns_are_computed_and_not_copied(base):
    base.do(
        "CREATE TABLE t (a, b AS (a + 1), c GENERATED ALWAYS AS (a + 2) STORED)",
        "INSERT INTO t VALUES (1)",
    )
    base.run(change())
    assert base.ask("SELECT a, b, c FROM t") == [(1, 2, 3)]


def test_comments_and_quotes_of_the_definition_stay(base):
    sql = 'CREATE TABLE t (\n  [a] INT, -- the first\n  `b c` TEXT /* two */ DEFAULT "x"\n)'
    base.do(sql, "INSERT INTO t (a) VALUES (1)")
    base.run(change(), AddCheck("t", "a > 0", name="c"))
    ((found,),) = base.ask("SELECT sql FROM sqlite_master")
    added = "\"at\" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))"
    assert found == sql.replace("TABLE t", 'TABLE "t"').replace(
        '"x"\n', f'"x",\n  {added},\n  CONSTRAINT "c" CHECK (a > 0)\n'
    )
    assert base.ask("SELECT a, [b c] FROM t") == [(1, "x")]


def test_a_definition_that_says_its_own_name_is_rebuilt_without_a_rename(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, b, CHECK (t.b > 0 OR T.b IS NULL))",
        "INSERT INTO t VALUES (5, 1), (8, NULL)",
        "CREATE INDEX i ON t (b)",
    )
    log = base.run(AddColumn("t", Column("n", "text", default=utc_now)))
    assert not any("RENAME" in sql for sql in log)
    assert base.ask("SELECT id, b, n IS NULL FROM t") == [(5, 1, 0), (8, None, 0)]
    assert base.ask("SELECT * FROM sqlite_sequence") == [("t", 8)]
    assert [name for (name,) in base.ask("SELECT name FROM sqlite_master")] == [
        *("sqlite_sequence", "t", "i")
    ]


def test_without_rowid_comes_and_goes(base):
    base.do("CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY, b)", "INSERT INTO t VALUES ('x', 1)")
    there, back = Options(without_rowid=True), Options()
    base.run(SetOptions("t", old=back, new=there))
    assert base.schema()["t"].options == there
    base.run(SetOptions("t", old=there, new=back))
    assert base.ask("SELECT rowid, a, b FROM t") == [(1, "x", 1)]


def test_strict_refuses_rows_that_do_not_fit(base):
    base.do("CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES ('text')")
    before = base.dump()
    with pytest.raises(RowsForbid, match="1 row of t would have a value in a that is no INTEGER"):
        base.run(SetOptions("t", old=Options(), new=Options(strict=True)))
    assert base.dump() == before


def test_statistics_are_made_anew(base):
    base.do("CREATE TABLE t (a)", "CREATE INDEX i ON t (a)", "INSERT INTO t VALUES (1)", "ANALYZE")
    base.run(change())
    assert base.ask("SELECT tbl, idx FROM sqlite_stat1") == [("t", "i")]


def test_foreign_keys_views_and_triggers_follow_a_renamed_table(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (t_id REFERENCES t(id))",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE TRIGGER g AFTER INSERT ON child BEGIN DELETE FROM t WHERE id = 0; END",
    )
    base.run(change(), RenameTable("t", "u"))
    assert base.schema()["child"].foreign_keys[0].table == "u"
    assert base.ask("SELECT * FROM v") == []
    base.do("INSERT INTO child VALUES (NULL)")


def test_a_violation_that_stood_before_is_no_reason_to_refuse(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)", "CREATE TABLE child (t_id REFERENCES t)")
    with base.database.unlocked() as session:
        session.execute("INSERT INTO child VALUES (77)")
    base.run(RenameTable("child", "kid"), change("kid"))
    assert base.ask("SELECT t_id FROM kid") == [(77,)]
    with pytest.raises(RowsForbid, match="1 row of kid would refer to rows of t that are not"):
        base.run(Execute(up="INSERT INTO kid VALUES (78, 'now')"))


def test_a_table_that_others_refer_to_is_not_dropped(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (t_id REFERENCES t)",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO child VALUES (1), (NULL)",
    )
    before = base.dump()
    with pytest.raises(RowsForbid, match="t cannot be dropped: child refers to it, with 1 row"):
        base.run(DropTable("t", [Column("id", "integer", primary_key=True)]))
    assert base.dump() == before


def test_a_table_that_a_view_needs_is_not_dropped(base):
    base.do("CREATE TABLE t (a)", "CREATE VIEW v AS SELECT a FROM t")
    with pytest.raises(MigrationFailed, match="would break the view v"):
        base.run(DropTable("t", [Column("a", "text")]))


def test_a_virtual_table_is_not_rebuilt(base):
    base.do("CREATE VIRTUAL TABLE t USING fts5(a)")
    with pytest.raises(SchemaError, match="t is a virtual table"):
        base.run(change())


def test_a_search_index_over_the_rows_stays_in_step(base):
    base.do(
        "CREATE TABLE t (a TEXT)",
        "CREATE VIRTUAL TABLE s USING fts5(a, content='t')",
        "CREATE TRIGGER ai AFTER INSERT ON t BEGIN "
        "INSERT INTO s(rowid, a) VALUES (NEW.rowid, NEW.a); END",
        "INSERT INTO t (rowid, a) VALUES (5, 'elephant'), (9, 'zebra')",
    )
    base.run(change())
    base.do("INSERT INTO s(s) VALUES ('integrity-check')")
    assert base.ask("SELECT rowid, a FROM s WHERE s MATCH 'zebra'") == [(9, "zebra")]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        (
            'CREATE TRIGGER t AFTER UPDATE OF a, "B", [c d] ON t BEGIN SELECT 1; END',
            {"a", "b", "c d"},
        ),
        ("CREATE TRIGGER t AFTER UPDATE ON t BEGIN SELECT 1; END", set()),
        ("CREATE TRIGGER t AFTER INSERT ON t BEGIN UPDATE t SET a = 1; END", set()),
    ],
)
def test_the_columns_that_a_trigger_waits_for_are_read(sql, columns):
    assert update_columns(sql) == columns


@pytest.mark.parametrize(
    ("before", "after", "kept", "lost"),
    [
        (
            "text",
            "integer",
            ["12", "-3", "abc", "", "1.50", b"1", None],
            ["007", " 7", "1e3", "+1"],
        ),
        ("text", "float", ["12", "1.5", "12.0", "nan"], ["01", "9007199254740993"]),
        ("text", "decimal", ["0.10", "12.00"], ["12345678901234567890.12", "00"]),
        ("integer", "float", [1, -(2**53)], [2**53 + 1, 2**63 - 1, -(2**63)]),
        ("float", "text", [1.5, -2.0, 1e300], [0.1 + 0.2, float("inf")]),
        ("float", "integer", [2.0, 1.5, 1e300, float("inf")], []),
        ("integer", "text", [2**63 - 1, -1], []),
        ("text", "binary", ["007", "1e3"], []),
    ],
)
def test_a_type_that_would_make_another_value_of_one_is_refused(base, before, after, kept, lost):
    old, new = Column("a", before, nullable=True), Column("a", after, nullable=True)
    base.run(CreateTable("t", [old]))
    with base.database.locked() as session:
        session.executemany("INSERT INTO t VALUES (?)", [(value,) for value in kept])
    base.run(AlterColumn("t", old=old, new=new))
    base.run(AlterColumn("t", old=new, new=old))
    with base.database.locked() as session:
        session.executemany("INSERT INTO t VALUES (?)", [(value,) for value in lost])
    there = base.dump()
    if lost:
        with pytest.raises(RowsForbid, match=f"{len(lost)} rows? of t would have another value"):
            base.run(AlterColumn("t", old=old, new=new))
        assert base.dump() == there


@pytest.mark.parametrize(
    ("made", "was", "shall_be"),
    [
        ("(id INTEGER PRIMARY KEY, c)", "binary", "text"),
        ("(id INTEGER, c PRIMARY KEY) WITHOUT ROWID", "binary", "text"),
        ("(id INTEGER PRIMARY KEY, c INTEGER, CHECK (t.c > 0))", "integer", "text"),
        ("(id TEXT PRIMARY KEY, c INTEGER, CHECK (t.c > 0)) WITHOUT ROWID", "integer", "float"),
    ],
)
def test_a_value_that_only_gets_another_type_is_the_same(base, made, was, shall_be):
    base.do(f"CREATE TABLE t {made}", "INSERT INTO t (id, c) VALUES (1, 5)")
    old, new = (Column("c", kind, nullable=True) for kind in (was, shall_be))
    base.run(AlterColumn("t", old=old, new=new))
    ((value,),) = base.ask("SELECT c FROM t")
    assert float(value) == 5


def test_many_rows_whose_key_gets_another_type_are_compared_in_line_with_their_number(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n) WITHOUT ROWID",
        "INSERT INTO t WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r "
        "WHERE i < 60000) SELECT i, i FROM r",
    )
    base.run(AlterColumn("t", old=Column("id", "integer"), new=Column("id", "text")))
    assert base.ask("SELECT count(*), max(typeof(id)) FROM t") == [(60000, "text")]


@pytest.mark.parametrize(
    ("column", "check"),
    [
        (Column("c", "text"), "c IN ('1', '2')"),
        (Column("c", "text", collate="NOCASE", default="B"), "c IN ('A', 'B')"),
        (Column("c", "text", default=Sql("1 + 1")), "c = '2'"),
    ],
)
def test_a_check_sees_a_filled_value_as_the_column_has_it(base, column, check):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    fills = [Fill("t", "c", "2")] if column.default is None else []
    base.run(AddColumn("t", column), *fills, AddCheck("t", check, name="k"))
    assert base.ask("SELECT count(*) FROM t") == [(1,)]


def test_rows_that_were_violated_before_may_get_other_numbers(base):
    base.do(
        "CREATE TABLE P (id TEXT PRIMARY KEY)",
        "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, p TEXT CONSTRAINT fk REFERENCES P (id))",
    )
    with base.database.unlocked() as session:
        session.execute("INSERT INTO t VALUES ('x', 'nope')")
    key = ForeignKey("p", ["id"], columns=["p"], name="fk")
    base.run(DropForeignKey("t", key), AddForeignKey("t", replace(key, on_delete="cascade")))
    base.run(SetOptions("t", old=Options(), new=Options(without_rowid=True)))
    with pytest.raises(RowsForbid, match="1 row of t would refer to rows of p"):
        base.run(Execute(up="INSERT INTO t VALUES ('y', 'neither')"))


def test_what_analyze_found_of_a_key_without_rowid_is_kept(base):
    base.do(
        "CREATE TABLE t (id TEXT PRIMARY KEY, c) WITHOUT ROWID",
        "INSERT INTO t VALUES (1, 5), (2, 6)",
        "CREATE INDEX i ON t (c)",
        "ANALYZE",
    )
    before = base.ask("SELECT * FROM sqlite_stat1 ORDER BY idx")
    base.run(change())
    assert base.ask("SELECT * FROM sqlite_stat1 ORDER BY idx") == before


def test_a_counter_that_somebody_left_behind_is_gone_on_with(base):
    base.do(
        "CREATE TABLE x (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, c)",
        "INSERT INTO t (c) VALUES (5)",
        "INSERT INTO sqlite_sequence VALUES ('t', 100)",
    )
    counted = Column("id", "integer", autoincrement=True)
    base.run(AlterColumn("t", old=Column("id", "integer"), new=counted))
    assert base.ask("SELECT * FROM sqlite_sequence") == [("t", 100)]


def test_a_column_that_is_called_as_a_function_can_go(base):
    base.do("CREATE TABLE t (lower, c)", "CREATE INDEX i ON t (lower(c))")
    base.run(DropColumn("t", Column("lower", "text", nullable=True)))
    assert [c.name for c in base.schema()["t"].columns] == ["c"]


@pytest.mark.parametrize("name", ["🐘", "col·lecció", "e\u0301", "a\u00a0b"])
def test_a_bare_name_is_one_for_us_as_for_sqlite(base, name):
    base.do(f"CREATE TABLE t ({name} INTEGER, c)", "INSERT INTO t VALUES (1, 2)")
    base.run(change())
    assert base.schema()["t"].columns[0].name == name


def test_a_table_of_many_columns_that_nothing_tells_apart_is_compared(base):
    names = ", ".join(f"c{n} INTEGER" for n in range(1100))
    base.do(
        f"CREATE TABLE t ({names}, PRIMARY KEY (c0), CHECK (t.c1 IS NULL OR 1)) WITHOUT ROWID",
        "INSERT INTO t (c0) VALUES (3)",
    )
    base.run(change())
    assert base.ask("SELECT c0 FROM t") == [(3,)]
