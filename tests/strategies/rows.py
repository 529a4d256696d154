"""Rows that can be inserted.

In the n-th row of every table, all columns of one type that take part in a key hold the n-th value
of that type. So every foreign key finds its row, whatever the cycles, and no two rows agree in a
key.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ashflow.schema.table import (
    Column,
    Schema,
    Table,
    index_mentions,
)
from strategies.schemas import written
from strategies.values import VALUES, key_value

Draw = Any
Row = dict[str, Any]


def key_columns(schema: Schema, table: Table) -> set[str]:
    """The columns of a table that take part in a key of it, or in a foreign key of any table."""
    found = {*table.primary_key, *parent_columns(schema, table)}
    found |= {name for key in table.foreign_keys for name in key.columns}
    unique = [index for index in table.indexes if index.unique]
    found |= {c.name for c in table.columns if any(index_mentions(i, c.name) for i in unique)}
    return found


def parent_columns(schema: Schema, table: Table) -> set[str]:
    """The columns of a table that foreign keys lead to."""
    everywhere = (key for other in schema.values() for key in other.foreign_keys)
    return {name for key in everywhere if key.table == table.name for name in key.keys}


@st.composite
def rows(draw: Draw, table: Table, max_rows: int = 3) -> list[Row]:
    """Rows that can be inserted into a table; foreign keys to other tables may find no row."""
    return draw(_rows(Schema([table]), table, draw(st.integers(0, max_rows))))


@st.composite
def populated(draw: Draw, schema: Schema, max_rows: int = 3) -> dict[str, list[Row]]:
    """As many rows for every table of a schema; all foreign keys find their rows."""
    number = draw(st.integers(0, max_rows))
    return {name: draw(_rows(schema, table, number)) for name, table in schema.items()}


@st.composite
def _rows(draw: Draw, schema: Schema, table: Table, number: int) -> list[Row]:
    keys, parents = key_columns(schema, table), parent_columns(schema, table)

    def value(column: Column, n: int) -> Any:
        if column.nullable and column.name not in parents and draw(st.integers(0, 2)) == 2:
            return None
        return key_value(column.type, n) if column.name in keys else draw(VALUES[column.type])

    return [{c.name: value(c, n) for c in written(table)} for n in range(number)]
