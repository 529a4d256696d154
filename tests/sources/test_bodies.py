from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.errors import ResourceError
from ashflow.sources.bodies import in_order

LINES = st.lists(
    st.tuples(st.text("abcdef", min_size=1, max_size=3), st.sampled_from(["T", "V", "TV"])),
    unique_by=lambda line: line[0],
)


@given(LINES)
def test_the_order_keeps_both_orders_of_python(lines):
    annotated = {name: None for name, kind in lines if "T" in kind}
    assigned = [name for name, kind in lines if "V" in kind]
    order = in_order(annotated, assigned)
    assert [name for name in order if name in annotated] == list(annotated)
    assert [name for name in order if name in set(assigned)] == assigned
    assert len(order) == len(set(order)) == len(lines)


@given(LINES)
def test_the_order_is_that_of_the_lines_where_all_names_are_annotated(lines):
    annotated = {name: None for name, _ in lines}
    assert in_order(annotated, [n for n, kind in lines if "V" in kind]) == list(annotated)


def test_between_fixed_points_annotations_go_before_assignments():
    assert in_order({"id": 0, "name": 0, "at": 0}, ["id", "team", "at", "last"]) == [
        "id",
        "name",
        "team",
        "at",
        "last",
    ]


def test_written_columns_have_the_order_of_the_lines_whatever_kinds_come_after_each_other(shop):
    """All bodies of up to four lines: bare, with a value, with a word, and a word alone."""
    kinds = (
        "c{0}: int",
        "c{0}: int = 1",
        "c{0}: int = attribute(default=1)",
        "c{0} = belongs_to('T0', to='c', source='c{0}')",
    )
    body = "class T0(Resource, table='t0'):\n    c: int = integer_primary_key()\n"
    bodies = [lines for length in (2, 3, 4) for lines in product(kinds, repeat=length)]
    for number, lines in enumerate(bodies, 1):
        body += f"class T{number}(Resource, table='t{number}'):\n"
        body += "".join(f"    {line.format(i)}\n" for i, line in enumerate(lines))
    declared = shop.declare(body)
    for table in declared.schema.values():
        names = [column.name for column in declared.in_order(table).columns]
        assert names == sorted(names), table.name


def test_columns_come_in_the_order_of_the_class_body(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            id: UUID = uuid_primary_key()
            name: str
            owner = belongs_to("Thing", nullable=True)
            rpm: int = 0
            body: str
        """
    )
    assert [column.name for column in table.columns] == ["id", "name", "owner_id", "rpm", "body"]


def test_members_of_abstract_bases_come_first_and_can_be_said_anew(shop):
    table = shop.table(
        """
        class Keyed(Resource, abstract=True):
            id: int = integer_primary_key()
        class Stamped(Keyed, abstract=True):
            at: datetime = create_timestamp()
            title: str = attribute(max_length=80)
            unique_title = identity("title")
        class Named(Keyed, abstract=True):
            name: str = "nobody"
            gone = identity("name")
        class Thing(Stamped, Named, table="things"):
            title: str | None
            name = "somebody"
            gone = None
            own: int
        """
    )
    assert [column.name for column in table.columns] == ["id", "at", "title", "name", "own"]
    assert table.column("title").nullable
    assert table.column("title").max_length == 80
    assert table.column("name").default == "somebody"
    assert [index.name for index in table.indexes] == ["things_unique_title_index"]


def test_the_options_of_an_abstract_base_are_inherited(shop):
    table = shop.table(
        """
        class Soft(Resource, abstract=True, strict=True, base_filter="deleted_at IS NULL"):
            id: int = integer_primary_key()
            deleted_at: datetime | None
        class Thing(Soft, table="things"):
            name: str
            unique = identity("name")
            some = identity("id", where="name <> ''")
            by_name = index("name")
        """
    )
    assert table.options.strict
    assert [index.where for index in table.indexes] == [
        "deleted_at IS NULL",
        "(name <> '') AND (deleted_at IS NULL)",
        None,
    ]


def test_an_annotation_of_a_base_is_read_in_the_module_of_the_base(shop):
    shop.write(
        "base.py",
        """
        from __future__ import annotations
        from decimal import Decimal as Money
        from ashflow import Resource
        class Priced(Resource, abstract=True):
            price: Money
        """,
    )
    table = shop.table(
        """
        from base import Priced
        class Thing(Priced, table="things"):
            pass
        """
    )
    assert table.column("price").type == "decimal"


def test_members_in_a_base_that_is_no_resource_are_an_error(shop):
    with pytest.raises(ResourceError, match=r"Thing\.at \(shop\.py:10\): stands in Stamped") as e:
        shop.declare(
            """
            class Stamped:
                at: datetime = create_timestamp()
            class Thing(Stamped, Resource, table="things"):
                name: str
            """
        )
    assert "abstract=True" in e.value.hint


def test_a_resource_is_an_ordinary_class(shop):
    shop.declare(
        """
        from dataclasses import dataclass
        @dataclass
        class Thing(Resource, table="things"):
            name: str
            rpm: int = 0
        """
    )
    import shop as module

    thing = module.Thing("a", rpm=3)
    assert (thing.name, thing.rpm) == ("a", 3)


def test_a_resource_may_be_a_dataclass_with_slots(shop):
    table = shop.table(
        """
        from dataclasses import dataclass
        @dataclass(slots=True)
        class Thing(Resource, table="things"):
            name: str
            rpm: int = 3
            short: str = attribute(max_length=3)
        """
    )
    name, rpm, short = table.columns
    assert (name.default, rpm.default, short.max_length) == (None, 3, 3)
