from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from strategies import changed_schemas, populated, schemas

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import Lot
from ashflow.adapters.sqlite.outline import outline
from ashflow.change.diff import diff
from ashflow.change.operations import AddColumn, AlterColumn, CreateTable, RenameTable
from ashflow.errors import FileError, MigrationFailed, NotADatabaseError, RowsForbid
from ashflow.schema.datatypes import utc_now
from ashflow.schema.sqltext import quote
from ashflow.schema.table import DOMAIN, Column, Schema

from .test_law import contents, databases, insert, run

T = Lot("t")


@pytest.fixture(params=["DELETE", "WAL"])
def base(base, request):
    with closing(sqlite3.connect(base.path)) as db:
        db.execute(f"PRAGMA journal_mode = {request.param}")
    return base


@dataclass
class Keeper:
    """Keeps lots of a database in a file, and brings them back from it, and lets go of it."""

    base: Any
    path: Path

    def keep(self, *lots: Lot) -> None:
        """Keep what lots name; without any, the whole database."""
        self.path.unlink(missing_ok=True)
        if lots:
            self.base.database.park(self.path, lots)
        else:
            self.base.database.backup(self.path)

    def carry(self, *lots: Lot) -> list[tuple[int, int]]:
        """Bring lots back; of each, how many are there again and how many are left."""
        with self.base.database.locked() as session:
            carried = session.carry(self.path, lots)
        self.base.database.close()
        return [(one.rows, one.left) for one in carried]

    def again(self, sql: str, *more: str, lot: Lot = T) -> list[tuple[int, int]]:
        """Keep a lot, drop its table, make it and more with statements, and bring it back."""
        self.keep(lot)
        self.base.do(f"DROP TABLE {lot.table}", sql, *more)
        return self.carry(lot)


@pytest.fixture
def keeper(base, tmp_path):
    return Keeper(base, tmp_path / "kept")


# A whole table


def test_the_rows_of_a_table_return_with_their_numbers(base, keeper):
    base.do("CREATE TABLE t (a, b)", "INSERT INTO t (rowid, a, b) VALUES (3, 1, 'x'), (9, 2, 'y')")
    assert keeper.again("CREATE TABLE t (b, a)") == [(2, 0)]
    assert base.ask("SELECT rowid, a, b FROM t") == [(3, 1, "x"), (9, 2, "y")]


def test_they_return_from_a_copy_of_the_database_as_well(base, keeper):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, g AS (a || 'g') STORED)",
        "INSERT INTO t VALUES (3, '007')",
    )
    keeper.keep()
    base.do("DROP TABLE t", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, g)")
    assert keeper.carry(T) == [(1, 0)]
    assert base.ask("SELECT * FROM t") == [(3, "007", None)]
    assert not [path for path in keeper.path.parent.iterdir() if path.name.startswith("kept-")]


def test_they_return_under_other_names(base, keeper):
    base.do("CREATE TABLE t (a, b, c, d)", "INSERT INTO t VALUES (1, 2, 3, 4)")
    keeper.keep(T)
    base.do("DROP TABLE t", "CREATE TABLE U (B, a, d)")
    assert keeper.carry(Lot("T", to="u", columns=(("a", "b"), ("B", "A"), ("c", "D")))) == [(1, 0)]
    assert base.ask("SELECT a, b, d FROM U") == [(2, 1, 3)]


def test_without_a_table_or_a_column_in_common_all_is_left(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2)")
    keeper.keep(T)
    base.do("DROP TABLE t")
    assert keeper.carry(T) == [(0, 2)]
    base.do("CREATE TABLE t (b, g AS (b) STORED)", "INSERT INTO t VALUES (7)")
    assert keeper.carry(T, Lot("t", columns=(("a", "g"),))) == [(0, 2), (0, 2)]
    assert base.ask("SELECT b FROM t") == [(7,)]
    base.do("DROP TABLE t", "CREATE VIEW t AS SELECT 1 AS a")
    assert keeper.carry(T) == [(0, 2)]


def test_what_is_not_in_the_file_brings_nothing(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "CREATE TABLE u (a)")
    keeper.keep(Lot("u"))
    assert keeper.carry(T, Lot("t", "a"), Lot("u", "nope")) == [(0, 0)] * 3
    assert base.ask("SELECT a FROM t") == [(1,)]


def test_what_was_there_wins_and_what_does_not_conflict_stays(base, keeper):
    base.do("CREATE TABLE t (k TEXT PRIMARY KEY, a)", "INSERT INTO t VALUES ('x', 1), ('y', 2)")
    made = "INSERT INTO t (rowid, k, a) VALUES (2, 'new', 8), (7, 'x', 9), (9, 'far', 7)"
    assert keeper.again("CREATE TABLE t (k TEXT PRIMARY KEY, a)", made) == [(2, 0)]
    assert base.ask("SELECT rowid, k, a FROM t ORDER BY k") == [
        (9, "far", 7),
        (10, "new", 8),  # its number is that of another row
        (1, "x", 1),
        (2, "y", 2),
    ]


