"""`ashflow status`: files, databases and git, side by side."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.real("status")


def write(project, version, name):
    project.write(
        f"priv/repo/migrations/{version}_{name}.py",
        f"""
        from ashflow.migration import Column, CreateTable, Migration

        migration = Migration(
            operations=[
                CreateTable("{name}", columns=[Column("id", "integer", primary_key=True)]),
            ],
        )
        """,
    )


def states(ashflow):
    (repo,) = ashflow("status", "--json").json()["repos"]
    return {m["name"]: m for m in repo["migrations"]}


def test_every_place_of_a_migration_is_told(project, ashflow):
    for i, name in enumerate(("committed", "modified", "staged", "untracked", "gone"), 1):
        write(project, f"2026010100000{i}", name)
    project.git("add", "priv/repo/migrations/20260101000001_committed.py")
    project.git("add", "priv/repo/migrations/20260101000002_modified.py")
    project.git("commit", "--quiet", "--message", "two")
    ashflow("migrate", "--to", "20260101000002")
    project.git("add", "priv/repo/migrations/20260101000003_staged.py")
    ashflow("migrate", "--mark", "20260101000005")
    (project.root / "priv/repo/migrations/20260101000005_gone.py").unlink()
    path = "priv/repo/migrations/20260101000002_modified.py"
    project.write(path, project.read(path).replace('"modified"', '"changed"'))
    found = states(ashflow)
    assert {name: (m["state"], m["git"]) for name, m in found.items()} == {
        "committed": ("up", "committed"),
        "modified": ("up", "modified"),
        "staged": ("down", "staged"),
        "untracked": ("down", "untracked"),
        "gone": ("missing", None),
    }
    assert found["modified"]["edited"] is True
    assert found["committed"]["edited"] is False
    assert found["committed"]["applied_at"].endswith("Z")
    assert found["staged"]["applied_at"] is None
    assert found["gone"]["path"] is None
    assert found["committed"]["path"] == "priv/repo/migrations/20260101000001_committed.py"
    shown = ashflow("status").out
    assert "missing" in shown
    assert "edited" in shown
    assert "\x1b" not in shown


def test_comments_and_layout_are_no_edit(project, ashflow):
    write(project, "20260101000001", "a")
    ashflow("migrate")
    path = "priv/repo/migrations/20260101000001_a.py"
    project.write(path, "# a remark\n" + project.read(path))
    assert states(ashflow)["a"]["edited"] is False


def test_a_missing_migration_names_the_branches_that_have_it(project, ashflow):
    project.git("switch", "--quiet", "--create", "feature")
    write(project, "20260101000001", "a")
    project.git.commit("a")
    ashflow("migrate")
    project.git("switch", "--quiet", "main")
    found = states(ashflow)
    assert found["a"]["state"] == "missing"
    assert found["a"]["branches"] == ["feature"]
    assert "on feature" in ashflow("status").out
    ahead = ashflow("migrate")
    assert ahead.code == 0
    assert "ahead of the files" in ahead.err


def test_a_database_that_is_not_there_is_said_and_not_made(project, ashflow):
    write(project, "20260101000001", "a")
    shown = ashflow("status")
    assert shown.code == 0
    assert "not there yet" in shown.out
    assert not (project.root / "priv/repo/dev.sqlite3").exists()


def test_without_git_the_place_in_git_is_unknown(project, ashflow, tmp_path):
    write(project, "20260101000001", "a")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = ashflow("status", "--json", env={"PATH": str(empty)})
    assert done.code == 0, done.err
    assert done.json()["repos"][0]["migrations"][0]["git"] is None


def test_it_works_from_a_subfolder_and_in_a_project_below_the_top(project, ashflow):
    write(project, "20260101000001", "a")
    project.git.commit()
    deep = project.root / "shop/deep"
    deep.mkdir()
    assert ashflow("status", "--json", cwd=deep).json() == ashflow("status", "--json").json()
    inner = project.root / "inner"
    for path in ("pyproject.toml", "priv/repo/migrations/20260101000001_a.py"):
        (inner / path).parent.mkdir(parents=True, exist_ok=True)
        (inner / path).write_bytes((project.root / path).read_bytes())
    found = ashflow("status", "--json", cwd=inner).json()["repos"][0]["migrations"]
    assert [m["git"] for m in found] == ["untracked"]


def test_a_broken_migration_does_not_keep_the_others_from_being_shown(project, ashflow):
    write(project, "20260101000001", "a")
    ashflow("migrate")
    project.write("priv/repo/migrations/20260101000001_a.py", "raise SystemExit\n")
    found = states(ashflow)
    assert found["a"]["state"] == "up"
    assert found["a"]["edited"] is True


def test_variables_of_a_git_hook_do_not_lead_it_astray(project, ashflow):
    write(project, "20260101000001", "a")
    project.git.commit()
    env = {"GIT_DIR": os.devnull, "GIT_INDEX_FILE": "nowhere", "GIT_WORK_TREE": "/"}
    done = ashflow("status", "--json", env=env)
    assert done.json()["repos"][0]["migrations"][0]["git"] == "committed"


def test_what_was_made_to_be_replaced_is_marked(project, ashflow):
    write(project, "20260101000001", "add_posts_dev")
    assert states(ashflow)["add_posts_dev"]["dev"]
    assert ashflow("status").out.splitlines()[-1].endswith("  dev")
    refused = ashflow("codegen", "more_dev")
    assert refused.code == 2
    assert "what ends in _dev is to be replaced by one" in refused.err


def test_a_fork_is_told_and_whether_it_goes_together(begin):
    day = begin()
    git = day.project.git
    git.commit("color")
    git("switch", "--quiet", "--create", "theirs", "HEAD~1")
    day.later()
    day.change(TITLED + "    n: int = 1\n", "theirs", migrate=False)
    git.commit("theirs")
    git("switch", "--quiet", "main")
    git("merge", "--quiet", "--strategy-option", "ours", "theirs", "--message", "merged")
    assert "fork: table posts was changed on branches by" in day.run("status").out
    assert "which go together" in day.run("status").out


TITLED = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""


def test_signs_are_for_people(begin, on_a_terminal):
    day = begin()
    code, seen = on_a_terminal(day.project, "status")
    assert code == 0
    assert "✓ up" in seen
    assert "✓" not in day.run("status").out
