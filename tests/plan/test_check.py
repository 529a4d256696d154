"""Laws of the check over random schemas: what codegen wrote is well, and what goes is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import changed_schemas, schemas

from ashflow.history.history import read_history
from ashflow.plan.check import problems
from ashflow.plan.choices import Choices
from ashflow.plan.codegen import Folders, find_change
from ashflow.plan.files import generate
from ashflow.plan.problem import Facts
from ashflow.schema.table import Column, ForeignKey, Schema, Table

FOLDERS = Folders("repo", "priv/repo/migrations", "priv/resource_snapshots/repo")
DROP = Choices(no_renames=True, drop_columns=True, drop_tables=True)
POSTS = Schema([Table("posts", [Column("id", "integer")], primary_key=["id"])])


def facts(files, **more):
    """What is known where these are the files."""
    history = read_history(
        files, migrations=FOLDERS.migrations, snapshots=FOLDERS.snapshots, doubles=True
    )
    return Facts("repo", "/nowhere", history, **{"everything": True} | more)


def written(*steps):
    """Return the files that codegen writes, from one schema to the next."""
    files = {}
    for number, declared in enumerate(steps, 20260101000001):
        leaves = facts(files).history.leaves()
        change = find_change(leaves, declared, DROP)
        if change:
            made = generate(change, leaves, version=str(number), name="work", folders=FOLDERS)
            files |= made.files
    return files


def judged(files, declared, **more):
    return problems(facts(files, **more), declared, DROP)


def codes(files, declared, **more):
    return {problem.code for problem in judged(files, declared, **more)}


@given(changed_schemas())
def test_what_codegen_wrote_is_well(pair):
    old, new = pair
    files = written(old, new)
    assert judged(files, new) == []
    assert judged(files, new, everything=False, new=frozenset(files)) == []
    for name in ("new", "old"):
        assert judged(files, new, **{name: frozenset(files)}) == []


@given(changed_schemas())
def test_what_was_not_written_is_stale_and_nothing_else_is_told(pair):
    old, new = pair
    assume(old != new)
    assert codes(written(old), new) == {"stale-snapshot"}


@given(changed_schemas(), st.randoms())
def test_any_one_file_that_goes_is_missed(pair, chance):
    """The law behind the pairs: there is no file whose loss nobody sees."""
    old, new = pair
    files = written(old, new)
    assume(files)
    path = chance.choice(sorted(files))
    del files[path]
    found = judged(files, new)
    assert {problem.code for problem in found} == {
        "orphan-snapshot" if path.endswith(".py") else "missing-snapshot"
    }, path
    assert path.endswith(".py") or path in [problem.path for problem in found]


def test_a_snapshot_that_went_is_no_clash_with_what_its_migration_did_to_another_table():
    key = ForeignKey("b", ["id"], columns=["b_id"], name="a_b_id_fkey")
    columns = [Column("id", "integer"), Column("b_id", "integer")]
    other = Table("b", [Column("id", "integer")], primary_key=["id"])
    new = Schema([Table("a", columns, primary_key=["id"])])
    files = written(Schema([replace(new["a"], foreign_keys=[key]), other]), new)
    path = max(path for path in files if "/a/" in path)
    del files[path]
    (found,) = judged(files, new)
    assert (found.code, found.path) == ("missing-snapshot", path)


@given(changed_schemas(), st.randoms())
def test_any_one_file_that_is_cut_off_is_told_with_its_name(pair, chance):
    old, new = pair
    files = written(old, new)
    assume(files)
    path = chance.choice(sorted(files))
    files[path] = files[path][: len(files[path]) // 2]
    kind = "invalid-migration" if path.endswith(".py") else "invalid-snapshot"
    assert [(one.code, one.path) for one in judged(files, new)] == [(kind, path)]


@given(schemas())
def test_the_same_facts_give_the_same_problems_in_order_of_their_paths(schema):
    found = judged({}, schema)
    assert found == judged({}, schema)
    assert [one.path for one in found] == sorted(one.path for one in found)
    assert len(found) == len(schema)


# ------------------------------------------------------------------ case by case
def test_a_problem_says_where_what_and_how_to_mend_it():
    (problem,) = judged({}, POSTS)
    assert problem._asdict() == {
        "code": "stale-snapshot",
        "repo": "repo",
        "path": "priv/resource_snapshots/repo/posts",
        "message": "the resources say something new of posts, and no snapshot does: create table "
        "with 1 column",
        "fix": "ashflow codegen NAME",
        "table": "posts",
    }


def test_tables_that_are_to_be_left_alone_are_not_missed():
    files = written(POSTS)
    assert problems(facts(files), Schema(), DROP, frozenset({"posts"})) == []


def test_the_halves_of_a_pair_that_are_beside_are_named_together():
    files = written(POSTS)
    (problem,) = judged({}, POSTS, beside=frozenset(files))
    assert problem.fix == f"git add {' '.join(sorted(files))}"


@pytest.mark.parametrize("branch", [None, "main"])
def test_the_way_back_is_the_commit_that_was_compared_with(branch):
    files = written(POSTS)
    migration, snapshot = sorted(files)
    (problem,) = judged({migration: files[migration]}, POSTS, old=frozenset(files), since=branch)
    assert problem.fix == f"bring it back: git checkout {branch or 'HEAD'} -- {snapshot}"


def test_a_migration_of_which_nobody_knows_whether_it_is_new_is_not_late():
    files = written(POSTS)
    (migration,) = facts(files).history.migrations
    later = replace(facts(files), newest=("main", migration._replace(version="2" * 14)))
    assert problems(later, POSTS, DROP) == []
    (late,) = problems(replace(later, new=frozenset(files)), POSTS, DROP)
    assert late.code == "out-of-order"


def test_a_migration_that_is_gone_is_brought_back_with_its_own_snapshots_only():
    notes = Schema([Table("notes", [Column("id", "integer")], primary_key=["id"])])
    files = written(POSTS, Schema([*POSTS.values(), *notes.values()]))
    gone = sorted(path for path in files if path.endswith(".py"))
    found = judged({}, Schema(), old=frozenset(files), gone=gone)
    assert [(one.code, one.path) for one in found] == [("edited-migration", path) for path in gone]
    for problem in found:
        own = sorted(path for path in files if problem.path.rpartition("/")[2][:14] in path)
        assert problem.fix.endswith(f"git checkout HEAD -- {' '.join(own)}")