@pytest.mark.parametrize("options", ["", " WITHOUT ROWID"])
def test_a_row_that_another_number_has_in_its_key_stays(base, keeper, options):
    sql = f"CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE){options}"
    base.do(sql, "INSERT INTO t VALUES (1, 'x')")
    assert keeper.again(sql, "INSERT INTO t VALUES (1, 'y'), (2, 'x'), (3, 'z')") == [(1, 0)]
    assert base.ask("SELECT * FROM t") == [(1, "x"), (3, "z")]


def test_a_table_without_a_key_has_exactly_the_rows_that_it_had(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (1), (2)")
    assert keeper.again("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (5)") == [(3, 0)]
    assert base.ask("SELECT rowid, a FROM t") == [(1, 1), (2, 1), (3, 2)]


def test_a_table_that_had_no_rows_has_none(base, keeper):
    key = "(id INTEGER PRIMARY KEY AUTOINCREMENT, a)"
    base.do("CREATE TABLE t (a)", f"CREATE TABLE u {key}", f"CREATE TABLE v {key}")
    keeper.keep(T, Lot("u"), Lot("v"))
    base.do("INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (7, 8)")
    assert keeper.carry(T, Lot("u"), Lot("v")) == [(0, 0)] * 3
    assert base.ask("SELECT * FROM t") == []
    assert base.ask("SELECT * FROM u") == [(7, 8)]
    assert base.ask("SELECT * FROM sqlite_sequence") == [("u", 7)]


def test_numbers_are_found_past_columns_that_are_called_so(base, keeper):
    base.do("CREATE TABLE t (rowid, a)", "INSERT INTO t (_rowid_, rowid, a) VALUES (7, 1, 2)")
    assert keeper.again("CREATE TABLE t (_rowid_, rowid, a)") == [(1, 0)]
    assert base.ask("SELECT oid, rowid, a FROM t") == [(7, 1, 2)]
    assert keeper.again("CREATE TABLE t (_rowid_, rowid, oid, a)") == [(1, 0)]
    assert base.ask("SELECT rowid, a FROM t") == [(1, 2)]


def test_a_new_name_of_the_rowid_has_the_numbers_of_the_rows(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t (rowid, a) VALUES (7, 'x')")
    assert keeper.again("CREATE TABLE t (a, id INTEGER PRIMARY KEY)") == [(1, 0)]
    assert base.ask("SELECT id, a FROM t") == [(7, "x")]
    assert keeper.again("CREATE TABLE t (a, id INTEGER)") == [(1, 0)]
    assert base.ask("SELECT rowid, id, a FROM t") == [(7, 7, "x")]


def test_a_table_without_rowid_returns_as_one_with_it_and_the_other_way(base, keeper):
    one, other = "CREATE TABLE t (k TEXT PRIMARY KEY, a)", "CREATE TABLE t (a, k PRIMARY KEY)"
    base.do(f"{one} WITHOUT ROWID", "INSERT INTO t VALUES ('x', 1), ('a', 2)")
    assert keeper.again(other) == [(2, 0)]
    assert keeper.again(f"{one} WITHOUT ROWID") == [(2, 0)]
    assert base.ask("SELECT * FROM t") == [("a", 2), ("x", 1)]


@pytest.mark.parametrize(
    ("column", "left"),
    [
        ("a UNIQUE", 1),
        ("a NOT NULL", 1),
        ("a CHECK (a < 2)", 1),
        ("a UNIQUE ON CONFLICT REPLACE", 1),
        ("a NOT NULL ON CONFLICT ROLLBACK", 1),
        ("a, g AS (json_extract(a, '$')) STORED", 4),
    ],
)
def test_rows_that_a_constraint_refuses_are_left(base, keeper, column, left):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (1), (NULL), ('x')")
    keeper.keep(T)
    base.do("DROP TABLE t", f"CREATE TABLE t ({column})")
    assert keeper.carry(T) == [(4 - left, left)]
    assert base.ask("SELECT count(*) FROM t") == [(4 - left,)]


def test_a_column_that_came_has_its_default(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    assert keeper.again("CREATE TABLE t (a, b NOT NULL DEFAULT 'x', c)") == [(1, 0)]
    assert base.ask("SELECT * FROM t") == [(1, "x", None)]


def test_a_null_becomes_the_default_where_the_column_has_become_not_null(base, keeper):
    base.do("CREATE TABLE t (a, b)", "INSERT INTO t VALUES (NULL, NULL), (1, 2)")
    sql = "CREATE TABLE t (a NOT NULL DEFAULT word, b NOT NULL DEFAULT (1 + 1))"
    assert keeper.again(sql) == [(2, 0)]
    assert base.ask("SELECT * FROM t") == [("word", 2), (1, 2)]


def test_a_value_that_its_new_type_would_change_is_left_and_the_row_returns(base, keeper):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
        "INSERT INTO t VALUES (1, '007', 'x'), (2, 7, 'x'), (3, 1.0, 'x'), (4, 'text', 'x')",
    )
    assert keeper.again("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b)") == [(3, 1)]
    assert base.ask("SELECT * FROM t") == [
        (1, None, "x"),
        (2, 7, "x"),
        (3, 1, "x"),
        (4, "text", "x"),
    ]


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("DEFAULT 5", [(1, 5), (2, 7)]),
        ("NOT NULL DEFAULT 5", [(1, 5), (2, 7)]),
        ("NOT NULL", [(2, 7)]),
        ("PRIMARY KEY", [(2, 7)]),
    ],
)
def test_without_the_value_there_is_the_default_or_no_row(base, keeper, clause, found):
    base.do("CREATE TABLE t (id, a)", "INSERT INTO t VALUES (1, '007'), (2, 7)")
    assert keeper.again(f"CREATE TABLE t (id, a INT {clause})") == [(1, 1)]
    assert base.ask("SELECT id, a FROM t") == found


