"""Work done by hand in migrations that regen replaces: it is carried over, or it stops the plan."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"
HEAVY = PAINTED + "    mass: float = 2.5\n"
ROW = "INSERT INTO posts (title) VALUES ('A')"

LOG = """\
        # every title is worth a line
        Execute(
            up="CREATE TABLE log (line TEXT)",  # no resource knows it
            down="DROP TABLE log",
        ),  # for the auditors
"""
FUNCTIONS = '''\
from ashflow.migration import Database, Migration, Run
import json

# how loud
MARKS = "!" * 2


# said by the boss
def shout(db: Database) -> None:
    """Make titles loud."""
    for row_id, title in db.execute("SELECT id, title FROM posts"):
        db.execute("UPDATE posts SET title = ? WHERE id = ?", [louder(title), row_id])


def whisper(db: Database) -> None:
    db.execute("UPDATE posts SET title = lower(title)")


def louder(title: str) -> str:
    return str(json.loads(json.dumps(title))).upper() + MARKS


def unused() -> None:
    """Nobody needs this."""


'''


@pytest.fixture
def edited(begin):
    """An untracked migration, not applied; `edited(*edits)` changes its file and applies it."""
    day = begin(POSTS, None, rows=ROW)
    day.declare(COLORED)
    day.run("codegen", "second")

    def edited(*edits):
        for old, new in edits:
            day.edit(day.path("second"), old, new)
        day.run("migrate")
        day.declare(PAINTED)
        return day

    return edited


def last(operation, *words):
    """Edits that put an operation behind all others."""
    return (("import ", f"import {', '.join(words)}, "), ("    ],\n", f"{operation}    ],\n"))


def body(day, name="again"):
    """What stands in the list of operations of a migration."""
    return day.project.read(day.path(name)).partition("operations=[\n")[2].partition("    ],\n")[0]


def refused(day, *arguments, code=2):
    """Run a command that has to refuse and touch nothing; return its error."""
    before = day.everything()
    error = day.run(*arguments, "--json", code=code).json()["error"]
    assert day.everything() == before
    return error


def clean(day, name="again"):
    """See to it that ruff with its defaults and mypy have nothing to say about a migration."""
    path = str(day.root / day.path(name))
    for tool in ("ruff format --isolated --check", "ruff check --isolated", "mypy --strict"):
        command = [sys.executable, "-m", *tool.split(), path]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=day.root)
        assert done.returncode == 0, (done.stdout, day.project.read(day.path(name)))


def test_sql_of_one_s_own_is_carried_over_with_its_comments(edited):
    day = edited(*last(LOG, "Execute"))
    version = day.path("second").rpartition("/")[2][:14]
    day.query("UPDATE posts SET color = 'red'")
    told = day.regen("-m")
    assert told["rolled_back"] == [version]
    assert body(day) == (
        '        AddColumn("posts", Column("color", "text", nullable=True)),\n'
        '        AddColumn("posts", Column("weight", "float", default=1.5)),\n'
        f"        # carried over from {version}_second:\n{LOG}"
    )
    clean(day)
    assert day.query("SELECT id, title, color, weight FROM posts") == [(1, "A", "red", 1.5)]
    assert day.query("SELECT * FROM log") == []
    assert day.applied() == ["first", "again"]
    day.whole()


def test_what_stands_before_all_that_is_generated_stays_there(edited):
    day = edited(
        ("import ", "import Execute, "),
        ("operations=[\n", f"operations=[\n{LOG}"),
        ("    ],\n", '        Execute(up="DELETE FROM log", down=[]),\n    ],\n'),
    )
    day.regen("-m", "--yes")
    text = body(day)
    assert text.index("CREATE TABLE log") < text.index("color") < text.index("weight")
    assert text.index("weight") < text.index("DELETE FROM log")
    assert text.count("# carried over from") == 2
    day.whole()


def test_a_carried_migration_can_be_rolled_back(edited):
    day = edited(*last(LOG, "Execute"))
    day.regen("-m", "--yes")
    day.run("rollback")
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'log'") == []
    assert day.query("SELECT * FROM posts") == [(1, "A")]


def test_without_m_it_is_written_and_applied_by_migrate(edited):
    day = edited(*last(LOG, "Execute"))
    day.regen("--yes")
    assert day.applied() == ["first"]
    assert "CREATE TABLE log" in body(day)
    day.run("migrate")
    assert day.query("SELECT * FROM log") == []
    day.whole()


def test_functions_come_with_what_they_need(edited):
    day = edited(
        ("from ashflow.migration import ", FUNCTIONS + "from ashflow.migration import "),
        ("    ],\n", "        # loud\n        Run(up=shout, down=whisper),\n    ],\n"),
    )
    assert day.query("SELECT title FROM posts") == [("A!!",)]
    day.regen("-m", "--yes")
    text = day.project.read(day.path("again"))
    assert "import json\n\nfrom ashflow.migration import AddColumn, Column, Database, Migr" in text
    assert '\n\n# how loud\nMARKS = "!" * 2\n\n\n# said by the boss\ndef shout' in text
    assert "unused" not in text
    assert "        # loud\n        Run(up=shout, down=whisper),\n" in text
    clean(day)
    assert day.query("SELECT title FROM posts") == [("A!!!!",)]
    day.run("rollback")
    assert day.query("SELECT title FROM posts") == [("a!!!!",)]


def test_three_regens_in_a_row_carry_it_once(edited):
    day = edited(*last(LOG, "Execute"))
    for turn, declared in enumerate((PAINTED, HEAVY, PAINTED)):
        day.declare(declared)
        day.run("regen", f"turn_{turn}", "-m", "--yes")
    text = body(day, "turn_2")
    assert text.count("# carried over from") == 1
    assert re.search(r"# carried over from \d{14}_turn_1:\n", text)
    assert text.endswith(LOG)
    assert day.migrations() == ["first", "turn_2"]
    day.whole()


def test_what_is_there_already_with_its_work_by_hand_is_not_replaced(edited):
    day = edited(*last(LOG, "Execute"))
    day.declare(COLORED)
    before = day.everything()
    day.run("regen", "second", "-m")
    assert day.everything() == before


def test_an_index_added_by_hand_is_carried_over(edited):
    index = '        AddIndex("posts", ["color"], name="by_color"),\n'
    day = edited(*last(index, "AddIndex"))
    day.query("UPDATE posts SET color = 'red'")
    day.regen("-m")
    assert body(day).endswith(index)
    assert day.query("SELECT color, weight FROM posts") == [("red", 1.5)]
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'by_color'") == [("by_color",)]
    day.whole()


def test_an_index_on_what_is_gone_stops_the_plan(edited):
    index = '        AddIndex("posts", ["color"], name="by_color"),\n'
    day = edited(*last(index, "AddIndex"))
    day.declare(POSTS + "    weight: float = 1.5\n")
    error = refused(day, "regen", "again", "-m", "--yes")
    assert error["code"] == "edited-migration"
    assert day.path("second") in error["message"]
    assert "add index by_color" in error["message"]
    assert "--discard-edits" in error["hint"]


def test_a_column_edited_by_hand_that_the_resource_has_otherwise_stops_the_plan(edited):
    day = edited(('"color", "text"', '"color", "integer"'))
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "edited-migration"
    assert "would write again" in error["message"]
    day.declare(POSTS + "    color: float | None\n")
    error = refused(day, "regen", "again", "-m")
    assert "add column color" in error["message"]
    assert "does not fit" in error["message"]


def test_an_edit_that_the_resource_has_caught_up_with_is_said_once(edited):
    day = edited(('"color", "text"', '"color", "integer"'))
    day.query("UPDATE posts SET color = 7")
    day.declare(POSTS + "    color: int | None\n    weight: float = 1.5\n")
    day.regen("-m")
    assert body(day).count('"color"') == 1
    assert "carried over" not in body(day)
    assert day.query("SELECT color, weight FROM posts") == [(7, 1.5)]
    day.whole()


def test_a_column_by_hand_that_a_generated_table_has_by_now_is_said_once(begin):
    tags = '\nclass Tag(Resource, table="tags"):\n    id: int = integer_primary_key()\n'
    day = begin(POSTS, None)
    day.declare(POSTS + tags)
    day.run("codegen", "second")
    column = '        AddColumn("tags", Column("word", "text", nullable=True)),\n'
    for edit in last(column, "AddColumn"):
        day.edit(day.path("second"), *edit)
    day.run("migrate")
    day.query("INSERT INTO tags (word) VALUES ('x')")
    day.declare(POSTS + tags + "    word: str | None\n")
    day.regen("-m")
    assert body(day).count('"word"') == 1
    assert day.query("SELECT word FROM tags") == [("x",)]
    day.whole()


def test_a_rename_written_by_hand_is_an_answer(edited):
    rename = '        RenameColumn("posts", "title", "headline"),\n'
    day = edited(*last(rename, "RenameColumn"))
    day.declare(PAINTED.replace("title", "headline"))
    day.regen("-m")
    assert body(day).count("RenameColumn") == 1
    assert day.query("SELECT headline, weight FROM posts") == [("A", 1.5)]
    day.whole()


def test_a_fill_changed_by_hand_stays_as_it_was_changed(begin):
    day = begin(POSTS, None, rows=ROW)
    day.declare(POSTS + "    rank: int\n")
    day.run("codegen", "second", "--fill", "posts.rank=0")
    day.edit(day.path("second"), '"rank", "0"', '"rank", "length(title) + 6"')
    day.declare(POSTS + "    rank: int\n    n: int = 3\n")
    day.regen("-m")
    assert body(day).count("Fill(") == 1
    assert day.query("SELECT rank, n FROM posts") == [(7, 3)]
    day.whole()


def test_two_files_with_functions_of_one_name_stop_the_plan(edited):
    own = "def up(db: Database) -> None:\n    db.execute('SELECT {}')\n\n\nmigration ="
    run = "        Run(up=up, down=up),\n"
    day = edited(*last(run, "Database, Run"), ("migration =", own.format(1)))
    day.run("codegen", "third")
    for edit in (*last(run, "Database, Run"), ("migration =", own.format(2))):
        day.edit(day.path("third"), *edit)
    error = refused(day, "regen", "again", "-m")
    assert day.path("second") in error["message"]
    assert day.path("third") in error["message"]
    day.edit(day.path("third"), "SELECT 2", "SELECT 1")
    day.regen("-m", "--yes")
    assert day.project.read(day.path("again")).count("def up") == 1
    assert body(day).count("# carried over from") == 2


@pytest.mark.parametrize(
    "said",
    ["operations=[*[\n{}    ]],\n", "operations=[\n{}    ][:],\n", "*[[\n{}    ]],\n"],
)
def test_operations_that_are_no_plain_list_stop_the_plan(edited, said):
    day = edited(*last(LOG, "Execute"))
    text = day.project.read(day.path("second"))
    whole = f"operations=[\n{body(day, 'second')}    ],\n"
    day.project.write(day.path("second"), text.replace(whole, said.format(body(day, "second"))))
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "edited-migration"
    assert "not written as one list" in error["message"]


def test_discard_edits_leaves_it_behind(edited):
    day = edited(*last(LOG, "Execute"))
    text = day.project.read(day.path("second"))
    day.regen("-m", "--discard-edits", "--yes")
    assert "log" not in body(day)
    assert text in [path.read_text() for path in day.store().rglob("*_second.py")]
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'log'") == []
    day.whole()


def test_what_is_carried_stays_where_nothing_is_generated_any_more(edited):
    day = edited(*last(LOG, "Execute"))
    day.declare(POSTS)
    day.regen("-m", "--yes")
    assert day.migrations() == ["first", "again"]
    assert "CREATE TABLE log" in body(day)
    assert "color" not in body(day)
    day.whole()


def by_hand(day, name, operation):
    """Write a migration by hand: its name, and one operation."""
    day.run("codegen", "--empty", name)
    path = day.path(name)
    day.edit(path, "import ", "import Execute, ")
    hint = '        # write operations here, such as Execute(up="…", down="…").\n'
    day.edit(path, hint, f"        {operation}\n")
    return day.project.read(path)


def test_a_migration_of_one_s_own_goes_above_what_is_written(begin):
    day = begin(rows=ROW)
    text = by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    other = by_hand(day, "filled", 'Execute(up="INSERT INTO notes VALUES (1)", down=[]),')
    day.run("migrate")
    old = day.path("noted"), day.path("filled")
    day.declare(PAINTED)
    told = day.regen("-m", "--yes")
    assert set(old) < set(told["removed"])
    assert day.migrations() == ["first", "again", "noted", "filled"]
    assert day.project.read(day.path("noted")) == text
    assert day.project.read(day.path("filled")) == other
    assert not {day.path("noted"), day.path("filled")} & set(old)
    assert day.applied() == ["first", "again", "noted", "filled"]
    assert day.query("SELECT n FROM notes") == [(1,)]
    assert day.query("SELECT title, weight FROM posts") == [("A", 1.5)]
    day.whole()
    day.run("rollback", "--step", "3")
    assert day.applied() == ["first"]


def test_undo_brings_carried_and_moved_work_back_to_where_it_was(edited):
    day = edited(*last(LOG, "Execute"))
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    day.run("migrate")
    files = {path: day.project.read(path) for path in (day.path("second"), day.path("noted"))}
    day.regen("-m")
    assert day.applied() == ["first", "again", "noted"]
    day.run("undo")
    assert {path: day.project.read(path) for path in files} == files
    assert day.migrations() == ["first", "second", "noted"]
    assert day.applied() == ["first", "second", "noted"]


def test_a_migration_of_one_s_own_that_waits_is_applied_with_m_and_by_migrate(begin):
    day = begin(rows=ROW)
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    day.declare(PAINTED)
    day.regen("--yes")
    assert day.migrations() == ["first", "again", "noted"]
    assert day.applied() == ["first"]
    day.run("migrate")
    assert day.applied() == ["first", "again", "noted"]
    day.whole()


def test_a_migration_of_one_s_own_that_needs_what_goes_stops_the_plan(begin):
    day = begin(rows=ROW)
    by_hand(day, "indexed", 'AddIndex("posts", ["color"], name="by_color"),')
    day.edit(day.path("indexed"), "import ", "import AddIndex, ")
    day.run("migrate")
    day.declare(POSTS + "    weight: float = 1.5\n")
    error = refused(day, "regen", "again", "-m", "--yes")
    assert error["code"] == "edited-migration"
    assert day.path("indexed") in error["message"]
    day.declare(PAINTED)
    day.regen("-m")
    assert day.applied() == ["first", "again", "indexed"]
    day.whole()


def test_a_migration_of_one_s_own_that_runs_outside_a_transaction_moves_unapplied(begin):
    day = begin(rows=ROW)
    by_hand(day, "packed", 'Execute(up="VACUUM", down=[]),')
    day.edit(day.path("packed"), "    ],\n)", "    ],\n    transaction=False,\n)")
    day.declare(PAINTED)
    assert "outside a transaction" in refused(day, "regen", "again", "-m")["message"]
    day.regen("--yes")
    day.run("migrate")
    assert day.applied() == ["first", "again", "packed"]
    day.whole()


def test_an_empty_migration_goes_above_too(begin):
    day = begin(rows=ROW)
    day.run("codegen", "--empty", "later")
    day.declare(PAINTED)
    day.regen("-m")
    assert day.migrations() == ["first", "again", "later"]
    day.whole()


def test_a_migration_of_one_s_own_below_is_left_alone(begin):
    day = begin(POSTS, None, rows=ROW)
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    day.run("migrate")
    day.query("INSERT INTO notes VALUES (7)")
    path = day.path("noted")
    day.change(COLORED, "second")
    day.declare(PAINTED)
    told = day.regen("-m")
    assert path not in told["removed"]
    assert day.path("noted") == path
    assert day.query("SELECT n FROM notes") == [(7,)]
    assert day.applied() == ["first", "noted", "again"]
    day.whole()


def test_a_migration_of_one_s_own_alone_is_left_alone(begin):
    day = begin(POSTS, None, rows=ROW)
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    before = day.everything()
    day.regen()
    assert day.everything() == before


def test_a_migration_of_one_s_own_keeps_its_version_where_nothing_is_written(begin):
    day = begin(rows=ROW)
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    day.run("migrate")
    path = day.path("noted")
    day.declare(POSTS)
    day.regen("-m")
    assert day.path("noted") == path
    assert day.applied() == ["first", "noted"]
    day.whole()


def test_discard_edits_leaves_a_migration_of_one_s_own_behind(begin):
    day = begin(rows=ROW)
    by_hand(day, "noted", 'Execute(up="CREATE TABLE notes (n)", down="DROP TABLE notes"),')
    day.run("migrate")
    day.declare(PAINTED)
    day.regen("-m", "--discard-edits", "--yes")
    assert day.migrations() == ["first", "again"]
    assert day.query("SELECT name FROM sqlite_master WHERE name = 'notes'") == []
    day.whole()


def test_a_generated_migration_that_lost_its_snapshot_stops_the_plan(begin):
    day = begin(rows=ROW)
    for path in day.snapshots_of("second"):
        (day.root / path).unlink()
    error = refused(day, "regen", "again", "-m")
    assert error["code"] == "edited-migration"
    assert day.path("second") in error["message"]
    day.regen("-m", "--discard-edits", "--yes")
    day.whole()
