from __future__ import annotations

import pytest

from ashflow.change.dependents import makes, stands_on
from ashflow.schema.table import Statement

MADE = {
    "CREATE VIEW seen AS SELECT 1": {"seen"},
    "create temp view if not exists main.Seen as select 1": {"seen"},
    'CREATE VIRTUAL TABLE "my search" USING fts5(a)': {"my search"},
    "-- first\nCREATE TABLE [Notes] (a)": {"notes"},
    "CREATE TRIGGER t AFTER INSERT ON posts BEGIN SELECT 1; END": set(),
    "CREATE UNIQUE INDEX i ON posts (a)": set(),
    "CREATE": set(),
    "INSERT INTO seen VALUES ('CREATE VIEW x')": set(),
    "": set(),
}


@pytest.mark.parametrize("sql", MADE)
def test_what_a_statement_makes(sql):
    assert makes([Statement("s", sql, [])]) == MADE[sql]


STANDS = {
    "CREATE TRIGGER t INSTEAD OF UPDATE OF a, b ON Seen BEGIN SELECT 1; END": True,
    'CREATE TRIGGER IF NOT EXISTS main.t AFTER INSERT ON "seen" BEGIN SELECT 1; END': True,
    "CREATE UNIQUE INDEX IF NOT EXISTS i ON main.seen (a)": True,
    "CREATE TRIGGER t AFTER INSERT ON posts BEGIN INSERT INTO seen VALUES (1); END": False,
    "CREATE VIEW v AS SELECT 1 FROM posts JOIN seen ON seen.a = posts.a": False,
    "CREATE INDEX i": False,
}


@pytest.mark.parametrize("sql", STANDS)
def test_a_trigger_and_an_index_stand_on_what_they_are_on(sql):
    assert stands_on(Statement("s", ["SELECT 1", sql], []), frozenset({"seen"})) is STANDS[sql]
