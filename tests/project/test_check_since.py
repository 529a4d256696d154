"""What a branch adds over another one; several repos; no git; what is read, and what is not."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest

from ashflow.errors import ConfigError, GitError
from ashflow.worktree.git import Objects

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
TAG = """
class Tag(Resource, table="tags"):
    id: int = integer_primary_key()
    name: str
"""
BY_HAND = """
from ashflow.migration import {more}Execute, Migration


def {name}(db):
    db.execute("{sql}")


migration = Migration(operations=[{operations}])
"""


@pytest.fixture
def branched(checkout):
    """A column that the branch `work` has committed, over `main`, where a table is."""
    checkout.codegen("posts", POSTS)
    checkout.git.commit("posts")
    checkout.git("switch", "--quiet", "--create", "work")
    checkout.codegen("color", COLORED)
    checkout.git.commit("color")
    return checkout


def on_main(branched, name, source):
    branched.git("switch", "--quiet", "main")
    branched.codegen(name, source)
    branched.git.commit(name)
    branched.git("switch", "--quiet", "work")


def at(branched, place):
    """The same in a clone."""
    return replace(
        branched, project=replace(branched.project, root=place, git=branched.git.at(place))
    )


def earlier(branched, name):
    """Give a migration a version that lies between those of the others."""
    path = branched.root / branched.path(name)
    path.rename(path.with_name(f"20260101000001_{name}.py"))


def since(branched, revision="main", **asked):
    return branched.codes(since=revision, **asked)


# ------------------------------------------------------------------ out of order
def test_a_migration_that_main_has_overtaken_is_late(branched):
    on_main(branched, "tags", POSTS + TAG)
    (problem,) = branched.check(since="main")
    assert problem.code == "out-of-order"
    assert problem.message == (
        f"{branched.path('color')} is new, and older than "
        "priv/repo/migrations/20260101000002_tags.py on main"
    )
    assert since(branched, staged=True) == ["out-of-order"]
    assert branched.check() == []  # it is committed: that is for CI to say


def test_a_branch_that_took_main_in_is_late_until_its_migration_is_anew(branched):
    on_main(branched, "tags", POSTS + TAG)
    branched.git("merge", "--quiet", "--no-edit", "-X", "ours", "main")
    branched.declare(COLORED + TAG)
    branched.git.commit("both")
    assert since(branched) == ["out-of-order"]
    (problem,) = branched.check(since="main")
    assert problem.path == branched.path("color")  # and not the one that is main's own


def test_a_migration_that_is_newer_than_all_of_main_is_not_late(branched):
    branched.git("switch", "--quiet", "main")
    branched.project.write("README.md", "words")
    branched.git.commit("words")
    branched.git("switch", "--quiet", "work")
    assert since(branched) == []


@pytest.mark.parametrize("name", ["main", "master", "trunk"])
def test_a_new_migration_is_late_without_a_word_of_since_where_the_main_branch_is_known(
    branched, name
):
    on_main(branched, "tags", POSTS + TAG)
    branched.git("branch", "--quiet", "--move", "main", name)
    branched.git("switch", "--quiet", "--detach", f"{name}~1")
    branched.codegen("late", COLORED.replace("color", "late"))
    earlier(branched, "late")
    codes = branched.codes()
    assert ("out-of-order" in codes) == (name != "trunk")
    toml = branched.project.read("pyproject.toml")
    branched.project.write("pyproject.toml", toml.replace("domains", f'base = "{name}"\ndomains'))
    assert "out-of-order" in branched.codes()


def test_the_default_of_the_remote_goes_before_the_local_main(branched, tmp_path):
    branched.git("switch", "--quiet", "main")
    subprocess.run(["git", "clone", "--quiet", branched.root, tmp_path / "far"], check=True)
    far = at(branched, tmp_path / "far")
    far.git("remote", "set-head", "origin", "main")
    on_main(branched, "tags", POSTS + TAG)
    far.git("fetch", "--quiet")
    far.codegen("late", COLORED)
    earlier(far, "late")
    assert "out-of-order" in far.codes()


# ------------------------------------------------------------------ edited
def test_what_only_looks_otherwise_is_no_edit(branched):
    path = branched.path("posts")
    branched.edit(path, "migration = ", "# a note\nmigration = ")
    branched.git.commit("note")
    assert since(branched) == branched.codes() == []


def test_what_a_branch_edits_of_its_own_is_no_edit_over_main(branched):
    branched.edit(branched.path("color"), '"text"', '"integer"')
    assert branched.codes() == ["edited-migration"]
    assert since(branched) == []
    branched.git.commit("edited")
    assert branched.codes() == since(branched) == []


def test_an_edit_of_main_is_told_with_the_branch_and_the_way_back(branched):
    path = branched.path("posts")
    branched.edit(path, '"title", "text"', '"title", "integer"')
    branched.git.commit("edited")
    (problem,) = branched.check(since="main")
    assert problem.message == f"{path} does something else than in main: others have applied that"
    assert problem.fix.endswith(f"git checkout main -- {path}")


def test_what_main_edits_meanwhile_is_not_the_branchs(branched):
    branched.git("switch", "--quiet", "main")
    branched.edit(branched.path("posts"), '"title", "text"', '"title", "integer"')
    branched.git.commit("edited")
    branched.git("switch", "--quiet", "work")
    assert since(branched) == []


def test_a_function_that_changed_is_an_edit(branched):
    path = "priv/repo/migrations/20260101000005_by_hand.py"
    run = BY_HAND.format(more="Run, ", name="up", sql="SELECT 1", operations="Run(up=up)")
    branched.project.write(path, run.replace("Execute, Migration", "Migration"))
    branched.git.commit("run")
    assert branched.codes() == []
    branched.edit(path, "SELECT 1", "SELECT 2")
    assert branched.codes() == ["edited-migration"]


def test_a_committed_migration_that_ran_no_more_may_be_mended(branched):
    path = branched.path("color")
    branched.edit(path, "migration = ", "migration = nonsense + ")
    branched.git("commit", "--quiet", "--all", "--message", "broken")
    branched.edit(path, "nonsense + ", "")
    assert branched.codes() == []


@pytest.mark.parametrize("also", ["snapshots", "nothing"])
def test_a_migration_of_main_that_is_gone_is_told_once_and_brought_back(branched, also):
    migration = branched.path("posts")
    snapshot = branched.snapshot("posts")
    branched.git("rm", "--quiet", migration)
    if also == "snapshots":
        branched.git("rm", "--quiet", snapshot)
    branched.git.commit("gone")
    found = branched.check(since="main")
    assert "edited-migration" in [one.code for one in found]
    (gone,) = [one for one in found if one.code == "edited-migration"]
    assert gone.path == migration
    assert gone.fix.partition("git ")[2].split()[3:] == sorted(
        [migration, *([snapshot] if also == "snapshots" else [])]
    )
    branched.git(*gone.fix.partition("git ")[2].split())
    assert since(branched) == []


def test_a_migration_to_try_out_is_found_over_the_branch(branched):
    path = branched.path("color")
    branched.git("mv", path, path.replace("color", "color_dev"))
    branched.git.commit("try")
    assert since(branched) == branched.codes() == ["dev-migration"]


# ------------------------------------------------------------------ it cannot tell
def test_a_revision_that_git_does_not_know(branched):
    with pytest.raises(GitError, match="git knows no commit called nowhere"):
        since(branched, "nowhere")


@pytest.mark.parametrize("name", ["-n", "--help", "", "main..work", "main:priv"])
def test_what_is_no_revision_is_refused(branched, name):
    with pytest.raises(GitError, match="git knows no commit called"):
        since(branched, name)


def test_branches_that_have_nothing_in_common(branched):
    branched.git("checkout", "--quiet", "--orphan", "fresh")
    branched.git.commit("fresh")
    with pytest.raises(GitError, match="HEAD and main have no commit in common") as caught:
        since(branched)
    assert "unshallow" not in caught.value.hint


@pytest.fixture
def shallow(branched, tmp_path):
    """What CI gets where nobody says `fetch-depth: 0`: the last commit of each branch."""
    on_main(branched, "tags", POSTS + TAG)
    branched.git("switch", "--quiet", "work")
    place = tmp_path / "shallow"
    url = f"file://{branched.root}"
    depth = ["--depth", "1", "--no-single-branch", "--branch", "work"]
    subprocess.run(["git", "clone", "--quiet", *depth, url, place], check=True)
    return at(branched, place)


def test_a_shallow_clone_says_what_is_missing_and_how_to_get_it(shallow):
    with pytest.raises(GitError) as caught:
        since(shallow, "origin/main")
    assert caught.value.exit_code == 2
    assert caught.value.message == (
        "HEAD and origin/main have no commit in common in this clone, which is shallow: "
        "where they parted is missing"
    )
    assert caught.value.hint == (
        "git fetch --unshallow brings what a shallow clone lacks; in GitHub Actions, "
        "actions/checkout does with fetch-depth: 0."
    )
    shallow.git("fetch", "--quiet", "--unshallow")
    assert since(shallow, "origin/main") == ["out-of-order"]


def test_a_shallow_clone_of_one_branch_knows_no_other(shallow):
    shallow.git("update-ref", "-d", "refs/remotes/origin/main")
    with pytest.raises(GitError, match="git knows no commit called origin/main") as caught:
        since(shallow, "origin/main")
    assert "fetch-depth: 0" in caught.value.hint


def test_a_shallow_clone_is_judged_as_it_stands_where_nothing_else_is_asked(shallow):
    assert shallow.codes() == shallow.codes(staged=True) == []


# ------------------------------------------------------------------ without git
def test_without_git_the_files_on_disk_are_judged(branched):
    shutil.rmtree(branched.root / ".git")
    assert branched.check() == branched.check(everything=True) == []
    branched.declare(COLORED + "    size: int | None\n")
    (branched.root / branched.path("posts")).unlink()
    assert branched.codes() == ["orphan-snapshot", "stale-snapshot"]
    for asked in ({"staged": True}, {"since": "main"}):
        with pytest.raises(GitError, match="the index and branches are git's"):
            branched.codes(**asked)


def test_without_a_git_that_can_be_run_the_files_on_disk_are_judged(
    branched, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert branched.check() == []
    with pytest.raises(GitError, match="git is not installed"):
        branched.check(staged=True)


# ------------------------------------------------------------------ several repos
@pytest.fixture
def repos(checkout):
    """Two repos, each with a table."""
    more = '\n[tool.ashflow.repos.logs]\nurl = "${NOT_SET}"\n'
    toml = checkout.project.read("pyproject.toml")
    checkout.project.write("pyproject.toml", toml + more)
    checkout.codegen("begin", POSTS + TAG.replace('"tags"', '"tags", repo="logs"'))
    checkout.git.commit("both")
    return checkout


def test_each_repo_is_judged_and_named(repos):
    assert repos.check() == repos.check(staged=True) == []
    repos.declare(COLORED + TAG.replace('"tags"', '"tags", repo="logs"') + "    size: int\n")
    assert [(one.repo, one.code, one.table) for one in repos.check()] == [
        ("repo", "stale-snapshot", "posts"),
        ("logs", "stale-snapshot", "tags"),
    ]
    assert [one.repo for one in repos.check("logs")] == ["logs"]
    with pytest.raises(ConfigError, match="no repo 'other'"):
        repos.check("other")


# ------------------------------------------------------------------ what is read
@pytest.fixture
def read(monkeypatch):
    """The names of the objects that git was asked for."""
    names = []
    plain = Objects.read

    def spied(self, name):
        names.append(name)
        return plain(self, name)

    monkeypatch.setattr(Objects, "read", spied)
    return names


def test_only_the_newest_snapshot_of_each_table_is_read_and_no_old_migration(branched, read):
    branched.codegen("tags", COLORED + TAG)
    branched.codegen("more", COLORED + TAG + "    size: int\n")
    branched.git.commit("more")
    assert branched.check(staged=True) == []
    listed = branched.git("ls-tree", "-r", "HEAD", "priv").splitlines()
    paths = {line.split()[2]: line.partition("\t")[2] for line in listed}
    assert sorted(paths[name] for name in read) == sorted(
        [branched.snapshot("color"), branched.snapshot("more", "tags")]
    )
    read.clear()
    assert branched.check(staged=True, everything=True) == []
    assert sorted(paths[name] for name in read) == sorted(paths.values())


@pytest.mark.parametrize("kind", ["snapshot", "migration"])
@pytest.mark.parametrize("staged", [True, False])
def test_an_old_file_is_read_where_all_are_asked_for(branched, kind, staged):
    path = branched.snapshot("posts") if kind == "snapshot" else branched.path("posts")
    branched.edit(path, "title", "tit le" if kind == "snapshot" else "title'\"")
    branched.git.commit("broken")
    assert branched.codes(staged=staged) == []
    (problem,) = branched.check(staged=staged, everything=True)
    assert (problem.code, problem.path) == (f"invalid-{kind}", path)


def test_a_committed_migration_that_is_no_utf8_is_told(branched):
    path = branched.root / branched.path("color")
    path.write_bytes(b"\xff" + path.read_bytes())
    branched.git("add", ".")
    for asked in ({}, {"staged": True}):
        (problem,) = branched.check(**asked)
        assert problem.code == "invalid-migration"
        assert "not UTF-8" in problem.message


def test_what_a_remote_has_must_not_go_and_what_is_yours_may(branched, tmp_path):
    git = branched.git
    for path in (branched.path("color"), branched.snapshot("color")):
        (branched.root / path).unlink()
    branched.declare(POSTS)
    assert branched.codes() == []
    git("restore", ".")
    git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    git("remote", "add", "origin", str(tmp_path / "remote.git"))
    git("push", "--quiet", "origin", "work")
    color = branched.path("color")
    git("rm", "--quiet", color, branched.snapshot("color"))
    branched.declare(POSTS)
    git("add", "--all")
    for asked in ({}, {"staged": True}):
        (problem,) = branched.check(**asked)
        assert (problem.code, problem.path) == ("edited-migration", color)
