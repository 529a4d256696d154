"""The projects of ashflow that `scripts/bench` measures, one as the other but for their size."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = """\
from datetime import datetime
from decimal import Decimal

from ashflow import Resource, attribute, belongs_to, identity, index, integer_primary_key
"""
RESOURCE = """\


class T{i:04d}(Resource, table="t{i:04d}"):
    id: int = integer_primary_key()
    name: str = attribute(max_length=100)
    email: str | None = attribute(max_length=254)
    age: int
    score: float | None
    active: bool
    created: datetime | None
    notes: str | None
    amount: Decimal | None = attribute(precision=10, scale=2)
{more}    unique_name = identity("name", "age", name="uq_t{i:04d}")
    by_created = index("created", name="ix_t{i:04d}")
"""
SMALL_CREATE = """\
from ashflow.migration import Column, CreateTable, Migration

migration = Migration(
    operations=[
        CreateTable(
            "{table}",
            columns=[
                Column("id", "integer", primary_key=True, autoincrement=True),
                Column("a", "integer"),
                Column("b", "text", nullable=True),
            ],
        ),
    ],
)
"""
SMALL_ADD = """\
from ashflow.migration import AddColumn, Column, Migration

migration = Migration(
    operations=[
        AddColumn("{table}", Column("c", "text", nullable=True)),
    ],
)
"""
FIRST = 20260101000000
"""The version of the first small migration."""
OF_A_PAST = 100
"""The number of resources in a project with a long past."""

PYPROJECT = """\
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///db.sqlite3"
"""


def resources(count: int, *, changed: bool = False) -> str:
    """Return the module that declares so many tables; a changed one has a column more."""
    parts = [HEAD]
    for i in range(count):
        more = f"    parent = belongs_to(T{i - 1:04d}, nullable=True)\n" if i else ""
        more += "    extra1: str | None\n" if changed and i == count // 2 else ""
        parts.append(RESOURCE.format(i=i, more=more))
    return "".join(parts)


class Ashflow:
    """The tool itself, in the words that the harness of the peers has for all tools.

    Args:
        program: How it is called.
        work: A folder for its projects.
        env: The environment that it runs in.
    """

    name = "ashflow"

    def __init__(self, program: Sequence[str], work: Path, env: Mapping[str, str]) -> None:
        self.program = program
        self.work = work
        self.env = env
        self.check = [*program, "codegen", "--check"]
        self.judge = [*program, "check"]
        self.migrate = [*program, "migrate"]

    def generate(self, name: str) -> list[str]:
        """Return the command that writes a migration."""
        return [*self.program, "codegen", name]

    def regen(self, name: str) -> list[str]:
        """Return the command that writes the untracked one anew, under another name."""
        return [*self.program, "regen", name, "-m", "--yes"]

    def stages(self, count: int) -> dict[str, Path]:
        """Make a project of so many tables once, and return its states.

        `new`: before the first migration; `initial`: it is written; `applied`: and applied, and
        committed; `changed`: then a resource got a column; `git`: that is migrated too, in a
        migration which git does not track.
        """
        base = self.work / f"ashflow-{count}"
        stages = {name: base / name for name in ("new", "initial", "applied", "changed", "git")}
        if base.exists():
            return stages
        put(stages["new"] / "pyproject.toml", PYPROJECT)
        put(stages["new"] / ".gitignore", "__pycache__/\ndb.sqlite3*\n")
        put(stages["new"] / "shop/__init__.py", "")
        put(stages["new"] / "shop/resources.py", resources(count))
        self._run(stages["new"], [*self.program, "codegen", "--dry-run"])  # warms the byte code
        for before, after, words in (
            ("new", "initial", self.generate("initial")),
            ("initial", "applied", self.migrate),
        ):
            shutil.copytree(stages[before], stages[after])
            self._run(stages[after], words)
        for words in (
            ["git", "init", "--quiet"],
            ["git", "add", "--all"],
            ["git", "commit", "--quiet", "--message", "base"],
        ):
            self._run(stages["applied"], words)
        for before, after in (("applied", "changed"), ("changed", "git")):
            shutil.copytree(stages[before], stages[after])
            put(stages[after] / "shop/resources.py", resources(count, changed=True))
        for words in (["git", "commit", "-qam", "more"], self.generate("second"), self.migrate):
            self._run(stages["git"], words)
        return stages

    def with_past(self, python: str, count: int, files: int) -> Path:
        """Make a project with many tracked and applied migrations, and one that is untracked.

        Args:
            python: A Python that has ashflow.
            count: How many are tracked.
            files: How many other files lie beside them.
        """
        folder = self.work / f"past-{count}"
        shutil.copytree(self.stages(OF_A_PAST)["applied"], folder, symlinks=True)
        script = Path(__file__).resolve().parent / "bench_history.py"
        for words in (
            ["git", "config", "gc.auto", "0"],
            [python, str(script), str(folder), str(count), str(files)],
            ["git", "add", "--all"],
            ["git", "commit", "--quiet", "--message", "past"],
        ):
            self._run(folder, words)
        put(folder / "shop/resources.py", resources(OF_A_PAST, changed=True))
        for words in (["git", "commit", "-qam", "more"], self.generate("second"), self.migrate):
            self._run(folder, words)
        return folder

    @staticmethod
    def small(tool: Ashflow, count: int, applied: bool) -> Path:
        """Make a project of many small migrations, and return it before or after a migrate."""
        base = tool.work / f"ashflow-small-{count}"
        if not base.exists():
            put(base / "new/pyproject.toml", PYPROJECT)
            put(base / "new/shop/__init__.py", "")
            for i in range(count):
                text = SMALL_ADD if i % 2 else SMALL_CREATE
                path = f"new/priv/repo/migrations/{FIRST + i}_step_{i}.py"
                put(base / path, text.format(table=f"m{i // 2:04d}"))
            shutil.copytree(base / "new", base / "applied")
            tool._run(base / "applied", tool.migrate)
        return base / ("applied" if applied else "new")

    def _run(self, folder: Path, words: Sequence[str]) -> None:
        run(words, folder, self.env)


def put(path: Path, text: str) -> None:
    """Write a file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Time(NamedTuple):
    """What one run took: milliseconds, and the most memory that it had, in megabytes."""

    wall: float
    cpu: float
    peak: float


def run(words: Sequence[str], folder: Path, env: Mapping[str, str]) -> Time:
    """Run a program to its end, and return what it took; one that fails ends the benchmark."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise SystemExit(f"bench: {' '.join(words)} in {folder} failed\n{text[-2000:]}")
    cpu = used.ru_utime + used.ru_stime
    return Time(wall * 1000, cpu * 1000, used.ru_maxrss / 1024)
