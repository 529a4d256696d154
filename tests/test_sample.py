"""The sample project is this checkout: its resources, snapshots and migration agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
GENERATED = ROOT / "priv/repo/migrations"


def run(*command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_snapshots_of_this_checkout_are_not_stale():
    done = run(sys.executable, "-m", "ashflow", "codegen", "--check")
    assert (done.returncode, done.stdout) == (0, "the snapshots say what the resources say\n")


def test_the_migration_of_this_checkout_builds_its_tables(tmp_path):
    url = f"sqlite:///{tmp_path}/sample.sqlite3"
    code = (
        "import os, sys; os.environ['ASHFLOW_REPO_URL'] = sys.argv[1];"
        "sys.argv = ['ashflow', 'migrate']; from ashflow.cli import main; main()"
    )
    done = run(sys.executable, "-c", code, url)
    assert done.returncode == 0, done.stderr
    assert "create_workshop" in done.stderr
    assert (tmp_path / "sample.sqlite3").exists()


def test_the_migration_of_this_checkout_pleases_the_tools_of_its_readers(tmp_path):
    bin_ = Path(sys.executable).parent
    files = [str(path) for path in GENERATED.glob("*.py")]
    assert files
    for tool in (
        ["ruff", "format", "--check", "--isolated", "--no-cache"],
        ["ruff", "check", "--isolated", "--no-cache"],
        ["mypy", "--strict", "--cache-dir", str(tmp_path), "--config-file", "/dev/null"],
    ):
        done = run(str(bin_ / tool[0]), *tool[1:], *files, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
