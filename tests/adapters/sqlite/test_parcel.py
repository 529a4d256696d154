from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest

from ashflow.adapters.protocol import Lot
from ashflow.errors import DatabaseError, FileError, NotADatabaseError

T = Lot("t")


@pytest.fixture(params=["DELETE", "WAL"])
def base(base, request):
    with closing(sqlite3.connect(base.path)) as db:
        db.execute(f"PRAGMA journal_mode = {request.param}")
    return base


@pytest.fixture
def parcel(tmp_path):
    return tmp_path / "kept" / "parcel"


@pytest.fixture
def park(base, parcel):
    """Keep lots, and return what was counted."""
    parcel.parent.mkdir()
    return lambda *lots: base.database.park(parcel, lots)


def rows(path, sql):
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def test_only_what_is_named_is_in_a_file_that_its_owner_alone_may_read(base, park, parcel):
    base.do("CREATE TABLE t (a, b)", "CREATE TABLE u (a)", "INSERT INTO t VALUES (1, 'x')")
    assert park(T) == (1,)
    assert rows(parcel, "SELECT name FROM sqlite_master") == [("t",)]
    assert rows(parcel, "SELECT * FROM t") == [(1, "x")]
    assert stat.S_IMODE(parcel.stat().st_mode) == 0o600
    assert list(parcel.parent.iterdir()) == [parcel]


def test_a_file_that_is_there_is_neither_written_nor_removed(base, park, parcel):
    base.do("CREATE TABLE t (a)")
    parcel.write_text("mine")
    with pytest.raises(FileError, match="cannot be made"):
        park(T)
    assert parcel.read_text() == "mine"


def test_nothing_is_left_of_a_file_that_failed(base, park, parcel):
    base.database.close()
    base.path.write_text("my novel, chapter one " * 100)
    with pytest.raises(NotADatabaseError):
        park(T)
    assert list(parcel.parent.iterdir()) == []


