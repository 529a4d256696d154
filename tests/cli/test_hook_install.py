"""`ashflow hook install`, `uninstall`, `status`, as they are typed; and the real pre-commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
NAMES = ["pre-commit", "pre-merge-commit", "post-checkout", "post-merge"]


def test_the_hooks_are_put_there_shown_and_taken_away(project, ashflow):
    shown = ashflow("hook", "status")
    assert [line.split("  ")[0] for line in shown.out.splitlines()] == ["hook", *NAMES]
    assert shown.out.count("not there") == 4
    assert ashflow("hook", "install").out.count("installed") == 4
    text = (project.root / ".git/hooks/pre-commit").read_text()
    assert f"python={sys.executable}\n" in text
    assert ashflow("hook", "uninstall").out.count("not there") == 4


def test_json_tells_of_each_hook_where_and_how_it_is(project, ashflow):
    mine = project.root / ".git/hooks/post-merge"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    told = ashflow("hook", "status", "--json").json()["hooks"]
    assert [one["state"] for one in told] == ["absent", "absent", "absent", "another"]
    told = ashflow("hook", "install", "--json").json()["hooks"]
    assert told[3] == {
        "name": "post-merge",
        "state": "installed",
        "chained": True,
        "path": str(mine),
    }
    assert "installed, runs another one first" in ashflow("hook", "status").out


def test_quiet_prints_nothing(project, ashflow):
    done = ashflow("hook", "install", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_without_git_it_says_so(ashflow, tmp_path):
    done = ashflow("hook", "install", cwd=tmp_path)
    assert done.code != 0
    assert "hooks are git's, and this is no git repository" in done.err
    assert "git init" in done.err


def test_a_hook_that_was_installed_stops_a_stale_commit(project, ashflow):
    project.resources(
        'from ashflow import Resource\n\nclass Post(Resource, table="posts"):\n    id: int\n'
    )
    project.git("add", ".")
    ashflow("hook", "install")
    project.git("commit", "--quiet", "--message", "stale", code=1)
    ashflow("codegen", "posts")
    project.git("add", ".")
    project.git("commit", "--quiet", "--message", "good")


# ------------------------------------------------------------------ https://pre-commit.com
@pytest.fixture(scope="module")
def framework(tmp_path_factory):
    """An environment with `ashflow` on the PATH, and with a folder of its own for pre-commit."""
    folder = tmp_path_factory.mktemp("framework")
    command = folder / "ashflow"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ashflow "$@"\n')
    command.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PRE_COMMIT_HOME": str(folder / "store")}


@pytest.fixture(scope="module")
def this_repository(tmp_path_factory):
    """This git repository, as pre-commit clones it: the path of a clone, and its commit."""
    clone = tmp_path_factory.mktemp("ashflow")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", clone)

    def git(*arguments: str) -> str:
        return subprocess.check_output(["git", *arguments], cwd=clone, text=True).strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "hooks")
    return clone, git("rev-parse", "HEAD")


@pytest.fixture
def managed(begin, framework, this_repository):
    """A project that uses this repository as a hook of pre-commit; runs git with its hooks."""
    day = begin(untracked=None)
    clone, commit = this_repository
    day.project.write(
        ".pre-commit-config.yaml",
        f"""
        repos:
          - repo: {clone}
            rev: {commit}
            hooks:
              - id: ashflow-check
        """,
    )
    day.project.git.commit("managed")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=day.root, env=framework, capture_output=True, text=True, check=False
        )

    installed = run(sys.executable, "-m", "pre_commit", "install")
    assert installed.returncode == 0, installed
    return day, run


COLOR = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
    color: str | None
"""


def test_pre_commit_stops_a_commit_that_is_stale_and_lets_a_good_one_pass(managed):
    day, run = managed
    before = day.project.git("rev-parse", "HEAD")
    day.declare(COLOR)
    day.run("codegen", "color")
    run("git", "add", "shop")  # the pair lies on disk, where pre-commit leaves it
    done = run("git", "commit", "--message", "stale")
    assert done.returncode == 1, done
    assert "ashflow check" in done.stderr
    assert "Failed" in done.stderr
    assert "stale-snapshot" in done.stderr
    assert day.project.git("rev-parse", "HEAD") == before
    run("git", "add", "priv")
    done = run("git", "commit", "--message", "good")
    assert done.returncode == 0, done
    assert "Passed" in done.stderr


def test_pre_commit_hides_what_is_not_staged_and_brings_it_back(managed):
    day, run = managed
    day.declare(COLOR)
    day.run("codegen", "color")
    run("git", "add", ".")
    day.declare(COLOR + "    later: int\n")
    edited = day.project.read("shop/resources.py")
    done = run("git", "commit", "--message", "good")
    assert done.returncode == 0, done
    assert day.project.read("shop/resources.py") == edited


def test_pre_commit_in_ci_judges_what_is_checked_out(managed):
    day, run = managed
    every = (sys.executable, "-m", "pre_commit", "run", "--all-files", "--hook-stage", "manual")
    assert run(*every).returncode == 0
    day.declare(COLOR)
    run("git", "commit", "--all", "--no-verify", "--message", "stale")
    done = run(*every)
    assert done.returncode == 1
    assert "stale-snapshot" in done.stdout


def test_a_project_in_a_subfolder_is_judged_by_pre_commit_too(managed):
    day, run = managed
    day.project.git("rm", "--quiet", "pyproject.toml")
    day.project.write(
        "apps/my shop/pyproject.toml", '[tool.ashflow]\ndomains = ["shop.resources"]\n'
    )
    shutil.copytree(day.root / "shop", day.root / "apps/my shop/shop")
    run("git", "add", ".")
    done = run("git", "commit", "--message", "stale")
    assert done.returncode == 1
    assert "apps/my shop/priv/resource_snapshots/repo/posts" in done.stderr


def test_where_pre_commit_has_its_hook_we_say_what_to_write_and_write_nothing(managed):
    day, _ = managed
    hook = (day.root / ".git/hooks/pre-commit").read_text()
    done = day.run("hook", "install", code=2)
    assert "pre-commit manages the hooks" in done.err
    assert "entry: ashflow hook run pre-commit" in done.err
    assert (day.root / ".git/hooks/pre-commit").read_text() == hook
    assert not (day.root / ".git/hooks/post-merge").exists()


def test_pre_commit_that_is_installed_over_our_hook_runs_it_first(managed):
    day, run = managed
    mine = day.root / ".git/hooks/pre-commit"
    mine.write_text("#!/bin/sh\necho mine >&2\n")
    day.run("hook", "install")
    assert run(sys.executable, "-m", "pre_commit", "install").returncode == 0
    day.declare(COLOR)
    done = run("git", "commit", "--all", "--message", "stale")
    assert done.returncode == 1
    assert "mine\n" in done.stderr
    assert "ashflow: 1 problem, so nothing was committed" in done.stderr


# ------------------------------------------------------------------ wrong calls
def test_a_hook_that_is_none_of_ours_is_refused(ashflow):
    done = ashflow("hook", "run", "precommit")  # in a file of husky it would check nothing
    assert done.code == 2
    assert "there is no hook 'precommit'; there are: pre-commit, pre-merge-commit" in done.err


def test_without_a_command_it_shows_those_that_there_are(ashflow):
    done = ashflow("hook")
    assert done.code == 2
    assert done.err.startswith("Usage: ashflow hook ")
    assert [word for word in ("install", "uninstall", "status") if word in done.err]
    assert "run" not in done.err.partition("Commands:")[2].replace("runs", "")
