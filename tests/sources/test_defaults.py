from __future__ import annotations

import pytest

from ashflow.errors import ResourceError
from ashflow.schema.datatypes import Sql, utc_now


@pytest.mark.parametrize(
    ("body", "default"),
    [
        ("int = 0", 0),
        ("bool = False", False),
        ("bool = True", True),
        ("str = ''", ""),
        ("str = attribute(default='x')", "x"),
        ("float = 1", 1.0),
        ("bytes = b'\\0\\xff'", b"\0\xff"),
        ("Decimal = Decimal('1.50')", "1.50"),
        ("Decimal = 0", "0"),
        ("Decimal = 0.1", "0.1"),
        ("datetime = datetime(2026, 11, 23, 6, 10)", "2026-11-23T06:10:00.000Z"),
        (
            "datetime = datetime(2026, 11, 23, 8, 10, tzinfo=timezone(timedelta(hours=2)))",
            "2026-11-23T06:10:00.000Z",
        ),
        ("date = date(2026, 11, 23)", "2026-11-23"),
        ("time = time(6, 10)", "06:10:00"),
        (
            "UUID = UUID('00000000-0000-0000-0000-00000000000A')",
            "00000000-0000-0000-0000-00000000000a",
        ),
        ("dict = attribute(default=dict)", "{}"),
        ("list = attribute(default=list)", "[]"),
        ("dict = attribute(default={'ü': [1]})", '{"ü":[1]}'),
        ("list = []", "[]"),
        ("datetime = utc_now", utc_now),
        ("datetime = attribute(default=utc_now)", utc_now),
        ("int = sql('1 + 1')", Sql("1 + 1")),
        ("Any = attribute(type='raw:POINT', default='0,0')", "0,0"),
        ("str | None = None", None),
        ("str | None = attribute(default=None)", None),
        ("str = attribute(default=lambda: 'x')", None),
        ("int = 9223372036854775807", 2**63 - 1),
    ],
)
def test_each_default_is_held_in_one_spelling(shop, body, default):
    column = shop.column(f"it: {body}")
    assert column.default == default
    assert type(column.default) is type(default)


def test_the_default_of_an_enum_is_its_value(shop):
    column = shop.column(
        """
        class Stage(StrEnum):
            LIVE = "live"
        it: Stage = Stage.LIVE
        """
    )
    assert column.default == "live"
    assert type(column.default) is str


@pytest.mark.parametrize(
    "body",
    [
        "float = float('nan')",
        "float = float('inf')",
        "str = 'a\\0b'",
        "str = '\\ud800'",
        "int = 2**63",
        "Decimal = Decimal('NaN')",
        "dict = attribute(default={'x': float('nan')})",
        "list = attribute(default=[object()])",
        "datetime = datetime.max.replace(tzinfo=timezone(timedelta(hours=-2)))",
    ],
)
def test_what_sql_cannot_say_gives_no_default_and_a_warning(shop, body):
    declared = shop.declare(f"class Thing(Resource, table='things'):\n    it: {body}\n")
    assert declared.schema["things"].columns[0].default is None
    (warning,) = declared.warnings
    assert warning.startswith("Thing.it gets no default")


@pytest.mark.parametrize(
    "body",
    [
        "int = 'x'",
        "int = 1.5",
        "str = 1",
        "bool = 2",
        "bool = 'yes'",
        "date = datetime(2026, 1, 1)",
        "datetime = date(2026, 1, 1)",
        "datetime = 'yesterday'",
        "UUID = 'abc'",
        "Decimal = 'much'",
        "dict = 'x'",
        "bytes = 'x'",
        "int = utc_now",
        "int = sql(' ')",
        "str = None",
        "Literal['a'] = 'b'",
        "str = object()",
    ],
)
def test_a_default_of_another_kind_is_an_error(shop, body):
    with pytest.raises(ResourceError, match=r"^Thing\.it \(shop\.py:9\): has "):
        shop.column(f"it: {body}")
