from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import get_args

import pytest
import strategies as some
from hypothesis import given

from ashflow.change import codec
from ashflow.change.codec import (
    canonical,
    decode_migration,
    decode_operation,
    encode_migration,
    encode_operation,
)
from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    CreateTable,
    Execute,
    Fill,
    Operation,
    Run,
)
from ashflow.schema.table import Column, ForeignKey, Index


@pytest.mark.parametrize("kind", get_args(Operation), ids=lambda kind: kind.__name__)
def test_every_field_of_every_operation_is_written(kind):
    assert list(codec._FIELDS[kind]) == [field.name for field in fields(kind)]


@pytest.mark.parametrize("kind", get_args(Operation), ids=lambda kind: kind.__name__)
def test_every_operation_is_read_back_from_real_json(kind):
    @given(some.operations(kind))
    def law(operation):
        text = json.dumps(encode_operation(operation), allow_nan=False)
        assert decode_operation(json.loads(text)) == operation

    law()


@given(some.operations())
def test_fields_at_their_default_are_left_out(operation):
    data = encode_operation(operation)
    for field in fields(operation):
        at_default = field.default is not MISSING and (
            getattr(operation, field.name) == field.default
        )
        assert (field.name in data) is not at_default


@given(some.migrations())
def test_a_migration_is_read_back_from_canonical_json(migration):
    assert decode_migration(json.loads(canonical(encode_migration(migration)))) == migration


def test_an_operation_is_written_as_the_contract_says():
    key = ForeignKey("teams", on_delete="cascade")
    assert encode_operation(AddColumn("a", Column("team_id", "uuid", references=key))) == {
        "op": "AddColumn",
        "table": "a",
        "column": {
            "name": "team_id",
            "type": "uuid",
            "references": {"table": "teams", "keys": ["id"], "on_delete": "cascade"},
        },
    }
    assert encode_operation(AddIndex("a", ["b"], name="i", unique=True)) == {
        "op": "AddIndex",
        "table": "a",
        "keys": ["b"],
        "name": "i",
        "unique": True,
    }


def test_a_unique_index_of_a_whole_table_stays_unique():
    table = CreateTable("a", columns=[Column("b", "text")], indexes=[Index("i", "b", unique=True)])
    assert decode_operation(encode_operation(table)) == table


def test_a_run_leaves_the_names_of_its_functions_only():
    def fill(db):
        pass

    assert encode_operation(Run(up=fill)) == {"op": "Run", "up": "fill"}
    assert decode_operation({"op": "Run", "up": "fill"}) == Run(up=fill)


def test_nothing_to_undo_differs_from_no_way_down():
    assert encode_operation(Execute(up="x")) == {"op": "Execute", "up": ["x"]}
    assert encode_operation(Execute(up="x", down=[])) == {"op": "Execute", "up": ["x"], "down": []}


def test_a_migration_says_its_format_and_that_it_enforces_keys_only_where_it_does():
    assert encode_migration(Migration(transaction=False)) == {
        "format": 1,
        "transaction": False,
        "operations": [],
    }
    fill = Fill("a", "b", "1")
    assert encode_migration(Migration([fill], foreign_keys=True))["foreign_keys"] is True


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"op": "Fly"}, "'Fly' is no operation; was it written by a newer ashflow"),
        ({"table": "a"}, "None is no operation"),
        ("Fill", "None is no operation"),
        ({"op": ["Fill"]}, "is no operation"),
        ({"op": "Fill", "table": "a", "column": "b"}, "Fill has no 'sql'"),
        ({"op": "Fill", "table": "a", "column": "b", "sql": 1}, "stands where a text should"),
        ({"op": "AddIndex", "table": "a", "keys": "b", "name": "c"}, "where a list should"),
        ({"op": "RenameTable", "old": "a", "new": "b", "why": "c"}, "RenameTable has 'why'"),
        (
            {"op": "AddIndex", "table": "a", "keys": ["b"], "name": "c", "unique": 1},
            "stands where true or false should",
        ),
    ],
)
def test_what_is_no_operation_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        decode_operation(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "the format is 2, .* newer ashflow"),
        ({"transaction": "no"}, "'transaction' is a text"),
        ({"operations": {}}, "'operations' is an object"),
        ({"speed": 1}, "a migration has 'speed'"),
    ],
)
def test_what_is_no_migration_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        decode_migration({**encode_migration(Migration()), **change})


def test_what_is_no_object_is_no_migration():
    with pytest.raises(ValueError, match="a list stands where a migration should"):
        decode_migration([])


def test_canonical_json_has_its_keys_sorted_and_no_blanks():
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'
