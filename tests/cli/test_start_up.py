"""What a command does not need, it does not load."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

RUN = """
import json, os, sys
os.chdir({root!r})
before = set(sys.modules)
sys.argv = ["ashflow", *{arguments!r}]
from ashflow.cli import main
try:
    main()
except SystemExit as stop:
    code = stop.code
print(json.dumps([code, sorted(set(sys.modules) - before)]))
"""
HEAVY = {
    "rich",
    "git",
    "gitdb",
    "sqlite3",
    "_sqlite3",
    "subprocess",
    "tempfile",
    "difflib",
    "shutil",
}
UNCHANGED = {
    "ashflow.change.operations",
    "ashflow.change.diff",
    "ashflow.change.describe",
    "ashflow.history.render",
    "ashflow.adapters",
    "ashflow.run.runner",
    "ashflow.worktree.git",
}
POSTS = """
from ashflow import Resource, belongs_to, create_timestamp, identity, uuid_primary_key
from datetime import datetime
from uuid import UUID

class Team(Resource, table="teams"):
    id: UUID = uuid_primary_key()
    name: str

class Post(Resource, table="posts"):
    id: UUID = uuid_primary_key()
    title: str
    team = belongs_to(Team, index=True)
    inserted_at: datetime = create_timestamp()
    unique_title = identity("title")
"""


@pytest.fixture
def loaded(python, project):
    """Run a command in a fresh Python; return its exit code and what it has imported."""

    def loaded(*arguments):
        out = python(RUN.format(root=str(project.root), arguments=arguments))
        code, modules = json.loads(out.splitlines()[-1])
        return code, set(modules)

    return loaded


def test_the_version_loads_click_and_little_else(loaded):
    code, modules = loaded("--version")
    assert code == 0
    assert not modules & HEAVY
    ours = {name for name in modules if name.startswith("ashflow.")}
    assert ours == {
        *("ashflow.cli", "ashflow.cli.failure", "ashflow.cli.group"),
        *("ashflow.errors", "ashflow.signals"),
    }
    assert "dataclasses" not in modules
    assert "json" not in modules


def test_a_check_of_unchanged_resources_loads_neither_database_nor_git(loaded, project, ashflow):
    project.resources(POSTS)
    assert ashflow("codegen", "begin").code == 0
    for arguments in (["codegen", "--check"], ["codegen", "more"], ["generate-migrations", "m"]):
        code, modules = loaded(*arguments)
        assert code == 0
        assert not modules & HEAVY, arguments
        assert not modules & UNCHANGED, arguments


def test_codegen_loads_neither_database_nor_git(loaded, project):
    project.resources(POSTS)
    code, modules = loaded("codegen", "begin")
    assert code == 0
    assert not modules & {"rich", "git", "sqlite3", "subprocess"}


def test_migrate_loads_neither_git_nor_rich(loaded, project, ashflow):
    project.resources(POSTS)
    assert ashflow("codegen", "begin").code == 0
    code, modules = loaded("migrate")
    assert code == 0
    assert not modules & {"rich", "git"}


def test_the_package_alone_loads_none_of_its_modules(python):
    out = python("import sys, ashflow; print(*(m for m in sys.modules if m.startswith('ashflow')))")
    assert out.split() == ["ashflow"]


def test_every_word_of_the_package_is_there(python):
    program = "import ashflow; [getattr(ashflow, n) for n in ashflow.__all__]; print(dir(ashflow))"
    assert "uuid_primary_key" in python(program)
    assert "no attribute 'nope'" in python(
        "import ashflow\ntry:\n    ashflow.nope\nexcept AttributeError as e:\n    print(e)"
    )


def test_resources_load_neither_click_nor_git(python):
    program = "import sys; from ashflow import Resource, attribute; print(*sys.modules)"
    assert not {"click", "rich", "git", "sqlite3", "subprocess"} & set(python(program).split())


def test_a_migration_file_loads_neither_click_nor_git(python):
    program = "import sys; from ashflow.migration import Migration; print(*sys.modules)"
    assert not {"click", "rich", "git", "sqlite3", "subprocess"} & set(python(program).split())


@pytest.fixture
def without_git(tmp_path):
    """An environment in which there is no git."""
    assert shutil.which("git")
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").symlink_to(Path(sys.executable).resolve())
    return {"PATH": str(bare)}


def test_all_but_regen_and_status_work_where_there_is_no_git(project, ashflow, without_git):
    project.resources(POSTS)
    for arguments in (
        "init",
        "codegen --dry-run",
        "codegen begin",
        "codegen --check",
        "create",
        "migrate",
        "rollback",
        "setup",
        "reset --yes",
        "drop --yes",
    ):
        result = ashflow(*arguments.split(), env=without_git)
        assert result.code == 0, (arguments, result.err)


def test_regen_says_that_git_is_missing(project, ashflow, without_git):
    project.resources(POSTS)
    result = ashflow("regen", "begin", env=without_git)
    assert result.code == 2
    assert "git" in result.err
    assert result.err.startswith("error: ")
    assert "Traceback" not in result.err
    assert project.files() == []


WATCHED = """
import json, os, sys
os.chdir({root!r})
os.sched_getaffinity = lambda _: {{0, 1}}
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE")
seen = []
def hook(event, values):
    if event == "os.posix_spawn":
        seen.append("started")
    if event == "compile" and str(values[1]).endswith("resources.py"):
        seen.append("compiled")
