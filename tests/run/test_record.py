"""What a run did, written down and read back."""

from __future__ import annotations

import json

import pytest

from ashflow.errors import FileError
from ashflow.history.ledger import Applied
from ashflow.run.record import Kept, Record, decode_record, encode_record
from ashflow.worktree.porcelain import Entry

ROW = Applied(3, "20260101000001", "first", "c" * 64, "{}", "2026-01-01T00:00:00.000Z")
FULL = Record(
    id="20260101000000000000",
    deed="regen",
    repo="repo",
    project="/somewhere",
    name="again",
    database="sqlite:///dev.sqlite3",
    database_id="one",
    removed={"priv/old.py": "a"},
    written={"priv/ü new.py": "b"},
    taken=(ROW,),
    given=(ROW, ROW),
    apart=1,
    net=({"op": "DropTable"},),
    entries={"priv/old.py": Entry("staged", "100644", "d" * 40)},
    restored={"priv/old.py": Entry("intent", "", "")},
    index="staged",
    made=True,
    committed=True,
    ledger="l",
    schema="s",
    tables=("posts",),
    kept=(Kept("posts", "color", 2, 1, "articles", (("color", "colour"),), squeezed=True),),
    parked="rows.sqlite3",
    waits="20260101000002",
    brings=("20250101000000000000",),
    carried=7,
)


@pytest.mark.parametrize("record", [FULL, Record("1", "undo", "repo", "/", tables=None)])
def test_what_is_written_is_read_back(record):
    assert decode_record(encode_record(record), "run.json") == record


def test_what_a_later_ashflow_has_added_is_left_out():
    data = json.loads(encode_record(FULL)) | {"more": 1}
    assert decode_record(json.dumps(data), "run.json") == FULL


def test_another_format_is_refused():
    data = json.loads(encode_record(FULL)) | {"format": 2}
    with pytest.raises(FileError, match=r"run\.json has format 2, and this ashflow knows 1"):
        decode_record(json.dumps(data), "run.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"format": 1}', encode_record(FULL).replace("rows", "x")]
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(FileError, match=r"run\.json can't be read"):
        decode_record(text, "run.json")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (Kept("posts", None, 2, 1, "posts"), "table posts (1 row)"),
        (Kept("posts", None, 2000, 2000, "posts"), "table posts (2,000 rows)"),
        (Kept("posts", "color", 2, 1, "posts"), "column posts.color (a value in 1 row)"),
    ],
)
def test_what_was_kept_is_said_with_what_is_left_of_it(kept, said):
    assert str(kept) == said
