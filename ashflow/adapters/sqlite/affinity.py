"""What SQLite makes of a value that comes into a column (https://www.sqlite.org/datatype3.html)."""

from __future__ import annotations

from typing import Final, Literal

Affinity = Literal["TEXT", "NUMERIC", "INTEGER", "REAL", "BLOB"]

_NUMBERS: Final = frozenset({"NUMERIC", "INTEGER", "REAL"})
_EXACT: Final = 2**53
"""From here on, not every whole number is a REAL."""


def affinity(declared: str, *, strict: bool) -> Affinity:
    """Return the affinity of a column.

    Args:
        declared: Its declared type; may be empty.
        strict: Whether its table is STRICT, where ANY takes values as they are.
    """
    name = declared.upper()
    if "INT" in name:
        return "INTEGER"
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not name or "BLOB" in name or (strict and name == "ANY"):
        return "BLOB"
    if any(word in name for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def loses(value: str, target: Affinity) -> str | None:
    """Return the condition under which a value is another one after it came into a column.

    A number that is only written otherwise is the same: `1.50` and 1.5, but not `007` and 7.

    Args:
        value: A column, as an expression.
        target: The affinity of the column that it comes into.

    Returns:
        An expression; None where no value can change.
    """
    if target == "TEXT":
        return f"typeof({value}) = 'real' AND CAST(CAST({value} AS TEXT) AS REAL) IS NOT {value}"
    if target not in _NUMBERS:
        return None
    number = f"CAST({value} AS NUMERIC)"
    # A comparison with a number turns a text into one only if it reads as one.
    reads_as_number = f"typeof({value}) = 'text' AND {number} = {value}"
    spelled = (f"CAST({number} AS TEXT) <> {text} COLLATE BINARY" for text in _spellings(value))
    misread = " AND ".join((reads_as_number, *spelled))
    if target != "REAL":
        return misread
    whole = f"{number} = {value} AND typeof({number}) = 'integer'"
    return f"({misread}) OR ({whole} AND {number} NOT BETWEEN -{_EXACT} AND {_EXACT})"


def _spellings(value: str) -> tuple[str, str]:
    """Return a text, and the text without the zeros that end a fraction."""
    return value, f"rtrim(rtrim({value}, '0'), '.')"
