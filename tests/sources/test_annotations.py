from __future__ import annotations

import pytest

from ashflow.errors import ResourceError

EAGER = """\
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import *
from uuid import UUID
from ashflow import *
"""


@pytest.fixture(params=["as text", "as values"])
def header(request):
    future = "from __future__ import annotations\n" if request.param == "as text" else ""
    return future + EAGER


@pytest.mark.parametrize(
    ("annotation", "type_", "nullable"),
    [
        ("str", "text", False),
        ("int", "integer", False),
        ("bool", "boolean", False),
        ("float", "float", False),
        ("Decimal", "decimal", False),
        ("datetime", "utc_datetime", False),
        ("date", "date", False),
        ("time", "time", False),
        ("bytes", "binary", False),
        ("UUID", "uuid", False),
        ("dict", "json", False),
        ("dict[str, Any]", "json", False),
        ("list[int] | None", "json", True),
        ("List[str]", "json", False),
        ("str | None", "text", True),
        ("None | str", "text", True),
        ("Optional[UUID]", "uuid", True),
        ("Union[int, None]", "integer", True),
        ("Optional['UUID']", "uuid", True),
        ("'Decimal | None'", "decimal", True),
        ("Annotated[Decimal, 'in euros']", "decimal", False),
        ("Annotated[str | None, 'a note']", "text", True),
        ("Shape", "json", False),
        ("Shape | None", "json", True),
        ("Email", "text", False),
        ("UserId", "uuid", False),
    ],
)
def test_each_annotation_has_its_column_type(shop, header, annotation, type_, nullable):
    column = shop.column(
        f"it: {annotation}",
        header=header
        + "class Shape(TypedDict):\n    x: int\n"
        + "class Email(str): pass\n"
        + "UserId = NewType('UserId', UUID)\n",
    )
    assert (column.type, column.nullable) == (type_, nullable)


@pytest.mark.parametrize("annotation", ["Stage", "Literal['draft', 'it''s' 'live']"])
def test_an_enum_and_a_literal_are_text_with_a_check(shop, header, annotation):
    table = shop.table(
        f"""
        class Stage(Enum):
            DRAFT = "draft"
            LIVE = "itslive"
        class Thing(Resource, table="things"):
            stage: {annotation}
        """,
        header=header,
    )
    (check,) = table.checks
    assert table.column("stage").type == "text"
    assert check.name == "things_stage_check"
    assert check.sql == "stage IN ('draft', 'itslive')"


def test_a_check_on_values_quotes_the_texts_and_the_name_where_they_need_it(shop):
    (check,) = shop.table(
        """
        class Thing(Resource, table="things"):
            it: Literal["it's"] = attribute(source="order")
        """
    ).checks
    assert check.sql == "\"order\" IN ('it''s')"


def test_none_among_the_values_of_a_literal_makes_the_column_nullable(shop):
    assert shop.column("it: Literal['a', None]").nullable


def test_a_class_var_and_a_private_name_are_no_columns(shop, header):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            name: str
            registry: ClassVar[dict[str, int]] = {}
            bare: ClassVar = 3
            _cache: str = "no"
            __slot: int = 0
            limit = 10
            def shout(self) -> str: return self.name.upper()
        """,
        header=header,
    )
    assert [column.name for column in table.columns] == ["name"]


def test_a_class_var_may_hold_an_identity(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            name: str
            unique: ClassVar[Any] = identity("name")
        """
    )
    assert [index.name for index in table.indexes] == ["things_unique_index"]


def test_a_member_may_be_called_as_its_type(shop):
    assert shop.column("date: date = attribute()", "date").type == "date"


def test_a_class_in_the_body_goes_before_one_of_the_module(shop):
    table = shop.table(
        """
        class Stage(Enum):
            FAR = "far"
        class Thing(Resource, table="things"):
            class Stage(Enum):
                NEAR = "near"
            stage: Stage = Stage.NEAR
        """
    )
    assert table.checks[0].sql == "stage IN ('near')"


def test_type_says_another_type_than_the_annotation(shop):
    assert shop.column("it: Any = attribute(type='raw:POINT')").type == "raw:POINT"
    column = shop.column("it: object | None = attribute(type='text')")
    assert (column.type, column.nullable) == ("text", True)


@pytest.mark.parametrize("annotation", ["object", "int | str", "set[str]", "Any", "complex"])
def test_an_unknown_type_is_an_error_that_lists_the_known_ones(shop, header, annotation):
    with pytest.raises(ResourceError, match=r"Thing\.it \(shop\.py:\d+\): .* no column type") as e:
        shop.column(f"it: {annotation}", header=header)
    assert "utc_datetime" in e.value.hint
    assert "Decimal" in e.value.hint


def test_an_enum_of_numbers_is_an_error(shop):
    with pytest.raises(ResourceError, match="not all texts"):
        shop.column(
            """
            class Size(Enum):
                S = 1
            it: Size
            """
        )


def test_a_name_behind_type_checking_is_an_error_that_says_so(shop):
    with pytest.raises(ResourceError, match=r"Thing\.it .*'Money' is not defined") as e:
        shop.column("it: Money")
    assert "TYPE_CHECKING" in e.value.hint
