"""Turn the value that a class body gives a column into what the database can write by itself."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ashflow.schema.datatypes import RAW, Sql, UtcNow
from ashflow.sources.annotations import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ashflow.schema.datatypes import Default
    from ashflow.sources.annotations import ColumnType
    from ashflow.sources.places import Spot

_NOW: Final = ("utc_datetime", "text")


class Unsayable(Exception):
    """A default that is right for its column, and that SQL has no words for."""


def is_sayable(text: str) -> bool:
    """Whether SQL can hold a text: one without NUL and without halves of characters."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def default_of(value: object, column: ColumnType, spot: Spot) -> Default:
    """Return a default as a schema holds it.

    Args:
        value: What the class body gives.
        column: The column's type.
        spot: The member, for errors.

    Returns:
        None also for a callable: what it makes is the application's business.

    Raises:
        Wrong: The value is of another kind than the column.
        Unsayable: The database cannot be told this value.
    """
    if value is None:
        if not column.nullable:
            raise spot.wrong("has the default None", hint="Annotate it `T | None`.")
        return None
    if isinstance(value, Sql):
        return _expression(value, spot)
    if isinstance(value, UtcNow):
        return _now(value, column, spot)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, type) and issubclass(value, (dict, list)):
        value = {} if issubclass(value, dict) else []
    elif callable(value):
        return None
    return _constant(value, column, spot)


def _expression(value: Sql, spot: Spot) -> Sql:
    if not isinstance(value.text, str) or not value.text.strip():
        raise spot.wrong("has an empty sql() as its default")
    if not is_sayable(value.text):
        raise spot.wrong("has a NUL or half a character in the sql() of its default")
    return value


def _now(value: UtcNow, column: ColumnType, spot: Spot) -> UtcNow:
    if column.type not in _NOW and not column.type.startswith(RAW):
        raise spot.wrong(
            f"has the default utc_now, and its type is {column.type}",
            hint="Annotate it datetime, or give sql('CURRENT_DATE') or another expression.",
        )
    return value


def _constant(value: object, column: ColumnType, spot: Spot) -> Default:
    kind = kind_of(type(value))
    if kind is None:
        raise spot.wrong(f"has a default of the type {type(value).__name__}, which is no constant")
    wanted = kind if column.type.startswith(RAW) else column.type
    say = _SAID.get((wanted, kind))
    if say is None:
        raise spot.wrong(f"has the default {value!r}, and its type is {column.type}")
    if column.choices is not None and value not in column.choices:
        choices = ", ".join(map(repr, column.choices))
        raise spot.wrong(f"has the default {value!r}, which is none of its values: {choices}")
    try:
        return say(value)
    except ValueError as error:
        raise spot.wrong(f"has the default {value!r}, which is no {column.type}: {error}") from None


def _text(value: Any) -> str:  # noqa: ANN401  (the table below says which value comes)
    if not is_sayable(value):
        raise Unsayable("a text with NUL or half a character")
    return str(value)


def _integer(value: Any) -> int:  # noqa: ANN401  (as above)
    if not -(2**63) <= value < 2**63:
        raise Unsayable("an integer of more than 64 bits")
    return int(value)


def _boolean(value: Any) -> bool:  # noqa: ANN401  (as above)
    if value not in (0, 1):
        raise ValueError("write True or False")
    return bool(value)


def _float(value: Any) -> float:  # noqa: ANN401  (as above)
    try:
        number = float(value)
    except OverflowError:
        raise Unsayable("an integer too large for a float") from None
    if number - number != 0:
        raise Unsayable(f"the number {number}")
    return number


def _decimal(value: Any) -> str:  # noqa: ANN401  (as above)
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError("write it as Decimal('1.50')") from None
    if not number.is_finite():
        raise Unsayable(f"the number {number}")
    return str(number)


def _datetime(value: Any) -> str:  # noqa: ANN401  (as above)
    """Return a moment as `utc_now` writes it; one without a zone is taken as UTC."""
    from datetime import UTC, datetime

    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError:
        raise Unsayable("a moment outside of the years 1 to 9999") from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _date(value: Any) -> str:  # noqa: ANN401  (as above)
    from datetime import date

    return (date.fromisoformat(value) if isinstance(value, str) else value).isoformat()


def _time(value: Any) -> str:  # noqa: ANN401  (as above)
    from datetime import time

    return (time.fromisoformat(value) if isinstance(value, str) else value).isoformat()


def _uuid(value: Any) -> str:  # noqa: ANN401  (as above)
    from uuid import UUID

    return str(UUID(str(value)))


def _json(value: Any) -> str:  # noqa: ANN401  (as above)
    import json

    try:
        return _text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsayable(f"JSON: {error}") from None


# (the column's type, the kind of the value): how it is said.
_SAID: Final[dict[tuple[str, str], Callable[[Any], Default]]] = {
    ("text", "text"): _text,
    ("integer", "integer"): _integer,
    ("integer", "boolean"): _integer,
    ("boolean", "boolean"): bool,
    ("boolean", "integer"): _boolean,
    ("float", "float"): _float,
    ("float", "integer"): _float,
    ("decimal", "decimal"): _decimal,
    ("decimal", "integer"): _decimal,
    ("decimal", "float"): _decimal,
    ("decimal", "text"): _decimal,
    ("utc_datetime", "utc_datetime"): _datetime,
    ("utc_datetime", "text"): _datetime,
    ("date", "date"): _date,
    ("date", "text"): _date,
    ("time", "time"): _time,
    ("time", "text"): _time,
    ("binary", "binary"): bytes,
    ("uuid", "uuid"): _uuid,
    ("uuid", "text"): _uuid,
    ("json", "json"): _json,
}