def test_a_strict_table_gets_only_what_it_takes(base, keeper):
    base.do(
        "CREATE TABLE t (id, a)",
        "INSERT INTO t VALUES (1, 'x'), (2, x'00'), (3, 1.5), (4, 2.0), (5, 6), (6, NULL)",
        f"INSERT INTO t VALUES (7, '8'), (8, {-(2.0**63)!r}), (9, {2.0**62!r})",
    )
    assert keeper.again("CREATE TABLE t (id ANY, a INTEGER) STRICT") == [(3, 6)]
    assert base.ask("SELECT id, a FROM t WHERE a IS NOT NULL") == [(4, 2), (5, 6)]
    assert base.ask("SELECT count(*) FROM t") == [(9,)]


def test_a_key_that_is_the_rowid_takes_whole_numbers_only(base, keeper):
    base.do("CREATE TABLE t (k, a)", "INSERT INTO t VALUES (5, 1), ('x', 2), (NULL, 3), (6.0, 4)")
    assert keeper.again("CREATE TABLE t (k INTEGER PRIMARY KEY, a)") == [(2, 2)]
    assert base.ask("SELECT * FROM t") == [(5, 1), (6, 4)]


def test_no_trigger_fires_and_all_are_there_again_in_their_order(base, keeper):
    base.do("CREATE TABLE t (a, b)", "CREATE TABLE log (a)", "INSERT INTO t VALUES (1, 2)")
    keeper.keep(T)
    base.do(
        *(
            f"CREATE TRIGGER {name} {when} ON t BEGIN INSERT INTO log VALUES ('{name}'); END"
            for name, when in [("z", "AFTER INSERT"), ("b", "BEFORE DELETE"), ("u", "AFTER UPDATE")]
        ),
        "CREATE TRIGGER other AFTER INSERT ON log BEGIN SELECT 1; END",
        "INSERT INTO t VALUES (9, 9)",
        "DELETE FROM log",
    )
    told = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 't'"
    before = base.ask(f"{told} ORDER BY rowid")
    assert keeper.carry(T, Lot("t", "b")) == [(1, 0), (1, 0)]
    assert base.ask("SELECT * FROM t") == [(1, 2)]
    assert base.ask("SELECT * FROM log") == []
    assert base.ask(f"{told} ORDER BY rowid") == before


@pytest.mark.parametrize("whole", [False, True], ids=["parcel", "copy"])
def test_a_counter_goes_on_from_where_it_was(base, keeper, whole):
    made = "(id INTEGER PRIMARY KEY AUTOINCREMENT)"
    base.do(f"CREATE TABLE t {made}", f"CREATE TABLE v {made}", "CREATE TABLE p (id INTEGER)")
    base.do("INSERT INTO t VALUES (50)", "DELETE FROM t", "INSERT INTO v VALUES (3)")
    keeper.keep(*(() if whole else (T, Lot("v"), Lot("p"))))
    base.do("DROP TABLE t", "DROP TABLE v", f"CREATE TABLE u {made}", f"CREATE TABLE v {made}")
    base.do("INSERT INTO v VALUES (9)", "DELETE FROM v")
    assert keeper.carry(Lot("t", to="u"), Lot("v"), Lot("p")) == [(0, 0), (1, 0), (0, 0)]
    assert base.ask("SELECT name, seq FROM sqlite_sequence ORDER BY name") == [("u", 50), ("v", 9)]
    base.do("INSERT INTO u DEFAULT VALUES")
    assert base.ask("SELECT id FROM u") == [(51,)]


def test_a_table_that_counts_no_more_has_no_counter(base, keeper):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO t VALUES (50)")
    assert keeper.again("CREATE TABLE t (id INTEGER PRIMARY KEY)") == [(1, 0)]
    assert base.ask("SELECT * FROM sqlite_sequence") == []


