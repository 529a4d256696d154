from __future__ import annotations

import pytest

from ashflow.errors import ResourceError


def test_resources_of_one_table_make_one_table(shop):
    declared = shop.declare(
        """
        class User(Resource, table="users", strict=True):
            id: int = integer_primary_key()
            name: str
            unique_name = identity("name")
        class Other(Resource, table="others"):
            id: int = integer_primary_key()
        class Login(Resource, table="users"):
            id: int = integer_primary_key()
            name: str
            password: bytes
            long = check("length(password) > 8")
            unique_name = identity("name")
        """
    )
    assert list(declared.schema) == ["users", "others"]
    table = declared.schema["users"]
    assert [(c.name, c.nullable) for c in table.columns] == [
        ("id", False),
        ("name", False),
        ("password", True),
    ]
    assert table.primary_key == ("id",)
    assert [index.name for index in table.indexes] == ["users_unique_name_index"]
    assert [check.name for check in table.checks] == ["users_long_check"]
    assert table.options.strict
    assert declared.origins["users.password"] == "shop.py:18"


def test_a_resource_that_is_not_migrated_takes_no_part(shop):
    declared = shop.declare(
        """
        class User(Resource, table="users"):
            id: int = integer_primary_key()
        class Legacy(Resource, table="users", migrate=False):
            id: str
        """
    )
    assert [c.type for c in declared.schema["users"].columns] == ["integer"]
    assert declared.unmanaged == frozenset()


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ("it: str", "it: int", "Two.it"),
        ("it: str", "it: str | None", "Two.it"),
        ("it: str", "It: str", "Two.It"),
        ("a: str\n    it = identity('a')", "a: str\n    it = index('a')", "Two.it"),
        ("a: str\n    it = check('1')", "a: str\n    it = check('2')", "Two.it"),
        ("it: int = attribute(primary_key=True)", "x: int = attribute(primary_key=True)", "Two"),
    ],
)
def test_members_that_disagree_are_an_error_that_names_both_classes(shop, first, second, where):
    with pytest.raises(ResourceError) as e:
        shop.declare(
            f"class One(Resource, table='things'):\n    {first}\n"
            f"class Two(Resource, table='things'):\n    {second}\n"
        )
    assert e.value.message.startswith(f"{where} (shop.py:")
    assert "One" in e.value.message


def test_an_error_about_two_members_says_only_what_differs(shop):
    with pytest.raises(ResourceError, match=r"(?m): type 'integer' here and 'text' there$"):
        shop.declare(
            """
            class One(Resource, table="things"):
                it: str
            class Two(Resource, table="things"):
                it: int
            """
        )


def test_options_that_disagree_are_an_error(shop):
    with pytest.raises(ResourceError, match="disagrees with One about strict"):
        shop.declare(
            """
            class One(Resource, table="things", strict=True):
                it: str
            class Two(Resource, table="things", strict=False):
                it: str
            """
        )
