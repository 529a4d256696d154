from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import Care, Progress
from ashflow.adapters.sqlite import copying
from ashflow.adapters.sqlite.steps import Compare, Copy, Pair
from ashflow.change.operations import AddCheck, AddColumn, AlterColumn, CreateTable
from ashflow.errors import MigrationFailed
from ashflow.schema.datatypes import utc_now
from ashflow.schema.table import Column

AT = AddColumn("t", Column("at", "utc_datetime", default=utc_now))


def run(base, *operations, **care):
    """Run operations with some care; returns what was told of the progress."""
    told: list[Progress] = []
    database = connect(
        "sqlite:///base.db",
        root=base.path.parent,
        log=base.told,
        care=Care(**{"watch": told.append, **care}),
    )
    base.log.clear()
    with closing(database), database.locked() as session:
        session.run(operations)
    return told


@pytest.fixture(autouse=True)
def _parts_of_three(monkeypatch):
    monkeypatch.setattr(copying, "PART", 3)


LAST = 2**63 - 1


@pytest.mark.parametrize(
    "ids",
    [
        range(1, 8),
        range(-3, 3),
        (-(2**63), -(2**63) + 1, -7, 0, 5, LAST - 1, LAST),
        (LAST - 3, LAST - 2, LAST - 1, LAST),
        (1, 2, 3, LAST),
    ],
)
def test_a_large_table_is_copied_and_compared_part_by_part(base, ids):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
    base.do(*(f"INSERT INTO t VALUES ({n}, 'v{n}')" for n in ids))
    rows = base.ask("SELECT id, a FROM t")
    told = run(base, AT)
    assert base.ask("SELECT id, a FROM t") == rows
    total = len(rows)
    steps = [*range(3, total, 3), total]
    assert told == [
        Progress("t", deed, done, total) for deed in ("copying", "comparing") for done in steps
    ]


def test_row_ids_that_no_column_holds_are_kept_part_by_part(base):
    base.do("CREATE TABLE t (rowid TEXT, a)")
    base.do(*(f"INSERT INTO t (_rowid_, a) VALUES ({n * n}, {n})" for n in range(10)))
    rows = base.ask("SELECT _rowid_, a FROM t")
    assert len(run(base, AT)) == 8
    assert base.ask("SELECT _rowid_, a FROM t") == rows


def test_a_table_that_says_its_own_name_is_copied_twice(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a CHECK (t.a > 0))")
    base.do(*(f"INSERT INTO t VALUES ({n}, {n})" for n in range(1, 5)))
    deeds = [(one.table, one.deed) for one in run(base, AT)]
    aside = "__ashflow_old_t"
    assert deeds == [
        (name, deed) for name in ("t", aside) for deed in ("copying", "comparing") for _ in range(2)
    ]
    assert base.ask("SELECT id, a FROM t") == [(n, n) for n in range(1, 5)]


def test_nobody_is_told_of_a_small_table(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)")
    assert run(base, AT) == []


