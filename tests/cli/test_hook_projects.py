"""The hook that judges, where a git repository has several projects, or is within another one."""

from __future__ import annotations

import shutil

import pytest

from ashflow.worktree.git import locate
from ashflow.worktree.hooks import install

POSTS = """\
from ashflow import Resource, integer_primary_key


class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
RANKED = POSTS + "    rank: int | None\n"
ONCE = "import sys\nassert not hasattr(sys, 'once')\nsys.once = 1\n"


def refused(hooked, *arguments: str, **more) -> str:
    """Commit, which has to fail; return what is said."""
    done = hooked.git("commit", *arguments, **more)
    assert done.returncode == 1, done
    return done.stderr


def passes(hooked, *arguments: str, **more) -> None:
    """Commit, judged and without a word."""
    done = hooked.git("commit", *arguments, **more)
    assert done.returncode == 0, done
    assert "ashflow" not in done.stdout + done.stderr


PYPROJECT = '[tool.ashflow]\ndomains = ["shop.resources"]\n'
SHOPS = ["apps/one shop", "apps/zwei-ä"]


@pytest.fixture
def shops(hooked, project):
    """Two more projects, in subfolders, whose modules are called like those of the first."""
    hooked.git("rm", "--quiet", "-r", ".")
    for folder in SHOPS:
        project.write(f"{folder}/pyproject.toml", PYPROJECT)
        project.write(f"{folder}/shop/resources.py", POSTS)  # packages without __init__
        hooked.day.run("codegen", "begin", cwd=project.root / folder)
    project.write("pyproject.toml", "# tool.ashflow is in the projects\n[tool.ruff]\n")
    project.write("old/pyproject.toml", "this is [[ no TOML")
    hooked.git("add", ".")
    passes(hooked, "-m", "shops")
    hooked.started()
    return hooked


@pytest.mark.parametrize("folder", SHOPS)
def test_of_several_projects_each_is_judged_and_the_one_that_is_stale_is_named(
    shops, project, folder
):
    project.write(f"{folder}/shop/resources.py", COLORED)
    said = refused(shops, "-a", "-m", "x")
    assert f"{folder}/priv/resource_snapshots/repo/posts/" in said
    assert said.count("stale-snapshot") == 1
    assert shops.started() == ["pre-commit"]


def test_the_problems_of_all_projects_are_told_at_once(shops, project):
    project.write(f"{SHOPS[0]}/shop/resources.py", COLORED)
    project.write(f"{SHOPS[1]}/shop/resources.py", RANKED)
    said = refused(shops, "-a", "-m", "x")
    first, second = (line for line in said.splitlines() if "stale-snapshot" in line)
    assert first.startswith(SHOPS[0])
    assert "column color" in first
    assert second.startswith(SHOPS[1])
    assert "column rank" in second
    assert said.splitlines()[-1] == "ashflow: 2 problems, so nothing was committed"


def test_a_project_that_cannot_be_judged_is_named_and_the_others_are_judged(shops, project):
    project.write(f"{SHOPS[0]}/shop/resources.py", "1 / 0")
    project.write(f"{SHOPS[1]}/shop/resources.py", COLORED)
    said = refused(shops, "-a", "-m", "x")
    assert SHOPS[0] in said
    assert "ZeroDivisionError" in said
    assert f"{SHOPS[1]}/priv/resource_snapshots" in said


def test_modules_that_are_installed_below_a_project_are_loaded_once(shops, project):
    library = f"{SHOPS[0]}/.venv/lib/python3/site-packages"
    project.write(
        f"{library}/once.py", "import sys\nassert not hasattr(sys, 'once')\nsys.once = 1\n"
    )
    project.write(".gitignore", "*.sqlite3\n.venv\n__pycache__/\n")
    for folder in SHOPS:
        project.write(f"{folder}/shop/resources.py", f"import once\n{POSTS}# {folder}\n")
    path = str(project.root / library)
    shops.git("add", ".")
    passes(shops, "-m", "good", env={"PYTHONPATH": path})


def test_a_project_in_a_submodule_is_judged_there(hooked, tmp_path):
    source = str(hooked.root)
    upper = tmp_path / "upper"
    for command in (
        ["init", "--quiet", str(upper)],
        ["-C", str(upper), "-c", "protocol.file.allow=always", "submodule", "add", source, "s u"],
    ):
        assert hooked.git(*command, cwd=tmp_path).returncode == 0
    inner = upper / "s u"
    install(locate(inner), str(hooked.log.with_name("python")))
    (inner / "shop/resources.py").write_text(COLORED)
    assert "stale-snapshot" in refused(hooked, "-a", "-m", "x", cwd=inner)
    assert "stale-snapshot" in refused(hooked, "-m", "x", "--", "shop", cwd=inner)
    (inner / "shop/resources.py").write_text(POSTS)
    (inner / "README.md").write_text("words")
    hooked.git("add", ".", cwd=inner)
    passes(hooked, "-m", "x", cwd=inner)


def test_hooks_that_lie_in_the_work_tree_judge_in_each_worktree(hooked, tmp_path):
    hooked.git("config", "core.hooksPath", "tools/git hooks")
    shutil.rmtree(hooked.root / ".git/hooks")
    install(locate(hooked.root), str(hooked.log.with_name("python")))
    (hooked.root / "shop/resources.py").write_text(COLORED)
    assert "stale-snapshot" in refused(hooked, "-a", "-m", "x")
    hooked.git("checkout", "--", ".")
    hooked.git("add", ".")
    passes(hooked, "-m", "hooks")
    place = tmp_path / "other"
    hooked.git("worktree", "add", "--quiet", str(place), "-b", "other")
    (place / "shop/resources.py").write_text(COLORED)
    assert "stale-snapshot" in refused(hooked, "-a", "-m", "x", cwd=place)
