from __future__ import annotations

import pytest

from ashflow.errors import ResourceError
from ashflow.schema.datatypes import desc, sql
from ashflow.schema.table import DOMAIN, Check, Index, Options, Statement


def test_options_of_an_attribute_reach_the_column(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            id: int = integer_primary_key()
            name: str = attribute(source="title", max_length=80, collate="NOCASE", comment="a word")
            price: Decimal | None = attribute(precision=10, scale=2)
            shout: str = attribute(generated_as="upper(title)", stored=True)
        """
    )
    key, title, price, shout = table.columns
    assert (key.type, key.autoincrement, key.nullable) == ("integer", True, False)
    assert (title.name, title.max_length, title.collate, title.comment) == (
        "title",
        80,
        "NOCASE",
        "a word",
    )
    assert (price.precision, price.scale) == (10, 2)
    assert (shout.generated_as, shout.stored) == ("upper(title)", True)
    assert table.primary_key == ("id",)


def test_identities_indexes_and_checks_are_named_after_table_and_member(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            name: str
            unique_name = identity("name", where="name <> ''")
            sorted = index(desc("name"), sql("lower(name)"), unique=True, where=sql("1"))
            other = index("name", name="mine")
            long = check("length(name) > 3")
            short = check(sql("length(name) < 9"), name="not_too_long")
        """
    )
    assert table.indexes == (
        Index("things_unique_name_index", "name", unique=True, where="name <> ''"),
        Index("things_sorted_index", [desc("name"), sql("lower(name)")], unique=True, where="1"),
        Index("mine", "name"),
    )
    assert table.checks == (
        Check("things_long_check", "length(name) > 3"),
        Check("not_too_long", "length(name) < 9"),
    )


def test_the_order_of_a_composite_key_is_that_of_primary_key(shop):
    table = shop.table(
        """
        class Event(Resource, table="events", without_rowid=True, strict=True):
            version: int = attribute(primary_key=True)
            stream_id: UUID = attribute(primary_key=True)
            key = primary_key("stream_id", "version")
        """
    )
    assert table.primary_key == ("stream_id", "version")
    assert table.options == Options(strict=True, without_rowid=True)


def test_a_key_is_never_null_whatever_is_annotated(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            a: int | None = attribute(primary_key=True)
            b: UUID | None = attribute(primary_key=True)
        """
    )
    assert [column.nullable for column in table.columns] == [False, False]


def test_a_table_may_have_no_key(shop):
    assert shop.table("class Log(Resource, table='log'):\n    line: str\n").primary_key == ()


def test_timestamps_may_be_null_where_the_annotation_says_so(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            made: datetime = create_timestamp()
            changed: datetime | None = update_timestamp(source="changed_at")
        """
    )
    assert [(c.name, c.type, c.nullable) for c in table.columns] == [
        ("made", "utc_datetime", False),
        ("changed_at", "utc_datetime", True),
    ]


def test_the_statements_of_a_class_are_named_after_their_members(shop):
    table = shop.table(
        """
        class Thing(Resource, table="things"):
            name: str
            search = statement("CREATE VIEW v AS SELECT 1", ["DROP VIEW v", "SELECT 1"])
            more = statement(up=["SELECT 1"], down=[], name="extra")
        """
    )
    assert table.statements == (
        Statement("search", "CREATE VIEW v AS SELECT 1", ["DROP VIEW v", "SELECT 1"]),
        Statement("extra", "SELECT 1", []),
    )


@pytest.mark.parametrize(
    ("up", "name"),
    [
        ("CREATE VIEW live_things AS SELECT 1", "live_things"),
        ('create temp table if not exists "a b" (x)', "a b"),
        ("CREATE VIRTUAL TABLE search USING fts5(name)", "search"),
        ("CREATE UNIQUE INDEX main.by_name ON things (name)", "by_name"),
        (
            "/* first */ CREATE TRIGGER -- a note\n tick AFTER INSERT ON t BEGIN SELECT 1; END",
            "tick",
        ),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int", "f"),
        ("INSERT INTO things VALUES (1)", "statement_4243646f"),
    ],
)
def test_a_statement_of_a_domain_is_named_after_what_it_creates(shop, up, name):
    declared = shop.declare(
        f"""
        class Thing(Resource, table="things"):
            name: str
        everything = Domain(Thing, statements=[statement({up!r}, "SELECT 1")])
        """
    )
    assert list(declared.schema) == ["things", DOMAIN]
    assert [s.name for s in declared.schema[DOMAIN].statements] == [name]
    assert declared.origins[f"{DOMAIN}.{name}"] == "shop.py:11"


