from __future__ import annotations

import sys
import traceback

import pytest

from ashflow.errors import MigrationFileError
from ashflow.history.load import load
from ashflow.migration import Fill, Migration, Run

SHOWN = "priv/repo/migrations/20261123061000_x.py"
HEAD = "from ashflow.migration import *\n"
FULL = (
    f"{HEAD}\ndef up(db):\n    raise LookupError('in up')\n\nmigration = Migration([Run(up=up)])\n"
)


def read(text, path="/project/" + SHOWN):
    return load(text, path, shown=SHOWN)


def refusal(text):
    with pytest.raises(MigrationFileError) as caught:
        read(text)
    assert SHOWN in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value


def test_a_file_says_what_it_does():
    assert read(HEAD + "migration = Migration([Fill('a', 'b', '1')])") == Migration(
        [Fill("a", "b", "1")]
    )


def test_a_run_holds_the_function_itself_and_its_traceback_shows_the_line():
    [operation] = read(FULL).operations
    assert isinstance(operation, Run)
    with pytest.raises(LookupError) as caught:
        operation.up(None)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == ("/project/" + SHOWN, 4)
    assert last.line == "raise LookupError('in up')"


@pytest.mark.parametrize("text", ["", "\n\n", "  "])
def test_an_empty_file_is_refused(text):
    assert "is empty" in refusal(text).message


@pytest.mark.parametrize(
    ("text", "line"),
    [("x = (1,\n", "line 1"), ("\nclass\n", "line 2"), ("<<<<<<< HEAD\n", "line 1")],
)
def test_a_file_that_is_no_python_is_refused_with_its_line(text, line):
    error = refusal(text)
    assert f"{SHOWN}, {line}: this is no Python" in error.message
    assert isinstance(error.__cause__, SyntaxError)


def test_a_file_with_a_nul_is_refused():
    assert "no Python" in refusal("x = 1\0").message


def test_a_file_with_half_a_character_is_refused():
    assert "no Python" in refusal("x = '\ud800'").message


def test_an_exception_is_told_with_its_line_and_is_the_cause():
    error = refusal("\n\nraise KeyError('gone')\n")
    assert error.message == f"{SHOWN}, line 3: KeyError: 'gone'"
    assert isinstance(error.__cause__, KeyError)


def test_a_word_that_is_used_wrongly_is_told_with_its_line():
    error = refusal(HEAD + "migration = Migration([\n    AddColumn('a', Column('b', 'txt'))])\n")
    assert ", line 3: ValueError: column 'b': 'txt' is no column type" in error.message


def test_the_line_is_that_of_the_file_and_not_of_what_it_calls():
    error = refusal("import json\n\njson.loads('{')\n")
    assert f"{SHOWN}, line 3: JSONDecodeError" in error.message


def test_an_exit_is_no_exit_of_ours():
    error = refusal("import sys\nsys.exit(3)\n")
    assert f"{SHOWN}, line 2: it calls sys.exit()" in error.message
    assert isinstance(error.__cause__, SystemExit)


def test_an_interrupt_of_the_user_is_let_through():
    with pytest.raises(KeyboardInterrupt):
        read("raise KeyboardInterrupt")


@pytest.mark.parametrize("text", ["x = 1\n", "migration = None\n"])
def test_a_file_without_a_migration_is_refused(text):
    error = refusal(text)
    assert "has no `migration`" in error.message
    assert "migration = Migration(operations=[…])" in error.hint


def test_a_migration_that_is_none_is_refused():
    assert "has a `migration` that is none" in refusal("migration = ['CREATE TABLE a']").message


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("migration = Migration([Run(up=lambda db: None)])", "<lambda>"),
        ("from json import dumps\nmigration = Migration([Run(up=dumps)])", "dumps"),
        ("def f():\n  def up(db): ...\n  return up\nmigration = Migration([Run(up=f())])", "up"),
        ("def up(db): ...\nmigration = Migration([Run(up='up')])", "'up'"),
        ("def up(db): ...\nmigration = Migration([Run(up=up, down=print)])", "print"),
    ],
)
def test_a_function_that_is_not_at_the_top_level_of_the_file_is_refused(line, named):
    error = refusal(HEAD + line)
    assert f"Run calls {named}, which is no function at the top level" in error.message


def test_a_decorated_function_is_the_files_own():
    source = (
        "import functools\n"
        "def twice(f):\n"
        "    @functools.wraps(f)\n"
        "    def both(db):\n"
        "        f(db)\n"
        "        f(db)\n"
        "    return both\n"
        "@twice\n"
        "def up(db): ...\n"
        "migration = Migration([Run(up=up)])\n"
    )
    assert read(HEAD + source) == Migration([Run(up="up")])


def test_a_dataclass_in_a_file_works():
    source = (
        '"""Doc."""\nfrom __future__ import annotations\nfrom dataclasses import dataclass\n'
        f"{HEAD}@dataclass\nclass A:\n    b: int\nmigration = Migration()\n"
    )
    assert read(source) == Migration()


def test_two_files_do_not_see_each_other_and_nothing_is_left_behind(tmp_path):
    path = tmp_path / "1_x.py"
    path.write_text(HEAD + "there = 1\nmigration = Migration()\n")
    before = set(sys.modules)
    read(path.read_text(), str(path))
    assert set(sys.modules) == before
    assert list(tmp_path.iterdir()) == [path]
    assert "NameError" in refusal("there").message
