"""Modules as the index has them, beside those that are on disk."""

from __future__ import annotations

import importlib
import importlib.resources
import pkgutil
import py_compile
import sys
import traceback

import pytest

from ashflow.sources.staged import imports_from


@pytest.fixture
def shelf(tmp_path):
    """A folder on the path, in which every test has packages of its own."""
    before, path = set(sys.modules), list(sys.path)
    root = tmp_path.resolve()
    sys.path.insert(0, str(root))
    yield Shelf(root)
    sys.path[:] = path
    sys.path_importer_cache.clear()
    for name in sys.modules.keys() - before:
        if name.partition(".")[0] in {"pack", "alone", "other"}:
            del sys.modules[name]


class Shelf:
    """Files on disk, and texts that only the index has."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        self.hidden = set()

    def disk(self, **files):
        for path, text in self._paths(files):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def staged(self, **files):
        self.texts |= {p: lambda text=text: text.encode() for p, text in self._paths(files)}

    def hide(self, *names):
        self.hidden |= {path for path, _ in self._paths(dict.fromkeys(names))}

    def _paths(self, files):
        return [(self.root / f"{name.replace('__', '/')}.py", text) for name, text in files.items()]

    def open(self):
        return imports_from(self.texts, frozenset(self.hidden))


INIT = "pack____init__"  # pack/__init__.py


def init(shelf, kind, text=""):
    path = shelf.root / "pack/__init__.py"
    if kind == "disk":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    else:
        shelf.texts[path] = lambda: text.encode()


def load(name):
    return importlib.import_module(name)


def test_a_module_is_that_of_the_index_and_its_neighbour_that_on_disk(shelf):
    init(shelf, "disk")
    shelf.disk(pack__a="v = 'disk'", pack__b="v = 'disk'")
    shelf.staged(pack__a="v = 'index'")
    with shelf.open():
        assert (load("pack.a").v, load("pack.b").v) == ("index", "disk")


def test_a_module_that_only_the_index_has_is_found(shelf):
    init(shelf, "disk")
    shelf.staged(pack__a="from pack import b\nv = b.v", pack__b="v = 'index'")
    with shelf.open():
        assert load("pack.a").v == "index"


def test_a_package_whose_folder_is_not_on_disk_is_found(shelf):
    init(shelf, "index", "from pack.a import v")
    shelf.staged(pack__a="v = 'index'", pack__deep__b="v = 'deep'")
    with shelf.open():
        assert load("pack").v == "index"
        assert load("pack.deep.b").v == "deep"


def test_a_file_that_is_hidden_is_not_found(shelf):
    init(shelf, "disk")
    shelf.disk(pack__a="v = 'disk'", alone="")
    shelf.hide("pack__a", "alone")
    with shelf.open():
        assert load("pack")
        for name in ("pack.a", "alone"):
            with pytest.raises(ModuleNotFoundError):
                load(name)


def test_a_package_whose_init_is_hidden_lets_through_what_lies_below(shelf):
    init(shelf, "disk", "v = 'init'")
    shelf.disk(pack__a="v = 'disk'")
    shelf.hidden.add(shelf.root / "pack/__init__.py")
    with shelf.open():
        assert load("pack.a").v == "disk"
        assert not hasattr(load("pack"), "v")


def test_a_package_goes_before_a_module_of_its_name(shelf):
    init(shelf, "index", "v = 'package'")
    shelf.disk(pack="v = 'module'")
    with shelf.open():
        assert load("pack").v == "package"


def test_a_module_goes_before_a_folder_without_init(shelf):
    shelf.disk(pack__a="")
    shelf.staged(pack="v = 'module'")
    with shelf.open():
        assert load("pack").v == "module"


def test_a_namespace_has_its_parts_on_disk_and_in_the_index(shelf, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "pack").mkdir()
    (other / "pack/c.py").write_text("v = 'elsewhere'")
    sys.path.append(str(other))
    shelf.disk(pack__a="v = 'disk'")
    shelf.staged(pack__b="v = 'index'")
    with shelf.open():
        assert [load(f"pack.{name}").v for name in "abc"] == ["disk", "index", "elsewhere"]


def test_compiled_modules_are_found_where_they_are(shelf):
    init(shelf, "index")
    source = shelf.root / "pack/made.py"
    source.parent.mkdir()
    source.write_text("v = 'compiled'")
    py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")))
    source.unlink()
    with shelf.open():
        assert load("pack.made").v == "compiled"


def test_who_walks_a_package_meets_what_the_index_has_and_nothing_else(shelf):
    init(shelf, "disk")
    shelf.disk(pack__disk="", pack__hidden="", pack__sub__a="")
    (shelf.root / "pack/sub/__init__.py").write_text("")
    (shelf.root / "pack/words.txt").write_text("")
    shelf.staged(pack__index="", pack__new__a="", pack__space__a="")
    shelf.texts[shelf.root / "pack/new/__init__.py"] = lambda: b""
    shelf.hide("pack__hidden")
    with shelf.open():
        met = [
            (one.name, one.ispkg) for one in pkgutil.walk_packages(load("pack").__path__, "pack.")
        ]
    assert met == [
        ("pack.disk", False),
        ("pack.index", False),
        ("pack.new", True),
        ("pack.new.a", False),
        ("pack.sub", True),
        ("pack.sub.a", False),
    ]


def test_data_is_read_where_it_lies(shelf):
    init(shelf, "index", "v = 'index'")
    (shelf.root / "pack").mkdir()
    (shelf.root / "pack/words.txt").write_text("words")
    with shelf.open():
        assert load("pack").v == "index"
        assert importlib.resources.files("pack").joinpath("words.txt").read_text() == "words"
        assert pkgutil.get_data("pack", "words.txt") == b"words"
        assert load("pack").__file__ == str(shelf.root / "pack/__init__.py")


def test_no_byte_code_is_written_nor_taken(shelf, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    init(shelf, "disk")
    shelf.disk(pack__a="v = 'old'", pack__b="")
    py_compile.compile(str(shelf.root / "pack/a.py"))
    shelf.staged(pack__a="v = 'new'")
    before = sorted(shelf.root.rglob("*"))
    with shelf.open():
        assert load("pack.a").v == "new"
        assert load("pack.b")
    assert sorted(shelf.root.rglob("*")) == before
    assert sys.dont_write_bytecode is False


def test_a_traceback_shows_the_lines_of_the_index(shelf):
    shelf.disk(alone="x = 1\ny = 2\n")
    shelf.staged(alone="\nraise ValueError('of the index')\n")
    with shelf.open(), pytest.raises(ValueError, match="index") as caught:
        load("alone")
    told = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (told.lineno, told.line) == (2, "raise ValueError('of the index')")


@pytest.mark.parametrize("text", ["x = (", "\ufeffx = 1\n\x00"])
def test_a_text_that_is_no_python_is_the_users_error(shelf, text):
    shelf.staged(alone=text)
    with shelf.open(), pytest.raises((SyntaxError, ValueError)):
        load("alone")


def test_an_encoding_that_is_declared_counts(shelf):
    shelf.texts[shelf.root / "alone.py"] = lambda: "# coding: latin-1\nv = 'é'\n".encode("latin-1")
    with shelf.open():
        assert load("alone").v == "é"


def test_a_link_to_a_folder_leads_to_what_the_index_has_there(shelf):
    (shelf.root / "real").mkdir()
    (shelf.root / "real/__init__.py").write_text("")
    (shelf.root / "real/a.py").write_text("v = 'disk'")
    shelf.texts[shelf.root / "real/a.py"] = lambda: b"v = 'index'"
    shelf.texts[shelf.root / "real/__init__.py"] = lambda: b"v = 'index'"
    (shelf.root / "pack").symlink_to("real")
    with shelf.open():
        assert (load("pack").v, load("pack.a").v) == ("index", "index")


def test_afterwards_all_is_as_it_was(shelf):
    shelf.disk(alone="v = 'disk'")
    shelf.staged(alone="v = 'index'")
    before = list(sys.path_hooks)
    with shelf.open():
        assert load("alone").v == "index"
    del sys.modules["alone"]
    assert load("alone").v == "disk"
    assert sys.path_hooks == before
