from __future__ import annotations

import json
import math

import pytest
import strategies as some
from hypothesis import given
from hypothesis import strategies as st

from ashflow.schema.codec import (
    decode_column,
    decode_default,
    decode_table,
    encode_column,
    encode_default,
    encode_table,
)
from ashflow.schema.datatypes import desc, sql, utc_now
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Statement, Table

POSTS = Table(
    "posts",
    [
        Column("id", "uuid"),
        Column("title", "text", nullable=True, default="", max_length=80),
        Column("team_id", "uuid"),
        Column("body", "text"),
    ],
    primary_key=["id"],
    foreign_keys=[ForeignKey("teams", columns=["team_id"], name="z", on_delete="cascade")],
    indexes=[
        Index("z_title", ["title"], unique=True, where="title <> ''"),
        Index("b_title", [desc("title"), sql("lower(body)"), desc(sql("upper(body)"))]),
        Index("a_title", ["title"]),
    ],
    checks=[Check("z", "title <> 'z'"), Check("a", "title <> 'a'")],
    statements=[Statement("search", "CREATE VIEW v AS SELECT 1", "DROP VIEW v")],
    options=Options(strict=True),
)


@given(some.tables(), st.data())
def test_a_table_is_read_back_from_real_json(table, data):
    named = [column.name for column in table.columns]
    retired = tuple(data.draw(st.lists(st.sampled_from(named), unique=True)))
    text = json.dumps(encode_table(table, retired), allow_nan=False)
    again, gone = decode_table(json.loads(text))
    assert again == table
    assert set(gone) == set(retired)


@given(some.tables(), st.randoms())
def test_the_order_of_keys_indexes_and_checks_does_not_show(table, random):
    def shuffled(items):
        return random.sample(items, len(items))

    other = Table(
        table.name,
        table.columns,
        primary_key=table.primary_key,
        foreign_keys=shuffled(table.foreign_keys),
        indexes=shuffled(table.indexes),
        checks=shuffled(table.checks),
        statements=table.statements,
        options=table.options,
    )
    assert json.dumps(encode_table(other)) == json.dumps(encode_table(table))


def test_a_table_is_written_with_its_keys_in_a_fixed_order():
    data = encode_table(POSTS, ["body"])
    assert list(data) == [
        "name",
        "columns",
        "primary_key",
        "foreign_keys",
        "identities",
        "indexes",
        "checks",
        "statements",
        "options",
        "retired",
    ]
    assert [column["name"] for column in data["columns"]] == ["id", "title", "team_id"]
    assert data["retired"] == [{"name": "body", "type": "text", "nullable": False}]
    assert data["identities"] == [{"name": "z_title", "keys": ["title"], "where": "title <> ''"}]
    assert data["indexes"] == [
        {"name": "a_title", "keys": ["title"]},
        {
            "name": "b_title",
            "keys": [{"desc": "title"}, {"sql": "lower(body)"}, {"desc": {"sql": "upper(body)"}}],
        },
    ]
    assert data["foreign_keys"] == [
        {
            "name": "z",
            "columns": ["team_id"],
            "table": "teams",
            "keys": ["id"],
            "on_delete": "cascade",
        }
    ]
    assert [check["name"] for check in data["checks"]] == ["a", "z"]
    assert data["options"] == {"strict": True, "without_rowid": False}


def test_a_column_says_name_type_and_nullable_and_the_rest_only_where_it_says_a_thing():
    assert encode_column(Column("a", "text")) == {"name": "a", "type": "text", "nullable": False}
    full = Column("a", "integer", nullable=True, default=0, generated_as="b", stored=True)
    assert encode_column(full) == {
        "name": "a",
        "type": "integer",
        "nullable": True,
        "default": 0,
        "generated_as": "b",
        "stored": True,
    }


def test_a_column_with_all_that_a_column_can_say_is_read_back():
    column = Column(
        "a",
        "decimal",
        nullable=True,
        default=sql("1"),
        primary_key=True,
        references=ForeignKey("t", ["b", "c"], name="k", on_update="set_null", deferrable=True),
        autoincrement=True,
        max_length=1,
        precision=2,
        scale=3,
        collate="NOCASE",
        generated_as="b",
        stored=True,
        comment="c",
    )
    assert decode_column(json.loads(json.dumps(encode_column(column)))) == column


@pytest.mark.parametrize(
    ("default", "data"),
    [
        ("it's", "it's"),
        (0, 0),
        (False, False),
        (1.5, 1.5),
        (sql("lower('A')"), {"sql": "lower('A')"}),
        (utc_now, {"function": "utc_now"}),
        (b"\x00\xff", {"hex": "00ff"}),
        (math.inf, {"float": "inf"}),
        (-math.inf, {"float": "-inf"}),
    ],
)
def test_every_kind_of_default_has_its_json(default, data):
    assert encode_default(default) == data
    again = decode_default(data)
    assert again == default
    assert type(again) is type(default)


def test_nan_is_written_without_a_word_that_json_does_not_have():
    data = encode_default(math.nan)
    assert data == {"float": "nan"}
    assert math.isnan(decode_default(data))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"sql": 1},
        {"sql": "a", "more": 1},
        {"function": "tomorrow"},
        {"hex": "0g"},
        {"float": "1.5"},
    ],
)
def test_what_is_no_default_is_refused(data):
    with pytest.raises(ValueError, match=r"default|hex"):
        decode_default(data)


def test_an_unknown_key_is_refused_and_named():
    data = {"name": "a", "type": "text", "nullable": False, "colour": "red"}
    with pytest.raises(ValueError, match=r"a column 'a' has 'colour'.*newer ashflow"):
        decode_column(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a list stands where a column should"),
        ({"type": "text"}, "a column has no 'name'"),
        ({"name": "a", "type": "text", "nullable": 1}, "'nullable' is a whole number"),
        ({"name": "a", "type": "text", "max_length": True}, "'max_length' is true or false"),
        ({"name": "a", "type": "text", "collate": None}, "'collate' is null, and not a text"),
        ({"name": "a", "type": "txt"}, "'txt' is no column type"),
    ],
)
def test_a_column_of_a_wrong_shape_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        decode_column(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "'columns' is an object, and not a list"),
        ({"columns": [{"name": "id", "type": "uuid"}] * 2}, "two things .* called 'id'"),
        ({"primary_key": [1]}, "a whole number stands where a text should"),
        ({"foreign_keys": [{"table": "t", "keys": ["id"]}]}, "has no 'name'"),
        ({"indexes": [{"name": "i", "keys": ["a"], "unique": True}]}, "has 'unique'"),
        ({"indexes": [{"name": "i", "keys": [{"asc": "a"}]}]}, "is no key of an index"),
        ({"indexes": [{"name": "i", "keys": [{"desc": {"desc": "a"}}]}]}, "is no key of an index"),
        ({"checks": [{"name": "c"}]}, "a check 'c' has no 'sql'"),
        ({"options": {"strict": "yes"}}, "'strict' is a text"),
        ({"triggers": []}, "has 'triggers'"),
    ],
)
def test_a_table_of_a_wrong_shape_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        decode_table({**encode_table(POSTS), **change})


@pytest.mark.parametrize("key", list(encode_table(POSTS)))
def test_a_table_that_lacks_a_key_is_refused(key):
    data = encode_table(POSTS)
    del data[key]
    with pytest.raises(ValueError, match=f"has no '{key}'"):
        decode_table(data)
