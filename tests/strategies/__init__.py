"""Random names, columns, tables, schemas, changes, operations, migrations and rows.

All but the operations are valid on SQLite, and as nasty as SQLite allows: names with quotes,
blanks, keywords and letters beyond ASCII; composite keys, cycles of foreign keys, expressions.
"""

from strategies.changes import changed_schemas, changes_of, renamed_schemas, without_column
from strategies.names import Names, names
from strategies.operations import BY_KIND, migrations, operations, wild
from strategies.rows import key_columns, populated, rows
from strategies.schemas import columns, keys_of, schemas, tables

__all__ = [
    "BY_KIND",
    "Names",
    "changed_schemas",
    "changes_of",
    "columns",
    "key_columns",
    "keys_of",
    "migrations",
    "names",
    "operations",
    "populated",
    "renamed_schemas",
    "rows",
    "schemas",
    "tables",
    "wild",
    "without_column",
]
