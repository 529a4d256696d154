from __future__ import annotations

import pytest

from ashflow.errors import ResourceError
from ashflow.schema.table import ForeignKey
from ashflow.sources import linking

TEAM = """
class Team(Resource, table="teams"):
    id: UUID = uuid_primary_key()
    code: str = attribute(max_length=8, collate="NOCASE")
    unique_code = identity("code")
    living = identity("id", "code", where="code <> ''")
"""


def test_belongs_to_makes_a_column_of_the_targets_type_and_a_foreign_key(shop):
    table = shop.declare(
        TEAM
        + """
class Thing(Resource, table="things"):
    team = belongs_to(Team, on_delete="cascade", on_update="restrict", deferrable=True, index=True)
"""
    ).schema["things"]
    (column,) = table.columns
    assert (column.name, column.type, column.nullable) == ("team_id", "uuid", False)
    assert table.foreign_keys == (
        ForeignKey(
            "teams",
            "id",
            columns="team_id",
            name="things_team_id_fkey",
            on_delete="cascade",
            on_update="restrict",
            deferrable=True,
        ),
    )
    assert [(index.name, index.keys, index.unique) for index in table.indexes] == [
        ("things_team_id_index", ("team_id",), False)
    ]


def test_belongs_to_takes_the_whole_type_of_another_key(shop):
    table = shop.declare(
        TEAM
        + """
class Thing(Resource, table="things"):
    team = belongs_to(Team, to="code", source="team_code", nullable=True, name="to_team",
                      on_delete="set_null")
"""
    ).schema["things"]
    (column,) = table.columns
    assert (column.name, column.type, column.max_length, column.collate, column.nullable) == (
        "team_code",
        "text",
        8,
        "NOCASE",
        True,
    )
    assert table.foreign_keys[0].name == "to_team"


def test_the_annotation_of_a_belongs_to_says_whether_it_may_be_null(shop):
    table = shop.declare(
        TEAM
        + """
class Thing(Resource, table="things"):
    team: Team = belongs_to(Team)
    other: Team | None = belongs_to("Team")
    unknown: Optional[Later] = belongs_to("Team")
"""
    ).schema["things"]
    assert [column.nullable for column in table.columns] == [False, True, True]


def test_resources_may_refer_to_themselves_and_to_each_other(shop):
    schema = shop.declare(
        """
        class Page(Resource, table="pages"):
            id: int = integer_primary_key()
            parent = belongs_to("Page", nullable=True)
            book = belongs_to("Book")
        class Book(Resource, table="books"):
            id: UUID = uuid_primary_key()
            cover = belongs_to(Page)
        """
    ).schema
    assert [c.type for c in schema["pages"].columns] == ["integer", "integer", "uuid"]
    assert schema["books"].column("cover_id").type == "integer"


def test_a_key_that_is_a_reference_itself_passes_its_type_on(shop):
    schema = shop.declare(
        """
        class Line(Resource, table="lines"):
            id: int = integer_primary_key()
            profile = belongs_to("Profile", to="user_id")
        class Profile(Resource, table="profiles"):
            user = belongs_to("User", primary_key=True)
        class User(Resource, table="users"):
            id: UUID = uuid_primary_key()
        """
    ).schema
    assert schema["lines"].column("profile_id").type == "uuid"
    assert schema["profiles"].primary_key == ("user_id",)


def test_a_type_that_comes_from_itself_is_an_error(shop):
    with pytest.raises(ResourceError, match="takes its type from itself"):
        shop.declare(
            """
            class A(Resource, table="a"):
                b = belongs_to("B", to="a_id", primary_key=True)
            class B(Resource, table="b"):
                a = belongs_to("A", to="b_id", primary_key=True)
            """
        )


def test_a_foreign_key_of_several_columns_shares_columns_with_others(shop):
    table = shop.declare(
        """
        class Project(Resource, table="projects"):
            tenant_id: int
            id: int
            key = primary_key("id", "tenant_id")
        class Task(Resource, table="tasks"):
            tenant_id: int
            project_id: int
            owner_id: int
            project = foreign_key("tenant_id", "project_id", to=Project, keys=("tenant_id", "id"))
            owner = foreign_key("tenant_id", "owner_id", to="Project", keys=["tenant_id", "id"],
                                name="owners", on_delete="restrict")
        """
    ).schema["tasks"]
    assert [(key.name, key.columns, key.keys) for key in table.foreign_keys] == [
        ("tasks_tenant_id_project_id_fkey", ("tenant_id", "project_id"), ("tenant_id", "id")),
        ("owners", ("tenant_id", "owner_id"), ("tenant_id", "id")),
    ]


def test_a_name_is_sought_in_the_same_module_first(shop):
    shop.write(
        "one.py",
        """
        from ashflow import Resource, belongs_to, integer_primary_key
        class Team(Resource, table="ones"):
            id: int = integer_primary_key()
        class Thing(Resource, table="things"):
            team = belongs_to("Team")
        """,
    )
    shop.write(
        "two.py",
        """
        from ashflow import Resource, uuid_primary_key
        class Team(Resource, table="twos"):
            id: str = uuid_primary_key()
        """,
    )
    schema = shop.load("two", "one")["repo"].schema
    assert schema["things"].column("team_id").type == "integer"


