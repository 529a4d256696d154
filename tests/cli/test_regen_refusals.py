"""What regen refuses: names, files and edits; then tree, git and database stay as they were."""

from __future__ import annotations

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"


@pytest.fixture
def day(begin):
    """An untracked, applied migration with a row, and resources that have changed since."""
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(PAINTED)
    return day


def refused(day, *arguments, code=2):
    """Run a command that has to refuse and touch nothing; return its error."""
    before = day.everything()
    error = day.run(*arguments, "--json", code=code).json()["error"]
    assert day.everything() == before
    return error


def test_a_name_is_needed(day):
    assert "needs the name" in refused(day, "regen", "-m")["message"]


@pytest.mark.parametrize("name", ["", "a/b", "ñ", "..", "x" * 101])
def test_a_bad_name_is_refused(day, name):
    assert "no name for a migration" in refused(day, "regen", name, "-m")["message"]


def test_a_name_that_a_tracked_migration_has_is_refused(day):
    assert day.path("first") in refused(day, "regen", "first", "-m")["message"]


def test_the_name_of_a_tracked_migration_is_refused_where_nothing_would_be_written(begin):
    day = begin(POSTS, None)
    assert day.path("first") in refused(day, "regen", "first")["message"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise RuntimeError('boom')", "resource-import"),
        ("import sys; sys.exit(0)", "resource-import"),
        ("class Post(Resource, table='posts'): id: complex", "resource"),
        ("this is no python", "resource-import"),
    ],
)
def test_resources_that_can_not_be_used_touch_nothing(day, source, code):
    day.declare(source)
    assert refused(day, "regen", "again", "-m")["code"] == code


@pytest.mark.parametrize(
    "text",
    ["", "this is no python", "raise RuntimeError('boom')", "import sys; sys.exit(3)", "x = 1"],
)
def test_a_replaced_migration_that_does_not_load_is_refused(day, text):
    day.project.write(day.path("second"), text)
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "invalid-migration"
    assert day.path("second") in error["message"]


def test_a_replaced_migration_that_is_no_text_is_refused(day):
    (day.root / day.path("second")).write_bytes(b"\xff\xfe")
    assert day.path("second") in refused(day, "regen", "again", "-m")["message"]


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_snapshot_that_can_not_be_read_is_refused(day, which):
    (path,) = day.snapshots_of(which)
    day.project.write(path, day.project.read(path).replace("posts", "pasts"))
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "invalid-snapshot"
    assert path in error["message"]


EDITS = {
    "a changed operation": ('"color", "text"', '"color", "integer"', "lacks operations"),
    "a removed operation": (
        '        AddColumn("posts", Column("color", "text", nullable=True)),\n',
        "",
        "lacks operations",
    ),
    "an operation said twice": (
        '        AddColumn("posts", Column("color", "text", nullable=True)),\n',
        '        AddColumn("posts", Column("color", "text", nullable=True)),\n' * 2,
        "twice",
    ),
    "another way to run it": (
        "    ],\n)",
        "    ],\n    transaction=False,\n)",
        "how it is to be run",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_by_hand_is_not_thrown_away(day, kind):
    old, new, said = EDITS[kind]
    day.edit(day.path("second"), old, new)
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "edited-migration"
    assert said in error["message"]
    assert day.path("second") in error["message"]
    assert "--discard-edits" in error["hint"]
    edited = day.project.read(day.path("second"))
    day.regen("-m", "--discard-edits")
    assert day.query("SELECT title, color, weight FROM posts") == [("A", "red", 1.5)]
    assert edited in [p.read_text() for p in day.store().rglob("*_second.py")]
    day.whole()


def test_comments_and_layout_are_no_edit(day):
    day.edit(day.path("second"), "migration = ", "# a thought\nmigration = ")
    day.edit(day.path("second"), "        AddColumn(", "        AddColumn(  # here\n            ")
    day.regen("-m")
    day.whole()


@pytest.mark.parametrize("flags", [(), ("--discard-edits",)])
def test_an_irreversible_migration_is_refused_before_anything(begin, flags):
    day = begin(POSTS, None)
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    day.edit(path, "import AddColumn", "import Execute, AddColumn")
    day.edit(path, "    ],\n", '        Execute(up="CREATE TABLE log (n)"),\n    ],\n')
    day.run("migrate")
    assert refused(day, "regen", "again", "-m", *flags)["code"] == "irreversible"


def test_an_irreversible_older_one_of_two_is_refused_before_anything(begin):
    day = begin(POSTS, None)
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    day.edit(path, "import AddColumn", "import Execute, AddColumn")
    day.edit(path, "    ],\n", '        Execute(up="CREATE TABLE log (n)"),\n    ],\n')
    day.run("migrate")
    day.change(PAINTED, "third")
    assert refused(day, "regen", "again", "--discard-edits")["code"] == "irreversible"


def test_a_replaced_migration_outside_a_transaction_is_refused(begin):
    day = begin(POSTS, None)
    day.declare(COLORED)
    day.run("codegen", "second")
    day.edit(day.path("second"), "    ],\n)", "    ],\n    transaction=False,\n)")
    day.run("migrate")
    error = refused(day, "regen", "again", "-m", "--discard-edits")
    assert "outside a transaction" in error["message"]


def test_an_edit_that_was_applied_is_taken_back_as_it_was_applied(begin):
    day = begin(POSTS, None, rows="INSERT INTO posts (title) VALUES ('A')")
    day.declare(COLORED)
    day.run("codegen", "second")
    path = day.path("second")
    text = day.project.read(path)
    day.edit(path, "import AddColumn", "import Execute, AddColumn")
    day.edit(
        path,
        "    ],\n",
        '        Execute(up="CREATE TABLE log (n)", down="DROP TABLE log"),\n    ],\n',
    )
    day.run("migrate")
    day.project.write(path, text)
    day.declare(PAINTED)
    told = day.regen("-m")
    assert told["parked"] is not None
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'log'") == []
    day.whole()


def test_an_unknown_repo_and_an_unknown_option_are_refused(day):
    assert refused(day, "regen", "again", "--repo", "other")["code"] == "configuration"
    assert refused(day, "regen", "again", "--hard")["code"] == "usage"


def test_a_database_that_is_none_is_refused(day):
    (day.root / "priv/repo/dev.sqlite3").write_bytes(b"this is no database at all, is it?")
    files = {p: (day.root / p).read_bytes() for p in day.project.files()}
    error = day.regen("-m", code=2)
    assert error["code"] == "no-database"
    assert {p: (day.root / p).read_bytes() for p in day.project.files()} == files


def test_a_ledger_of_another_tool_is_refused(day):
    day.query("DROP TABLE ashflow_migrations")
    day.query("CREATE TABLE ashflow_migrations (id)")
    assert refused(day, "regen", "again", "-m")["code"] == "ledger"


def test_a_ledger_that_can_not_be_read_is_refused(day):
    day.query("UPDATE ashflow_migrations SET operations = 'x' WHERE name = 'second'")
    assert refused(day, "regen", "again", "-m")["code"] == "ledger"
