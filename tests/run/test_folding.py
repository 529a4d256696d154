"""Folded migrations make what they make one by one."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import renamed_schemas, schemas

from ashflow.adapters.connect import connect
from ashflow.change.diff import diff
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AlterColumn,
    CreateTable,
    DropCheck,
    DropColumn,
    DropIndex,
    DropTable,
    Execute,
    Fill,
    RenameColumn,
    RenameTable,
    SetOptions,
)
from ashflow.errors import AshflowError
from ashflow.history.ledger import NOTHING
from ashflow.plan.fold import Fold, folded
from ashflow.plan.steps import Up
from ashflow.run.events import Ended
from ashflow.run.runner import Runner
from ashflow.schema.datatypes import Sql
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Schema

NOW = datetime(2026, 11, 29, tzinfo=UTC)
KEY = Column("id", "integer", primary_key=True)


def steps(*histories):
    """Migrations, each of some operations; or whole ones."""
    found = []
    for number, one in enumerate(histories):
        migration = one if isinstance(one, Migration) else Migration(one)
        found.append(Up(f"{20260101000000 + number}", f"m{number}", "m.py", "c", migration))
    return tuple(found)


def migrated(folder, name, ups, *, fold):
    """A database to which migrations were applied."""
    (folder / "m.py").touch()
    database = connect(f"sqlite:///{name}.db", root=folder)
    database.create()
    events = []
    runner = Runner("repo", database, folder, lambda: NOW, events.append)
    done = list(runner.apply(ups, NOTHING, fold=fold))
    database.close()
    assert [one.version for one in done] == [up.version for up in ups]
    assert [event.done for event in events if isinstance(event, Ended)] == done
    return database


def told(database):
    """The tables with the order of their columns, the SQL of all else, and the ledger."""
    with database.read() as session:
        found = session.introspect()
        order = {name: [column.name for column in table.columns] for name, table in found.items()}
        rest = session.execute("SELECT type, name FROM sqlite_master ORDER BY type, name")
        rows = [row._replace(applied_at="") for row in session.ledger()]
        assert session.execute("PRAGMA integrity_check") == [("ok",)]
    return dict(found), order, rest, rows


def folds(ups):
    return [len(one.steps) if isinstance(one, Fold) else 1 for one in folded(ups)]


@st.composite
def histories(draw):
    """What one to five changes of a schema come to, each a migration."""
    schema = draw(schemas())
    found = [diff(Schema(), schema)]
    for _ in range(draw(st.integers(1, 5))):
        _, after, renames = draw(renamed_schemas(schema, keeps_rows=False))
        found.append(diff(schema, after, renames))
        schema = after
    return steps(*found)


@given(histories())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_folded_or_one_by_one_a_history_makes_the_same(ups):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = migrated(folder, "folded", ups, fold=True)
        single = migrated(folder, "single", ups, fold=False)
        assert told(whole) == told(single)


def test_a_run_makes_each_table_as_it_stands_in_the_end():
    ups = steps(
        [CreateTable("a", [KEY, Column("x", "text")])],
        [AddColumn("a", Column("y", "text", nullable=True))],
        [RenameColumn("a", "x", "z"), AddIndex("a", ["z"], name="a_z")],
        [CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("a"))])],
        [RenameTable("a", "c")],
    )
    (fold,) = folded(ups)
    assert fold.steps == ups
    made = {op.table: op for op in fold.operations}
    assert list(made) == ["c", "b"]
    assert [column.name for column in made["c"].columns] == ["id", "z", "y"]
    assert made["c"].indexes == (Index("a_z", ("z",)),)
    assert made["b"].foreign_keys[0].table == "c"


def test_what_comes_and_goes_is_never_made():
    ups = steps(
        [CreateTable("a", [KEY, Column("x", "text")])],
        [CreateTable("b", [KEY])],
        [DropColumn("a", Column("x", "text")), DropTable("b", [KEY])],
    )
    (fold,) = folded(ups)
    assert fold.operations == (CreateTable("a", [KEY]),)


def test_keys_in_a_circle_come_when_all_tables_stand(tmp_path):
    key = ForeignKey("b", columns=["b_id"], name="a_b_fkey")
    ups = steps(
        [CreateTable("a", [KEY, Column("b_id", "integer", nullable=True)])],
        [CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("a"))])],
        [AddForeignKey("a", key)],
    )
    (fold,) = folded(ups)
    assert [type(op) for op in fold.operations] == [CreateTable, CreateTable, AddForeignKey]
    whole = migrated(tmp_path, "folded", ups, fold=True)
    assert told(whole) == told(migrated(tmp_path, "single", ups, fold=False))


def test_what_may_look_at_any_table_ends_a_run():
    table = CreateTable("a", [KEY, Column("x", "text", nullable=True)])
    more = [CreateTable("b", [KEY])], [CreateTable("c", [KEY])]
    sql = "INSERT INTO a (x) VALUES ('1')"
    assert folds(steps([table], [CreateTable("b", [KEY])], [Execute(up=sql)])) == [2, 1]
    for one in (
        [Execute(up=sql)],
        [Fill("a", "x", "'1'")],
        Migration([Execute(up="VACUUM")], transaction=False),
        Migration([Execute(up=sql)], foreign_keys=True),
    ):
        assert folds(steps([table], [AddIndex("a", ["x"], name="a_x")], one, *more)) == [2, 1, 2]


def test_a_table_from_before_the_run_is_changed_as_it_is_written():
    ups = steps(
        [CreateTable("a", [KEY])],
        [Execute(up="INSERT INTO a DEFAULT VALUES")],
        [CreateTable("b", [KEY])],
        [AddColumn("b", Column("x", "text"))],
        [AddColumn("a", Column("x", "text", nullable=True))],
        [AddColumn("b", Column("y", "text"))],
    )
    assert folds(ups) == [1, 1, 2, 1, 1]


def test_what_does_not_fit_is_left_to_the_database():
    ups = steps([CreateTable("a", [KEY])], [DropColumn("a", Column("x", "text"))])
    assert folds(ups) == [1, 1]


def test_a_fold_that_the_database_refuses_is_run_one_by_one(tmp_path):
    wrong = AddCheck("a", "no_such_function(id) > 0", name="a_check")
    ups = steps([CreateTable("a", [KEY])], [wrong], [CreateTable("b", [KEY])])
    assert folds(ups) == [3]
    (tmp_path / "m.py").touch()
    database = connect("sqlite:///a.db", root=tmp_path)
    database.create()
    runner = Runner("repo", database, tmp_path, lambda: NOW, lambda _: None)
    with pytest.raises(AshflowError, match="20260101000001_m1") as caught:
        list(runner.apply(ups, NOTHING, fold=True))
    assert caught.value.version == "20260101000001"
    with database.read() as session:
        assert session.ledger().versions == ("20260101000000",)
        assert list(session.introspect()) == ["a"]
    database.close()


A_TABLE = CreateTable("a", [KEY, Column("x", "integer", nullable=True)])
REFERRING = CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("a"))])
GONE = DropTable("a", [KEY, Column("x", "integer", nullable=True)])
CHECKED = AddCheck("a", "x > 0", name="a_check")
WRONG = "no_such_function(x)"
STRICT = SetOptions("a", old=Options(), new=Options(strict=True))
LOOSE = SetOptions("a", old=Options(strict=True), new=Options())
ODD = CreateTable("a", [KEY, Column("x", "raw:varchar", nullable=True)])
X = Column("x", "integer", nullable=True)
REFUSED = {
    "a table that another one refers to": ([A_TABLE], [REFERRING], [GONE], [A_TABLE]),
    "an index name that is taken": (
        [A_TABLE, AddIndex("a", ["x"], name="i")],
        [CreateTable("b", [KEY, X]), AddIndex("b", ["x"], name="i")],
        [DropIndex("a", ["x"], name="i")],
    ),
    "a check that goes again": (
        [A_TABLE],
        [AddCheck("a", WRONG, name="c")],
        [DropCheck("a", WRONG, name="c")],
    ),
    "a default that goes again": (
        [A_TABLE],
        [AddColumn("a", Column("y", "text", default=Sql(WRONG)))],
        [DropColumn("a", Column("y", "text", default=Sql(WRONG)))],
    ),
    "an index on SQL that goes again": (
        [A_TABLE],
        [AddIndex("a", [Sql(WRONG)], name="i")],
        [DropIndex("a", [Sql(WRONG)], name="i")],
    ),
    "a table with a wrong check that goes again": (
        [A_TABLE],
        [CreateTable("b", [KEY], checks=[Check("c", WRONG)])],
        [DropTable("b", [KEY], checks=[Check("c", WRONG)])],
    ),
    "a column that a check reads": ([A_TABLE, CHECKED], [DropColumn("a", X)]),
    "STRICT with a type that it has not": ([ODD], [STRICT], [LOOSE]),
    "a key to what is no key yet": (
        [A_TABLE],
        [AddColumn("a", Column("a_x", "integer", nullable=True, references=ForeignKey("a", "x")))],
        [AddIndex("a", ["x"], name="i", unique=True)],
    ),
    "a column of one name in another case": (
        [A_TABLE],
        [AddColumn("a", Column("X", "text", nullable=True))],
        [DropColumn("a", Column("X", "text", nullable=True))],
    ),
}


@pytest.mark.parametrize("history", REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused_one_by_one_is_refused_by_a_migrate_that_folds(tmp_path, history):
    told = []
    for fold in (True, False):
        folder = tmp_path / str(fold)
        folder.mkdir()
        with pytest.raises(AshflowError) as caught:
            migrated(folder, "a", steps(*history), fold=fold)
        told.append(caught.value.message)
    assert told[0] == told[1]


SPELLED = {
    "a key of an index": (
        [A_TABLE],
        [AddIndex("a", ["X"], name="i", unique=True)],
        [RenameColumn("a", "x", "y")],
    ),
    "a table that is referred to": (
        [A_TABLE],
        [CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("A"))])],
        [RenameTable("a", "c")],
    ),
    "a column that is referred to": (
        [A_TABLE],
        [CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("a", "ID"))])],
        [RenameColumn("a", "id", "key")],
    ),
    "what stands before a run and follows a rename": (
        [CreateTable("b", [KEY, Column("a_id", "integer", references=ForeignKey("a"))])],
        [Execute(up="CREATE VIEW v AS SELECT 1 AS one", down="DROP VIEW v")],
        [A_TABLE],
        [RenameTable("a", "c"), RenameColumn("c", "id", "key")],
    ),
}


@pytest.mark.parametrize("history", SPELLED.values(), ids=list(SPELLED))
def test_what_sqlite_alone_sees_as_one_name_follows_a_rename(tmp_path, history):
    whole = migrated(tmp_path, "folded", steps(*history), fold=True)
    assert told(whole) == told(migrated(tmp_path, "single", steps(*history), fold=False))


def test_an_altered_column_stands_where_it_stood(tmp_path):
    ups = steps(
        [CreateTable("a", [KEY, Column("x", "text"), Column("y", "text")])],
        [AlterColumn("a", old=Column("x", "text"), new=Column("x", "integer", nullable=True))],
    )
    whole = migrated(tmp_path, "folded", ups, fold=True)
    assert told(whole)[1] == {"a": ["id", "x", "y"]}
    assert told(whole) == told(migrated(tmp_path, "single", ups, fold=False))
