"""What a migration's file is made of: its operations as they stand, and what each one needs."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
import strategies as some
from hypothesis import given, settings
from hypothesis import strategies as st

from ashflow.history.imports import Import, import_block
from ashflow.history.load import load
from ashflow.history.names import bound, used
from ashflow.history.render import Carried, render
from ashflow.history.source import joined, read_source
from ashflow.migration import Migration

FILE = '''\
"""A migration."""

from __future__ import annotations

import json, os.path
from datetime import date, datetime as moment  # noqa: DTZ

from ashflow.migration import *
from ashflow.migration import Execute as Sql

# how many
SIZE = 3
NAMES: dict[str, int] = {}
NAMES["a"] = SIZE

# far away

# said by the boss
@staticmethod
def up(db: "Database") -> None:
    """Two
  lines, one of them ü."""
    db.execute(json.dumps(NAMES))
    # and that was it


def down(db: Database) -> None:
    up(db)
    nobody(lambda size: moment.now())


def alone() -> date: ...


print(os.path.sep)
migration = Migration(
    operations=[  # all of it
        AddColumn("ü", Column("color", "text", nullable=True)),  # it was red
        # above
        # it
        Sql(up="""a
  b
        c""",
            # within
            down=[]),  # behind

        (Run(
            up=up, down=down))
        # under it
        , Fill("a", "b", "c"), Execute(up=f"""
{SIZE}
 x""", down=[])  # same line
        # at the end
    ],
)
'''


@pytest.fixture(scope="module")
def source():
    """The file above, taken apart."""
    return read_source(FILE)


def test_an_operation_has_the_comments_above_and_behind_it(source):
    first, sql, run, fill, execute = source.operations
    assert first.comments == ("# all of it",)
    assert first.passage.lines[0].endswith("nullable=True)),  # it was red")
    assert sql.comments == ("# above", "# it")
    assert sql.passage.lines[-1] == "    down=[]),  # behind"
    assert run.passage.lines == ("(Run(", "    up=up, down=down)),", "# under it")
    assert fill.passage.lines == ('Fill("a", "b", "c"),',)
    assert execute.passage.lines[-2:] == (' x""", down=[]),  # same line', "# at the end")


def test_an_indent_does_not_change_a_text_of_several_lines(source):
    sql = source.operations[1].passage
    assert sql.indented("  ") == [
        '  Sql(up="""a',
        "  b",
        '        c""",',
        "      # within",
        "      down=[]),  # behind",
    ]
    assert sql.below(["# new"]).indented("    ")[:3] == ["    # new", '    Sql(up="""a', "  b"]


def test_a_text_with_values_in_it_is_a_text(source):
    passage = source.operations[4].passage
    assert passage.indented("    ")[:3] == [
        '    Execute(up=f"""',
        "{SIZE}",
        ' x""", down=[]),  # same line',
    ]


def test_definitions_come_with_all_that_they_need_and_the_comments_above(source):
    needed = source.needed([2])
    text = joined(needed.definitions)
    assert text.startswith(
        '# how many\nSIZE = 3\nNAMES: dict[str, int] = {}\nNAMES["a"] = SIZE\n\n\n# said'
    )
    assert '  lines, one of them ü."""\n' in text
    assert "    # and that was it\n\n\ndef down" in text
    assert "far away" not in text
    assert "alone" not in text
    assert "print" not in text
    assert set(needed.imports) == {
        Import("__future__", "annotations"),
        Import("json"),
        Import("datetime", "datetime", "moment", "# noqa: DTZ"),
        Import("ashflow.migration", "Run"),
        Import("ashflow.migration", "Database"),
    }


def test_what_needs_no_definition_brings_only_its_words(source):
    assert source.needed([1]).imports == (Import("ashflow.migration", "Execute", "Sql"),)
    assert source.needed([1]).definitions == ()
    assert source.needed([]) == ((), ())
    assert [one.binds for one in source.needed([4]).definitions] == [{"SIZE"}]


NO_LIST = {
    "a name": "found = []\nmigration = Migration(operations=found)\n",
    "a comprehension": "migration = Migration(operations=[x for x in ()])\n",
    "a star": "migration = Migration(operations=[*()])\n",
    "a sum": "migration = Migration(operations=[] + [])\n",
    "nothing": "migration = Migration()\n",
    "two targets": "migration = other = Migration(operations=[])\n",
    "two migrations": "migration = Migration([])\nmigration = Migration([])\n",
    "added to": "migration = Migration([])\nmigration += 1\n",
    "a branch": "if True:\n    migration = Migration([])\n",
    "no call": "migration = [[]]\n",
    "a line with others": "X = 1; migration = Migration([])\n",
}


@pytest.mark.parametrize("kind", NO_LIST)
def test_what_is_no_plain_list_is_not_taken_apart(kind):
    assert read_source(NO_LIST[kind]) is None


@pytest.mark.parametrize(
    "said", ["migration = Migration(operations=[{}])", "migration: Migration = Migration([{}])"]
)
def test_a_plain_list_may_be_written_in_several_ways(said):
    found = read_source(said.format('Execute(up="x", down=[])') + "\n")
    assert [one.passage.lines for one in found.operations] == [('Execute(up="x", down=[]),',)]
    assert read_source(said.format("") + "\n").operations == ()


