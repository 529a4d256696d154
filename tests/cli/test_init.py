"""init makes a project of a folder, and leaves what was there as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

pytestmark = pytest.mark.real("init")

PRETTY = """\
# my project   (the blanks are on purpose)
[build-system]
requires = [ "hatchling",   "wheel" , ]   # trailing comma
build-backend = 'hatchling.build'

[tool.ruff]
line-length=100
\t[tool.ruff.lint]
\tselect = ["ALL"]
"""
IGNORED = "/priv/repo/dev.sqlite3*"


@pytest.fixture
def folder(git):
    """A folder of a git repository with nothing in it."""
    return git.root


@pytest.fixture
def init(git):
    """Run the real command in the folder."""

    def init(*arguments, cwd=None):
        return subprocess.run(
            [sys.executable, "-m", "ashflow", *arguments],
            cwd=cwd or git.root,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return init


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts
    }


def test_an_empty_folder_becomes_a_project(folder, init):
    done = init("init")
    assert (done.returncode, done.stderr) == (0, "")
    config = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["ashflow"]
    assert config == {
        "domains": [],
        "repos": {"repo": {"url": "sqlite:///priv/repo/dev.sqlite3"}},
    }
    assert (folder / ".gitignore").read_text() == f"{IGNORED}\n"
    assert (folder / "priv/repo/migrations").is_dir()
    assert "wrote pyproject.toml" in done.stdout
    assert init("codegen", "--check").returncode == 0
    assert init("migrate").returncode == 0
    ignored = subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "sqlite3" not in ignored.stdout


def test_what_stands_in_pyproject_is_kept_byte_for_byte(folder, init):
    for text in (PRETTY, PRETTY.replace("\n", "\r\n"), PRETTY.rstrip("\n"), "", "# größe\n"):
        (folder / "pyproject.toml").write_bytes(text.encode())
        assert init("init").returncode == 0
        after = (folder / "pyproject.toml").read_bytes()
        assert after.startswith(text.encode())
        assert b"[tool.ashflow]" in after
        assert (b"\r\n" in after) == ("\r\n" in text)
        assert b"\n" not in after.replace(b"\r\n", b"") or "\r\n" not in text
        (folder / "pyproject.toml").unlink()


def test_a_second_time_nothing_is_left_to_do(folder, init):
    (folder / "pyproject.toml").write_text(PRETTY)
    assert init("init", "--sample").returncode == 0
    before = tree(folder)
    for arguments in (["init"], ["init", "--sample"], ["init", "--json"]):
        done = init(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing to do" in done.stdout or '"written": []' in done.stdout
    assert tree(folder) == before
    assert init("init", "--json", cwd=folder / "priv").returncode == 0, "a project of its own"


def test_the_line_that_git_ignores_is_added_once(folder, init):
    for text, after in (
        ("*.pyc\n", f"*.pyc\n{IGNORED}\n"),
        ("*.pyc", f"*.pyc\n{IGNORED}\n"),
        (f"{IGNORED}\n*.pyc\n", f"{IGNORED}\n*.pyc\n"),
    ):
        (folder / ".gitignore").write_text(text)
        assert init("init").returncode == 0
        assert (folder / ".gitignore").read_text() == after
        (folder / "pyproject.toml").unlink()


def test_json_names_what_was_written(folder, init):
    done = init("init", "--sample", "--json")
    assert json.loads(done.stdout) == {
        "written": [
            "pyproject.toml",
            ".gitignore",
            "priv/repo/migrations/.gitkeep",
            "workshop/__init__.py",
            "workshop/resources.py",
        ]
    }
    assert done.stderr == ""


def test_quiet_prints_nothing(folder, init):
    done = init("init", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_with_a_sample_the_day_can_begin(folder, init):
    done = init("init", "--sample")
    assert done.returncode == 0
    assert "next: ashflow codegen create_workshop, then ashflow migrate" in done.stdout
    assert init("codegen", "--check").returncode == 1
    assert init("codegen", "create_workshop").returncode == 0
    assert init("codegen", "--check").returncode == 0
    assert init("migrate").returncode == 0
    assert (folder / "priv/repo/dev.sqlite3").is_file()
    assert init("rollback").returncode == 0
    for command in (
        ["ruff", "format", "--check", "--isolated", "."],
        ["ruff", "check", "--isolated", "."],
        ["mypy", "--strict", "workshop", *map(str, folder.glob("priv/repo/migrations/*.py"))],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def refused(folder, init, *arguments):
    before = tree(folder)
    done = init("init", *arguments)
    assert tree(folder) == before
    assert done.stderr.startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_sample_overwrites_nothing(folder, init):
    (folder / "workshop").mkdir()
    done = refused(folder, init, "--sample")
    assert done.returncode == 2
    assert "workshop/" in done.stderr
    assert "--sample" in done.stderr


@pytest.mark.parametrize(
    "text", [b"[tool\n", b"tool = {}\n", b"[tool]\nashflow = 3\n", b"x = '\xff'\n", b"\x00"]
)
def test_a_pyproject_that_takes_no_section_is_left_alone(folder, init, text):
    (folder / "pyproject.toml").write_bytes(text)
    done = refused(folder, init)
    assert done.returncode == 2, done.stderr
    assert "pyproject.toml" in done.stderr


def test_a_folder_where_a_file_should_be_stops_before_the_first_write(folder, init):
    for path in ("pyproject.toml", ".gitignore"):
        (folder / path).mkdir()
        done = refused(folder, init)
        assert done.returncode in {1, 2}
        assert path in done.stderr
        (folder / path).rmdir()


def test_a_file_where_a_folder_should_be_stops_before_the_first_write(folder, init):
    for path in ("priv", "priv/repo", "priv/repo/migrations"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("a file")
        done = refused(folder, init)
        assert done.returncode in {1, 2}
        assert "priv" in done.stderr
        (folder / path).unlink()


def test_a_gitignore_that_is_no_text_is_left_alone(folder, init):
    (folder / ".gitignore").write_bytes(b"\xff\n")
    done = refused(folder, init)
    assert done.returncode == 2
    assert ".gitignore" in done.stderr
    assert "UTF-8" in done.stderr


def test_a_disk_that_refuses_half_way_leaves_no_half_project(folder, init, unmeasured):
    (folder / "pyproject.toml").write_text("#" * 600 + "\n")
    before = tree(folder)
    script = f"ulimit -f 1; exec {sys.executable} -m ashflow init --sample"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "cannot be written: File too large" in done.stderr
    assert tree(folder) == before


def test_the_permissions_and_the_link_of_a_file_stay(folder, init):
    (folder / "config").mkdir()
    (folder / "config/real.toml").write_text(PRETTY)
    (folder / "config/real.toml").chmod(0o640)
    (folder / "pyproject.toml").symlink_to("config/real.toml")
    assert init("init").returncode == 0
    assert (folder / "pyproject.toml").is_symlink()
    assert "[tool.ashflow]" in (folder / "config/real.toml").read_text()
    assert (folder / "config/real.toml").stat().st_mode & 0o777 == 0o640


def test_a_project_within_a_project_is_one_of_its_own(folder, init):
    assert init("init").returncode == 0
    inner = folder / "inner"
    inner.mkdir()
    assert init("init", cwd=inner).returncode == 0
    assert (inner / "pyproject.toml").is_file()
    assert (inner / "priv/repo/migrations").is_dir()