def test_resources_go_to_their_own_repo_then_to_that_of_the_domain_then_to_the_first(shop):
    shop.write(
        "shop.py",
        """
        from ashflow import *
        class A(Resource, table="a"):
            x: int
        class B(Resource, table="b"):
            x: int
        class C(Resource, table="c", repo="third"):
            x: int
        class Base(Resource, abstract=True, repo="third"):
            x: int
        class D(Base, table="d"):
            pass
        first = Domain(A)
        second = Domain(B, C, D, repo="second", statements=[
            statement("CREATE VIEW v AS SELECT 1", "DROP VIEW v"),
        ])
        """,
    )
    declared = shop.load(repos=("first", "second", "third", "empty"))
    assert {repo: list(d.schema) for repo, d in declared.items()} == {
        "first": ["a"],
        "second": ["b", DOMAIN],
        "third": ["c", "d"],
        "empty": [],
    }


def test_origins_name_file_and_line_of_everything(shop):
    shop.write(
        "pkg/things.py",
        """
        from ashflow import *

        class Base(Resource, abstract=True):
            id: int = integer_primary_key()
            note: str

        @(lambda cls: cls)
        class Thing(Base, table="things"):
            name: str
            parent = belongs_to(
                "Thing",
                nullable=True,
            )
            unique_name = identity("name")
        """,
    )
    origins = shop.load("pkg.things")["repo"].origins
    assert dict(origins) == {
        "things": "pkg/things.py:9",
        "things.id": "pkg/things.py:5",
        "things.note": "pkg/things.py:6",
        "things.name": "pkg/things.py:10",
        "things.parent_id": "pkg/things.py:11",
        "things.things_unique_name_index": "pkg/things.py:15",
        "things.things_parent_id_fkey": "pkg/things.py:11",
    }
    assert len(origins) == 7


def test_names_with_dots_have_places_of_their_own(shop):
    shop.write(
        "shop.py",
        """
        from ashflow import *

        class One(Resource, table="one."):
            a: int
            b: int = attribute(source="a.")
            c: int = attribute(source="b.c")

        class Two(Resource, table="one"):
            d: int = attribute(source=".a")
        """,
    )
    origins = shop.load("shop")["repo"].origins
    assert {key: origins[key] for key in origins} == {
        "one.": "shop.py:4",
        "one..a": "shop.py:5",
        "one..a.": "shop.py:6",
        "one..b.c": "shop.py:7",
        "one": "shop.py:9",
    }
    assert "one.a." not in origins


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("it = attribute()", "has no annotation"),
        ("it: str = attribute(defualt=1)", "attribute has no option 'defualt'"),
        ("it: str = attribute(type='txet')", "has type='txet', which is not one of: text, integer"),
        ("it: str = attribute(type='raw:')", "has type='raw:'"),
        ("it: str = attribute(max_length=0)", "has max_length=0, which is not a positive number"),
        ("it: int = attribute(max_length=3)", "has max_length, which is for text and binary"),
        ("it: int = attribute(precision=3)", "has precision, which is for decimal"),
        ("it: Decimal = attribute(scale=3)", "has the scale 3 and the precision None"),
        ("it: Decimal = attribute(precision=2, scale=3)", "has the scale 3 and the precision 2"),
        ("it: str = attribute(primary_key='yes')", "has primary_key='yes'"),
        ("it: str = attribute(source='')", "has source=''"),
        ("it: str = attribute(source='a\\0b')", "has source="),
        ("it: str = attribute(source='\\ud800')", "has source="),
        ("it: str = attribute(source='NAME')", "is called 'NAME' in the database, and so is"),
        ("it: str = attribute(stored=True)", "is stored"),
        ("it: str = attribute(generated_as=' ')", "has generated_as=' '"),
        ("it: str = attribute(generated_as='1', default='x')", "is generated, so it can have no"),
        ("it: str = attribute(generated_as='1', primary_key=True)", "can be no primary key"),
        ("it = identity()", "is an identity without keys"),
        ("it = identity('nmae')", "has the key 'nmae', which is no column"),
        ("it = index(3)", "has the key 3"),
        ("it = index(sql(''))", "has an empty sql"),
        ("it = index(desc(desc('name')))", "has the key desc"),
        ("it = index('name', where='')", "has where=''"),
        ("it = index('name', unique=1)", "has unique=1"),
        ("it = index('name', name='sqlite_mine')", "sqlite_"),
        ("it = identity('name', wher='1')", "identity has no option 'wher'"),
        ("it = check('')", "has sql=''"),
        ("it = check(None)", "has sql=None"),
        ("it = check('1', name='things_a_check')", "and so is Thing.a"),
        ("it = primary_key()", "names no column, or one twice"),
        ("it = primary_key('name', 'name')", "names no column, or one twice"),
        ("it = primary_key('nmae')", "has the key 'nmae'"),
        ("it: int = integer_primary_key()\n    other: int = integer_primary_key()", "counts up"),
        ("it = statement('', 'x')", "has up=''"),
        ("it = statement([], 'x')", "is a statement without SQL"),
        ("it = statement('x', 3)", "has down=3"),
    ],
)
def test_a_member_that_cannot_be_is_an_error_with_class_member_file_and_line(shop, member, said):
    with pytest.raises(ResourceError) as e:
        shop.declare(
            f"""class Thing(Resource, table="things"):
    name: str
    a = check("2")
    {member}
"""
        )
    assert e.value.message.startswith("Thing.it (shop.py:11): ")
    assert said in e.value.message


