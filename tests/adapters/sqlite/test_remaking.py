from __future__ import annotations

import pytest

from ashflow.adapters.sqlite import running
from ashflow.adapters.sqlite.steps import Do, Edit, Remake
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddIndex,
    CreateTable,
    DropColumn,
    DropTable,
)
from ashflow.change.reverse import reverse_all
from ashflow.errors import MigrationFailed, RowsForbid, SchemaError
from ashflow.schema.datatypes import utc_now
from ashflow.schema.table import Column

AT = AddColumn("t", Column("at", "utc_datetime", default=utc_now))
CHECK = AddCheck("t", "id > 0", name="some")


@pytest.fixture
def table(base):
    base.do(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, u UNIQUE)",
        "CREATE TABLE other (a)",
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX elsewhere ON other (a)",
        "CREATE TRIGGER one AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER two AFTER INSERT ON t BEGIN SELECT 2; END",
        "CREATE VIEW v AS SELECT a FROM t",
        "INSERT INTO t VALUES (4, 'x', 1), (9, 'y', 2)",
        "DELETE FROM t WHERE id = 9",
        "ANALYZE",
    )
    return base


@pytest.fixture
def broken(monkeypatch):
    """Have every change of a table do something else as well."""

    def also(*statements):
        whole = running.statements

        def planned(catalog, stretch, **how):
            for step in whole(catalog, stretch, **how):
                if isinstance(step, Remake):
                    more = tuple(Do(sql) for sql in statements)
                    yield Remake(step.table, step.new, (*step.steps, *more), counted=step.counted)
                else:
                    yield step

        monkeypatch.setattr(running, "statements", planned)

    return also


@pytest.mark.parametrize("operation", [AT, CHECK], ids=["made anew", "edited"])
@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["DROP INDEX i"], "the index i would be another"),
        (["DROP INDEX elsewhere"], "the index elsewhere would be another"),
        (["DROP INDEX i", "CREATE INDEX i ON t (a DESC)"], "the index i would be another"),
        (["DROP TRIGGER one"], "the trigger one would be another"),
        (
            [
                "DROP TRIGGER one",
                "CREATE TRIGGER one AFTER INSERT ON t BEGIN SELECT 1; END",
            ],
            "its triggers would be in another order",
        ),
        (["DROP VIEW v", "CREATE VIEW v AS SELECT 1 AS a"], "the view v would be another"),
        (["DROP TABLE other"], "the index elsewhere, the table other would be another"),
        (["CREATE TABLE more (a)"], "the table more would be another"),
        (["UPDATE sqlite_sequence SET seq = 5"], "the counter of AUTOINCREMENT would go back"),
        (["ALTER TABLE t ADD COLUMN more"], "it would have another definition"),
    ],
)
def test_what_else_became_another_undoes_the_change_and_is_named(
    table, broken, operation, statements, told
):
    before = table.dump()
    broken(*statements)
    with pytest.raises(MigrationFailed, match=f"the change of t cannot be proved: {told}") as error:
        table.run(operation)
    assert "Nothing was changed" in error.value.hint
    assert table.dump() == before


def test_a_column_that_sqlite_drops_itself_is_proved_too(base, broken):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)", "INSERT INTO t VALUES (1, 2, 3)")
    before = base.dump()
    broken("DELETE FROM t")
    with pytest.raises(MigrationFailed, match="it would have 0 rows instead of 1"):
        base.run(DropColumn("t", Column("a", "text", nullable=True)))
    assert base.dump() == before


def test_what_sqlite_finds_damaged_undoes_the_change(table, monkeypatch):
    whole = running.statements

    def planned(catalog, stretch, **how):
        for step in whole(catalog, stretch, **how):
            if isinstance(step, Remake):
                edit = Edit(step.table, step.new.text, None, ())
                yield Remake(step.table, step.new, (edit,))

    monkeypatch.setattr(running, "statements", planned)
    before = table.dump()
    with pytest.raises(MigrationFailed, match="SQLite would find t damaged: CHECK constraint"):
        table.run(AddCheck("t", "id > 4", name="some"))
    assert table.dump() == before


def test_what_only_sqlite_340_sees_is_no_damage_whatever_the_table_is_called(base):
    key = "a TEXT NOT NULL, n NUMERIC DEFAULT 'x', b TEXT NOT NULL, PRIMARY KEY (b)) WITHOUT ROWID"
    for name in ("one.two", "0"):
        base.do(f'CREATE TABLE "{name}" ({key}', f"INSERT INTO \"{name}\" VALUES ('x', 1, '2')")
    for name in ("one.two", "0"):
        base.run(AddCheck(name, "b <> ''", name=f"{name}_check"))
        base.run(AddColumn(name, Column("at", "utc_datetime", default=utc_now)))
        assert base.ask(f'SELECT a, n, b FROM "{name}"') == [("x", 1, "2")]


def test_the_order_in_which_triggers_were_made_stays(table):
    table.run(AT)
    made = table.ask("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid")
    assert made == [("one",), ("two",)]


def test_what_analyze_found_is_kept(table):
    table.do(*(f"INSERT INTO t (a) VALUES ({n})" for n in range(50)))  # since ANALYZE
    before = table.ask("SELECT * FROM sqlite_stat1 ORDER BY tbl, idx")
    assert len(before) > 1
    table.run(AT)
    assert table.ask("SELECT * FROM sqlite_stat1 ORDER BY tbl, idx") == before
    table.run(CHECK)
    assert table.ask("SELECT * FROM sqlite_stat1 ORDER BY tbl, idx") == before


def test_a_table_with_a_column_that_the_migration_does_not_know_is_not_dropped(base):
    base.do("CREATE TABLE t (id INTEGER PRIMARY KEY, mine)", "INSERT INTO t VALUES (1, 2)")
    before = base.dump()
    drop = DropTable("t", [Column("id", "integer", primary_key=True)])
    with pytest.raises(SchemaError, match="a column that the migration does not know, mine"):
        base.run(drop)
    assert base.dump() == before
    base.do("ALTER TABLE t DROP COLUMN mine")
    base.run(drop)
    assert list(base.schema()) == []


def test_duplicates_are_counted_before_the_table_is_made_anew(table):
    table.do("INSERT INTO t (a) VALUES ('x')")
    before = table.dump()
    table.log.clear()
    with pytest.raises(RowsForbid, match='2 rows of t would not be unique in \\("a"\\)'):
        table.run(AT, AddIndex("t", ["a"], name="u", unique=True))
    assert table.log == []
    assert table.dump() == before


def test_a_column_that_goes_before_its_table_is_known(base):
    key, extra = Column("id", "integer", primary_key=True), Column("extra", "text", nullable=True)
    made = [CreateTable("notes", [key]), AddColumn("notes", extra)]
    base.run(*made)
    base.run(*reverse_all(made))
    assert list(base.schema()) == []


def test_a_table_that_is_gone_is_told(table, broken):
    before = table.dump()
    broken("DROP VIEW v", "DROP TABLE t")
    with pytest.raises(MigrationFailed, match="it would not be there any more"):
        table.run(AT)
    assert table.dump() == before