def test_a_table_of_very_many_columns_returns(base, keeper):
    names = ", ".join(f"c{at} INTEGER" for at in range(1200))
    base.do(f"CREATE TABLE t ({names})", "INSERT INTO t (c0, c1199) VALUES (1, 2), ('x', 'y')")
    assert keeper.again(f"CREATE TABLE t ({names}, more)") == [(2, 0)]
    assert base.ask("SELECT c0, c1199 FROM t") == [(1, 2), ("x", "y")]


# One column


def test_the_values_of_a_column_return_into_rows_that_stayed(base, keeper):
    base.do(
        "CREATE TABLE t (id TEXT PRIMARY KEY, a, b)",
        "INSERT INTO t VALUES ('x', 1, 1), ('y', 2, NULL), ('z', 3, 3), ('gone', 4, 4)",
    )
    lots = [Lot("t", "a"), Lot("t", "b")]
    keeper.keep(*lots)
    base.do(
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ADD COLUMN a",
        "UPDATE t SET b = 9, a = 8 WHERE id <> 'z'",
        "DELETE FROM t WHERE id = 'gone'",
        "INSERT INTO t VALUES ('new', 5, 6)",
    )
    assert keeper.carry(*lots) == [(3, 1), (2, 1)]
    assert base.ask("SELECT id, a, b FROM t ORDER BY id") == [
        ("new", 6, 5),
        ("x", 1, 1),
        ("y", 2, None),
        ("z", 3, 3),
    ]


def test_they_return_into_a_column_and_a_table_of_other_names(base, keeper):
    base.do("CREATE TABLE t (k TEXT PRIMARY KEY, a)", "INSERT INTO t VALUES ('x', 1)")
    keeper.keep(Lot("t", "a"))
    base.do(
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE u RENAME COLUMN k TO key",
        "ALTER TABLE u DROP COLUMN a",
        "ALTER TABLE u ADD COLUMN b",
    )
    assert keeper.carry(Lot("t", "a", to="u", columns=(("K", "key"), ("A", "b")))) == [(1, 0)]
    assert base.ask("SELECT key, b FROM u") == [("x", 1)]


def test_a_kept_null_stays_out_of_a_column_that_is_not_null(base, keeper):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, NULL), (2, 5)")
    keeper.keep(Lot("t", "a"))
    base.do(
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ADD COLUMN a NOT NULL DEFAULT 7",
    )
    assert keeper.carry(Lot("t", "a")) == [(1, 0)]
    assert base.ask("SELECT * FROM t") == [(1, 7), (2, 5)]


def test_without_the_same_key_rows_are_found_by_their_number(base, keeper):
    base.do("CREATE TABLE t (k TEXT, a)", "INSERT INTO t VALUES ('x', 1), ('y', 2)")
    keeper.keep(Lot("t", "a"))
    base.do("UPDATE t SET a = NULL, k = 'z'")
    assert keeper.carry(Lot("t", "a")) == [(2, 0)]
    assert base.ask("SELECT * FROM t") == [("z", 1), ("z", 2)]
    base.do("DROP TABLE t", "CREATE TABLE t (k TEXT PRIMARY KEY, a)")
    base.do("INSERT INTO t (rowid, k) VALUES (2, 'new')")
    assert keeper.carry(Lot("t", "a")) == [(1, 1)]
    assert base.ask("SELECT * FROM t") == [("new", 2)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(k TEXT PRIMARY KEY, a) WITHOUT ROWID", "(k TEXT, a)"),
        ("(k TEXT, a)", "(k TEXT PRIMARY KEY, a) WITHOUT ROWID"),
        ("(rowid, _rowid_, oid, k, a)", "(k, a)"),
    ],
)
def test_where_nothing_tells_which_row_it_is_all_is_left(base, keeper, old, new):
    base.do(f"CREATE TABLE t {old}", "INSERT INTO t (k, a) VALUES ('x', 1)")
    keeper.keep(Lot("t", "a"))
    base.do("DROP TABLE t", f"CREATE TABLE t {new}", "INSERT INTO t VALUES ('x', 9)")
    assert keeper.carry(Lot("t", "a")) == [(0, 1)]
    assert base.ask("SELECT a FROM t") == [(9,)]


def test_a_key_that_is_null_or_another_in_a_letter_finds_no_row(base, keeper):
    base.do("CREATE TABLE t (k TEXT PRIMARY KEY, a)")
    base.do("INSERT INTO t VALUES ('x', 1), ('X', 2), (NULL, 3)")
    keeper.keep(Lot("t", "a"))
    base.do("DROP TABLE t", "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, a)")
    base.do("INSERT INTO t VALUES ('x', 8), (NULL, 9)")
    assert keeper.carry(Lot("t", "a")) == [(1, 2)]
    assert base.ask("SELECT * FROM t") == [("x", 1), (None, 9)]