def test_a_condition_that_imports_stands_first():
    found = read_source(
        "from typing import TYPE_CHECKING\n\nX = 1\nY = 2; Z = 3\n\nif TYPE_CHECKING:\n"
        "    from ashflow.migration import Database\n\n\n"
        'def up(db: "Database") -> None:\n    X + Z\n\n\nmigration = Migration([Run(up=up)])\n'
    )
    needed = found.needed([0])
    assert joined(needed.definitions).startswith(
        "if TYPE_CHECKING:\n    from ashflow.migration import Database\n\nX = 1\nY = 2; Z = 3\n\n\n"
    )
    assert needed.imports == (Import("typing", "TYPE_CHECKING"),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a, (b, *c) = 1", "abc"),
        ("def f(): g = 1", "f"),
        ("class A:\n    b = 1", "A"),
        ("import a.b, c as d", "ad"),
        ("from a import b, c as d", "bd"),
        ("a['b'] = c.d[0].e = f().g = 1", "ac"),
        ("try:\n    import a\nexcept E as e:\n    b = 1", "abe"),
        ("for a in [b for b in c]: pass", "a"),
        ("a = lambda: (b := 1)", "a"),
        ("del a", "a"),
        ("match x:\n    case [a, *b] | {'k': a, **b}: pass", "ab"),
    ],
)
def test_the_names_that_a_statement_binds(text, names):
    assert bound(ast.parse(text).body[0]) == set(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(a: 'B') -> 'C | D': e.g", "BCDe"),
        ("a: 'B' = c", "Bac"),
        ("a: 'no type at all' = 1", "a"),
    ],
)
def test_the_names_that_a_statement_mentions(text, names):
    assert used(ast.parse(text).body[0]) == set(names)


@given(some.migrations(), st.lists(st.integers(0, 9)))
@settings(deadline=None)
def test_what_was_written_can_be_taken_apart_and_carried_over(migration, chosen):
    runs = {name for op in migration.operations for name in getattr(op, "names", ()) if name}
    made = [f"def {name}(db: Database) -> None:\n    pass" for name in sorted(runs)]
    found = read_source(render(migration, title="T.", source="\n\n\n".join(made)))
    assert len(found.operations) == len(migration.operations)
    places = [place for place in chosen if place < len(migration.operations)]
    needed = found.needed(places)
    carried = Carried(
        tuple(found.operations[place].passage for place in places),
        (),
        joined(needed.definitions),
        needed.imports,
    )
    again = load(render(Migration(), title="T.", carried=carried), "/nowhere/1.py", shown="1.py")
    assert again == Migration([migration.operations[place] for place in places])


LAYOUTS = {
    "all on one line": 'migration = Migration([Execute(up="ü", down=[]), Execute(up="b")])  # c',
    "tabs": (
        'migration = Migration(\n\toperations=[\n\t\tExecute(\n\t\t\tup="a\\\nb",\n\t\t\tdown=[]\n'
        "\t\t),\n\t]\n)"
    ),
    "comments in between": (
        'migration = Migration(operations=[\n  Execute(up="a"\n   "b" # x\n   , down=[]) # y\n'
        '   , # z\n   Execute(up="""\n\n""", down=[\n  ]),\n ]\n# after\n)'
    ),
    "commas within": (
        'migration = Migration([\nExecute(up=(lambda a, b: a)("x", 1), down=[]),\n'
        'Execute(up={"a, b": "[)"}["a, b"]) if True else Execute(up="1")])'
    ),
    "only comments": "migration = Migration(operations=[\n    # only\n    # comments\n])",
    "what works on a name": (
        'def f(db): pass\nf.x = "1"\nclass C:\n    y = f.x\nfor i in "ab":\n    f.x += i\n'
        "migration = Migration([Run(up=f), Execute(up=C.y)])"
    ),
    "a condition": (
        "try:\n    import nowhere as n\nexcept ImportError:\n    n = None\n"
        "migration = Migration([Execute(up=str(n))])"
    ),
    "imports on one line": (
        "import json as j; import os\nmigration = Migration([Execute(up=j.dumps(os.sep))])"
    ),
    "what calls one another": (
        'def a(): return b()\ndef b(): return "1"\nX = Y = a()\n(z := X)\n'
        "migration = Migration([Execute(up=z + Y)])"
    ),
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_however_it_is_laid_out_it_says_the_same_where_it_is_carried(kind):
    text = f"from ashflow.migration import *\n{LAYOUTS[kind]}\n"
    migration = load(text, "/nowhere/1.py", shown="1.py")
    found = read_source(text)
    needed = found.needed(range(len(migration.operations)))
    passages = tuple(one.passage.below(one.comments) for one in found.operations)
    carried = Carried(passages, (), joined(needed.definitions), needed.imports)
    again = render(Migration(), title="T.", carried=carried)
    assert load(again, "/nowhere/2.py", shown="2.py") == migration
    assert [one.passage for one in read_source(again).operations] == [
        one.passage for one in found.operations
    ]


IMPORTS = [
    Import("__future__", "annotations"),
    Import("os"),
    Import("os.path"),
    Import("json", "", "j"),
    Import("json", "loads", "ld"),
    Import("typing", "TYPE_CHECKING"),
    Import("typing", "cast"),
    Import("typing", "Any"),
    Import("collections.abc", "Iterable", "", "# why"),
    Import("ashflow.migration", "Execute"),
    Import("ashflow.migration", "Execute", "E"),
    Import("ashflow.migration", "utc_now"),
    Import("ashflow", "migration", "words"),
    Import("numpy", "", "np"),
    Import("numpy", "_x"),
    Import("numpy", "ARR"),
    Import("numpy", "Arr"),
    Import("Zlib", "q"),
    *(Import("long", f"a_name_of_some_length_{n}", "", "# long") for n in range(6)),
]


def test_imports_stand_as_ruff_sorts_them(tmp_path):
    for skipped in range(len(IMPORTS)):
        chosen = [one for place, one in enumerate(IMPORTS) if place % (skipped + 1) == 0]
        (tmp_path / f"m{skipped}.py").write_text(f"{import_block(chosen[::-1])}\n")
    for tool in (["check", "--select", "I"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *tool, "--isolated", "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout
