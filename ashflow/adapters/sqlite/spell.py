"""Spell tables and their parts in the SQL of SQLite: one renderer for names, types and literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from ashflow.errors import SchemaError
from ashflow.schema.datatypes import RAW, Default, Desc, Key, Sql, UtcNow
from ashflow.schema.sqltext import enclosed, quote, text_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ashflow.schema.table import Action, Check, Column, ForeignKey, Index, Options, Table

NOW: Final = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))"
STRICT_DECIMAL: Final = "/* decimal */ TEXT"
"""A STRICT table has no NUMERIC; the comment tells a decimal from a text when STRICT goes."""

_TYPES: Final = {
    "integer": "INTEGER",
    "boolean": "INTEGER",
    "float": "REAL",
    "decimal": "NUMERIC",
    "binary": "BLOB",
}
_ACTIONS: Final[dict[Action, str]] = {
    "restrict": "RESTRICT",
    "cascade": "CASCADE",
    "set_null": "SET NULL",
    "set_default": "SET DEFAULT",
}


def type_text(type_: str, *, strict: bool) -> str:
    """Return what SQLite calls a column type.

    Args:
        type_: One of `datatypes.TYPES`, or `raw:` and SQLite's own word.
        strict: Whether the table is STRICT (https://www.sqlite.org/stricttables.html).
    """
    if type_.startswith(RAW):
        return type_[len(RAW) :].strip()
    if type_ == "decimal" and strict:
        return STRICT_DECIMAL
    return _TYPES.get(type_, "TEXT")


def literal(value: Default) -> str:
    """Return a default as SQL.

    Raises:
        SchemaError: SQLite has no way to write it: a text with NUL, NaN, a number of over 64 bits.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "1" if value else "0"
        case int():
            return _integer(value)
        case float():
            return _float(value)
        case str():
            return _text(value)
        case bytes():
            return f"X'{value.hex().upper()}'"
        case Sql(expression):
            return enclosed(expression)
        case UtcNow():
            return NOW
        case _:
            assert_never(value)


def clauses(column: Column, *, key: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what is said of a column after its type, each as its kind and its text.

    Args:
        column: The column.
        key: Whether it is the whole primary key of its table.
    """
    if not column.nullable:
        yield "not_null", "NOT NULL"
    if key:
        yield "primary_key", "PRIMARY KEY" + " AUTOINCREMENT" * column.autoincrement
    if column.default is not None:
        yield "default", f"DEFAULT {literal(column.default)}"
    if column.collate is not None:
        yield "collate", f"COLLATE {quote(column.collate)}"
    if column.generated_as is not None:
        kept = "STORED" if column.stored else "VIRTUAL"
        yield "generated", f"GENERATED ALWAYS AS {enclosed(column.generated_as)} {kept}"


def column_text(column: Column, *, strict: bool, key: bool = False) -> str:
    """Return a column as it stands in CREATE TABLE, without its foreign key.

    Args:
        column: The column.
        strict: Whether the table is STRICT.
        key: Whether the column is the whole primary key.
    """
    said = (text for _, text in clauses(column, key=key))
    return " ".join((quote(column.name), type_text(column.type, strict=strict), *said))


def new_column_text(column: Column, key: ForeignKey | None, *, strict: bool) -> str:
    """Return a column with the foreign key that stands in it.

    Args:
        column: The column.
        key: Its foreign key; None: it has none.
        strict: Whether the table is STRICT.
    """
    text = column_text(column, strict=strict)
    return text if key is None else f"{text} CONSTRAINT {quote(key.name)} {references_text(key)}"


def references_text(key: ForeignKey) -> str:
    """Return the part of a foreign key that says what it refers to."""
    words = [f"REFERENCES {quote(key.table)} ({names(key.keys)})"]
    if key.on_delete is not None:
        words.append(f"ON DELETE {_ACTIONS[key.on_delete]}")
    if key.on_update is not None:
        words.append(f"ON UPDATE {_ACTIONS[key.on_update]}")
    if key.deferrable:
        words.append("DEFERRABLE INITIALLY DEFERRED")
    return " ".join(words)


def foreign_key_text(key: ForeignKey) -> str:
    """Return a foreign key as a constraint of its table."""
    own = f"FOREIGN KEY ({names(key.columns)})"
    return f"CONSTRAINT {quote(key.name)} {own} {references_text(key)}"


def check_text(check: Check) -> str:
    """Return a check as a constraint of its table."""
    return f"CONSTRAINT {quote(check.name)} CHECK {enclosed(check.sql)}"


def primary_key_text(columns: Iterable[str]) -> str:
    """Return a primary key as a constraint of its table."""
    return f"PRIMARY KEY ({names(columns)})"


def options_text(options: Options) -> str:
    """Return what stands behind the parentheses of CREATE TABLE."""
    said = ["STRICT"] * options.strict + ["WITHOUT ROWID"] * options.without_rowid
    return "".join(f" {', '.join(said)}" for _ in said[:1])


def table_text(table: Table) -> str:
    """Return the CREATE TABLE of a table, a column and a constraint a line."""
    sole = table.primary_key[0] if len(table.primary_key) == 1 else None
    lines = [
        column_text(column, strict=table.options.strict, key=column.name == sole)
        for column in table.columns
    ]
    if len(table.primary_key) > 1:
        lines.append(primary_key_text(table.primary_key))
    lines += [foreign_key_text(key) for key in table.foreign_keys]
    lines += [check_text(check) for check in table.checks]
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {quote(table.name)} (\n  {body}\n){options_text(table.options)}"


def index_text(table: str, index: Index) -> str:
    """Return the CREATE INDEX of an index."""
    kind = "UNIQUE INDEX" if index.unique else "INDEX"
    keys = ", ".join(key_text(key) for key in index.keys)
    where = "" if index.where is None else f" WHERE {index.where}"
    return f"CREATE {kind} {quote(index.name)} ON {quote(table)} ({keys}){where}"


def key_text(key: Key) -> str:
    """Return a key of an index."""
    match key:
        case Desc(inner):
            return f"{key_text(inner)} DESC"
        case Sql(expression):
            return expression
        case _:
            return quote(key)


def names(columns: Iterable[str]) -> str:
    """Return names in quotes, with commas between them."""
    return ", ".join(quote(column) for column in columns)


def _integer(value: int) -> str:
    if not -(2**63) <= value < 2**63:
        raise SchemaError(
            f"the default {value} is a number of more than 64 bits, which SQLite cannot keep",
            hint="Make the column a text or a decimal, with the number as a text.",
        )
    return str(value)


def _float(value: float) -> str:
    if value != value:
        raise SchemaError("NaN cannot be a default: SQLite keeps it as NULL", hint="Say None.")
    if value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)


def _text(value: str) -> str:
    if "\0" in value:
        raise SchemaError(
            "a text with a NUL character cannot be a default in SQLite",
            hint="Use sql(\"'a' || char(0)\"), or bytes.",
        )
    return text_literal(value)