@pytest.mark.parametrize(
    ("column", "found", "left"),
    [
        ("a INTEGER", [8, 7, "x", 7], 1),
        ("a TEXT", ["007", "8", "x", "8"], 2),
        ("a CHECK (a <> 'x')", ["007", 7, 8, 7.0], 1),
        ("a UNIQUE", ["007", 7, "x", None], 1),
        ("a INTEGER NOT NULL DEFAULT 8", [8, 7, "x", 7], 1),
    ],
)
def test_what_the_column_refuses_stays_what_it_was(base, keeper, column, found, left):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
    base.do("INSERT INTO t VALUES (1, '007'), (2, 7), (3, 'x'), (4, 7.0)")
    keeper.keep(Lot("t", "a"))
    fill = "NULL" if "UNIQUE" in column else "8"
    base.do("DROP TABLE t", f"CREATE TABLE t (id INTEGER PRIMARY KEY, {column})")
    base.do(f"INSERT INTO t VALUES (1, {fill}), (2, {fill}), (3, {fill}), (4, {fill})")
    assert keeper.carry(Lot("t", "a")) == [(4 - left, left)]
    assert [a for (a,) in base.ask("SELECT a FROM t ORDER BY id")] == found


def test_what_a_type_has_made_another_value_of_returns_where_nobody_has_changed_it(base, keeper):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
    kept = ["'007'", "'8'", "'9'", "'0.10'", "9007199254740993", "7", "0.1 + 0.2", "'x'", "NULL"]
    there = ["7", "8", "10", "0.1", "9007199254740992.0", "'7'", "'0.3'", "0", "7"]
    for at, value in enumerate(kept):
        base.do(f"INSERT INTO t VALUES ({at}, {value})")
    keeper.keep(Lot("t", "a"))
    for at, value in enumerate(there):
        base.do(f"UPDATE t SET a = {value} WHERE id = {at}")
    assert keeper.carry(Lot("t", "a", alike=True)) == [(6, 2)]
    found = ["007", "8", 10, "0.10", 9007199254740993, 7, 0.1 + 0.2, 0, 7]
    assert [a for (a,) in base.ask("SELECT a FROM t ORDER BY id")] == found


def test_a_column_that_is_computed_or_gone_takes_nothing(base, keeper):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 2), (2, NULL)")
    keeper.keep(Lot("t", "a"))
    base.do("ALTER TABLE t DROP COLUMN a")
    assert keeper.carry(Lot("t", "a")) == [(0, 1)]
    base.do("ALTER TABLE t ADD COLUMN a AS (id)")
    assert keeper.carry(Lot("t", "a"), Lot("t", "a", to="nope")) == [(0, 1), (0, 1)]


# Virtual tables


def test_a_virtual_table_has_its_rows_again(base, keeper):
    made = "CREATE VIRTUAL TABLE t USING fts5 (a, b)"
    base.do(made, "INSERT INTO t (rowid, a, b) VALUES (7, 'one', 'two')")
    assert keeper.again(made) == [(1, 0)]
    assert base.ask("SELECT rowid, a FROM t WHERE t MATCH 'two'") == [(7, "one")]
    base.do("UPDATE t SET a = 'three'")
    assert keeper.carry(T, Lot("t_content"), Lot("t", "a")) == [(0, 0), (0, 0), (0, 1)]
    assert base.ask("SELECT a FROM t") == [("three",)]


@pytest.mark.parametrize("whole", [False, True], ids=["parcel", "copy"])
def test_a_virtual_table_and_a_plain_one_take_rows_from_each_other(base, keeper, whole):
    base.do("CREATE VIRTUAL TABLE t USING fts5 (a)", "INSERT INTO t (rowid, a) VALUES (7, 'one')")
    base.do("CREATE TABLE u (id INTEGER PRIMARY KEY, a)", "INSERT INTO u VALUES (9, 'two')")
    keeper.keep(*(() if whole else (T, Lot("u"))))
    base.do("CREATE TABLE p (a)", "CREATE VIRTUAL TABLE v USING fts5 (a)")
    assert keeper.carry(Lot("t", to="p"), Lot("u", to="v")) == [(1, 0), (1, 0)]
    assert base.ask("SELECT rowid, a FROM p") == [(7, "one")]
    assert base.ask("SELECT rowid, a FROM v('two')") == [(9, "two")]
    assert keeper.carry(Lot("t_content", to="p")) == [(0, 0)] if whole else True


def test_an_index_that_keeps_no_words_brings_none_back_and_one_without_its_table_neither(
    base, keeper
):
    base.do(
        "CREATE VIRTUAL TABLE t USING fts5 (a, content='')",
        "CREATE VIRTUAL TABLE u USING fts5 (a, content='gone')",
        "INSERT INTO t (rowid, a) VALUES (1, 'one')",
    )
    keeper.keep()
    base.do("CREATE TABLE p (a)")
    assert keeper.carry(Lot("t", to="p"), Lot("u", to="p")) == [(0, 0), (0, 0)]
    assert base.ask("SELECT * FROM p") == []