def test_all_at_once_where_nobody_looks(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    base.do(*(f"INSERT INTO t VALUES ({n})" for n in range(9)))
    run(base, AT, watch=None)
    assert base.ask("SELECT count(*) FROM t") == [(9,)]


@pytest.mark.parametrize("columns", [99, 300, 1990])
def test_a_table_of_many_columns_is_compared_column_by_column(base, columns):
    names = ", ".join(f"c{n}" for n in range(columns))
    base.do(f"CREATE TABLE t ({names})", f"INSERT INTO t (c0, c{columns - 1}) VALUES (1, 'z')")
    run(base, AT)
    assert base.ask(f"SELECT c0, c{columns - 1} FROM t") == [(1, "z")]


# What the comparison sees

VALUES = [
    ("1", "2"),
    ("1", "1.0"),
    ("1", "'1'"),
    ("'a'", "'A'"),
    ("'a'", "x'61'"),
    ("'a'", "'a' || char(0)"),
    ("NULL", "0"),
    ("''", "NULL"),
    ("'a'", "'a '"),
    ("0.1 + 0.2", "0.3"),
]


@pytest.mark.parametrize(("before", "after"), VALUES)
@pytest.mark.parametrize("on", [(("rowid", "rowid"),), ()])
def test_a_value_that_became_another_is_seen(base, before, after, on):
    with base.database.locked() as session:
        session.execute("CREATE TABLE t (a COLLATE NOCASE, b)")
        session.execute("CREATE TABLE copy (a COLLATE NOCASE, b)")
        session.execute(f"INSERT INTO t VALUES ({before}, 1), (5, 5)")
        session.execute(f"INSERT INTO copy VALUES ({after}, 1), (5, 5)")
        pairs = tuple(Pair(name, f'"{name}"', f'"{name}"', typed=True) for name in "ab")
        step = Compare("t", "t", "copy", on, pairs, "rowid")
        with pytest.raises(MigrationFailed, match="1 row of t would have another value in a"):
            copying.compare(session.connection, step, None)


def test_a_row_that_is_not_in_the_copy_is_seen(base):
    with base.database.locked() as session:
        for name in ("t", "copy"):
            session.execute(f"CREATE TABLE {name} (a)")
        session.execute("INSERT INTO t VALUES (NULL)")
        step = Compare("t", "t", "copy", (("rowid", "rowid"),), (Pair("a", "a", "a", True),), None)
        with pytest.raises(MigrationFailed, match="1 row of t would have another value"):
            copying.compare(session.connection, step, None)


def test_a_copy_that_leaves_rows_out_is_refused(base):
    base.do(
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE TABLE copy (a)",
        "CREATE TRIGGER some BEFORE INSERT ON copy WHEN NEW.a = 1 BEGIN SELECT RAISE(IGNORE); END",
    )
    with base.database.locked() as session, pytest.raises(MigrationFailed, match="1 row of t"):
        copying.copy(session.connection, Copy("t", "copy", (("a", "a"),), "rowid"), None)


def test_the_proof_can_be_left_out(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    base.do(*(f"INSERT INTO t VALUES ({n})" for n in range(9)))
    assert {one.deed for one in run(base, AT, verify=False)} == {"copying"}
    assert base.ask("SELECT count(*) FROM t") == [(9,)]


# Room on the disk


@pytest.fixture
def space(monkeypatch):
    """Set how many bytes are free on every disk."""
    usage = shutil.disk_usage("/")

    def leave(free):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))

    return leave


def test_a_copy_for_which_there_is_no_room_is_not_begun(base, space):
    base.do("CREATE TABLE t (a, b)", "CREATE INDEX i ON t (a)", "CREATE TABLE other (a)")
    base.do(*("INSERT INTO t VALUES (hex(randomblob(500)), 1)" for _ in range(200)))
    base.do("INSERT INTO other VALUES (zeroblob(4000000))")
    before = base.dump()
    base.log.clear()
    space(700_000)
    with pytest.raises(
        MigrationFailed, match=r"no room to make t anew: that takes 2\.3 MB"
    ) as error:
        base.run(AT)
    assert "has 0.7 MB left" in error.value.message
    assert error.value.hint
    assert base.log == []
    assert base.dump() == before
    base.run(AddCheck("t", "a <> ''", name="some"))  # which needs none
    space(2_400_000)  # the size of the table counts, not that of the database
    base.run(AT)


def test_a_copy_out_and_back_needs_more_room(base, space):
    base.do("CREATE TABLE t (a, b, CHECK (t.b > 0))")
    base.do(*("INSERT INTO t VALUES (zeroblob(4000), 1)" for _ in range(25)))
    space(250_000)
    with pytest.raises(MigrationFailed, match=r"takes 0\.3 MB"):
        base.run(AT)


def test_a_change_of_a_type_is_compared_as_numbers_are(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    base.do(*(f"INSERT INTO t (a) VALUES ('{n}.50')" for n in range(5)))
    old, new = (Column("a", kind, nullable=True) for kind in ("text", "float"))
    run(base, AlterColumn("t", old=old, new=new))
    assert base.ask("SELECT a FROM t") == [(n + 0.5,) for n in range(5)]


def test_a_rehearsal_asks_no_disk(tmp_path):
    old, new = (Column("a", kind, nullable=True) for kind in ("text", "integer"))
    database = connect("sqlite:///nowhere/deep/a.db", root=tmp_path)
    with database.rehearsal() as session:
        session.run([CreateTable("t", [old])])
        session.run([AlterColumn("t", old=old, new=new)])
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_table_is_measured_is_no_answer(base):
    base.do("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(500000))")
    with closing(sqlite3.connect(base.path)) as db:
        db.set_progress_handler(lambda: 1, 1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            copying._size(db, "t")
