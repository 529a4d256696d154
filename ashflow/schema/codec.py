"""A table as JSON and back: the middle part of a snapshot.

What is written here outlives us: a key is only ever added, and means what it always meant. The
code is spelled out key by key because `codegen --check` reads every table of a project with it.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from ashflow.schema.datatypes import Default, Desc, Key, Sql, UtcNow, utc_now
from ashflow.schema.shape import COUNT, FLAG, LIST, OBJECT, SCALAR, TEXT, check_keys, items, texts
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options, Statement, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ashflow.schema.shape import Json
    from ashflow.schema.table import NamedT

_COLUMN: Final = {
    "name": TEXT,
    "type": TEXT,
    "nullable": FLAG,
    "default": SCALAR | OBJECT,
    "primary_key": FLAG,
    "references": OBJECT,
    "autoincrement": FLAG,
    "max_length": COUNT,
    "precision": COUNT,
    "scale": COUNT,
    "collate": TEXT,
    "generated_as": TEXT,
    "stored": FLAG,
    "comment": TEXT,
}
_FOREIGN_KEY: Final = {
    "name": TEXT,
    "columns": LIST,
    "table": TEXT,
    "keys": LIST,
    "on_delete": TEXT,
    "on_update": TEXT,
    "deferrable": FLAG,
}
_INDEX: Final = {"name": TEXT, "keys": LIST, "unique": FLAG, "where": TEXT}
_KEYS_ONLY: Final = {"name": TEXT, "keys": LIST, "where": TEXT}
_CHECK: Final = {"name": TEXT, "sql": TEXT}
_STATEMENT: Final = {"name": TEXT, "up": LIST, "down": LIST}
_OPTIONS: Final = {"strict": FLAG, "without_rowid": FLAG}
_TABLE: Final = {
    "name": TEXT,
    "columns": LIST,
    "primary_key": LIST,
    "foreign_keys": LIST,
    "identities": LIST,
    "indexes": LIST,
    "checks": LIST,
    "statements": LIST,
    "options": OBJECT,
    "retired": LIST,
}


def encode_table(
    table: Table,
    retired: Sequence[str] = (),
    column: Callable[[Column], Json] | None = None,
) -> Json:
    """Return a table as the middle part of a snapshot.

    Args:
        table: The table as it stands in the database.
        retired: The names of those columns that left the resource and not the database.
        column: Encodes a column, where somebody does so for many tables; None: `encode_column`.

    Returns:
        The keys `name`, `columns`, `primary_key`, `foreign_keys`, `identities`, `indexes`,
        `checks`, `statements`, `options` and `retired`, in this order.
    """
    column = column or encode_column
    indexes = _by_name(table.indexes)
    return {
        "name": table.name,
        "columns": [column(c) for c in table.columns if c.name not in retired],
        "primary_key": list(table.primary_key),
        "foreign_keys": [encode_foreign_key(key) for key in _by_name(table.foreign_keys)],
        "identities": [_encode_keys(index) for index in indexes if index.unique],
        "indexes": [_encode_keys(index) for index in indexes if not index.unique],
        "checks": [encode_check(check) for check in _by_name(table.checks)],
        "statements": [encode_statement(statement) for statement in table.statements],
        "options": {
            "strict": table.options.strict,
            "without_rowid": table.options.without_rowid,
        },
        "retired": [column(c) for c in table.columns if c.name in retired],
    }


def decode_table(data: Mapping[str, Any]) -> tuple[Table, tuple[str, ...]]:
    """Return the table that a snapshot holds, and the names of its retired columns.

    Args:
        data: What `encode_table` made of it.

    Raises:
        ValueError: It has a key or a value that is not known here.
    """
    check_keys(data, "a table", _TABLE, required=_TABLE)
    retired = items(data["retired"], decode_column)
    identities = items(data["identities"], _decode_identity)
    table = Table(
        data["name"],
        (*items(data["columns"], decode_column), *retired),
        primary_key=texts(data["primary_key"]),
        foreign_keys=items(data["foreign_keys"], _decode_owned_key),
        indexes=(*identities, *items(data["indexes"], _decode_plain_index)),
        checks=items(data["checks"], decode_check),
        statements=items(data["statements"], decode_statement),
        options=decode_options(data["options"]),
    )
    for named in (table.columns, table.foreign_keys, table.indexes, table.checks, table.statements):
        _refuse_doubles(named)
    return table, tuple(column.name for column in retired)


def encode_column(column: Column) -> Json:
    """Return a column as JSON: name, type and `nullable` always, the rest where it says a thing."""
    data: Json = {"name": column.name, "type": column.type, "nullable": column.nullable}
    if column.default is not None:
        data["default"] = encode_default(column.default)
    if column.primary_key:
        data["primary_key"] = True
    if column.references is not None:
        data["references"] = encode_foreign_key(column.references)
    if column.autoincrement:
        data["autoincrement"] = True
    if column.max_length is not None:
        data["max_length"] = column.max_length
    if column.precision is not None:
        data["precision"] = column.precision
    if column.scale is not None:
        data["scale"] = column.scale
    if column.collate is not None:
        data["collate"] = column.collate
    if column.generated_as is not None:
        data["generated_as"] = column.generated_as
    if column.stored:
        data["stored"] = True
    if column.comment is not None:
        data["comment"] = column.comment
    return data


def decode_column(data: Json) -> Column:
    """Return the column that `encode_column` wrote.

    Raises:
        ValueError: It has a key or a value that is not known here.
    """
    check_keys(data, "a column", _COLUMN, required=("name", "type"))
    given = dict(data)
    if "default" in given:
        given["default"] = decode_default(given["default"])
    if "references" in given:
        given["references"] = decode_foreign_key(given["references"])
    return Column(**given)


def encode_default(default: Default) -> Any:  # noqa: ANN401  (any JSON)
    """Return a default as JSON: scalars as they are, all else as an object that says what it is."""
    match default:
        case Sql(text):
            return {"sql": text}
        case UtcNow():
            return {"function": "utc_now"}
        case bytes():
            return {"hex": default.hex()}
        case float() if not isfinite(default):  # JSON has no word for it
            return {"float": str(default)}
        case _:
            return default


def decode_default(data: Any) -> Default:  # noqa: ANN401  (any JSON)
    """Return the default that `encode_default` wrote.

    Raises:
        ValueError: It is no default that is known here.
    """
    match data:
        case {"sql": str(text), **others} if not others:
            return Sql(text)
        case {"function": "utc_now", **others} if not others:
            return utc_now
        case {"hex": str(digits), **others} if not others:
            return bytes.fromhex(digits)
        case {"float": ("inf" | "-inf" | "nan") as word, **others} if not others:
            return float(word)
        case str() | int() | float():
            return data
        case _:
            raise ValueError(f"{data!r} is no default; was it written by a newer ashflow?")


def encode_foreign_key(key: ForeignKey) -> Json:
    """Return a foreign key as JSON; one that stands in a column has no `columns`."""
    data: Json = {"name": key.name} if key.name else {}
    if key.columns:
        data["columns"] = list(key.columns)
    data["table"] = key.table
    data["keys"] = list(key.keys)
    if key.on_delete is not None:
        data["on_delete"] = key.on_delete
    if key.on_update is not None:
        data["on_update"] = key.on_update
    if key.deferrable:
        data["deferrable"] = True
    return data


def decode_foreign_key(data: Json) -> ForeignKey:
    """Return the foreign key that `encode_foreign_key` wrote.

    Raises:
        ValueError: It has a key or a value that is not known here.
    """
    check_keys(data, "a foreign key", _FOREIGN_KEY, required=("table", "keys"))
    names: Json = {field: texts(data[field]) for field in ("columns", "keys") if field in data}
    return ForeignKey(**{**data, **names})


def encode_index(index: Index) -> Json:
    """Return an index as JSON, with `unique` where it is."""
    return {**_encode_keys(index), "unique": True} if index.unique else _encode_keys(index)


def decode_index(data: Json) -> Index:
    """Return the index that `encode_index` wrote.

    Raises:
        ValueError: It has a key or a value that is not known here.
    """
    check_keys(data, "an index", _INDEX, required=("name", "keys"))
    return Index(**{**data, "keys": items(data["keys"], decode_key)})


def encode_key(key: Key) -> Any:  # noqa: ANN401  (a text or an object)
    """Return a key of an index as JSON."""
    match key:
        case Sql(text):
            return {"sql": text}
        case Desc(inner):
            return {"desc": encode_key(inner)}
        case _:
            return key


def decode_key(data: Any) -> Key:  # noqa: ANN401  (a text or an object)
    """Return the key of an index that `encode_key` wrote.

    Raises:
        ValueError: It is no key that is known here.
    """
    match data:
        case str():
            return data
        case {"sql": str(text), **others} if not others:
            return Sql(text)
        case {"desc": inner, **others} if not others:
            key = decode_key(inner)
            if not isinstance(key, Desc):
                return Desc(key)
    raise ValueError(f"{data!r} is no key of an index; was it written by a newer ashflow?")


def encode_check(check: Check) -> Json:
    """Return a check as JSON."""
    return {"name": check.name, "sql": check.sql}


def decode_check(data: Json) -> Check:
    """Return the check that `encode_check` wrote; a ValueError says what is not known here."""
    check_keys(data, "a check", _CHECK, required=_CHECK)
    return Check(**data)


def encode_statement(statement: Statement) -> Json:
    """Return a statement as JSON; its SQL is always a list."""
    return {"name": statement.name, "up": list(statement.up), "down": list(statement.down)}


def decode_statement(data: Json) -> Statement:
    """Return the statement that `encode_statement` wrote; a ValueError says what is not known."""
    check_keys(data, "a statement", _STATEMENT, required=_STATEMENT)
    return Statement(data["name"], texts(data["up"]), texts(data["down"]))


def decode_options(data: Json) -> Options:
    """Return the options of a table; a ValueError says what is not known here."""
    check_keys(data, "the options", _OPTIONS)
    return Options(**data)


def _encode_keys(index: Index) -> Json:
    data: Json = {"name": index.name, "keys": [encode_key(key) for key in index.keys]}
    if index.where is not None:
        data["where"] = index.where
    return data


def _decode_identity(data: Json) -> Index:
    check_keys(data, "an identity", _KEYS_ONLY)
    return decode_index({**data, "unique": True})


def _decode_plain_index(data: Json) -> Index:
    check_keys(data, "an index", _KEYS_ONLY)
    return decode_index(data)


def _decode_owned_key(data: Json) -> ForeignKey:
    check_keys(data, "a foreign key", _FOREIGN_KEY, required=("name", "columns"))
    return decode_foreign_key(data)


def _by_name(named: Iterable[NamedT]) -> list[NamedT]:
    return sorted(named, key=lambda item: item.name)


def _refuse_doubles(named: Sequence[NamedT]) -> None:
    seen = set()
    for item in named:
        if item.name in seen:
            raise ValueError(f"two things of one kind are called {item.name!r}")
        seen.add(item.name)