def test_a_virtual_table_that_refuses_leaves_all(base, keeper):
    base.do("CREATE TABLE t (id, x0, x1)", "INSERT INTO t VALUES (1, 2, 3), (2, 5, 4)")
    assert keeper.again("CREATE VIRTUAL TABLE t USING rtree (id, x0, x1)") == [(0, 2)]
    assert base.ask("SELECT * FROM t") == []


@pytest.mark.parametrize("of", ["t", "'t'", '"T"'])
def test_an_index_of_words_follows_the_table_that_it_reads(base, keeper, of):
    search = f"CREATE VIRTUAL TABLE s USING fts5 (a, content={of}, content_rowid='id')"
    made = "CREATE TABLE t (id INTEGER PRIMARY KEY, a)"
    base.do(made, "INSERT INTO t VALUES (1, 'one')")
    assert keeper.again(made, search) == [(1, 0)]
    assert base.ask("SELECT rowid FROM s('one')") == [(1,)]
    base.do("UPDATE t SET a = 'two'")
    keeper.keep(Lot("s"))
    base.do("DROP TABLE s", search)
    assert keeper.carry(Lot("s")) == [(0, 0)]
    assert base.ask("SELECT rowid FROM s('two')") == [(1,)]


# The transaction and the file


def test_rows_that_would_refer_to_nothing_forbid_it_and_those_that_did_do_not(base, keeper):
    parent, child = "CREATE TABLE p (id PRIMARY KEY)", "CREATE TABLE t (p REFERENCES p)"
    base.do(parent, child, "INSERT INTO p VALUES (1), (2)", "INSERT INTO t VALUES (1), (2), (3)")
    base.do("CREATE TABLE other (p REFERENCES p)", "INSERT INTO other VALUES (77)")
    keeper.keep(T, Lot("p"))
    base.do("DELETE FROM t WHERE p < 3", "DELETE FROM p")
    with pytest.raises(RowsForbid, match="2 rows of t would refer to rows of p that are not there"):
        keeper.carry(T)
    assert base.ask("SELECT * FROM t") == [(3,)]
    assert keeper.carry(T, Lot("p")) == [(3, 0), (2, 0)]


def test_a_change_goes_on_after_rows_came_back(base, keeper):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 'x')")
    keeper.keep()
    base.do("DROP TABLE t")
    loose = Column("a", "text", nullable=True)
    base.run(CreateTable("t", [Column("id", "integer", primary_key=True), loose]))
    base.do("CREATE VIEW v AS SELECT a FROM t")
    base.do("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END")
    with base.database.locked() as session:
        session.carry(keeper.path, [T])
        session.run([AlterColumn("t", old=loose, new=replace(loose, nullable=False))])
        session.run([AddColumn("t", Column("at", "utc_datetime", default=utc_now))])
        session.run([RenameTable("t", "u")])
        assert session.execute("SELECT id, a FROM u") == [(1, "x")]
    assert base.ask("SELECT a FROM v") == [("x",)]


