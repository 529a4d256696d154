"""Which values are the same after they came into a column, told beforehand.

The same is what compares as the same without affinity and collation: 1 and 1.0 are, '007' and 7
are not, and neither are '7' and 7. What a STRICT table refuses is not the same either.
"""

from __future__ import annotations

from typing import Final

from ashflow.adapters.sqlite.affinity import affinity

_WHOLE: Final = 2**51
"""Up to here every SQLite makes an integer of a REAL without a fraction."""


def unchanged(value: str, declared: str, *, strict: bool) -> str | None:
    """Return the condition under which a value is the same after it came into a column.

    Args:
        value: The value, as an expression.
        declared: The declared type of the column.
        strict: Whether its table is STRICT.

    Returns:
        An expression that is never NULL; None where every value is the same.
    """
    target = affinity(declared, strict=strict)
    if strict:
        return _strictly(value, declared, target)
    match target:
        case "TEXT":
            return f"typeof({value}) NOT IN ('integer', 'real')"
        case "INTEGER" | "NUMERIC":
            return f"NOT ({_reads_as_number(value)})"
        case "REAL":
            return f"NOT ({_reads_as_number(value)} OR {_inexact(value)})"
        case _:
            return None


def as_rowid(value: str) -> str:
    """Return the condition under which a value is the same as an INTEGER PRIMARY KEY.

    Args:
        value: The value, as an expression; NULL is not the same, it becomes a number.
    """
    return f"(typeof({value}) = 'integer' OR {_whole(value)})"


def _strictly(value: str, declared: str, target: str) -> str | None:
    match target:
        case "INTEGER":
            return f"(typeof({value}) IN ('null', 'integer') OR {_whole(value)})"
        case "REAL":
            return f"(typeof({value}) IN ('null', 'real', 'integer') AND NOT ({_inexact(value)}))"
        case "TEXT":
            return f"typeof({value}) IN ('null', 'text')"
        case _ if declared.upper() == "BLOB":
            return f"typeof({value}) IN ('null', 'blob')"
        case _:
            return None


def _reads_as_number(value: str) -> str:
    # A comparison with a number turns a text into one only if it reads as one.
    return f"(typeof({value}) = 'text' AND CAST({value} AS NUMERIC) = {value})"


def _inexact(value: str) -> str:
    return f"(typeof({value}) = 'integer' AND CAST({value} AS REAL) <> {value})"


def _whole(value: str) -> str:
    number = f"CAST({value} AS INTEGER)"
    bounds = f"{number} BETWEEN -{_WHOLE} AND {_WHOLE - 1}"
    return f"(typeof({value}) = 'real' AND {number} = {value} AND {bounds})"
