"""The group of commands: help, version, what it does not know, and errors of all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ashflow import __version__
from ashflow.cli.group import ashflow as group

COMMANDS = list(group.list_commands(None))
ON_PROJECTS = [command for command in COMMANDS if command != "hook"]


def test_the_version_is_that_of_the_package(ashflow, tmp_path):
    result = ashflow("--version", cwd=tmp_path)
    assert (result.code, result.out, result.err) == (0, f"ashflow {__version__}\n", "")


def test_help_lists_every_command_and_shows_a_day(ashflow, tmp_path):
    result = ashflow("--help", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: ashflow [OPTIONS] COMMAND [ARGS]...\n")
    listed = re.findall(r"^  ([a-z-]+)  +\S", result.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == COMMANDS
    assert re.search(r"^ +ashflow migrate +run it$", result.out, re.MULTILINE)
    assert ashflow("-h", cwd=tmp_path).out == result.out


def test_without_a_command_help_is_the_answer_and_usage_the_exit_code(ashflow, tmp_path):
    result = ashflow(cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert result.err == ashflow("--help", cwd=tmp_path).out


@pytest.mark.parametrize("command", ON_PROJECTS)
def test_every_command_has_help_with_an_example_and_the_options_of_all(ashflow, tmp_path, command):
    result = ashflow(command, "--help", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: ashflow {command} ")
    assert "Example: ashflow " in result.out
    for option in ("--repo NAME", "--json", "--quiet", "--help"):
        assert option in result.out, option


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_the_commands_about_hooks_have_help_with_an_example(ashflow, tmp_path, command):
    assert f"  {command} " in ashflow("hook", "--help", cwd=tmp_path).out
    result = ashflow("hook", command, "--help", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert f"Example: ashflow hook {command}" in result.out
    for option in ("--json", "--quiet", "--help"):
        assert option in result.out, option


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "there is no command 'nonsense'; there are: init, codegen"),
        (["--nonsense"], "--nonsense"),
        (["codegen", "--nonsense"], "--nonsense"),
        (["codegen", "a", "b"], "b"),
        (["init", "extra"], "extra"),
        (["migrate", "--step", "none"], "none"),
        (["migrate", "--step", "0"], "0"),
        ([""], "''"),
    ],
)
def test_what_is_not_understood_is_exit_2_in_words_and_in_json(ashflow, project, arguments, said):
    result = ashflow(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert said in result.err
    assert "--help shows what there is." in result.err
    told = ashflow(*arguments, "--json")
    assert (told.code, told.err) == (2, "")
    error = told.json()["error"]
    assert list(error) == ["code", "message", "hint"]
    assert error["code"] == "usage"
    assert said in error["message"]


def test_an_option_without_its_value_is_told_where_help_is(ashflow, project):
    result = ashflow("codegen", "--rename")
    assert (result.code, result.out) == (2, "")
    assert "--rename" in result.err
    assert "hint: ashflow --help shows what there is." in result.err


def test_json_of_the_group_itself_is_json_too(ashflow, project):
    result = ashflow("--json", "codegen")
    assert result.code == 2
    assert result.json()["error"]["code"] == "usage"


@pytest.mark.parametrize("command", [c for c in ON_PROJECTS if c != "init"])
def test_outside_a_project_every_command_says_init(ashflow, tmp_path, command):
    arguments = [command, "name"] if command in {"codegen", "regen"} else [command]
    arguments += ["--name", "x"] if command == "generate-migrations" else []
    result = ashflow(*arguments, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "ashflow init" in result.err
    told = ashflow(*arguments, "--json", cwd=tmp_path)
    assert told.json()["error"]["code"] == "configuration"


def test_in_a_folder_that_was_removed_it_says_so(tmp_path):
    for arguments in ("codegen --check", "init", "status", "init --json"):
        gone = tmp_path / "gone"
        gone.mkdir()
        script = f'cd "{gone}" && rmdir "{gone}" && exec {sys.executable} -m ashflow {arguments}'
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "the current folder is not there any more" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_the_script_and_the_module_are_the_same_command(ashflow, project):
    script = Path(sys.executable).with_name("ashflow")
    assert script.exists(), "the tests are for an installed ashflow; scripts/test installs it"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == ashflow("--version").out
    done = subprocess.run([script, "nope"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, ashflow("nope").err)


def test_the_output_is_utf8_safe_in_any_locale(project, ashflow):
    project.resources(
        'from ashflow import Resource\n\nclass Post(Resource, table="größe"):\n    語: str\n'
    )
    for env in ({"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"LANG": "C.UTF-8"}):
        result = ashflow("codegen", "--dry-run", env=env)
        assert result.code == 0, result.err
        assert ashflow("codegen", "--check", "--json", env=env).code == 1


def test_json_is_one_object_and_the_only_thing_on_stdout(project, ashflow):
    project.resources(
        'from ashflow import Resource\n\nclass Post(Resource, table="posts"):\n    title: str\n'
    )
    for arguments in (
        ["codegen", "--check"],
        ["codegen", "add_posts", "--dry-run"],
        ["codegen", "add_posts"],
        ["generate-migrations", "--check"],
        ["init"],
        ["codegen"],
        ["codegen", "add_posts"],
    ):
        out = ashflow(*arguments, "--json").out
        value, end = json.JSONDecoder().raw_decode(out)
        assert isinstance(value, dict)
        assert out[end:] == "\n"
        assert "\x1b" not in out
