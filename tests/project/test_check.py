"""Each way in which a healthy repository may fall sick, alone: what is found, and what mends it."""

from __future__ import annotations

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
TAGS = """
class Tag(Resource, table="tags"):
    id: int = integer_primary_key()
    name: str
"""
COLOR = "    color: str | None\n"
COLORED = TAGS + POSTS + COLOR
BY_HAND = """
from ashflow.migration import Execute, Migration

migration = Migration(operations=[Execute(up="ANALYZE", down="")])
"""
SOURCE = "shop/resources.py"


@pytest.fixture
def healthy(checkout):
    """Two tables on main, and a column that the branch `work` has committed."""
    checkout.codegen("posts", POSTS)
    checkout.codegen("tags", TAGS + POSTS)
    checkout.git.commit("main")
    checkout.git("switch", "--quiet", "--create", "work")
    checkout.codegen("color", COLORED)
    checkout.git.commit("color")
    return checkout


def test_a_healthy_repository_has_no_problems_however_it_is_asked(healthy):
    assert healthy.check() == []
    assert healthy.check(staged=True) == []
    assert healthy.check(since="main") == []
    assert healthy.check(staged=True, since="main", everything=True) == []


# ------------------------------------------------------------------ how it falls sick
def a_column_without_codegen(healthy):
    healthy.declare(COLORED + "    size: int | None\n")
    return healthy.snapshot("color"), "posts"


def a_table_without_codegen(healthy):
    healthy.declare(COLORED.replace("class Tag", POSTS.replace("ost", "et") + "\n\nclass Tag", 1))
    return "priv/resource_snapshots/repo/pets", "pets"


def a_table_that_went(healthy):
    healthy.declare(POSTS + COLOR)
    return healthy.snapshot("tags", "tags"), "tags"


