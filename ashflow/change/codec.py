"""Operations and migrations as JSON and back, as the ledger and the snapshots keep them.

What is written here outlives us: a field is only ever added, with a default. A `Run` leaves the
names of its functions; Python is never stored.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    Operation,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
    function_name,
)
from ashflow.schema.codec import (
    decode_check,
    decode_column,
    decode_foreign_key,
    decode_index,
    decode_key,
    decode_options,
    encode_check,
    encode_column,
    encode_foreign_key,
    encode_index,
    encode_key,
)
from ashflow.schema.shape import COUNT, FLAG, LIST, check_keys, flag, items, text, texts, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ashflow.schema.shape import Json
    from ashflow.schema.table import Column, Options

FORMAT: Final = 1
"""The number of this way of writing; it stands in every row of the ledger."""


class _Way(NamedTuple):
    """How a field is written, and read back."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def encode_operation(operation: Operation, column: Callable[[Column], Json] | None = None) -> Json:
    """Return an operation as JSON.

    Args:
        operation: Any operation.
        column: Encodes a column of a table as a whole, where somebody does so for many tables;
            None: `encode_lean`.

    Returns:
        `{"op": "AddColumn", ...}` with its fields, but for those at their default.
    """
    data: Json = {"op": type(operation).__name__}
    defaults = _DEFAULTS[type(operation)]
    for field, way in _FIELDS[type(operation)].items():
        value = getattr(operation, field)
        if field not in defaults or value != defaults[field]:
            if column is not None and field == "columns":
                data[field] = [column(one) for one in value]
            else:
                data[field] = way.encode(value)
    return data


def encode_lean(column: Column) -> Json:
    """Return a column as JSON, as an operation has it: one that is not nullable does not say so."""
    data = encode_column(column)
    if not column.nullable:
        del data["nullable"]
    return data


def decode_operation(data: Mapping[str, Any]) -> Operation:
    """Return the operation that `encode_operation` wrote.

    Args:
        data: Its JSON. A `Run` comes back with the names of its functions.

    Raises:
        ValueError: It is no operation that is known here.
    """
    given = dict(data) if isinstance(data, dict) else {}
    name = given.pop("op", None)
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{name!r} is no operation; was it written by a newer ashflow?")
    ways = _FIELDS[kind]
    for field in given:
        if field not in ways:
            raise unknown(str(name), field)
    for field in ways.keys() - _DEFAULTS[kind].keys() - given.keys():
        raise ValueError(f"{name} has no {field!r}")
    operation: Operation = kind(**{field: ways[field].decode(given[field]) for field in given})
    return operation


def encode_migration(migration: Migration) -> Json:
    """Return a migration as the JSON that the ledger keeps.

    Args:
        migration: Any migration.
    """
    data: Json = {"format": FORMAT, "transaction": migration.transaction}
    if migration.foreign_keys:
        data["foreign_keys"] = True
    return {**data, "operations": [encode_operation(each) for each in migration.operations]}


def decode_migration(data: Mapping[str, Any]) -> Migration:
    """Return the migration that `encode_migration` wrote.

    Args:
        data: Its JSON.

    Raises:
        ValueError: It is no migration that is known here.
    """
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise ValueError(
            f"the format is {data.get('format')!r}, and {FORMAT} is the only one known here; "
            "was it written by a newer ashflow?"
        )
    check_keys(data, "a migration", _MIGRATION, required=("transaction", "operations"))
    return Migration(
        items(data["operations"], decode_operation),
        transaction=data["transaction"],
        foreign_keys=data.get("foreign_keys", False),
    )


def canonical(data: Any) -> str:  # noqa: ANN401  (any JSON)
    """Return JSON as the one text that hashes are taken of: keys sorted, no blanks.

    Args:
        data: Any JSON.

    Raises:
        ValueError: It holds `inf` or `nan`, for which JSON has no word.
    """
    import json

    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


_MIGRATION: Final = {
    "format": COUNT,
    "transaction": FLAG,
    "foreign_keys": FLAG,
    "operations": LIST,
}


def _options(options: Options) -> Json:
    pairs = {"strict": options.strict, "without_rowid": options.without_rowid}
    return {name: value for name, value in pairs.items() if value}


def _many(way: _Way) -> _Way:
    return _Way(
        lambda values: [way.encode(value) for value in values],
        lambda data: items(data, way.decode),
    )


_TEXT: Final = _Way(str, text)
_TEXTS: Final = _Way(list, texts)
_FLAG: Final = _Way(bool, flag)
_FUNCTION: Final = _Way(function_name, text)
_COLUMN: Final = _Way(encode_lean, decode_column)
_FOREIGN_KEY: Final = _Way(encode_foreign_key, decode_foreign_key)
_INDEX: Final = _Way(encode_index, decode_index)
_CHECK: Final = _Way(encode_check, decode_check)
_KEY: Final = _Way(encode_key, decode_key)
_OPTIONS: Final = _Way(_options, decode_options)

_WHOLE_TABLE: Final = {
    "table": _TEXT,
    "columns": _many(_COLUMN),
    "primary_key": _TEXTS,
    "foreign_keys": _many(_FOREIGN_KEY),
    "checks": _many(_CHECK),
    "indexes": _many(_INDEX),
    "options": _OPTIONS,
}
_ONE_COLUMN: Final = {"table": _TEXT, "column": _COLUMN}
_ONE_INDEX: Final = {
    "table": _TEXT,
    "keys": _many(_KEY),
    "name": _TEXT,
    "unique": _FLAG,
    "where": _TEXT,
}
_ONE_CHECK: Final = {"table": _TEXT, "sql": _TEXT, "name": _TEXT}
_ONE_FOREIGN_KEY: Final = {"table": _TEXT, "key": _FOREIGN_KEY}
_ONE_STATEMENT: Final = {"table": _TEXT, "name": _TEXT, "up": _TEXTS, "down": _TEXTS}

_FIELDS: Final[dict[type[Operation], dict[str, _Way]]] = {
    CreateTable: _WHOLE_TABLE,
    DropTable: _WHOLE_TABLE,
    RenameTable: {"old": _TEXT, "new": _TEXT},
    AddColumn: _ONE_COLUMN,
    DropColumn: _ONE_COLUMN,
    RenameColumn: {"table": _TEXT, "old": _TEXT, "new": _TEXT},
    AlterColumn: {"table": _TEXT, "old": _COLUMN, "new": _COLUMN},
    AddIndex: _ONE_INDEX,
    DropIndex: _ONE_INDEX,
    AddCheck: _ONE_CHECK,
    DropCheck: _ONE_CHECK,
    AddForeignKey: _ONE_FOREIGN_KEY,
    DropForeignKey: _ONE_FOREIGN_KEY,
    ChangePrimaryKey: {"table": _TEXT, "old": _TEXTS, "new": _TEXTS},
    SetOptions: {"table": _TEXT, "old": _OPTIONS, "new": _OPTIONS},
    AddStatement: _ONE_STATEMENT,
    DropStatement: _ONE_STATEMENT,
    Fill: {"table": _TEXT, "column": _TEXT, "sql": _TEXT},
    Execute: {"up": _TEXTS, "down": _TEXTS},
    Run: {"up": _FUNCTION, "down": _FUNCTION},
}
_DEFAULTS: Final[dict[type[Operation], dict[str, Any]]] = {
    kind: {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    for kind in get_args(Operation)
}
_BY_NAME: Final[dict[str, Any]] = {kind.__name__: kind for kind in get_args(Operation)}