sys.addaudithook(hook)
sys.argv = ["ashflow", *{arguments!r}]
from ashflow.cli import main
try:
    main()
except SystemExit as stop:
    code = stop.code
print(json.dumps([code, seen]))
"""
MANY = "".join(
    f'\nclass Post{n}(Resource, table="posts{n}"):\n    id: UUID = uuid_primary_key()\n'
    for n in range(2000)
)


SLOW = "\nnumbers = [\n" + "    (1, 2.0, 'three', -4),\n" * 50_000 + "]\n"


@pytest.fixture
def watched(python, project):
    """Run a command in a fresh Python that keeps byte code; return exit code and who compiled."""

    def watched(*arguments):
        out = python(WATCHED.format(root=str(project.root), arguments=arguments))
        return json.loads(out.splitlines()[-1])

    return watched


def test_many_resources_are_compiled_by_another_process(watched, project):
    project.resources(POSTS + MANY + SLOW)
    assert watched("codegen", "posts") == [0, ["started"]]  # it is waited for
    project.resources(POSTS + MANY + "    slug: str\n")
    assert watched("check") == [1, ["started"]]
    assert watched("codegen", "--check") == [1, []]
    project.resources(POSTS + MANY + "    slug: str | None\n")
    assert watched("generate-migrations", "more") == [0, ["started"]]
    assert len(project.files("priv/resource_snapshots")) == 2003


def test_who_needs_no_resources_compiles_none(watched, project):
    project.resources(POSTS + MANY)
    assert watched("status") == [0, []]
    assert watched("--version") == [0, []]
    assert watched("codegen", "--help") == [0, []]
    assert watched("codegen", "--empty", "by_hand") == [0, []]
    assert watched("check", "--staged")[1] == ["compiled"]  # what is staged, not what is here


def test_a_few_resources_are_compiled_where_they_are_imported(watched, project):
    project.resources(POSTS)
    assert watched("codegen", "posts") == [0, ["compiled"]]


def test_many_resources_that_do_not_compile_are_told_once(project, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    project.resources(POSTS + MANY + "def\n")
    result = project.ashflow("codegen", "posts")
    assert result.code == 2
    assert result.err.count("SyntaxError: invalid syntax (") == 1
    assert "Traceback" not in result.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_a_command_hears_nothing_of_who_compiles(project, unmeasured, number):
    project.resources(POSTS + MANY * 40)
    env = {key: v for key, v in unmeasured.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        [sys.executable, "-m", "ashflow", "codegen", "posts"],
        cwd=project.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as command:
        time.sleep(0.6)
        os.killpg(command.pid, number)
        out, err = command.communicate(timeout=10)  # nobody holds the pipes any more
    assert (command.returncode, out) == (130, b"")
    assert err.split() == b"error: interrupted: what was not committed is undone".split()
    assert not list(project.root.glob("shop/__pycache__/resources*"))


def test_a_project_that_can_not_be_read_is_told_by_the_command(watched, project):
    project.write("pyproject.toml", "[tool.ashflow\n")
    assert watched("codegen", "posts") == [2, []]
