from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import tables

from ashflow.errors import SnapshotError
from ashflow.history.snapshot import Snapshot, hash_of, new_snapshot, read_snapshot, text_of
from ashflow.schema.table import Column, Table

PATH = "priv/resource_snapshots/repo/posts/20261123061000.json"
POSTS = Table("posts", [Column("id", "integer"), Column("old", "text")], primary_key=["id"])


def snapshot(table=POSTS, **more):
    return new_snapshot(table, version="20261123061000", repo="repo", migration="add_posts", **more)


def spoilt(**fields):
    data = {**snapshot(), **fields}
    return text_of({**data, "hash": hash_of(data)})


@given(tables(), st.data())
def test_what_is_written_is_read_back(table, data):
    names = [column.name for column in table.columns]
    retired = data.draw(st.lists(st.sampled_from(names), unique=True))
    done = [{"op": "RenameTable", "old": "old", "new": table.name}]
    written = snapshot(table, retired=retired, operations=done)
    read = read_snapshot(text_of(written), PATH)
    assert {**read.data, "operations": list(read.operations)} == written
    assert read.physical == table
    assert set(read.retired) == set(retired)
    assert read.says({key: written[key] for key in ("columns", "retired", "indexes")})


@given(tables())
def test_the_text_says_nothing_of_the_order_of_keys_and_indexes(table):
    turned = Table(
        table.name,
        table.columns,
        primary_key=table.primary_key,
        foreign_keys=tuple(reversed(table.foreign_keys)),
        indexes=tuple(reversed(table.indexes)),
        checks=tuple(reversed(table.checks)),
        statements=table.statements,
        options=table.options,
    )
    assert text_of(snapshot(table)) == text_of(snapshot(turned))


def test_the_file_as_it_stands_for_ever():
    parent = Snapshot(snapshot(), PATH)
    written = new_snapshot(
        POSTS,
        version="20261123061001",
        repo="repo",
        migration="keep_old",
        retired=["old"],
        operations=[{"op": "AlterColumn"}],
        parents=[parent],
        ancestors=1,
    )
    assert parent.hash == "25f77bf618273e24017d3ed1d27116d2944534d861eae8a75718375b2be5b26a"
    assert (
        text_of(written)
        == """\
{
  "format": 1,
  "version": "20261123061001",
  "repo": "repo",
  "table": "posts",
  "state": "live",
  "columns": [
    {
      "name": "id",
      "type": "integer",
      "nullable": false
    }
  ],
  "primary_key": [
    "id"
  ],
  "foreign_keys": [],
  "identities": [],
  "indexes": [],
  "checks": [],
  "statements": [],
  "options": {
    "strict": false,
    "without_rowid": false
  },
  "retired": [
    {
      "name": "old",
      "type": "text",
      "nullable": false
    }
  ],
  "operations": [
    {
      "op": "AlterColumn"
    }
  ],
  "migration": "keep_old",
  "dev": false,
  "parents": [
    "25f77bf618273e24017d3ed1d27116d2944534d861eae8a75718375b2be5b26a"
  ],
  "ancestors": 1,
  "hash": "65018b4d3743a2b99fe452e292c37c537513b220348b7a41418e92937978da2c"
}
"""
    )


def test_the_hash_is_of_the_json_without_blanks_and_in_order():
    data = snapshot()
    less = {key: value for key, value in data.items() if key != "hash"}
    text = json.dumps(less, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data["hash"] == hash_of(data) == hash_of(less) == sha256(text.encode()).hexdigest()


def test_a_snapshot_answers_for_what_it_holds():
    read = Snapshot(snapshot(state="renamed", renamed_to="articles", ancestors=3), PATH)
    assert (read.version, read.table, read.state) == ("20261123061000", "posts", "renamed")
    assert (read.migration, read.ancestors, read.parents) == ("add_posts", 3, ())
    assert not read.standing
    assert Snapshot(snapshot(state="retired"), PATH).standing


def test_parents_are_in_order_whatever_order_they_were_named_in():
    one, two = (Snapshot(snapshot(ancestors=n), PATH) for n in (1, 2))
    assert snapshot(parents=[one, two]) == snapshot(parents=[two, one])


SPOILT = {
    "": "is no JSON",
    "{": "is no JSON",
    "[" * 100_000: "is no JSON",
    "null": "no JSON object",
    '"text"': "no JSON object",
    text_of(snapshot()).replace(
        '"dev"', '"repo": "x",\n  "dev"'
    ): "the key 'repo' stands in it twice",
    '{"format": 2}': "has format 2, this ashflow reads 1",
    "{}": "has format None, this ashflow reads 1",
    '{"format": 1}': "has no 'version'",
    spoilt(state="gone"): "has the state 'gone'; one of: live, retired, dropped, renamed",
    spoilt(version="2026"): "has the version '2026', which is not 14 digits",
    spoilt(more=1): "'more', which is not known here",
    spoilt(parents=[1]): "a whole number stands where a text should",
    spoilt(ancestors=True): "'ancestors' is true or false",
    spoilt(dev=0): "'dev' is a whole number",
    spoilt(migration=1): "'migration' is a whole number",
    text_of({**snapshot(), "repo": "other"}): "does not fit its hash",
    text_of(snapshot()).replace('"posts"', '"\\udfff"'): "does not fit its hash",
    text_of(snapshot()).replace('"ancestors": 0', '"ancestors": 1e999'): "'ancestors' is a number",
}


@pytest.mark.parametrize("text", SPOILT, ids=range(len(SPOILT)))
def test_what_is_no_snapshot_is_told_with_its_file_and_what_to_do(text):
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(text, PATH)
    assert caught.value.message.startswith(f"snapshot {PATH} ")
    assert SPOILT[text] in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("where", range(0, len(text_of(snapshot())) - 1, 37))
def test_no_part_of_a_snapshot_is_a_snapshot(where):
    with pytest.raises(SnapshotError):
        read_snapshot(text_of(snapshot())[:where], PATH)


def test_a_table_that_is_none_is_told_when_it_is_asked_for():
    read = read_snapshot(spoilt(columns=[{"name": "id"}]), PATH)
    with pytest.raises(SnapshotError, match=r"says something that no table says: .*'type'"):
        _ = read.physical


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_the_text_is_that_of_the_standard_library(data):
    assert text_of(data) == json.dumps(data, indent=2, ensure_ascii=False) + "\n"
