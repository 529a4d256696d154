"""What was written in format 1 is read for ever, and says the same when it is written again.

The files in frozen/ are never changed. What a later version adds is written only where it is not
at its default, so that no old snapshot turns stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from ashflow.change.codec import decode_migration, encode_migration
from ashflow.change.operations import Operation
from ashflow.history.snapshot import read_snapshot, text_of
from ashflow.schema.codec import encode_table
from ashflow.schema.table import Column

FROZEN = Path(__file__).parent / "frozen"


def test_a_snapshot_of_format_1_is_read_and_is_not_stale():
    text = (FROZEN / "snapshot_1.json").read_text(encoding="utf-8")
    snapshot = read_snapshot(text, "snapshot_1.json")
    table = snapshot.physical
    assert text_of(json.loads(text)) == text
    assert {**snapshot.data, "operations": [*snapshot.operations]} == json.loads(text)
    assert snapshot.retired == ("old",)
    assert table.column("old") == Column("old", "text", nullable=True)
    assert table.column("title") == Column("title", "text", max_length=80, default="näme")
    assert [index.unique for index in table.indexes] == [True, False]
    assert snapshot.says(encode_table(table, snapshot.retired))


def test_a_ledger_of_format_1_is_read_with_every_operation():
    data = json.loads((FROZEN / "ledger_1.json").read_text(encoding="utf-8"))
    migration = decode_migration(data)
    assert encode_migration(migration) == data
    assert {type(operation) for operation in migration.operations} == set(get_args(Operation))
    assert migration.transaction is False