def test_keys_that_are_no_column_list_the_columns(shop):
    with pytest.raises(ResourceError) as e:
        shop.table(
            """
            class Thing(Resource, table="things"):
                name: str
                title: str = attribute(source="heading")
                it = identity("title")
            """
        )
    assert e.value.hint == "The columns: name, heading."


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ("", "names no table"),
        (", tabel='x'", "Resource has no option 'tabel'"),
        (", table=''", "has table=''"),
        (", table='a\\0'", "has table="),
        (", table=3", "has table=3"),
        (", table='sqlite_x'", "sqlite_"),
        (", table='SQLite_x'", "sqlite_"),
        (", table='ashflow_migrations'", "ashflow keeps"),
        (", table='ASHFLOW_META'", "ashflow keeps"),
        (", table='__ashflow_x'", "ashflow keeps"),
        (", table='@domain'", "ashflow keeps"),
        (", table='x', strict=1", "has strict=1"),
        (", table='x', repo='far'", "has repo='far', which is not configured"),
        (", table='x', without_rowid=True", "has no primary key"),
        (", table='x', base_filter=''", "has base_filter=''"),
    ],
)
def test_a_class_that_cannot_be_is_an_error(shop, keywords, said):
    with pytest.raises(ResourceError) as e:
        shop.declare(f"class Thing(Resource{keywords}):\n    name: str\n")
    assert e.value.message.startswith("Thing (shop.py:8): ")
    assert said in e.value.message


@pytest.mark.parametrize(
    "body",
    [
        "class Thing(Resource, table='things'):\n    pass\n",
        "class Thing(Resource, table='things'):\n    it = check('1')\n",
    ],
)
def test_a_resource_without_columns_is_an_error(shop, body):
    with pytest.raises(ResourceError, match=r"Thing \(shop\.py:8\): has no columns"):
        shop.declare(body)


def test_a_raw_type_that_a_strict_table_cannot_hold_is_an_error(shop):
    with pytest.raises(ResourceError, match=r"Thing\.it .*strict"):
        shop.declare(
            """
            class Thing(Resource, table="things", strict=True):
                it: str = attribute(type="raw:VARCHAR(10)")
            """
        )


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("table='things'", "table='Things'", "has a table called 'Things', and One has one"),
        ("table='things_x_index'", "table='things'", "has an index called 'things_x_index'"),
        ("table='a', base_filter='1'", "table='a_x_index'", "has an index called 'a_x_index'"),
    ],
)
def test_one_name_for_two_things_of_a_database_is_an_error(shop, first, second, said):
    with pytest.raises(ResourceError) as e:
        shop.declare(
            f"""
            class One(Resource, {first}):
                name: str
                x = index("name")
            class Two(Resource, {second}):
                name: str
                x = index("name")
            """
        )
    assert said in e.value.message


def test_one_index_name_on_two_tables_is_an_error(shop):
    with pytest.raises(ResourceError, match=r"Two\.x .* has an index called 'by_name', and One\.x"):
        shop.declare(
            """
            class One(Resource, table="ones"):
                name: str
                x = index("name", name="by_name")
            class Two(Resource, table="twos"):
                name: str
                x = index("name", name="BY_NAME"[:0] or "by_name")
            """
        )


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("Domain(Thing, repo='far')", "has repo='far', which is not configured"),
        ("Domain(Thing, repos='far')", "Domain has no option 'repos'"),
        ("Domain(Thing, statements=['SELECT 1'])", "has 'SELECT 1' among its statements"),
        ("Domain(Thing, 3)", "has 3, which is no resource"),
        (
            "Domain(Thing, statements=[statement('SELECT 1', ''), statement('SELECT 1', [])])",
            "has down=''",
        ),
        (
            "Domain(Thing, statements=[statement('SELECT 1', []), statement('SELECT 1', [])])",
            "and so is Domain.statement",
        ),
    ],
)
def test_a_domain_that_cannot_be_is_an_error(shop, domain, said):
    with pytest.raises(ResourceError) as e:
        shop.declare(f"class Thing(Resource, table='things'):\n    name: str\nit = {domain}\n")
    assert "(shop.py:10)" in e.value.message or "Thing (shop.py:8)" in e.value.message
    assert said in e.value.message


def test_a_resource_in_domains_of_two_repos_is_an_error_that_names_them(shop):
    with pytest.raises(ResourceError, match="is in domains of several repos: repo, far"):
        shop.declare(
            """
            class Thing(Resource, table="things"):
                name: str
            one = Domain(Thing, repo="repo")
            two = Domain(Thing, repo="far")
            """,
            repos=("repo", "far"),
        )
