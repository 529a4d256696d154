"""What all tests share: a clean environment, real git repositories, and the real command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from forge import Forge, as_anybody
from hypothesis import HealthCheck, settings

import ashflow as package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The gate must not fail by chance: its examples are the same each time. `scripts/test --long`
# looks further, at random, and remembers what it found.
settings.register_profile(
    "quick",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

PYPROJECT = """\
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///priv/repo/dev.sqlite3"
"""


def pytest_configure() -> None:
    """Let Ctrl-C be heard: who runs the tests in the background has them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say which ashflow is tested: the installed one, or the folder."""
    return f"ashflow: {Path(package.__file__).parent}"


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let nothing in that the machine, the user or a git hook around the tests has set."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GIT_", "ASHFLOW_")) or name in {"XDG_CONFIG_HOME", "FORCE_COLOR"}:
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        # Sources are written twice within a second: bytecode would be taken for current.
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        # What is in the current folder is not what is tested, nor what the `ashflow` script sees.
        patch.setenv("PYTHONSAFEPATH", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
            patch.setenv(f"GIT_{role}_DATE", "2026-11-23T06:10:00+0000")
        yield


@pytest.fixture(scope="session")
def forge(clean_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A process that has the package imported already, and forks for each command."""
    forge = Forge(tmp_path_factory.mktemp("forge"))
    yield forge
    forge.close()


@dataclass(frozen=True)
class Git:
    """Runs git in one folder: `git("add", ".")` returns what it prints."""

    root: Path

    def __call__(self, *arguments: str | bytes, code: int = 0) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return os.fsdecode(done.stdout)

    def at(self, root: Path) -> Git:
        """The same in another folder."""
        return Git(root)

    def commit(self, message: str = "work") -> str:
        """Commit all that is there, and return the commit."""
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", message)
        return self("rev-parse", "HEAD").strip()


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Ashflow:
    """Runs the real command in a process of its own: `ashflow("codegen", "add_posts")`."""

    root: Path

    def __call__(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str | None = None,
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "ashflow", *arguments],
            cwd=cwd or self.root,
            env={**os.environ, **(env or {})},
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            check=False,
            preexec_fn=as_anybody,
        )
        return Result(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Project:
    """A project in a git repository, with the package `shop` and one SQLite database."""

    root: Path
    git: Git
    ashflow: Ashflow

    def write(self, path: str, text: str) -> Path:
        """Write a file; the text may be indented as the test is."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8", newline="\n")
        return place

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.root / path).read_text(encoding="utf-8")

    def resources(self, source: str) -> None:
        """Write the module that declares the resources."""
        self.write("shop/resources.py", source)

    def files(self, folder: str = "priv") -> list[str]:
        """Return the files below a folder, sorted, but for the database's own."""
        paths = sorted(path for path in (self.root / folder).rglob("*") if path.is_file())
        return [
            path.relative_to(self.root).as_posix() for path in paths if ".sqlite3" not in path.name
        ]

    def sqlite(self, path: str = "priv/repo/dev.sqlite3") -> closing[sqlite3.Connection]:
        """Open the development database: `with project.sqlite() as db`; commits by itself."""
        return closing(sqlite3.connect(self.root / path, isolation_level=None))


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A real git repository, with nothing in it; `git.root` is its folder."""
    root = tmp_path / "work"
    root.mkdir()
    git = Git(root)
    git("init", "--quiet", "--initial-branch", "main")
    return git


@pytest.fixture
def repo(git: Git) -> Path:
    """The folder of a real git repository, with nothing in it."""
    return git.root


@pytest.fixture
def project(git: Git) -> Project:
    """A project without resources, committed."""
    project = Project(git.root, git, Ashflow(git.root))
    project.write("pyproject.toml", PYPROJECT)
    project.write(".gitignore", "__pycache__/\n/priv/repo/dev.sqlite3*\n")
    project.write("shop/__init__.py", "")
    project.resources("")
    git.commit("begin")
    return project


@pytest.fixture
def ashflow(project: Project) -> Ashflow:
    """The real command, run in the project's folder."""
    return project.ashflow


@pytest.fixture
def unmeasured() -> dict[str, str]:
    """An environment in which coverage does not look, nor write into what is cut off."""
    return {name: value for name, value in os.environ.items() if "COVERAGE" not in name}


@pytest.fixture
def python(unmeasured: dict[str, str]) -> Callable[[str], str]:
    """Run a program in a fresh Python, not measured, so that only its own imports are loaded."""

    def python(program: str) -> str:
        return subprocess.check_output([sys.executable, "-c", program], env=unmeasured, text=True)

    return python
