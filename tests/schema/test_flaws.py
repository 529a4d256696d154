from __future__ import annotations

import pytest
from hypothesis import given
from strategies import schemas

from ashflow.schema.datatypes import Desc, Sql
from ashflow.schema.flaws import flaws
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Table

ID, NAME = Column("id", "integer"), Column("name", "text")


@given(schemas())
def test_a_valid_schema_has_none(schema):
    assert not any(flaws(t, [c.name for c in t.columns]) for t in schema.values())


FLAWED = {
    "two of column name": Table("a", [NAME, Column("NAME", "text")]),
    "two of index a_index": Table("a", [NAME], indexes=[Index("a_index", "name")] * 2),
    "two of check a_check": Table("a", [NAME], checks=[Check("a_check", "1")] * 2),
    "the primary key has id, no column": Table("a", [NAME], primary_key=["id"]),
    "index a_index has id, no column": Table("a", [NAME], indexes=[Index("a_index", Desc("id"))]),
    "foreign key a_id_fkey has id, no column": Table(
        "a", [NAME], foreign_keys=[ForeignKey("b", "id", columns=["id"], name="a_id_fkey")]
    ),
    "foreign key a_name_fkey has id, no column": Table(
        "a", [NAME], foreign_keys=[ForeignKey("a", "id", columns=["name"], name="a_name_fkey")]
    ),
    "check a_check has gone, no column": Table("a", [NAME], checks=[Check("a_check", "Gone > 1")]),
    "index a_index has gone, no column": Table(
        "a", [NAME], indexes=[Index("a_index", [Sql("lower(gone)")])]
    ),
    "column twice has gone, no column": Table(
        "a", [NAME, Column("twice", "text", generated_as="gone || gone")]
    ),
    "WITHOUT ROWID, and no primary key": Table("a", [NAME], options=Options(without_rowid=True)),
    "column id counts up, and is not the primary key": Table(
        "a", [Column("id", "integer", autoincrement=True)]
    ),
    "column id counts up, and the table is WITHOUT ROWID": Table(
        "a",
        [Column("id", "integer", autoincrement=True)],
        primary_key=["id"],
        options=Options(without_rowid=True),
    ),
}


@pytest.mark.parametrize("said", FLAWED)
def test_what_is_wrong_is_said(said):
    assert flaws(FLAWED[said], ["name", "gone"]) == {said}


def test_a_word_in_a_text_is_no_column():
    table = Table("a", [NAME], checks=[Check("a_check", "name <> 'gone'")])
    assert not flaws(table, ["gone"])
