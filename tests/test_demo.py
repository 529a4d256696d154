from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = [
    "git init --quiet --initial-branch=main",
    "ashflow init --sample",
    "ashflow codegen create_workshop",
    "ashflow migrate",
    "git add --all",
    "git commit --quiet --message workshop",
    "ashflow codegen add_color",
    "ashflow migrate",
    "ashflow regen add_combobulator -m --rename combobulators.color=paint",
    "ashflow status",
    "ashflow codegen --check",
]


@pytest.fixture
def demo(tmp_path):
    """Run the script as on a fresh machine: an empty home, and a folder for temporary files."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    env = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary)}

    def demo(*arguments):
        return subprocess.run(
            ["scripts/demo", *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return demo


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_the_demo_leaves_nothing_behind(demo, tmp_path):
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert plain(done.stdout).rstrip().endswith("The demo is done.")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_demo_shows_every_command_and_its_project_can_be_kept(demo, tmp_path):
    kept = tmp_path / "kept"
    done = demo("--keep", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    shown = plain(done.stdout)
    assert re.findall(r"^\$ (.*)$", shown, re.MULTILINE) == COMMANDS
    assert re.findall(r"^ +\| (.*)$", shown, re.MULTILINE) == [
        "Spinner | red | 1.5 | 0",
        "Whirler | None | 1.5 | 0",
    ]
    assert f"cd {kept}/shop" in shown

    status = subprocess.run(
        [kept / "venv/bin/ashflow", "status"],
        cwd=kept / "shop",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert [line.split()[2] for line in status.stdout.splitlines()[2:]] == [
        "create_workshop",
        "add_combobulator",
    ]


def test_a_folder_that_is_there_is_not_played_in(demo, tmp_path):
    done = demo("--keep", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is there already" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "temporary"]


def test_an_option_that_there_is_not_is_answered_with_those_that_there_are(demo):
    done = demo("--what")
    assert (done.returncode, done.stdout) == (2, "")
    assert "scripts/demo --keep DIR" in done.stderr