def test_an_error_afterwards_undoes_what_came_back(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    base.do("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END")
    keeper.keep(T)
    base.do("DELETE FROM t")
    before = base.dump()

    def broken(session):
        assert session.carry(keeper.path, [T])[0].rows == 1
        session.execute("nonsense")

    with pytest.raises(MigrationFailed), base.database.locked() as session:
        broken(session)
    assert base.dump() == before
    assert keeper.carry(T) == [(1, 0)]


def test_files_follow_each_other_in_one_transaction_and_in_the_next(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (0)")
    paths = [keeper.path.with_name(f"kept{at}") for at in range(3)]
    for at, path in enumerate(paths):
        base.do(f"UPDATE t SET a = {at}")
        base.database.park(path, [T])
    with base.database.locked() as session:
        for path in (*paths, *paths, paths[1]):
            session.carry(path, [T])
        assert session.execute("SELECT a FROM t") == [(1,)]
    for _ in range(12):
        with base.database.locked() as session:
            session.carry(paths[2], [T])
    base.database.close()
    with base.database.locked() as session:
        assert [row[1] for row in session.execute("PRAGMA database_list")] == ["main"]
    assert base.ask("SELECT a FROM t") == [(2,)]


def test_a_file_that_another_took_the_place_of_is_read_anew(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    keeper.keep(T)
    assert keeper.carry(T) == [(1, 0)]
    base.do("INSERT INTO t VALUES (2)")
    keeper.keep(T)
    assert keeper.carry(T) == [(2, 0)]


def test_a_database_of_another_encoding_is_one_like_others(tmp_path):
    with closing(sqlite3.connect(tmp_path / "base.db", isolation_level=None)) as db:
        db.execute("PRAGMA encoding = 'UTF-16be'")
        db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, a)")
        db.execute("INSERT INTO t VALUES (?, ?)", ("\u00e4\U0001f600", "a\x00b"))
    database = connect("sqlite:///base.db", root=tmp_path)
    database.park(tmp_path / "kept", [T])
    with database.locked() as session:
        session.execute("DELETE FROM t")
        assert session.carry(tmp_path / "kept", [T])[0].rows == 1
        assert session.execute("SELECT * FROM t") == [("\u00e4\U0001f600", "a\x00b")]
    database.close()


def test_without_a_transaction_it_is_one_of_its_own(base, keeper):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    keeper.keep(T)
    base.do("DELETE FROM t")
    with base.database.unlocked() as session:
        [carried] = session.carry(keeper.path, [T])
    assert carried.rows == 1
    assert base.ask("SELECT * FROM t") == [(1,)]


def test_a_file_that_is_not_there_or_no_database_is_named(base, keeper):
    with pytest.raises(FileError, match="kept, in which rows are kept, is not there"):
        keeper.carry(T)
    keeper.path.write_text("my novel, chapter one " * 100)
    with pytest.raises(NotADatabaseError, match="kept is no SQLite database"):
        keeper.carry(T)


def test_twenty_thousand_rows_go_and_return(base, keeper):
    base.do("CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT NOT NULL, b INTEGER)")
    found = [(f"{n * 7919 % 20_000:05}", f"name {n}", n) for n in range(20_000)]
    with base.database.locked() as session:
        session.executemany("INSERT INTO t VALUES (?, ?, ?)", found)
    again = "CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT NOT NULL, b INTEGER)"
    assert keeper.again(again, "INSERT INTO t VALUES ('00001', 'new', 1)") == [(20_000, 0)]
    assert base.ask("SELECT * FROM t ORDER BY rowid") == found
    base.do("UPDATE t SET b = NULL")
    assert keeper.carry(Lot("t", "b")) == [(20_000, 0)]
    assert base.ask("SELECT * FROM t ORDER BY rowid") == found


# Laws


TYPES = ["", "TEXT", "INTEGER", "INT", "REAL", "NUMERIC", "BLOB", "ANY"]
STRICT = ["TEXT", "INTEGER", "INT", "REAL", "BLOB", "ANY"]
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [2**53 + 1, 2**51, -(2**51), -(2**51) - 1, 2**63 - 1, -(2**63)]
)
REALS = st.floats(allow_nan=False) | NUMBERS.map(float)
SPELLED = (NUMBERS | REALS).map(str) | st.sampled_from(
    [" 7", "7 ", "007", "7.", ".5", "+7", "1e3", "0x10", "", "-", "7\0", "1e999", "9" * 30]
)
VALUES = st.none() | NUMBERS | REALS | SPELLED | st.text() | st.binary() | SPELLED.map(str.encode)


@given(
    st.lists(VALUES.filter(lambda v: not isinstance(v, str) or v.isprintable() or "\0" in v)),
    st.sampled_from([(t, "") for t in TYPES] + [(t, " STRICT") for t in STRICT]),
)
def test_what_is_said_to_stay_the_same_is_the_same_and_nothing_else(values, kind):
    declared, options = kind
    with databases(1) as (database,), database.locked() as session:
        session.execute("CREATE TABLE kept (a)")
        session.executemany("INSERT INTO kept VALUES (?)", [(value,) for value in values])
        session.execute(f"CREATE TABLE t (a {declared}){options}")
        same = all_same(session)
        for rowid in range(1, len(values) + 1):
            assert (rowid in same) == stays(session, rowid), values[rowid - 1]


def all_same(session):
    from ashflow.adapters.sqlite.unchanged import unchanged

    target = outline(session.connection, "main", "t")
    condition = unchanged("+a", target.fields[0].declared, strict=target.strict)
    return {n for (n,) in session.execute(f"SELECT rowid FROM kept WHERE {condition or 1}")}


def stays(session, rowid):
    """Whether a value is the same in the table, found out by trying it."""
    session.execute("DELETE FROM t")
    try:
        session.execute("INSERT INTO t SELECT a FROM kept WHERE rowid = ?", (rowid,))
    except RowsForbid:
        return False
    found = "SELECT +t.a IS +k.a COLLATE BINARY, typeof(k.a) FROM t, kept AS k WHERE k.rowid = ?"
    [(same, kind)] = session.execute(found, (rowid,))
    large = "SELECT a NOT BETWEEN -2251799813685248 AND 2251799813685247 FROM t"
    if same and kind == "real" and session.execute("SELECT typeof(a) FROM t") == [("integer",)]:
        # In a STRICT table, what not every SQLite takes is said to be refused.
        strict = session.execute("SELECT strict FROM pragma_table_list('t')") == [(1,)]
        return not (strict and session.execute(large) == [(1,)])
    return bool(same)


@given(st.data(), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_all_that_went_is_there_again(data, whole):
    schema = data.draw(schemas())
    rows = data.draw(populated(schema, max_rows=5))
    tables = {name: table for name, table in schema.items() if name != DOMAIN}
    with databases(1) as (database,):
        run(database, diff(Schema(), schema))
        insert(database, schema, rows)
        path = Path(database._path).with_name("kept")
        lots = [Lot(name) for name in tables]
        before = everything(database, tables)
        if whole:
            database.backup(path)
        else:
            assert database.park(path, lots) == tuple(len(rows[name]) for name in tables)
        run(database, diff(schema, Schema()))
        run(database, diff(Schema(), schema))
        with database.locked() as session:
            carried = session.carry(path, lots)
            assert [(c.rows, c.left) for c in carried] == [(len(rows[n]), 0) for n in tables]
        assert everything(database, tables) == before


@given(st.data(), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_all_that_went_from_columns_is_there_again(data, whole):
    schema = data.draw(schemas())
    rows = data.draw(populated(schema, max_rows=5))
    tables = {name: table for name, table in schema.items() if name != DOMAIN}
    lots = [
        Lot(name, column.name)
        for name, table in tables.items()
        for column in table.columns
        if column.nullable and column.generated_as is None and not table.checks
    ]
    lots = [lot for lot in lots if lot.column not in schema[lot.table].primary_key]
    with databases(1) as (database,):
        run(database, diff(Schema(), schema))
        insert(database, schema, rows)
        path = Path(database._path).with_name("kept")
        before = everything(database, tables)
        if whole:
            database.backup(path)
        else:
            database.park(path, lots)
        with database.locked() as session:
            counted = [session.count(lot.table, where_not_null=lot.column) for lot in lots]
            for lot in lots:
                session.execute(f"UPDATE {quote(lot.table)} SET {quote(lot.column)} = NULL")
            carried = session.carry(path, lots)
            assert [(c.rows, c.left) for c in carried] == [(n, 0) for n in counted]
        assert everything(database, tables) == before


@given(st.data(), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_has_changed_each_row_and_value_is_there_again_or_left(data, whole):
    old, new = data.draw(changed_schemas())
    rows = data.draw(populated(old, max_rows=5))
    since = data.draw(populated(new))
    lots = [
        *(Lot(name) for name in old if name != DOMAIN),
        *(Lot(n, c.name) for n, table in old.items() if n != DOMAIN for c in table.columns),
    ]
    with databases(1) as (database,):
        run(database, diff(Schema(), old))
        insert(database, old, rows)
        path = Path(database._path).with_name("kept")
        if whole:
            database.backup(path)
            with database.read() as session:
                kept = [held(session, old, lot) for lot in lots]
        else:
            kept = database.park(path, lots)
        run(database, diff(old, Schema()))
        run(database, diff(Schema(), new))
        insert_what_goes(database, since)
        with database.locked() as session:
            before = definitions(session)
            for lot, count in zip(lots, kept, strict=True):
                try:
                    [carried] = session.carry(path, [lot])
                except RowsForbid:
                    reject()
                assert (carried.rows + carried.left) == count
                assert 0 <= carried.rows <= session.count(lot.table, where_not_null=lot.column)
            assert definitions(session) == before


def held(session, schema, lot):
    """How many rows, or values, a copy of a database has of a lot."""
    column = lot.column and schema[lot.table].column(lot.column)
    if column and column.generated_as is not None:
        return 0
    return session.count(lot.table, where_not_null=lot.column)


def insert_what_goes(database, rows):
    """Insert rows one by one, as far as what is there allows them."""
    with database.locked() as session:
        for name, found in rows.items():
            for row in found:
                listed = ", ".join(map(quote, row)), ", ".join("?" for _ in row)
                sql = f"INSERT OR IGNORE INTO {quote(name)} ({listed[0]}) VALUES ({listed[1]})"
                session.execute(sql, list(row.values()))


def everything(database, tables):
    """All values of tables, the numbers of their rows, and where counters have come to."""
    values = contents(database, {n: [c.name for c in t.columns] for n, t in tables.items()})
    with database.read() as session:
        numbers = {}
        for name in tables:
            number = outline(session.connection, "main", name).rowid
            if number is not None:
                sql = f"SELECT {number} FROM {quote(name)} ORDER BY 1"
                numbers[name] = session.execute(sql)
        there = session.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")
        counters = session.execute("SELECT * FROM sqlite_sequence ORDER BY 1") if there else []
        return values, numbers, counters


def definitions(session):
    """All definitions, in whatever order they were made."""
    return sorted(
        session.execute(
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master "
            "WHERE name NOT LIKE 'sqlite_%'"
        )
    )
