"""Values, and defaults, of every type."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ashflow.schema.datatypes import TYPES, Sql, utc_now

SMALL, LARGE = -(2**63), 2**63 - 1

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
) | st.sampled_from(["", "it's", 'a "b"', "a\nb", "\\", "NULL", "🐘", "%s", "?", "--", "0", "1.50"])
integers = st.integers(SMALL, LARGE) | st.sampled_from([0, 1, -1, SMALL, LARGE])
floats = st.floats(allow_nan=False) | st.sampled_from([0.0, -1.5, 1e300, float("inf")])

_DATES = st.dates().map(lambda d: d.isoformat())
_TIMES = st.times().map(lambda t: t.isoformat())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts | st.just("a\0b"),
    "integer": integers,
    "boolean": st.booleans().map(int),
    "float": floats,
    "decimal": st.integers(-(10**12), 10**12) | st.sampled_from([0.5, -1.25, 1e10]),
    "utc_datetime": st.datetimes().map(lambda d: d.isoformat(timespec="milliseconds") + "Z"),
    "date": _DATES,
    "time": _TIMES,
    "binary": st.binary(max_size=6),
    "uuid": st.uuids().map(str),
    "json": st.sampled_from(["{}", "[]", '{"a": [1, null]}', '"x"', "null"]),
    "raw:VARCHAR(10)": texts,
    "raw:ANY": texts | st.binary(max_size=4),
    "raw:BLOB": st.binary(max_size=4),
}
DEFAULTS: dict[str, st.SearchStrategy[Any]] = {
    "text": texts | st.sampled_from([Sql("lower('A')"), Sql("'a' || 'b'"), Sql("hex(x'00ff')")]),
    "integer": integers | st.sampled_from([Sql("1 + 1"), Sql("abs(-3)"), Sql("0")]),
    "boolean": st.booleans(),
    "float": floats | st.just(Sql("1.0 / 3")),
    "decimal": st.integers(-(10**12), 10**12) | st.sampled_from([0.5, "1.50", "-3", Sql("2 * 3")]),
    "utc_datetime": st.just(utc_now) | st.just("2026-11-23T06:10:00.000Z"),
    "date": _DATES | st.just(Sql("CURRENT_DATE")),
    "time": _TIMES | st.just(Sql("CURRENT_TIME")),
    "binary": st.binary(max_size=6) | st.just(Sql("zeroblob(2)")),
    "uuid": st.uuids().map(str) | st.just(Sql("lower(hex(randomblob(16)))")),
    "json": st.sampled_from(["{}", "[]", Sql("json_object('a', 1)")]),
    "raw:VARCHAR(10)": texts,
    "raw:ANY": texts,
    "raw:BLOB": st.binary(max_size=4),
}
STRICT_TYPES = [*TYPES, "raw:ANY", "raw:BLOB"]
ALL_TYPES = [*STRICT_TYPES, "raw:VARCHAR(10)"]
COLLATIONS = ["NOCASE", "RTRIM", "BINARY"]


def key_value(type_: str, n: int) -> Any:
    """The n-th value of a type, as a column that takes part in a key holds it."""
    bounds = {0: LARGE, 1: SMALL, 2: 0}
    match type_:
        case "integer":
            return bounds.get(n, n)
        case "boolean" | "decimal":
            return n
        case "float":
            return n + 0.5
        case "binary" | "raw:BLOB":
            return bytes([0, 255, n])
        case "uuid":
            return f"00000000-0000-4000-8000-{n:012}"
        case "date":
            return f"2026-01-{n + 1:02}"
        case "utc_datetime":
            return f"2026-01-01T00:00:{n:02}.000Z"
        case "time":
            return f"00:00:{n:02}"
        case "json":
            return f"[{n}]"
        case _:
            return f"ключ '{n}'"
