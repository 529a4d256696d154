"""Modules that are compiled by a process of their own, before they are imported."""

from __future__ import annotations

import os
import py_compile
import signal
import subprocess
import sys
import time
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from ashflow.sources.ahead import compile_ahead

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="needs posix_spawn")

LARGE = "value = [\n" + "    'a line',\n" * 10_000 + "]\n"
FREE = {"PATH": os.environ["PATH"]}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


@pytest.fixture
def module(tmp_path):
    """A module that is large enough, and was never imported."""
    path = tmp_path / "shop/resources.py"
    path.parent.mkdir()
    path.write_text(LARGE)
    return path


def begun(module, *domains):
    return compile_ahead(domains or ["shop.resources"], [str(module.parent.parent)])


def done(module, *domains):
    """Compile, and return the byte code that an import finds."""
    process = begun(module, *domains)
    assert process is not None
    process.wait()
    return Path(cache_from_source(str(module)))


def test_what_was_never_imported_is_compiled_as_an_import_does_it(module, tmp_path):
    found = done(module)
    with_python = py_compile.compile(str(module), cfile=str(tmp_path / "own.pyc"), doraise=True)
    assert found.read_bytes() == Path(with_python or "").read_bytes()


def test_what_is_compiled_already_is_left(module):
    done(module)
    assert begun(module) is None


def test_what_was_edited_since_is_compiled_anew(module):
    before = done(module).read_bytes()
    module.write_text(LARGE + "more = 1\n")
    assert done(module).read_bytes() != before


@pytest.mark.parametrize("cache", [b"", b"another Python's byte code"])
def test_byte_code_of_no_use_is_replaced(module, cache):
    place = Path(cache_from_source(str(module)))
    place.parent.mkdir()
    place.write_bytes(cache)
    assert len(done(module).read_bytes()) > len(cache)


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH"])
def test_byte_code_that_is_told_by_a_hash_is_left(module, mode):
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode[mode])
    module.write_text(LARGE + "more = 1\n")
    assert begun(module) is None


def test_what_is_small_is_left_to_the_import(module):
    module.write_text("value = 1\n")
    assert begun(module) is None


def test_a_package_is_compiled_with_what_was_imported_of_it(module):
    (module.parent / "__init__.py").write_text("from shop.resources import value\n")
    assert begun(module, "shop") is None  # nobody knows whether it is imported at all
    before = done(module).read_bytes()
    module.write_text(LARGE + "more = 1\n")
    assert done(module, "shop").read_bytes() != before


def test_an_object_in_a_module_stands_for_the_module(module):
    assert done(module, "shop.resources:value", "shop.resources").is_file()


def test_a_module_that_is_not_there_is_left_to_the_import(module):
    assert begun(module, "shop.other", "elsewhere") is None


def test_a_link_to_nowhere_in_a_package_is_no_module(module):
    done(module)
    module.write_text(LARGE + "more = 1\n")
    (module.parent / "__init__.py").touch()
    (module.parent / ".#resources.py").symlink_to("ada@here.1234")  # as Emacs makes them
    assert done(module, "shop").is_file()


@pytest.mark.parametrize("name", ["/", ".", "..", "shop/resources", ":x", "shop..resources"])
def test_what_is_no_name_of_a_module_is_left_to_the_import(module, name):
    assert begun(module, name) is None


def test_where_byte_code_can_not_be_kept_none_is_made(module):
    (module.parent / "__pycache__").write_text("a file stands in the way")
    assert begun(module) is None


def test_a_file_that_goes_meanwhile_is_left_to_the_import(module, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda path: path == module or path.exists())
    module.unlink()
    assert begun(module) is None


def test_where_there_is_one_core_nothing_is_gained(module, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert begun(module) is None


def test_where_python_keeps_no_byte_code_none_is_made(module, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert begun(module) is None


@pytest.mark.parametrize("name", ["executable", "frozen"])
def test_where_there_is_no_python_to_start_none_is_started(module, monkeypatch, name):
    monkeypatch.setattr(sys, name, "" if name == "executable" else True, raising=False)
    assert begun(module) is None


def test_where_no_process_can_be_started_the_import_compiles(module, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(module))
    assert begun(module) is None


def test_the_place_of_byte_code_that_the_user_chose_is_kept_to(module, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "away"))
    found = done(module)
    assert found.is_relative_to(tmp_path / "away")
    assert found.is_file()


def test_what_does_not_compile_is_told_by_the_import_alone(module, capfd):
    module.write_text(LARGE + "def\n")
    assert not done(module).exists()
    assert capfd.readouterr() == ("", "")


def test_a_warning_of_the_compiler_is_told_by_the_import_alone(module, capfd):
    module.write_text(LARGE + "odd = 'a' is 'b'\n")
    assert not done(module).exists()
    assert capfd.readouterr() == ("", "")
    for told in (1, 0):  # as ever, once
        code = "import shop.resources"
        subprocess.run([sys.executable, "-c", code], cwd=module.parent.parent, check=True, env=FREE)
        assert capfd.readouterr().err.count("SyntaxWarning") == told


def test_what_stands_in_the_folder_of_the_user_is_not_imported(module, monkeypatch):
    monkeypatch.chdir(module.parent)
    (module.parent / "gc.py").write_text("raise SystemExit('not this one')\n")
    assert done(module).is_file()


def test_who_compiles_ends_with_the_command(module):
    module.write_text(LARGE * 50)
    process = begun(module)
    assert process is not None
    start = time.monotonic()
    process.end()
    process.end()
    assert time.monotonic() - start < 1
    assert not Path(cache_from_source(str(module))).exists()


def test_who_has_compiled_already_is_not_ended(module):
    process = begun(module)
    assert process is not None
    found = Path(cache_from_source(str(module)))
    while not found.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    process.end()
    assert found.is_file()


def test_who_has_no_children_waits_for_none(module):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        process = begun(module)
        assert process is not None
        process.wait()
    finally:
        signal.signal(signal.SIGCHLD, before)
    process.wait()


def test_a_level_of_optimization_is_that_of_the_command(module):
    code = (
        "import os\n"
        "os.sched_getaffinity = lambda _: {0, 1}\n"
        "from ashflow.sources.ahead import compile_ahead\n"
        f"compile_ahead(['shop.resources'], [{str(module.parent.parent)!r}]).wait()\n"
    )
    subprocess.run([sys.executable, "-OO", "-c", code], check=True)
    assert Path(cache_from_source(str(module), optimization=2)).is_file()
