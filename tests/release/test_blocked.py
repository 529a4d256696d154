"""Without git, click, rich and the resources; and where a project is found."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
from production import table, version

MIGRATE = """
    import json
    from ashflow import release

    (done,) = release.migrate()
    (standing,) = release.status()
    back = release.rollback("repo", step=1)
    print(json.dumps([
        [one.name for one in done.migrations],
        [one.state for one in standing.migrations],
        [one.name for one in back.migrations],
    ]))
"""
MAIN = """
    import runpy, sys

    sys.argv = ["release", *sys.argv[1:]]
    runpy.run_module("ashflow.release", run_name="__main__", alter_sys=True)
"""
"""`python -m ashflow.release`, behind the block."""
DONE = [["a", "b"], ["up", "up"], ["b"]]


@pytest.fixture
def bare(shop, unmeasured, monkeypatch):
    """A shop of two migrations, and no program on the path."""
    shop.adds(1, "a", table("a"))
    shop.runs(2, "b", "db.execute('INSERT INTO a VALUES (1)')", down="db.execute('DELETE FROM a')")
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("PYTHONPATH", str(shop.root))
    return shop


@pytest.mark.parametrize(
    "needs",
    ["import click", "import git", "import rich", "import gitdb", "import shop"],
)
def test_what_is_blocked_can_not_be_had(bare, needs):
    failed = bare.run(f"\n{needs}\n", block=True, code=1)
    assert "is blocked" in failed.err or "resources are not for here" in failed.err


def test_no_program_can_be_run(bare):
    failed = bare.run("\nimport subprocess\nsubprocess.run(['true'])\n", block=True, code=1)
    assert "subprocess.Popen is blocked" in failed.err


def test_a_project_is_migrated_from_its_folder(bare):
    assert bare.run(MIGRATE, block=True).json() == DONE


def test_a_project_is_migrated_from_a_folder_below(bare):
    program = f"\nimport os\nos.makedirs('a/b')\nos.chdir('a/b')\n{dedent(MIGRATE)}"
    assert bare.run(program, block=True).json() == DONE
    assert bare.path.exists()


def test_a_project_is_found_in_the_folder_that_the_environment_names(bare, tmp_path):
    program = f"\nimport os\nos.chdir({str(tmp_path)!r})\n{dedent(MIGRATE)}"
    for folder in (bare.root, bare.root / "priv/repo"):
        found = bare.run(program, block=True, ASHFLOW_PROJECT=str(folder))
        assert found.json() == DONE if folder == bare.root else [["b"], ["up", "up"], ["b"]]
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


def test_the_environment_goes_before_the_current_folder_and_must_name_a_folder(bare, tmp_path):
    nowhere = tmp_path / "nowhere"
    failed = bare.run("migrate", "--json", code=2, ASHFLOW_PROJECT=str(nowhere))
    assert failed.json()["error"]["code"] == "configuration"
    assert "ASHFLOW_PROJECT" in failed.json()["error"]["message"]
    assert not bare.path.exists()


def test_without_a_project_it_says_what_is_missing(bare, tmp_path):
    program = f"\nimport os\nos.chdir({str(tmp_path)!r})\n{dedent(MAIN)}"
    failed = bare.run(program, "migrate", block=True, code=2)
    assert "pyproject.toml" in failed.err
    assert "Traceback" not in failed.err


def test_a_repo_needs_no_project(bare, tmp_path):
    program = f"""
        import os
        from ashflow import release

        os.chdir({str(tmp_path)!r})
        repo = release.Repo("main", url="sqlite:///here.db", migrations="app/priv/repo/migrations")
        (done,) = release.migrate([repo])
        print(done.name, done.url, len(done.migrations), len(release.status(repo)[0].migrations))
        print(len(release.rollback(repo, to="{version(1)}").migrations))
    """
    (bare.root / "pyproject.toml").unlink()
    assert bare.run(program, block=True).out == "main sqlite:///here.db 2 2\n2\n"
    assert (tmp_path / "here.db").exists()


def test_the_command_runs_too(bare):
    applied = bare.run(MAIN, "migrate", "--json", block=True).json()
    assert [one["name"] for one in applied["repos"][0]["migrations"]] == ["a", "b"]
    stands = bare.run(MAIN, "status", "--json", block=True).json()
    assert [one["state"] for one in stands["repos"][0]["migrations"]] == ["up", "up"]
    back = bare.run(MAIN, "rollback", "--repo", "repo", "--step", "2", "--json", block=True)
    assert [one["name"] for one in back.json()["repos"][0]["migrations"]] == ["b", "a"]


def test_importing_it_changes_nothing_in_the_process(bare):
    program = """
        import json, logging, signal, sys, threading

        def world():
            return [
                str(signal.getsignal(signal.SIGINT)), str(signal.getsignal(signal.SIGTERM)),
                len(logging.getLogger("ashflow").handlers), logging.getLogger("ashflow").level,
                threading.active_count(), sys.stdout is sys.__stdout__, list(sys.path),
            ]

        before = world()
        from ashflow import release

        release.migrate()
        release.rollback("repo", step=2)
        release.migrate()
        print(json.dumps([world() == before, "shop" in sys.modules]))
    """
    assert bare.run(program, block=True).json() == [True, False]


def test_what_is_logged_goes_nowhere_where_nobody_listens(bare):
    quiet = bare.run(MIGRATE, block=True)
    assert json.loads(quiet.out) == DONE
    assert quiet.err == ""
