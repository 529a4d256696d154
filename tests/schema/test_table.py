from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
import strategies as some
from hypothesis import given
from hypothesis import strategies as st

from ashflow.schema.datatypes import Desc, Sql, UtcNow, desc, is_type, same_kind, sql, utc_now
from ashflow.schema.table import (
    Check,
    Column,
    ForeignKey,
    Index,
    Schema,
    Statement,
    Table,
    find,
    foreign_key_name,
    index_mentions,
)

A, B = Column("a", "text"), Column("b", "text")


@given(some.tables(), st.randoms())
def test_the_order_of_what_a_table_is_made_of_makes_no_difference(table, random):
    other = replace(
        table,
        columns=random.sample(table.columns, len(table.columns)),
        indexes=random.sample(table.indexes, len(table.indexes)),
        checks=random.sample(table.checks, len(table.checks)),
        foreign_keys=random.sample(table.foreign_keys, len(table.foreign_keys)),
    )
    assert other == table
    assert hash(other) == hash(table)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "u"},
        {"columns": [A]},
        {"columns": [A, replace(B, nullable=True)]},
        {"primary_key": ["b", "a"]},
        {"checks": [Check("c", "a > b")]},
    ],
)
def test_tables_that_differ_are_not_equal(change):
    table = Table("t", [A, B], primary_key=["a", "b"])
    assert replace(table, **change) != table


def test_a_table_is_no_other_thing():
    assert Table("t") != "t"


def test_one_item_may_stand_alone_and_lists_become_tuples():
    key = ForeignKey("t", "id", columns="a")
    assert (key.keys, key.columns) == (("id",), ("a",))
    table = Table("t", A, primary_key="a", foreign_keys=key, indexes=Index("i", "a"))
    assert table.columns == (A,)
    assert table.primary_key == ("a",)
    assert table.foreign_keys == (key,)
    assert Index("i", sql("a")).keys == (sql("a"),)
    assert Index("i", desc("a")).keys == (desc("a"),)
    assert Statement("s", "up", ["down", "further"]).down == ("down", "further")


def test_a_table_finds_its_columns_and_indexes_by_name():
    index = Index("i", ["a"])
    table = Table("t", [A, B], indexes=[index])
    assert table.column("b") is B
    assert table.column("c") is None
    assert table.index("i") is index
    assert find([A, B], "a") is A


@pytest.mark.parametrize("index", [Index("i", ["a"]), Index("i", ["b"], where="A > 1")])
def test_an_index_mentions_its_keys_and_what_its_condition_names(index):
    assert index_mentions(index, "a")
    assert not index_mentions(index, "c")


def test_a_foreign_key_has_a_usual_name_and_stands_in_a_column_without_it():
    owned = ForeignKey("teams").owned("posts", ["team_id"])
    assert (owned.columns, owned.name) == (("team_id",), "posts_team_id_fkey")
    assert owned.inline("posts") == ForeignKey("teams")
    assert foreign_key_name("posts", ["a", "b"]) == "posts_a_b_fkey"
    named = ForeignKey("teams", columns=["team_id"], name="own")
    assert named.owned("posts") == named
    assert named.inline("posts") == ForeignKey("teams", name="own")


def test_an_unknown_action_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'explode' is no action .* restrict, cascade"):
        ForeignKey("t", on_delete="explode")


def test_a_foreign_key_has_as_many_columns_as_keys():
    with pytest.raises(ValueError, match="a foreign key of 2 columns to 1 keys"):
        ForeignKey("t", "id", columns=["a", "b"])


@pytest.mark.parametrize("name", ["text", "uuid", "raw:VARCHAR(10)"])
def test_a_type_is_known_or_raw(name):
    assert is_type(name)
    assert Column("a", name).type == name


@pytest.mark.parametrize("name", ["", "txt", "raw:", "raw:  ", "TEXT"])
def test_what_is_no_type_is_refused(name):
    assert not is_type(name)
    with pytest.raises(ValueError, match=r"column 'a'.*is no column type"):
        Column("a", name)


@pytest.mark.parametrize(
    ("type_", "given", "kept"),
    [
        ("boolean", 1, True),
        ("boolean", 0.0, False),
        ("boolean", 7, 7),
        ("integer", True, 1),
        ("float", 1, 1.0),
        ("decimal", True, 1),
        ("decimal", 1.5, 1.5),
        ("text", "1", "1"),
        ("text", None, None),
    ],
)
def test_a_default_is_of_the_kind_of_its_column(type_, given, kept):
    default = Column("a", type_, default=given).default
    assert (default, type(default)) == (kept, type(kept))
    assert same_kind(type_, kept) == kept


def test_a_bare_column_has_no_keys_and_stays_itself_where_it_has_none():
    assert replace(A, primary_key=True, references=ForeignKey("t")).bare == A
    assert A.bare is A


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        A.name = "b"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(sql("a"), "sql('a')"), (desc("a"), "desc('a')"), (utc_now, "utc_now")],
)
def test_a_value_shows_itself_as_it_is_written(value, shown):
    assert repr(value) == shown


def test_there_is_one_moment_called_now():
    assert utc_now == UtcNow()
    assert hash(utc_now) == hash(pickle.loads(pickle.dumps(UtcNow())))
    assert utc_now != "utc_now"
    assert (sql("a"), desc("a")) == (Sql("a"), Desc("a"))


def test_a_schema_is_a_mapping_by_name():
    first, second = Table("a", [A]), Table("b", [B])
    schema = Schema([first, second])
    assert schema["b"] is second
    assert list(schema) == ["a", "b"]
    assert len(schema) == 2
    assert schema == Schema([second, first])
    assert schema.only(lambda name: name == "a") == Schema([first])
    assert "Table(name='a'" in repr(schema)


def test_two_tables_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two tables are called 'a'"):
        Schema([Table("a"), Table("a")])
