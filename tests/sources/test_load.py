from __future__ import annotations

import sys

import pytest

from ashflow.errors import ResourceError, ResourceImportError
from ashflow.sources.load import load_declared
from ashflow.traceback import user_traceback

THING = """
from ashflow import Domain, Resource
class Thing(Resource, table="things"):
    name: str
"""


def test_a_module_with_domains_gives_these_and_nothing_else(shop):
    shop.write("shop.py", THING + "class Loose(Thing, table='loose'): pass\nd = Domain(Thing)\n")
    assert list(shop.load()["repo"].schema) == ["things"]


def test_a_module_without_domains_gives_its_concrete_resources(shop):
    shop.write("shop.py", THING + "class Base(Resource, abstract=True):\n    x: int\n")
    shop.write("other.py", "from shop import *\nAgain = Thing\n")
    assert list(shop.load("other")["repo"].schema) == ["things"]


@pytest.mark.parametrize("entry", ["shop:d", "shop:many", "shop:mixed", "shop:Box.inner", "shop:s"])
def test_an_entry_may_name_an_object(shop, entry):
    shop.write(
        "shop.py",
        THING
        + "d = Domain(Thing)\nmany = [Thing]\nmixed = (d, Thing)\ns = {Thing}\n"
        + "class Box:\n    inner = Domain(Thing)\n",
    )
    assert list(shop.load(entry)["repo"].schema) == ["things"]


def test_what_two_entries_name_is_there_once(shop):
    shop.write(
        "shop.py",
        THING
        + "from ashflow import statement\n"
        + "d = Domain(Thing, statements=[statement('CREATE VIEW v AS SELECT 1', 'DROP VIEW v')])\n",
    )
    declared = shop.load("shop", "shop:d", "shop:d")["repo"]
    assert list(declared.schema) == ["things", "@domain"]


def test_no_domains_give_an_empty_schema_for_every_repo(shop):
    declared = load_declared([], pythonpath=[], root=shop.root, repos=["a", "b"])
    assert [(name, dict(d.schema)) for name, d in declared.items()] == [("a", {}), ("b", {})]


def test_the_pythonpath_goes_first_in_order_and_once(shop):
    shop.write("a/shop.py", THING.replace("things", "from_a"))
    shop.write("b/shop.py", THING.replace("things", "from_b"))
    folders = [shop.root / "b", shop.root / "a"]
    sys.path.append(str(shop.root / "b"))
    for _ in range(2):
        declared = load_declared(["shop"], pythonpath=folders, root=shop.root, repos=["repo"])
    assert list(declared["repo"].schema) == ["from_b"]
    assert sys.path[:2] == [str(folder) for folder in folders]
    assert sys.path.count(str(shop.root / "b")) == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("shop:nothing", "shop has no nothing"),
        ("shop:number", "holds 3: no Domain and no resource"),
        ("shop:numbers", "holds 3: no Domain and no resource"),
        ("shop:text", "holds 'x': no Domain and no resource"),
        ("shop:Resource", "no Domain and no resource"),
    ],
)
def test_an_entry_that_names_something_else_is_an_error(shop, entry, said):
    shop.write("shop.py", THING + "number = 3\nnumbers = [3]\ntext = 'x'\n")
    with pytest.raises(ResourceError) as e:
        shop.load(entry)
    assert entry in e.value.message
    assert said in e.value.message


def test_a_missing_module_is_an_error_that_points_at_the_configuration(shop):
    with pytest.raises(ResourceImportError, match=r"domains names 'nowhere\.at\.all'") as e:
        shop.load("nowhere.at.all")
    assert "pythonpath" in e.value.hint
    assert isinstance(e.value.__cause__, ModuleNotFoundError)


def test_a_missing_import_of_the_user_is_told_apart(shop):
    shop.write("shop.py", "import no_such_library\n")
    with pytest.raises(ResourceImportError, match="No module named 'no_such_library'") as e:
        shop.load()
    assert e.value.hint.startswith("Install no_such_library")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "sys.exit(3)"),
        ("raise Exception\n", "Exception"),
        ("x = '\\xff\n", "SyntaxError"),
    ],
)
def test_whatever_a_module_raises_is_the_cause_of_one_error(shop, body, said):
    shop.write("shop.py", body)
    with pytest.raises(ResourceImportError) as e:
        shop.load()
    assert e.value.exit_code == 2
    assert said in e.value.message
    assert "shop" in user_traceback(e.value)


def test_the_traceback_begins_with_the_users_frame(shop):
    shop.write("inner.py", "def fail():\n    raise KeyError('x')\n")
    shop.write(
        "shop.py",
        """
        from inner import fail
        try:
            fail()
        except KeyError as error:
            raise ValueError("no x") from error
        """,
    )
    with pytest.raises(ResourceImportError) as e:
        shop.load()
    told = user_traceback(e.value)
    assert "importlib" not in told
    assert "ashflow/sources" not in told
    assert [line.strip().split(", ")[1] for line in told.splitlines() if "File" in line] == [
        "line 4",
        "line 2",
        "line 6",
    ]
    assert told.endswith("ValueError: no x\n")


def test_an_error_without_a_cause_has_no_traceback():
    assert user_traceback(ResourceImportError("x")) == ""


def test_what_a_module_prints_does_not_spoil_stdout(shop, capsys):
    shop.write("shop.py", THING + "print('hello')\n")
    shop.load()
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hello\n")


def test_errors_outside_of_the_root_name_the_whole_path(shop, tmp_path_factory):
    shop.write("shop.py", THING.replace("str", "object"))
    root = tmp_path_factory.mktemp("elsewhere")
    with pytest.raises(ResourceError) as e:
        load_declared(["shop"], pythonpath=[shop.root], root=root, repos=["repo"])
    assert f"({shop.root}/shop.py:4)" in e.value.message


def test_loading_needs_nothing_heavy(python):
    code = (
        "import sys; from ashflow.sources.load import load_declared; from pathlib import Path\n"
        "load_declared(['ashflow.sample.resources'], pythonpath=[], root=Path('.'), repos=['r'])\n"
        "print([m for m in ('sqlite3', 'click', 'rich', 'git', 'subprocess')"
        " if m in sys.modules])"
    )
    assert python(code) == "[]\n"


def test_an_abstract_resource_in_a_domain_is_an_error(shop):
    shop.write("shop.py", THING + "class A(Resource, abstract=True):\n    x: int\nd = Domain(A)\n")
    with pytest.raises(ResourceError, match=r"A \(shop\.py:5\): is abstract, so it has no table"):
        shop.load()
