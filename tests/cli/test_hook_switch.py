"""The hooks that only warn: real switches and merges, and all that fires them without a cause."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
AHEAD = "repo: the database is ahead of this branch by "
HOW = "; ashflow status says whose, ashflow rollback takes back"
PENDING = "repo: 1 to apply on this branch: ashflow migrate"


def warned(hooked, *arguments: str, **more) -> list[str]:
    """Run a command of git that has to work, and return what ashflow says of it: no traceback."""
    before = hooked.day.everything()["databases"]
    done = hooked.git(*arguments, **more)
    assert done.returncode == 0, done
    assert "ashflow" not in done.stdout
    assert "Traceback" not in done.stderr
    assert hooked.day.everything()["databases"] == before
    said = [line for line in done.stderr.splitlines() if "ashflow" in line]
    assert len(said) <= 3
    return [line.removeprefix("ashflow: ") for line in said]


@pytest.fixture
def branched(hooked):
    """Two branches; `other`, which is checked out, has a migration more, and it is applied."""
    hooked.git("switch", "--quiet", "--create", "other")
    hooked.day.change(COLORED, "color")
    hooked.git("add", ".")
    hooked.git("commit", "--quiet", "-m", "other")
    hooked.started()
    return hooked


def name_of(hooked, name: str) -> str:
    return hooked.day.path(name).rpartition("/")[2].removesuffix(".py")


# ------------------------------------------------------------------ what is said
def test_a_database_that_is_ahead_of_the_branch_is_told(branched):
    color = name_of(branched, "color")
    assert warned(branched, "switch", "main") == [f"{AHEAD}{color}{HOW}"]
    assert branched.started() == ["post-checkout"]
    assert warned(branched, "switch", "other") == []
    assert branched.started() == ["post-checkout"]


def test_several_that_are_ahead_are_counted(branched):
    branched.day.change(COLORED + "    rank: int | None\n", "rank")
    rank = name_of(branched, "rank")
    branched.git("add", ".")
    branched.git("commit", "--quiet", "-m", "rank")
    assert warned(branched, "checkout", "main") == [f"{AHEAD}{rank} and 1 more{HOW}"]


def test_a_database_that_is_behind_the_branch_is_told(branched):
    branched.day.run("rollback")
    assert warned(branched, "switch", "main") == []
    assert warned(branched, "switch", "other") == [PENDING]


def test_a_merge_that_goes_forward_tells_what_is_to_apply(branched):
    branched.day.run("rollback")
    branched.git("switch", "--quiet", "main")
    branched.started()
    assert warned(branched, "merge", "--ff-only", "other") == [PENDING]
    assert branched.started() == ["post-merge"]


def test_a_merge_with_a_commit_of_its_own_tells_what_is_to_apply(branched):
    branched.day.run("rollback")
    branched.git("switch", "--quiet", "main")
    branched.day.project.write("README.md", "words")
    branched.git("add", "README.md")
    branched.git("commit", "--quiet", "-m", "words")
    branched.started()
    assert warned(branched, "merge", "--no-edit", "other") == [PENDING]
    assert branched.started() == ["pre-merge-commit", "post-merge"]


def test_a_merge_that_is_squashed_tells_what_is_to_apply(branched):
    branched.day.run("rollback")
    branched.git("switch", "--quiet", "main")
    branched.started()
    assert warned(branched, "merge", "--squash", "other") == [PENDING]
    branched.git("commit", "--quiet", "-m", "squashed")
    branched.git("switch", "--quiet", "--create", "third")
    branched.day.project.write("README.md", "words")
    branched.git("add", "README.md")
    branched.git("commit", "--quiet", "-m", "words")
    branched.git("switch", "--quiet", "main")
    branched.started()
    assert warned(branched, "merge", "--squash", "third") == []
    assert branched.started() == []


def test_a_pull_tells_what_is_to_apply(branched, tmp_path):
    upstream = tmp_path / "upstream.git"
    branched.git("clone", "--quiet", "--bare", ".", str(upstream))
    branched.git("remote", "add", "origin", str(upstream))
    branched.git("push", "--quiet", "origin", "other:main", "--force")
    branched.day.run("rollback")
    branched.git("switch", "--quiet", "main")
    assert warned(branched, "pull", "--quiet", "origin", "main") == [PENDING]


def test_a_subfolder_and_a_linked_worktree_are_as_good_a_place(branched, tmp_path):
    assert len(warned(branched, "switch", "main", cwd=branched.root / "shop")) == 1
    place = tmp_path / "lin ked"
    branched.git("worktree", "add", "--quiet", str(place), "other")
    branched.started()
    assert warned(branched, "switch", "--quiet", "--detach", "main", cwd=place) == []
    assert branched.started() == []
    assert warned(branched, "switch", "--create", "third", cwd=place) == []
    assert warned(branched, "switch", "other", cwd=place) == []  # it has a database of its own
    assert branched.started() == ["post-checkout"]


# ------------------------------------------------------------------ at most three lines
def test_many_databases_are_told_in_three_lines(branched, project):
    one = project.root / "apps/ä 0"
    project.write("apps/ä 0/pyproject.toml", '[tool.ashflow]\ndomains = ["shop.resources"]\n')
    shutil.copytree(project.root / "shop", one / "shop")
    project.write(".gitignore", "*.sqlite3\n__pycache__/\n")
    branched.day.run("codegen", "begin", cwd=one)
    branched.day.run("migrate", cwd=one)
    for i in range(1, 5):
        shutil.copytree(one, one.with_name(f"ä {i}"))
    branched.git("add", ".")
    branched.git("commit", "--quiet", "-m", "five")
    branched.git("switch", "--quiet", "--create", "fewer")
    branched.git("rm", "-r", "--quiet", "apps/*/migrations/*")
    branched.git("commit", "--quiet", "--no-verify", "-m", "fewer")
    branched.git("switch", "--quiet", "other")
    first, second, third = warned(branched, "switch", "fewer")
    assert first.startswith("apps/ä 0: repo: the database is ahead")
    assert second.startswith("apps/ä 1: repo: the database is ahead")
    assert third == "and 3 more: ashflow status"


# ------------------------------------------------------------------ nothing to say, no Python
def silent(hooked, *arguments: str, **more) -> None:
    """Run a command of git that has to work; no Python is started."""
    assert warned(hooked, *arguments, **more) == []
    assert hooked.started() == []


def test_a_checkout_of_files_is_none_of_branches(branched):
    silent(branched, "checkout", "main", "--", "priv", "shop")
    silent(branched, "restore", "--source", "other", "--", "priv", "shop")


def test_a_clone_has_no_database_yet(branched, tmp_path):
    template = f"--template={branched.root / '.git'}"
    silent(branched, "clone", "--quiet", template, ".", str(tmp_path / "clone"))


def test_a_new_worktree_has_no_database_yet(branched, tmp_path):
    silent(branched, "worktree", "add", "--quiet", str(tmp_path / "one"), "main")
    silent(branched, "worktree", "add", "--quiet", "-b", "new", str(tmp_path / "two"), "main")


def test_a_branch_that_differs_in_other_files_is_none_of_ours(branched):
    silent(branched, "switch", "--create", "third")
    for path in ("README.md", "shop/more.py", "private/a.txt"):
        branched.day.project.write(path, "1")
    branched.git("add", "README.md", "private")
    silent(branched, "commit", "--quiet", "-m", "words")
    branched.git("add", ".")
    branched.git("commit", "--quiet", "-m", "code")
    branched.started()
    silent(branched, "switch", "other")
    silent(branched, "merge", "--quiet", "third")


def test_a_detached_head_is_nobodys_branch(branched):
    silent(branched, "switch", "--detach", "main")
    silent(branched, "checkout", "other~0")


@pytest.mark.parametrize("how", [["--merge"], ["--apply"], ["--autostash"]], ids=lambda how: how[0])
def test_a_rebase_is_not_spoken_into(branched, how):
    branched.git("switch", "--quiet", "main")
    branched.day.project.write("README.md", "words")
    branched.git("add", "README.md")
    branched.git("commit", "--quiet", "-m", "words")
    branched.git("switch", "--quiet", "other")
    branched.started()
    silent(branched, "rebase", *how, "main")
    assert branched.git("log", "--format=%s", "main..").stdout == "other\n"
    silent(branched, "rebase", *how, "main~1")


def test_a_rebase_of_another_branch_is_not_spoken_into(branched):
    branched.git("switch", "--quiet", "main")
    branched.started()
    branched.day.project.write("README.md", "words")
    branched.git("add", "README.md")
    branched.git("commit", "--quiet", "-m", "words")
    silent(branched, "rebase", "main", "other")


def test_a_bisect_is_not_spoken_into(branched):
    for i in range(4):
        branched.day.project.write("README.md", str(i))
        branched.git("add", "README.md")
        branched.git("commit", "--quiet", "-m", str(i))
    silent(branched, "bisect", "start", "HEAD", "main~0")
    silent(branched, "bisect", "bad")
    silent(branched, "bisect", "bad")


# ------------------------------------------------------------------ never in the way
def test_a_hook_that_only_warns_imports_no_resources(branched):
    branched.git("switch", "--quiet", "main")
    branched.day.project.write("shop/resources.py", "1 / 0")
    branched.git("commit", "--quiet", "--no-verify", "-a", "-m", "broken")
    branched.git("switch", "--quiet", "--create", "third", "other")
    assert len(warned(branched, "switch", "main")) == 1


def test_a_hook_that_only_warns_writes_nothing(branched):
    before = {path: path.stat().st_mtime_ns for path in (branched.root / "priv").rglob("*")}
    mine = {path for path in before if ".sqlite3" in path.name}
    warned(branched, "switch", "main", env={"PYTHONDONTWRITEBYTECODE": ""})
    after = {path for path in branched.root.rglob("*") if path.suffix == ".pyc"}
    assert after == set()
    assert {p for p in (branched.root / "priv").rglob("*") if ".sqlite3" in p.name} == mine
    assert all(path.stat().st_mtime_ns == before[path] for path in mine)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.ashflow", "is no valid TOML"),
        ("[tool.ashflow]\ndomain = []\n", "the key 'domain' is not known"),
    ],
)
def test_a_broken_configuration_is_one_line(branched, text, said):
    branched.day.project.write("pyproject.toml", text)
    branched.git("commit", "--quiet", "--no-verify", "-a", "-m", "broken")
    branched.git("switch", "--quiet", "--create", "third")
    branched.git("rm", "--quiet", "-r", "priv")
    branched.git("commit", "--quiet", "--no-verify", "-m", "gone")
    (line,) = warned(branched, "switch", "other")
    assert said in line


def test_no_project_is_no_line(branched):
    branched.git("rm", "--quiet", "pyproject.toml")
    branched.git("commit", "--quiet", "--no-verify", "-m", "none")
    branched.git("branch", "third", "main")
    branched.git("switch", "--quiet", "third")
    branched.git("rm", "--quiet", "pyproject.toml")
    branched.git("commit", "--quiet", "--no-verify", "-m", "none")
    assert warned(branched, "switch", "other") == []


def test_a_database_that_is_not_there_is_no_line(branched):
    (branched.root / "priv/repo/dev.sqlite3").unlink()
    assert warned(branched, "switch", "main") == []
    assert not (branched.root / "priv/repo/dev.sqlite3").exists()


def test_a_database_that_is_none_is_no_line(branched):
    (branched.root / "priv/repo/dev.sqlite3").write_text("no database, a text " * 50)
    done = branched.git("switch", "main")
    assert done.returncode == 0
    assert "ashflow" not in done.stderr


def test_a_database_that_is_locked_is_not_waited_for(branched):
    with closing(sqlite3.connect(branched.root / "priv/repo/dev.sqlite3")) as db:
        db.execute("BEGIN EXCLUSIVE")
        done = branched.git("switch", "main")  # lock_timeout is a minute
        db.execute("ROLLBACK")
    assert done.returncode == 0
    assert "ashflow" not in done.stderr
    assert branched.started() == ["post-checkout"]


def test_a_url_that_needs_a_variable_is_no_line(branched):
    env = {"ASHFLOW_REPO_URL": ""}
    done = branched.git("switch", "main", env=env)
    assert done.returncode == 0
    assert "ashflow" not in done.stderr
