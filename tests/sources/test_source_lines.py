from __future__ import annotations

import sys
import textwrap

import pytest

from ashflow.sources.places import place_of
from ashflow.sources.source_lines import _parsed, line_of

SOURCE = '''\
class Plain(Resource, table="plain"):
    id: int
    title: str = "x"

    team = belongs_to("Team")


class Told(Resource, table="told"):
    """A table.

    title: said in a text, too.
    """

    title: str


@decorated
class Spread(
    Resource,
    table="spread",
):
    table: str
    body = """
not indented: at all
"""
    late: int


class Outer:
    class Inner(Resource, table="inner"):
        if True:
            maybe: int
        name: str
        def name_of(self): ...

    name: str


class Plain(Resource, table="again"):
    other: int
    other: str
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "resources.py"
    path.write_text(textwrap.dedent(SOURCE))
    return str(path)


@pytest.mark.parametrize(
    ("qualname", "near", "member", "line"),
    [
        ("Plain", 1, "id", "    id: int"),
        ("Plain", 1, "title", '    title: str = "x"'),
        ("Plain", 1, "team", '    team = belongs_to("Team")'),
        ("Told", 8, "title", "    title: str"),
        ("Spread", 18, "table", "    table: str"),
        ("Spread", 18, "late", "    late: int"),
        ("Outer.Inner", 29, "name", "        name: str"),
        ("Outer", 28, "name", "    name: str"),
        ("Plain", 38, "other", "    other: str"),
    ],
)
def test_a_member_is_found_on_its_line(file, qualname, near, member, line):
    found = line_of(file, qualname, member, near=near)
    assert SOURCE.split("\n")[found - 1] == line
    assert found == _parsed(file, qualname, near)[member], "as a parser has it"


def test_what_the_source_does_not_say_is_at_the_class(file):
    assert line_of(file, "Plain", "nowhere", near=1) == 1
    assert line_of(file, "Gone", "id", near=7) == 7
    assert line_of("nowhere.py", "Plain", "id", near=3) == 3


def test_a_call_is_found_on_its_line_as_a_frame_has_it():
    def here(found):
        frame = sys._getframe(1)
        found.append(((frame.f_code, frame.f_lasti), frame.f_lineno))

    found = []
    body = "".join(f"class C{i}:\n    a = here(\n\n        found\n    )\n" for i in range(300))
    exec(compile(f"if found is None: pass\n{body}\nhere(found)", "some.py", "exec"), locals())
    assert len(found) == 301
    assert [place_of(call) for call, _ in found] == [("some.py", line) for _, line in found]
