from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import click
import pytest
import yaml

from ashflow import __version__
from ashflow.adapters.sqlite.spell import type_text
from ashflow.change import operations
from ashflow.change.codec import decode_operation, encode_operation
from ashflow.change.operations import Operation
from ashflow.change.reverse import reverse
from ashflow.cli.group import ashflow as group
from ashflow.config import read_config
from ashflow.history.load import load
from ashflow.schema.datatypes import TYPES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    SimpleNamespace(language=match[1], text=match[2], line=README.count("\n", 0, match.start()) + 2)
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
]
ON_A_FRESH_MACHINE, *SHELL = [block for block in BLOCKS if block.language == "sh"]
PYTHON = [block for block in BLOCKS if block.language == "python"]
RESOURCES = [block for block in PYTHON if "(Resource, " in block.text]
MIGRATIONS = [block for block in PYTHON if "migration = Migration(" in block.text]
YAML = [block for block in BLOCKS if block.language == "yaml"]
MARK = "---- block at line "


def ids(blocks):
    return [f"line-{block.line}" for block in blocks]


@dataclass(frozen=True)
class Day:
    """What came of pasting every shell block into an empty folder, one after the other."""

    folder: Path
    env: dict[str, str]
    code: int
    printed: dict[int, str]


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    env = {**os.environ, "PATH": f"{commands(tmp_path_factory)}{os.pathsep}{os.environ['PATH']}"}
    del env["PYTHONDONTWRITEBYTECODE"]  # the reader has it not
    script = "\n".join(f"echo '{MARK}{block.line}'\n{block.text}" for block in SHELL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    parts = re.split(rf"^{MARK}(\d+)\n", done.stdout, flags=re.MULTILINE)
    printed = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    return Day(folder, env, done.returncode, printed)


def commands(tmp_path_factory):
    """A folder with `python` and `ashflow`: those of the environment that the tests run in."""
    folder = tmp_path_factory.mktemp("bin")
    for name, arguments in (("python", ""), ("ashflow", " -m ashflow")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        script.chmod(0o755)
    return folder


def outputs():
    """The blocks that show what the shell block before them prints."""
    pairs = itertools.pairwise(BLOCKS)
    return [(one, two) for one, two in pairs if (one.language, two.language) == ("sh", "text")]


def section(title):
    """The text below a heading, up to the next one."""
    return re.split(r"^#+ ", README.split(f"\n{title}\n", 1)[1], flags=re.MULTILINE)[0]


def rows(text):
    """The cells of the tables in a text, without their heads."""
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    heads = {i for i, row in enumerate(table) if set("".join(row)) <= {"-", "|", " "}}
    return [row for i, row in enumerate(table) if i not in heads and i + 1 not in heads]


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_shell_blocks_run_one_after_the_other(day):
    assert day.code == 0, "\n".join(f"line {line}:\n{text}" for line, text in day.printed.items())
    assert list(day.printed) == [block.line for block in SHELL]


@pytest.mark.parametrize(("block", "shown"), outputs(), ids=ids([one for one, _ in outputs()]))
def test_a_shell_block_prints_what_is_shown_below_it(day, block, shown):
    assert without_chance(day.printed[block.line], day.folder) == shown.text


def without_chance(text, folder):
    text = text.replace(os.path.realpath(folder), "FOLDER")
    text = re.sub(r"\d{14}", "VERSION", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    return re.sub(r"\(\d+ ms\)", "(N ms)", text)


def test_there_is_no_block_that_nobody_looks_at():
    assert {block.language for block in BLOCKS} == {"sh", "text", "python", "toml", "yaml", ""}
    shown = {two.line for _, two in outputs()}
    assert [
        block.line for block in BLOCKS if block.language == "text" and block.line not in shown
    ] == []


def test_the_two_commands_on_a_fresh_machine_are_those_of_ci():
    named = [line.split("#")[0].strip() for line in ON_A_FRESH_MACHINE.text.splitlines()]
    assert named == ["scripts/demo", "scripts/test"]
    assert all(os.access(ROOT / name, os.X_OK) for name in named)
    assert "/scripts/test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", PYTHON, ids=ids(PYTHON))
def test_a_python_block_compiles(block):
    compile(block.text, f"README.md:{block.line}", "exec", dont_inherit=True)


@pytest.mark.parametrize("block", RESOURCES, ids=ids(RESOURCES))
def test_the_resources_become_tables_and_go_again(project, block):
    project.resources(block.text)
    for arguments in (["codegen", "begin"], ["migrate"], ["codegen", "--check"], ["rollback"]):
        result = project.ashflow(*arguments)
        assert result.code == 0, result.err


@pytest.mark.parametrize("block", MIGRATIONS, ids=ids(MIGRATIONS))
def test_a_migration_loads_and_has_a_way_down(block):
    assert load(block.text, "README.md", shown="README.md").down


def test_the_tables_can_be_queried_with_sqlite3(day):
    (block,) = [block for block in PYTHON if "import sqlite3" in block.text]
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=day.folder, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("Spinner: Core\nWhirler: Core\n", "")


def test_the_configuration_is_one(tmp_path):
    (block,) = [block for block in BLOCKS if block.language == "toml"]
    (tmp_path / "pyproject.toml").write_text(block.text, encoding="utf-8")
    config = read_config(tmp_path, {"ASHFLOW_REPO_URL": "sqlite:///other.sqlite3"})
    assert config.domains == ("workshop.resources",)
    assert [(repo.name, repo.url) for repo in config.repos] == [("repo", "sqlite:///other.sqlite3")]


@pytest.mark.parametrize("name", group.list_commands(click.Context(group)))
def test_the_options_of_a_command_are_those_that_it_has(name):
    command = group.get_command(click.Context(group), name)
    said = {word for row in rows(commands_section(name)) for word in options(code(row[0]))}
    given = {word for param in command.params for word in param.opts if word.startswith("-")}
    assert said == given - {"--repo", "--json", "--quiet", "-q"}


def test_a_command_with_commands_of_its_own_names_those_it_has():
    command = group.get_command(click.Context(group), "hook")
    said = [code(row[0])[0] for row in rows(commands_section("hook"))]
    shown = {name: one for name, one in command.commands.items() if not one.hidden}
    assert said == [f"hook {name}" for name in shown]
    for one in shown.values():
        assert {word for param in one.params for word in param.opts} == {"--json", "--quiet", "-q"}


def test_every_problem_has_a_paragraph_and_no_other_has():
    source = (ROOT / "ashflow/plan/check.py").read_text(encoding="utf-8")
    codes = re.findall(r'\.problem\(\s*"([a-z-]+)"', source)
    said = re.findall(r"^- `([a-z-]+)`: ", section("### What should not be committed"), re.M)
    assert sorted(said) == sorted(set(codes))


def test_the_hook_of_pre_commit_is_one_that_this_repository_offers():
    (block,) = [block for block in YAML if "repos:" in block.text]
    (repo,) = yaml.safe_load(block.text)["repos"]
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in repo["hooks"]] == [hook["id"] for hook in offered]
    assert repo["rev"] == f"v{__version__}"


def test_the_line_of_ci_says_that_the_day_is_well(day, tmp_path):
    (block,) = [block for block in YAML if "jobs:" in block.text]
    checkout, *_, last = yaml.safe_load(block.text)["jobs"]["check"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}
    subprocess.run(["git", "clone", "--quiet", day.folder, "clone"], cwd=tmp_path, check=True)
    done = subprocess.run(
        last["run"], shell=True, cwd=tmp_path / "clone", env=day.env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def commands_section(name):
    name = {"generate-migrations": "codegen"}.get(name, name)
    title = re.search(rf"^### `ashflow {name}( NAME)?`$", README, re.MULTILINE)
    assert title, f"no section of {name}"
    return section(title[0])


def options(words):
    return [word.split()[0] for word in words if word.startswith("-")]


def test_the_options_that_all_commands_have_are_told_once():
    said = [word for row in rows(section("## Commands")) for word in options(code(row[0]))]
    assert said == ["--repo", "--json", "-q", "--quiet"]


TABLE = {code(row[0])[0]: row for row in rows(section("## Migrations")) if len(row) == 4}


def test_the_table_of_operations_has_a_row_for_each():
    assert list(TABLE) == [kind.__name__ for kind in get_args(Operation)]


@pytest.mark.parametrize("name", TABLE)
def test_a_row_of_the_operations_tells_the_arguments(name):
    kind = getattr(operations, name)
    before, _, behind = TABLE[name][1].partition("*")
    said = [
        (word, kw_only)
        for part, kw_only in ((before, False), (behind, True))
        for word in code(part)
    ]
    assert said == [(field.name, field.kw_only) for field in fields(kind)]


@pytest.mark.parametrize("name", TABLE)
def test_a_row_of_the_operations_tells_json_and_reverse(name):
    data = json.loads(code(TABLE[name][2])[0])
    operation = decode_operation(data)
    assert type(operation).__name__ == name
    assert encode_operation(operation) == data
    assert json.dumps(encode_operation(operation)) == code(TABLE[name][2])[0]
    assert [type(back).__name__ for back in reverse(operation)] == code(TABLE[name][3])


def test_the_table_of_types_names_all_of_them_as_sqlite_has_them():
    table = [row for row in rows(section("## Resources")) if len(row) == 3]
    assert [code(row[1])[0] for row in table] == list(TYPES)
    for _, type_, sqlite in table:
        assert sqlite.split()[0].strip(",;") == type_text(code(type_)[0], strict=False)


def test_the_architecture_names_every_room_and_no_other():
    rooms = {
        path.name + ("/" if path.is_dir() else "")
        for path in (ROOT / "ashflow").iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    said = set(re.findall(r"^[├└]── (\S+)", section("## Architecture"), re.MULTILINE))
    assert said == rooms - {"__pycache__/", "__init__.py", "__main__.py"}


def test_the_page_names_no_place_of_this_machine():
    assert not re.search(r"(?<![\w.])/(work|tmp|home|root|Users)/", README)