def test_a_damaged_table_leaves_no_half_of_it(base, park, parcel):
    base.do("CREATE TABLE t (a)")
    with base.database.locked() as session:
        session.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    base.database.close()
    with closing(sqlite3.connect(base.path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    whole = bytearray(base.path.read_bytes())
    whole[-4096 * 3 :] = b"\x77" * 4096 * 3
    base.path.write_bytes(whole)
    with pytest.raises(DatabaseError):
        park(T)
    assert list(parcel.parent.iterdir()) == []


def test_it_is_kept_while_another_connection_of_ours_has_the_lock(base, park):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2)")
    with base.database.locked() as session:
        assert park(T) == (2,)
        session.execute("DROP TABLE t")


def test_every_value_stays_what_it_is(base, park, parcel):
    base.do(
        "CREATE TABLE t (i INTEGER, n NUMERIC, r REAL, s TEXT COLLATE NOCASE CHECK (s <> ''), b)"
    )
    values = [
        (2**63 - 1, "007x", 1.0, "a\0b", b"\x00\xff"),
        (-(2**63), 1.5, -0.0, "7", "7"),
        ("x", None, 1e300, None, 7),
    ]
    with base.database.locked() as session:
        session.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", values)
        session.execute("INSERT INTO t (s) VALUES (CAST(x'ff41' AS TEXT))")  # no UTF-8
    assert park(T) == (4,)
    told = "SELECT rowid, " + ", ".join(f"typeof({c}), hex({c})" for c in "inrsb") + " FROM t"
    assert rows(parcel, told) == base.ask(told)


def test_rows_keep_their_numbers_also_where_columns_are_called_so(base, park, parcel):
    base.do("CREATE TABLE t (rowid TEXT, oid TEXT)", "INSERT INTO t (_rowid_, oid) VALUES (7, 'x')")
    assert park(T) == (1,)
    assert rows(parcel, "SELECT _rowid_, rowid, oid FROM t") == [(7, None, "x")]


def test_a_key_that_is_the_rowid_stays_it_and_another_key_finds_its_rows(base, park, parcel):
    base.do(
        "CREATE TABLE t (a, id INTEGER PRIMARY KEY)",
        "CREATE TABLE u (a, k TEXT, l TEXT, PRIMARY KEY (l, k))",
        "CREATE TABLE w (a, k TEXT PRIMARY KEY) WITHOUT ROWID",
        "CREATE TABLE d (id INTEGER PRIMARY KEY DESC)",
        "INSERT INTO t VALUES ('x', 7)",
        "INSERT INTO u (rowid, a, k, l) VALUES (9, 'x', 'k', NULL), (5, 'y', 'k', NULL)",
        "INSERT INTO w VALUES ('x', 'k')",
        "INSERT INTO d VALUES ('x'), (1)",
    )
    assert park(T, Lot("u"), Lot("w"), Lot("d")) == (1, 2, 1, 2)
    assert rows(parcel, "SELECT rowid, * FROM t") == [(7, "x", 7)]
    assert rows(parcel, "SELECT rowid, * FROM u") == [(5, "y", "k", None), (9, "x", "k", None)]
    assert rows(parcel, "SELECT rowid, * FROM d") == [(1, "x"), (2, 1)]
    assert rows(parcel, "SELECT wr FROM pragma_table_list('w')") == [(1,)]


def test_a_column_is_kept_with_its_key_and_shares_a_table_with_others(base, park, parcel):
    base.do(
        "CREATE TABLE t (a, k TEXT, b, c, l INT, PRIMARY KEY (l, k))",
        "INSERT INTO t (rowid, a, k, b, c, l) VALUES (3, 1, 'k', 2, 3, 4), (5, 1, 'l', NULL, 3, 4)",
    )
    assert park(Lot("T", "B"), Lot("t", "c"), Lot("t", "nope")) == (1, 2, 0)
    assert rows(parcel, "SELECT rowid, * FROM t") == [(3, "k", 2, 3, 4), (5, "l", None, 3, 4)]
    assert rows(parcel, "SELECT name FROM sqlite_master WHERE type = 'table'") == [("t",)]


def test_a_whole_table_takes_the_columns_along_that_are_named_too(base, park, parcel):
    base.do("CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, NULL)")
    assert park(Lot("t", "b"), T) == (0, 1)
    assert rows(parcel, "SELECT * FROM t") == [(1, None)]


def test_what_is_computed_is_not_kept(base, park, parcel):
    base.do("CREATE TABLE t (a, v AS (a + 1), s AS (a + 2) STORED)", "INSERT INTO t VALUES (1)")
    assert park(T, Lot("t", "v"), Lot("t", "s")) == (1, 0, 0)
    assert rows(parcel, "SELECT * FROM t") == [(1,)]


def test_what_is_not_there_counts_nothing(base, park, parcel):
    base.do("CREATE TABLE t (a)", "CREATE VIEW v AS SELECT 1 AS a")
    assert park(Lot("nope"), Lot("t", "nope"), Lot("v"), Lot("sqlite_master")) == (0, 0, 0, 0)
    assert rows(parcel, "SELECT name FROM sqlite_master") == []


def test_where_counters_have_come_to_is_kept(base, park, parcel):
    base.do(
        "CREATE TABLE nn (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO nn VALUES (4)",
        "INSERT INTO t VALUES (9)",
        "DELETE FROM t",
    )
    assert park(T, Lot("nn")) == (0, 1)
    assert sorted(rows(parcel, "SELECT * FROM sqlite_sequence")) == [("nn", 4), ("t", 9)]


def test_a_virtual_table_is_kept_as_a_plain_one_without_its_shadows(base, park, parcel):
    base.do(
        "CREATE VIRTUAL TABLE t USING fts5 (a, b)",
        "INSERT INTO t (rowid, a, b) VALUES (7, 'one', 'two')",
        "CREATE VIRTUAL TABLE box USING rtree (id, x0, x1)",
        "INSERT INTO box VALUES (3, 1, 2)",
    )
    assert park(T, Lot("t_content"), Lot("box")) == (1, 0, 1)
    assert rows(parcel, "SELECT rowid, * FROM t") == [(7, "one", "two")]
    assert rows(parcel, "SELECT rowid, * FROM box") == [(3, 3, 1.0, 2.0)]
    kept = rows(parcel, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    assert kept == [("box",), ("t",)]


def test_what_cannot_be_read_is_left_out(base, park, parcel):
    base.do(
        "CREATE VIRTUAL TABLE t USING fts5 (a, content='gone')",
        "CREATE VIRTUAL TABLE u USING fts5 (a, content='')",
        "INSERT INTO u (rowid, a) VALUES (1, 'one')",
    )
    assert park(T, Lot("u")) == (0, 0)
    assert rows(parcel, "SELECT name FROM sqlite_master") == []


def test_a_virtual_table_of_a_module_that_is_not_there_is_left_out(base, park, parcel):
    base.do("CREATE TABLE t (a)", "CREATE TABLE u (a)", "INSERT INTO u VALUES (1)")
    with closing(sqlite3.connect(base.path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        other = "CREATE VIRTUAL TABLE t USING nope (a)"
        db.execute("UPDATE sqlite_master SET sql = ?, rootpage = 0 WHERE name = 't'", (other,))
        db.commit()
    base.database.close()
    assert park(T, Lot("t", "a"), Lot("u")) == (0, 0, 1)
    with base.database.locked() as session:
        [carried] = session.carry(parcel, [Lot("u", to="t")])
    assert (carried.rows, carried.left) == (0, 1)


@pytest.mark.parametrize("name", ["ashflow_meta", "ashflow_counters", "ashflow_kept_0", 'a "b".c'])
def test_any_name_of_a_table_will_do(base, park, parcel, name):
    quoted = '"' + name.replace('"', '""') + '"'
    base.do(f"CREATE TABLE {quoted} (name, seq)", f"INSERT INTO {quoted} VALUES (1, 2)")
    assert park(Lot(name)) == (1,)
    assert rows(parcel, f"SELECT * FROM {quoted}") == [(1, 2)]


def test_a_database_that_a_killed_process_left_is_mended_first(base, park):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    base.database.close()
    with closing(sqlite3.connect(base.path, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN")
        db.execute("CREATE TABLE more AS SELECT 1 AS a")
        db.execute("PRAGMA cache_spill = 1")
        db.executemany("INSERT INTO more VALUES (?)", [("x" * 999,)] * 300)
        copies = {
            file.name: file.read_bytes() for file in base.path.parent.iterdir() if file.is_file()
        }
        db.execute("ROLLBACK")
    for name, content in copies.items():
        base.path.with_name(name).write_bytes(content)
    assert park(T, Lot("more")) == (1, 0)
