from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ashflow.schema.datatypes import Desc, Sql
from ashflow.schema.keys import is_key
from ashflow.schema.table import Column, Index, Table

COLUMNS = [Column("a", "integer"), Column("b", "integer")]


def indexed(*keys, unique=True, where=None):
    return Table("t", COLUMNS, indexes=[Index("i", keys, unique=unique, where=where)])


CASES = [
    (Table("t", COLUMNS, primary_key=["a", "b"]), True),
    (Table("t", COLUMNS, primary_key=["a"]), False),
    (indexed("b", "a"), True),
    (indexed("a", Desc("b")), True),
    (indexed("a", "b", unique=False), False),
    (indexed("a", "b", where="a > 0"), False),
    (indexed("a", Sql("b + 0")), False),
    (indexed("a"), False),
]


@pytest.mark.parametrize(("table", "answer"), CASES)
def test_a_key_is_what_sqlite_takes_for_one(table, answer):
    assert is_key(table, ["a", "b"]) is answer
    parts = ["a INTEGER, b INTEGER"]
    parts += [f"PRIMARY KEY ({', '.join(table.primary_key)})"] if table.primary_key else []
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE TABLE t ({', '.join(parts)})")
        for index in table.indexes:
            texts = {"a": "a", "b": "b", Desc("b"): "b DESC", Sql("b + 0"): "b + 0"}
            unique = "UNIQUE" if index.unique else ""
            where = f"WHERE {index.where}" if index.where else ""
            keys = ", ".join(texts[key] for key in index.keys)
            db.execute(f"CREATE {unique} INDEX i ON t ({keys}) {where}")
        db.execute("CREATE TABLE c (x, y, FOREIGN KEY (x, y) REFERENCES t (a, b))")
        try:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("DELETE FROM t")
            db.execute("INSERT INTO c VALUES (NULL, NULL)")
            db.execute("PRAGMA foreign_key_check").fetchall()
            taken = True
        except sqlite3.OperationalError:
            taken = False
    assert taken is answer
