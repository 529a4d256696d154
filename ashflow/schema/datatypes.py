"""The column types, and the values that a column may have as its default."""

from __future__ import annotations

from typing import Final

from ashflow.values import value

TYPES: Final = (
    "text",
    "integer",
    "boolean",
    "float",
    "decimal",
    "utc_datetime",
    "date",
    "time",
    "binary",
    "uuid",
    "json",
)
RAW: Final = "raw:"


@value
class Sql:
    """A piece of SQL, as it stands.

    Args:
        text: An expression over the columns of the table, in the words of the database.
    """

    text: str

    def __repr__(self) -> str:
        return f"sql({self.text!r})"


@value
class Desc:
    """A key of an index that runs from the largest to the smallest.

    Args:
        key: The name of a column, or an expression.
    """

    key: str | Sql

    def __repr__(self) -> str:
        return f"desc({self.key!r})"


class UtcNow:
    """The moment at which a row is written; there is one such value, `utc_now`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "utc_now"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UtcNow)

    def __hash__(self) -> int:
        return hash(UtcNow)


utc_now: Final = UtcNow()

Key = str | Sql | Desc
Default = str | int | float | bool | bytes | Sql | UtcNow | None


def sql(text: str) -> Sql:
    """Return a piece of SQL for a key of an index or a default.

    Args:
        text: An expression, such as `lower(name)`.
    """
    return Sql(text)


def desc(key: str | Sql) -> Desc:
    """Return a key of an index that runs from the largest to the smallest.

    Args:
        key: The name of a column, or `sql("expression")`.
    """
    return Desc(key)


def undirected(key: Key) -> str | Sql:
    """Return a key of an index without its direction."""
    return key.key if isinstance(key, Desc) else key


def is_type(name: str) -> bool:
    """Whether the text names a column type: one of `TYPES`, or `raw:` and the database's own."""
    return name in TYPES or (name.startswith(RAW) and bool(name[len(RAW) :].strip()))


def same_kind(type_: str, default: Default) -> Default:
    """Return a default in the kind of value that its column has.

    Python takes `1`, `1.0` and `True` for equal; here each type has one spelling of a number, so
    that equal defaults are the same default.
    """
    if not isinstance(default, (bool, int, float)):
        return default
    if type_ == "boolean" and default in (0, 1):
        return bool(default)
    if type_ == "float":
        return float(default)
    if isinstance(default, bool):
        return int(default)
    return default
