from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "scripts/bench", *arguments],
        cwd=ROOT,
        env={**os.environ, "BENCH_PEERS": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_is_measured_beside_its_floor():
    done = bench(
        "--venv",
        sys.prefix,
        "--runs",
        "1",
        "--sizes",
        "2,3",
        "--rows",
        "200",
        "--past",
        "12",
        "--small",
        "4",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for title in (
        "ashflow --version",
        "codegen --check, 1 resource",
        "codegen --check, 2 resources",
        "codegen --check, 3 resources",
        "check, 2 resources",
        "initial codegen, 2 resources",
        "one-column codegen, 2 resources",
        "migrate, 2 resources",
        "migrate, nothing to do, 2 resources",
        "regen -m, one untracked, 2 resources",
    ):
        floor, ashflow = lines[lines.index(title) + 1 :][:2]
        assert floor.startswith('  python -c "import click')
        assert ashflow.split()[0] == "ashflow"
    for title in ("codegen --check", "check", "initial codegen", "one-column codegen"):
        assert f"{title}, a further resource" in lines
    for title in ("migrate, 4 small migrations", "migrate, nothing to do, 4 applied"):
        floor, ashflow = lines[lines.index(title) + 1 :][:2]
        assert floor.startswith('  python -c "pass"')
        assert ashflow.split()[0] == "ashflow"
    past = lines[lines.index("regen -m, one untracked, 100 resources") + 1 :]
    assert [line[:45].strip() for line in past[:2]] == [
        "after 10 migrations",
        "after 12 migrations",
    ]
    large = lines[lines.index("a column of 200 rows becomes NOT NULL") + 1 :]
    names = ["by hand", "ashflow", "ashflow --rebuild", "... --no-verify"]
    assert [line[:45].strip() for line in large[:4]] == names
    assert [line.split()[0] for line in large[4:6]] == ["memory", "memory"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--peers"], "there is no harness of peers in /nowhere"),
        (["--runs", "some"], "invalid int value: 'some'"),
    ],
)
def test_what_it_cannot_measure_is_told(arguments, said):
    done = bench("--venv", sys.prefix, *arguments)
    assert done.returncode != 0
    assert said in done.stderr