def a_pair_left_on_disk(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    healthy.git("add", SOURCE)
    return healthy.snapshot("color"), "posts"


def a_table_left_on_disk(healthy):
    healthy.codegen("pets", POSTS.replace("ost", "et") + COLORED)
    healthy.git("add", SOURCE)
    return "priv/resource_snapshots/repo/pets", "pets"


def a_migration_to_try_out(healthy):
    healthy.codegen("try_dev", COLORED + "    size: int | None\n")
    return healthy.path("try_dev"), None


def the_newest_snapshot_is_gone(healthy):
    path = healthy.snapshot("color")
    (healthy.root / path).unlink()
    return path, "posts"


def the_newest_snapshot_is_removed(healthy):
    path = healthy.snapshot("color")
    healthy.git("rm", "--quiet", path)
    return path, "posts"


def the_only_snapshot_is_gone(healthy):
    path = healthy.snapshot("tags", "tags")
    (healthy.root / path).unlink()
    return path, "tags"


def an_older_snapshot_is_gone(healthy):
    path = healthy.snapshot("posts")
    (healthy.root / path).unlink()
    return path, "posts"


def a_new_snapshot_is_gone(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    path = healthy.snapshot("size")
    (healthy.root / path).unlink()
    return path, "posts"


def a_migration_is_gone(healthy):
    path = healthy.snapshot("color")
    (healthy.root / healthy.path("color")).unlink()
    return path, "posts"


def an_old_migration_is_removed(healthy):
    path = healthy.snapshot("posts")
    healthy.git("rm", "--quiet", healthy.path("posts"))
    return path, "posts"


def a_pair_is_gone(healthy):
    (healthy.root / healthy.path("posts")).unlink()
    (healthy.root / "priv/resource_snapshots/repo/posts/20260101000000.json").unlink()
    return healthy.snapshot("color"), "posts"


def a_snapshot_was_edited(healthy):
    path = healthy.snapshot("color")
    healthy.edit(path, '"color"', '"colour"')
    return path, None


def a_snapshot_is_no_json(healthy):
    path = healthy.snapshot("color")
    healthy.project.write(path, "<<<<<<< HEAD\n")
    return path, None


def a_migration_does_not_run(healthy):
    path = healthy.path("color")
    healthy.edit(path, "migration = ", "migration = nonsense + ")
    return path, None


def a_migration_is_no_python(healthy):
    path = healthy.path("tags")
    healthy.project.write(path, "<<<<<<< HEAD\n")
    return path, None


def two_of_one_version(healthy):
    path = healthy.path("color").replace("color", "paint")
    healthy.project.write(path, BY_HAND)
    return path, None


def two_branches_disagree(healthy):
    healthy.git("switch", "--quiet", "--create", "other")
    healthy.codegen("number", COLORED.replace("str | None", "int | None"))
    healthy.git.commit("number")
    healthy.git("switch", "--quiet", "work")
    healthy.codegen("share", COLORED.replace("str | None", "float | None"))
    healthy.git.commit("share")
    healthy.git("merge", "--quiet", "--no-edit", "-X", "ours", "other")
    return healthy.snapshot("share"), None


def main_went_on(healthy):
    healthy.git("switch", "--quiet", "main")
    healthy.codegen("label", TAGS + "    label: str | None\n" + POSTS)
    healthy.git.commit("label")
    healthy.git("switch", "--quiet", "work")
    return healthy.path("color"), None


def a_committed_migration_does_something_else(healthy):
    path = healthy.path("color")
    healthy.edit(path, '"text"', '"integer"')
    return path, None


def a_migration_of_main_does_something_else(healthy):
    path = healthy.path("tags")
    healthy.edit(path, '"name", "text"', '"name", "integer"')
    healthy.git.commit("edited")
    return path, None


def a_migration_of_main_is_gone(healthy):
    """A branch that takes a table away as if it had never been."""
    path = healthy.path("tags")
    healthy.git("rm", "--quiet", path, healthy.snapshot("tags", "tags"))
    healthy.declare(POSTS + COLOR)
    healthy.git.commit("as if")
    return path, None


def the_snapshot_is_left_on_disk(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    healthy.git("add", SOURCE, healthy.path("size"))
    return healthy.snapshot("size"), "posts"


def the_migration_is_left_on_disk(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    healthy.git("add", SOURCE, healthy.snapshot("size"))
    return healthy.snapshot("size"), "posts"


def one_snapshot_of_two_is_left_on_disk(healthy):
    healthy.codegen(
        "two", TAGS + "    size: int | None\n" + POSTS + COLOR + "    size: int | None\n"
    )
    healthy.git("add", SOURCE, healthy.path("two"), healthy.snapshot("two", "tags"))
    return healthy.snapshot("two"), "posts"


def a_snapshot_is_taken_out_of_the_index(healthy):
    path = healthy.snapshot("color")
    healthy.git("rm", "--quiet", "--cached", path)
    return path, "posts"


def a_snapshot_is_only_intended(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    path = healthy.snapshot("size")
    healthy.git("add", SOURCE, healthy.path("size"))
    healthy.git("add", "--intent-to-add", path)
    return path, "posts"


def a_migration_is_only_intended(healthy):
    healthy.codegen("size", COLORED + "    size: int | None\n")
    path = healthy.snapshot("size")
    healthy.git("add", SOURCE, path)
    healthy.git("add", "--intent-to-add", healthy.path("size"))
    return path, "posts"


STAGED = {"staged": True}
SINCE = {"since": "main"}
CODEGEN = "ashflow codegen NAME"
BACK = "git checkout HEAD -- {path}"
SICK = [
    ("stale-snapshot", a_column_without_codegen, {}, CODEGEN),
    ("stale-snapshot", a_table_without_codegen, {}, CODEGEN),
    ("stale-snapshot", a_table_that_went, {}, CODEGEN),
    ("stale-snapshot", a_pair_left_on_disk, STAGED, "git add {migration} {snapshot}"),
    ("stale-snapshot", a_table_left_on_disk, STAGED, "git add {migration} {snapshot}"),
    ("dev-migration", a_migration_to_try_out, {}, None),
    ("missing-snapshot", the_newest_snapshot_is_gone, {}, BACK),
    ("missing-snapshot", the_newest_snapshot_is_removed, STAGED, BACK),
    ("missing-snapshot", the_only_snapshot_is_gone, {}, BACK),
    ("missing-snapshot", an_older_snapshot_is_gone, {}, BACK),
    ("missing-snapshot", a_new_snapshot_is_gone, {}, "ashflow regen NAME --discard-edits"),
    ("missing-snapshot", a_pair_is_gone, {}, "git checkout HEAD -- {migration} {snapshot}"),
    ("orphan-snapshot", a_migration_is_gone, {}, "git checkout HEAD -- {migration}"),
    ("orphan-snapshot", an_old_migration_is_removed, {}, "git checkout HEAD -- {migration}"),
    ("orphan-snapshot", an_old_migration_is_removed, STAGED, "git checkout HEAD -- {migration}"),
    ("invalid-snapshot", a_snapshot_was_edited, {}, BACK),
    ("invalid-snapshot", a_snapshot_is_no_json, {}, BACK),
    ("invalid-migration", a_migration_does_not_run, {}, None),
    ("invalid-migration", a_migration_is_no_python, {}, None),
    ("duplicate-version", two_of_one_version, {}, None),
    ("forked-snapshot", two_branches_disagree, {}, CODEGEN + " --resolve"),
    ("out-of-order", main_went_on, SINCE, "ashflow regen NAME --since main"),
    ("edited-migration", a_committed_migration_does_something_else, {}, BACK),
    (
        "edited-migration",
        a_migration_of_main_does_something_else,
        SINCE,
        "git checkout main -- {path}",
    ),
    ("edited-migration", a_migration_of_main_is_gone, SINCE, None),
    ("not-staged", the_snapshot_is_left_on_disk, STAGED, "git add {path}"),
    ("not-staged", the_migration_is_left_on_disk, STAGED, "git add {migration}"),
    ("not-staged", one_snapshot_of_two_is_left_on_disk, STAGED, "git add {path}"),
    ("not-staged", a_snapshot_is_taken_out_of_the_index, STAGED, "git add {path}"),
    ("not-staged", a_snapshot_is_only_intended, STAGED, "git add {path}"),
    ("not-staged", a_migration_is_only_intended, STAGED, "git add {migration}"),
]


@pytest.mark.parametrize(
    ("code", "sicken", "asked", "command"),
    SICK,
    ids=[f"{one[0]}-{one[1].__name__}" for one in SICK],
)
def test_each_sickness_is_found_alone_and_its_command_mends_it(
    healthy, code, sicken, asked, command
):
    path, table = sicken(healthy)
    (problem,) = healthy.check(**asked)
    assert (problem.code, problem.repo, problem.path, problem.table) == (code, "repo", path, table)
    assert problem.fix
    if command is not None:
        mend(healthy, problem, command)
        assert healthy.check(**asked) == []


def mend(healthy, problem, command):
    """Run the command that a fix names."""
    words = command.split()
    start = problem.fix.index(words[0] + " " + words[1])
    said = problem.fix[start:].split()[: len(words)]
    said = [word.rstrip(";.") for word in said]
    paths = [word for word in said if word.startswith("priv/")]
    places = {
        "path": problem.path,
        "migration": paths and paths[0],
        "snapshot": paths and paths[-1],
    }
    assert said == command.format(**places).split()
    if words[0] == "ashflow":
        done = healthy.project.ashflow(*words[1:2], "mend", *words[3:], "--no-renames")
        assert done.code == 0, done
    else:
        healthy.git(*said[1:])
