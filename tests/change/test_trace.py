from __future__ import annotations

from hypothesis import given
from strategies import changed_schemas, schemas

from ashflow.change.apply import apply_all
from ashflow.change.diff import diff
from ashflow.change.operations import (
    AddColumn,
    AddStatement,
    CreateTable,
    DropColumn,
    DropStatement,
    DropTable,
    Execute,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.change.trace import between, dropped, made_by, renames_in, trace
from ashflow.schema.table import Column, Schema, Table

A, B = Column("a", "text"), Column("b", "text")
START = Schema([Table("t", [A, B]), Table("u", [A])])


def test_what_nothing_happens_to_keeps_its_name():
    assert trace(START, [Execute(up="SELECT 1")]) == {
        "t": ("t", {"a": "a", "b": "b"}),
        "u": ("u", {"a": "a"}),
    }
    assert renames_in(trace(START, [])) == Renames()


def test_renames_are_followed_under_the_names_of_the_moment():
    names = trace(
        START,
        [
            RenameTable("t", "x"),
            RenameColumn("x", "a", "c"),
            RenameTable("x", "y"),
            RenameColumn("y", "c", "d"),
        ],
    )
    assert names["t"] == ("y", {"a": "d", "b": "b"})
    assert renames_in(names) == Renames({"t": "y"}, {"t": {"a": "d"}})


def test_a_name_that_comes_back_is_no_rename():
    there_and_back = [RenameColumn("t", "a", "c"), RenameColumn("t", "c", "a")]
    assert renames_in(trace(START, there_and_back)) == Renames()


def test_two_that_swap_are_told_apart():
    swap = [RenameTable("t", "s"), RenameTable("u", "t"), RenameTable("s", "u")]
    assert renames_in(trace(START, swap)).tables == {"t": "u", "u": "t"}


def test_what_is_dropped_is_left_out_and_what_takes_its_name_is_another():
    names = trace(
        START,
        [
            DropTable("u", [A]),
            CreateTable("u", [A]),
            DropColumn("t", A),
            AddColumn("t", A),
            RenameColumn("t", "a", "z"),
        ],
    )
    assert names == {"t": ("t", {"b": "b"})}


def test_between_two_ways_lie_the_renames_that_both_know():
    left = trace(START, [RenameTable("t", "x"), RenameColumn("x", "a", "c"), DropTable("u", [A])])
    right = trace(START, [RenameColumn("t", "a", "d"), RenameTable("u", "v")])
    assert between(left, right) == Renames({"x": "t"}, {"x": {"c": "d"}})
    assert between(left, left) == Renames()


@given(changed_schemas())
def test_what_is_traced_is_there_under_its_name(pair):
    old, new = pair
    operations = diff(old, new)
    after = apply_all(old, operations)
    for name, columns in trace(old, operations).values():
        assert set(columns.values()) <= {column.name for column in after[name].columns}


@given(schemas())
def test_between_undoes_what_a_rename_did(schema):
    pairs = {name: f"{name}~" for name in schema if not name.startswith("@")}
    renamed = trace(schema, [RenameTable(old, new) for old, new in pairs.items()])
    back = between(renamed, trace(schema, []))
    assert back.tables == {new: old for old, new in pairs.items()}


def statement(kind, *up):
    return kind("@domain", "made", up=up, down=["DROP TABLE made"])


def test_a_table_that_a_statement_made_goes_with_it():
    made = "CREATE VIRTUAL TABLE words USING fts5 (body)"
    gone = statement(DropStatement, made)
    assert dropped([gone]) == (("words", None),)
    assert dropped([statement(AddStatement, made), gone]) == ()
    assert dropped([gone, statement(AddStatement, made)]) == (("words", None),)
    assert dropped([RenameTable("log", "words"), gone]) == (("log", None),)


def test_the_tables_that_statements_make_are_read_from_their_text():
    texts = [
        "CREATE TABLE log (n)",
        "create table if not exists [other log] (n)",
        'CREATE /* a name */ TABLE main."third" AS SELECT 1',
        "CREATE TEMP TABLE passing (n)",
        "CREATE VIEW seen AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON log BEGIN SELECT 1; END",
        "INSERT INTO log VALUES (1)",
        "-- nothing",
    ]
    assert made_by(statement(AddStatement, *texts)) == ("log", "other log", "third")
