from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ashflow.adapters.connect import connect
from ashflow.adapters.protocol import Care
from ashflow.change.operations import AlterColumn
from ashflow.errors import AshflowError
from ashflow.schema.table import Column

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from matrix_cases import CASES, COMMON, KEPT, LOST, REFUSED, judge, look, make
from matrix_peers import PINNED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGE = AlterColumn(
    "t", old=Column("note", "text", nullable=True), new=Column("note", "text", nullable=False)
)
each_case = pytest.mark.parametrize("case", CASES, ids=[case.slug for case in CASES])


def by_ashflow(path, *, rebuild):
    """Change a database, and return what ashflow says where it does not."""
    database = connect(
        f"sqlite:///{path.name}", root=path.parent, lock_timeout=0.3, care=Care(rebuild=rebuild)
    )
    try:
        with database.locked() as session:
            session.run([CHANGE])
    except AshflowError as error:
        return str(error)
    finally:
        database.close()
    return None


def laid_bare(path):
    """Put an empty table in the place of `t`, and take views away."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
            db.execute(f"DROP VIEW {name}")
        db.execute("DROP TABLE t")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT NOT NULL)")


def copied_over(path):
    """Copy the rows into a table with the same columns, and let it take the place of `t`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        columns = db.execute("PRAGMA table_xinfo('t')").fetchall()
        body = ", ".join(
            f"{name} {type_}{' PRIMARY KEY' * bool(key)}{' NOT NULL' * (name == 'note')}"
            for _, name, type_, _, _, key, _ in columns
        )
        names = ", ".join(column[1] for column in columns)
        db.execute(f"CREATE TABLE beside ({body})")
        db.execute(f"INSERT INTO beside ({names}) SELECT {names} FROM t")
        db.execute("DROP TABLE t")
        db.execute("PRAGMA legacy_alter_table = ON")
        db.execute("ALTER TABLE beside RENAME TO t")


def answered(case, folder, change):
    """Make a case, change it, and return the answer with both looks."""
    path = folder / "t.db"
    make(case, path)
    before = look(case, path)
    error = change(path)
    after = look(case, path)
    return judge(before, after, error), before, after


@pytest.mark.parametrize("rebuild", [False, True], ids=["by-itself", "rebuild"])
@each_case
def test_ashflow_keeps_it_or_refuses(tmp_path, case, rebuild):
    answer, _, _ = answered(case, tmp_path, lambda path: by_ashflow(path, rebuild=rebuild))
    assert answer.word == (REFUSED if case.refused else KEPT), "\n".join(answer.detail)


@each_case
def test_its_own_probe_sees_that_the_table_is_another(tmp_path, case):
    answer, before, after = answered(case, tmp_path, laid_bare)
    assert answer.word == LOST
    assert before.answers[len(COMMON) :] != after.answers[len(COMMON) :]


OUTSIDE = {
    "values and their storage classes",
    "numbers in a column without a type",
    "the order of the columns",
    "rows that refer to it, ON DELETE CASCADE",
    "rows that refer to it, ON DELETE SET NULL",
    "rows that refer to it, ON DELETE SET DEFAULT",
    "rows that refer to it, ON DELETE RESTRICT",
    "a trigger of another table that writes into it",
    "an INSTEAD OF trigger of a view on it",
    "a view on it",
    "a view on a view on it",
    "a broken view that has nothing to do with it",
    "declared types",
}


def test_a_plain_copy_keeps_only_values_types_and_what_lies_outside_of_the_table(tmp_path):
    kept = set()
    for case in CASES:
        folder = tmp_path / case.slug
        folder.mkdir()
        answer, _, _ = answered(case, folder, copied_over)
        if answer.word == KEPT:
            kept.add(case.name)
    assert kept == OUTSIDE


@each_case
def test_a_change_that_is_not_made_is_not_kept(tmp_path, case):
    answer, _, _ = answered(case, tmp_path, lambda path: None)
    assert answer.word == LOST


def test_an_error_is_a_refusal_only_where_all_is_as_it_was(tmp_path):
    case = CASES[0]
    make(case, tmp_path / "t.db")
    before = look(case, tmp_path / "t.db")
    assert judge(before, before, "no").word == REFUSED
    for sql, word in (("CREATE TABLE beside (id)", "stuck"), ("DELETE FROM t", LOST)):
        with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as db:
            db.execute(sql)
        assert judge(before, look(case, tmp_path / "t.db"), "no").word == word


def test_no_two_cases_have_one_name():
    assert len({case.slug for case in CASES}) == len(CASES)


def shown():
    """The head and the rows of the table in the README."""
    text = README.split("<!-- matrix -->\n")[1].split("<!-- /matrix -->\n")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows, text


def test_the_readme_has_all_cases_and_no_other():
    _, rows, _ = shown()
    assert [row[0] for row in rows] == [case.name for case in CASES]


def test_the_readme_says_of_ashflow_what_the_run_says():
    head, rows, _ = shown()
    assert head[1:3] == ["ashflow", "ashflow --rebuild"]
    for case, (_, *words) in zip(CASES, rows, strict=True):
        assert words[:2] == [f"**{REFUSED}**" if case.refused else KEPT] * 2, case.name
        assert {word.strip("*") for word in words} <= {"kept", "refused", "stuck", "lost"}


def test_the_readme_names_the_versions_that_are_installed():
    text = " ".join(shown()[2].split())
    for pin in PINNED:
        assert pin.replace("==", " ") in text
    assert re.search(r"on SQLite \d+\.\d+\.\d+ and Python \d+\.\d+\.\d+\.$", text)


def matrix(*arguments):
    return subprocess.run(
        [sys.executable, "scripts/matrix", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_drives_ashflow_by_its_command():
    tools = ["--tool", "ashflow", "--tool", "ashflow --rebuild"]
    done = matrix(*tools, "--case", "a view on it", "--case", "triggers", "--verbose")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:] == [
        "| triggers | kept | kept |",
        "| a view on it | kept | kept |",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--write", "--tool", "ashflow"], "the README has all tools and all cases"),
        (["--tool", "nobody"], "there are: ashflow, ashflow --rebuild, Django"),
    ],
)
def test_what_it_cannot_do_is_told(arguments, said):
    done = matrix(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