def test_an_ambiguous_name_is_an_error_that_names_both(shop):
    for name in ("one", "two"):
        shop.write(
            f"{name}.py",
            f"""
            from ashflow import Resource, integer_primary_key
            class Team(Resource, table="{name}"):
                id: int = integer_primary_key()
            """,
        )
    thing = """
        from ashflow import Resource, belongs_to
        class Thing(Resource, table="things"):
            team = belongs_to("{}")
        """
    shop.write("three.py", thing.format("Team"))
    with pytest.raises(ResourceError, match=r"Thing\.team .* one\.Team and two\.Team"):
        shop.load("one", "two", "three")
    shop.write("three.py", thing.format("two.Team"))
    declared = shop.load("one", "two", "three")["repo"]
    assert declared.schema["things"].foreign_keys[0].table == "two"


def test_a_target_in_another_repo_gives_a_column_and_no_foreign_key(shop):
    shop.write(
        "shop.py",
        """
        from ashflow import *
        class Team(Resource, table="teams", repo="far"):
            id: str = uuid_primary_key()
        class Thing(Resource, table="things"):
            team = belongs_to(Team, index=True, on_delete="cascade")
        """,
    )
    declared = shop.load(repos=("near", "far"))
    table = declared["near"].schema["things"]
    assert table.column("team_id").type == "uuid"
    assert table.foreign_keys == ()
    assert len(table.indexes) == 1
    assert "Thing.team" in declared["near"].warnings[0]
    assert list(declared["far"].schema) == ["teams"]


def test_a_target_that_is_not_migrated_is_referred_to_and_left_out(shop):
    declared = shop.declare(
        """
        class User(Resource, table="auth_user", migrate=False):
            id: int = integer_primary_key()
        class Thing(Resource, table="things"):
            user = belongs_to(User)
        """
    )
    assert list(declared.schema) == ["things"]
    assert declared.unmanaged == {"auth_user"}
    assert declared.schema["things"].foreign_keys[0].table == "auth_user"


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("belongs_to('Taem')", r"refers to 'Taem', which is no resource"),
        ("belongs_to(int)", r"refers to <class 'int'>, which is no resource"),
        ("belongs_to(Base)", r"abstract"),
        ("belongs_to(Team, to='nmae')", r"has the key 'nmae', which is no column of Team"),
        ("belongs_to(Team, to='name')", r"neither its primary key nor an identity"),
        ("belongs_to(Team, to='slug')", r"neither its primary key nor an identity"),
        ("belongs_to(Team, on_delete='set_null')", r"sets it_id to NULL"),
        ("belongs_to(Team, on_update='set_null')", r"sets it_id to NULL"),
        ("belongs_to(Team, on_delete='delete')", r"has on_delete='delete'.*set_default"),
        ("belongs_to(Team, on_delet='cascade')", r"belongs_to has no option 'on_delet'"),
        ("foreign_key('a', 'b', to=Team)", r"from 2 columns to 1 keys"),
        ("foreign_key('c', to=Team)", r"has the key 'c', which is no column"),
        ("foreign_key(to=Team, keys=())", r"from 0 columns"),
        ("foreign_key('a', to=Elsewhere)", r"a foreign key cannot leave its database"),
    ],
)
def test_a_reference_that_cannot_be_is_an_error(shop, member, said):
    body = f"""
        class Base(Resource, abstract=True):
            id: int = integer_primary_key()
        class Team(Base, table="teams"):
            name: str
            slug: str
            living = identity("slug", where="name <> ''")
        class Elsewhere(Base, table="elsewhere", repo="far"):
            pass
        class Thing(Resource, table="things"):
            a: int
            b: int
            it = {member}
        """
    with pytest.raises(ResourceError, match=rf"^Thing\.it \(shop\.py:20\): .*{said}"):
        shop.declare(body, repos=("repo", "far"))


def test_a_target_in_no_domain_is_an_error_that_says_where_to_put_it(shop):
    with pytest.raises(ResourceError, match="refers to Team, which is in no domain") as e:
        shop.declare(
            TEAM
            + """
class Thing(Resource, table="things"):
    team = belongs_to(Team)
things = Domain(Thing)
"""
        )
    assert "migrate=False" in e.value.hint


def test_a_target_that_somebody_else_makes_need_be_in_no_domain(shop):
    declared = shop.declare(
        """
        class User(Resource, table="auth_user", migrate=False):
            id: int = integer_primary_key()
        class Thing(Resource, table="things"):
            user = belongs_to(User)
        things = Domain(Thing)
        """
    )
    assert declared.unmanaged == {"auth_user"}
    assert declared.schema["things"].column("user_id").type == "integer"


def test_names_of_other_modules_are_sought_once_for_all(shop, monkeypatch):
    """A thousand resources that name others by text are not gone through a thousand times."""
    asked = []
    real = linking._full_name
    monkeypatch.setattr(linking, "_full_name", lambda cls: asked.append(cls) or real(cls))
    for count in (10, 40):
        links = "    to = belongs_to('Target{0}')\n"
        shop.write("targets.py", "from ashflow import *\n" + numbered(count, "Target"))
        shop.write("things.py", "from ashflow import *\n" + numbered(count, "Thing", links))
        declared = shop.load("targets", "things")["repo"]
        assert declared.schema["Thing7"].foreign_keys[0].table == "Target7"
        assert len(asked) == 2 * count
        asked.clear()


def numbered(count, name, more=""):
    line = "class {1}{0}(Resource, table='{1}{0}'):\n    id: int = integer_primary_key()\n" + more
    return "".join(line.format(number, name) for number in range(count))
