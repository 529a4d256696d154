from __future__ import annotations

from pathlib import Path

import ashflow.sample.resources as sample
from ashflow.schema.datatypes import desc, sql, utc_now
from ashflow.schema.table import Check, Index


def test_the_sample_declares_what_its_classes_say(shop):
    text = Path(sample.__file__).read_text(encoding="utf-8")
    shop.write("workshop/resources.py", text)
    declared = shop.load("workshop.resources")["repo"]
    assert list(declared.schema) == ["teams", "combobulators"]
    assert declared.warnings == ()
    table = declared.schema["combobulators"]
    assert [column.name for column in table.columns] == [
        "id", "name", "rpm", "price", "stage", "settings", "label", "team_id", "inserted_at",
        "updated_at",
    ]  # fmt: skip
    assert table.column("updated_at").default == utc_now
    assert table.column("settings").default == "{}"
    assert Check("combobulators_stage_check", "stage IN ('draft', 'live')") in table.checks
    assert (
        Index(
            "combobulators_by_price_index",
            [desc("price"), sql("lower(name)")],
            where="price IS NOT NULL",
        )
        in table.indexes
    )
