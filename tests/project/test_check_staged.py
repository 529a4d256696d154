"""What is about to be committed, whatever lies on disk beside it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import pytest

from ashflow.errors import GitError, ResourceImportError

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
SIZED = COLORED + "    size: int | None\n"
TAG = """
class Tag(Resource, table="tags"):
    id: int = integer_primary_key()
    name: str
"""
SOURCE = "shop/resources.py"


@pytest.fixture
def begun(checkout):
    """A table that is committed."""
    checkout.codegen("posts", POSTS)
    checkout.git.commit("posts")
    return checkout


def codes(begun):
    return begun.codes(staged=True)


def add(begun, *paths):
    begun.git("add", "--", *paths)


# ------------------------------------------------------------------ on disk proves nothing
def test_an_edit_that_is_not_staged_does_not_count(begun):
    begun.declare(COLORED)
    assert codes(begun) == []
    assert begun.codes() == ["stale-snapshot"]


def test_an_edit_that_is_staged_counts_though_it_is_taken_back_on_disk(begun):
    begun.declare(COLORED)
    add(begun, SOURCE)
    begun.declare(POSTS)
    assert codes(begun) == ["stale-snapshot"]
    assert begun.codes() == []


def test_a_pair_on_disk_that_is_not_staged_proves_nothing(begun):
    begun.codegen("color", COLORED)
    assert codes(begun) == []
    add(begun, SOURCE)
    assert codes(begun) == ["stale-snapshot"]
    add(begun, "priv")
    assert codes(begun) == []


def test_edits_on_top_of_what_is_staged_do_not_count(begun):
    begun.codegen("color", COLORED)
    add(begun, ".")
    begun.codegen("size", SIZED)
    begun.edit(begun.path("color"), "posts", "broken")
    begun.project.write(begun.snapshot("color"), "{}")
    assert codes(begun) == []


def test_what_is_staged_counts_though_it_is_gone_from_disk(begun):
    begun.codegen("color", COLORED)
    add(begun, ".")
    (begun.root / begun.path("color")).unlink()
    (begun.root / "priv/resource_snapshots/repo/posts/20260101000001.json").unlink()
    (begun.root / SOURCE).unlink()
    assert codes(begun) == []


def test_a_part_that_is_staged_and_exists_nowhere_on_disk_is_what_is_judged(begun):
    begun.codegen("color", COLORED)
    add(begun, "priv")
    begun.declare(COLORED)
    add(begun, SOURCE)
    begun.declare(POSTS + "    size: int | None\n")  # in no commit and not in the index
    assert codes(begun) == []
    begun.git("restore", "--staged", SOURCE)
    assert codes(begun) == ["stale-snapshot"]


def test_a_migration_that_differs_from_the_staged_one_does_not_count(begun):
    begun.codegen("color", COLORED)
    path = begun.path("color")
    begun.edit(path, "migration = ", "migration = nonsense + ")
    add(begun, ".")
    begun.edit(path, "nonsense + ", "")
    assert codes(begun) == ["invalid-migration"]
    assert begun.codes() == []


def test_an_untracked_pair_without_its_resource_is_nobodys_business(begun):
    begun.codegen("color", COLORED)
    begun.git("checkout", "--quiet", "--", SOURCE)
    begun.edit(SOURCE, "title: str", "title: str  # a note")
    add(begun, SOURCE)
    assert codes(begun) == []
    assert begun.codes() == ["stale-snapshot"]


# ------------------------------------------------------------------ packages
@pytest.fixture
def split(begun):
    """Resources in a package: `__init__` takes them from its modules."""
    begun.git("rm", "--quiet", SOURCE)
    begun.declare(POSTS, "shop/resources/posts.py")
    begun.declare(TAG, "shop/resources/tags.py")
    begun.project.write("shop/resources/__init__.py", _taking("posts.Post", "tags.Tag"))
    begun.codegen("split")
    begun.git.commit("split")
    return begun


def _taking(*names):
    lines = [f"from .{module} import {name}\n" for module, name in (n.split(".") for n in names)]
    return "".join(lines)


def test_a_resource_in_a_module_of_a_package_is_judged_as_it_is_staged(split):
    split.declare(COLORED, "shop/resources/posts.py")
    assert codes(split) == []
    add(split, "shop")
    split.declare(POSTS, "shop/resources/posts.py")
    assert codes(split) == ["stale-snapshot"]


def test_a_new_module_that_is_imported_and_not_staged_cannot_be_judged(split):
    split.declare(TAG.replace("Tag", "Pet").replace("tags", "pets"), "shop/resources/pets.py")
    init = split.project.write(
        "shop/resources/__init__.py", _taking("posts.Post", "tags.Tag", "pets.Pet")
    )
    assert codes(split) == []
    add(split, str(init))
    with pytest.raises(ResourceImportError, match=r"shop\.resources\.pets"):
        codes(split)
    split.git("add", "--intent-to-add", "shop/resources/pets.py")  # no commit has it yet
    with pytest.raises(ResourceImportError, match=r"shop\.resources\.pets"):
        codes(split)
    add(split, "shop/resources/pets.py")
    assert codes(split) == ["stale-snapshot"]


def test_a_module_that_was_taken_out_of_the_index_is_gone_though_it_is_on_disk(split):
    split.git("rm", "--quiet", "--cached", "shop/resources/tags.py")
    with pytest.raises(ResourceImportError, match=r"shop\.resources\.tags"):
        codes(split)


def test_a_module_that_is_in_the_index_counts_though_its_folder_is_gone(split):
    for file in ("__init__", "posts", "tags"):
        (split.root / f"shop/resources/{file}.py").unlink()
    (split.root / "shop/resources").rmdir()
    assert codes(split) == []


def test_a_module_that_became_a_package_is_that_of_the_index(begun):
    """The module is staged as gone and the package as new, and on disk it is the other way."""
    begun.git("rm", "--quiet", SOURCE)
    begun.declare(POSTS, "shop/resources/__init__.py")
    add(begun, "shop")
    (begun.root / "shop/resources/__init__.py").unlink()
    (begun.root / "shop/resources").rmdir()
    begun.declare(COLORED)
    assert codes(begun) == []


def test_a_package_without_init_is_judged_as_it_is_staged(begun):
    begun.git("rm", "--quiet", SOURCE, "shop/__init__.py")
    begun.declare(COLORED, "shop/resources.py")
    add(begun, "shop")
    begun.declare(POSTS, "shop/resources.py")
    assert codes(begun) == ["stale-snapshot"]


def test_modules_that_git_ignores_are_imported_from_where_they_are(begun):
    begun.project.write(".gitignore", "__pycache__/\n*.sqlite3\n/shop/made.py\n")
    begun.project.write("shop/made.py", "COLORS = ['red']\n")
    begun.codegen("color", "from shop.made import COLORS\n" + COLORED)
    add(begun, ".")
    begun.declare("from nowhere import it")
    assert codes(begun) == []


def test_packages_that_are_installed_below_the_project_are_imported_though_git_knows_them_not(
    begun, monkeypatch
):
    place = begun.root / "env/lib/site-packages"
    begun.project.write("env/lib/site-packages/more/__init__.py", "COLORS = ['red']\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(place)])
    begun.codegen("color", "from more import COLORS\n" + COLORED)
    add(begun, "shop", "priv")
    assert codes(begun) == []


def test_a_folder_of_the_path_beside_the_project_is_judged_as_it_is_staged(git, checkout):
    inner = git.root / "apps/web"
    inner.mkdir(parents=True)
    for name in ("pyproject.toml", "shop"):
        (git.root / name).rename(inner / name)
    toml = (inner / "pyproject.toml").read_text()
    path = f'{toml.partition("domains")[0]}pythonpath = [".", "../../libs"]\ndomains'
    (inner / "pyproject.toml").write_text(path + toml.partition("domains")[2])
    (git.root / "libs/more").mkdir(parents=True)
    (git.root / "libs/more/__init__.py").write_text("Word = str\n")
    web = replace(checkout, project=replace(checkout.project, root=inner, git=git.at(inner)))
    web.codegen("posts", "from more import Word\n" + POSTS + "    word: Word\n")
    web.git.commit("web")
    git("add", ".")
    git.commit("all")
    (git.root / "libs/more/__init__.py").write_text("Word = int\n")
    assert codes(web) == []
    assert web.codes() == ["stale-snapshot"]
    git("add", "libs")
    (git.root / "libs/more/__init__.py").write_text("Word = str\n")
    assert codes(web) == ["stale-snapshot"]


def test_resources_that_are_found_by_walking_the_package_are_those_of_the_index(begun):
    begun.project.write("shop/__init__.py", WALK)
    begun.project.write(
        "pyproject.toml", begun.project.read("pyproject.toml").replace(".resources", ":all")
    )
    assert begun.codes() == []
    add(begun, ".")
    begun.declare(TAG, "shop/tags.py")
    assert codes(begun) == []
    begun.declare(COLORED)
    assert codes(begun) == []


WALK = """
from importlib import import_module
from pkgutil import iter_modules

from ashflow import Resource

modules = [import_module(f"shop.{one.name}") for one in iter_modules(__path__)]
all = [
    value
    for module in modules
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Resource) and value is not Resource
]
"""


# ------------------------------------------------------------------ git
def test_an_edit_at_which_git_does_not_look_does_not_count(begun):
    begun.git("update-index", "--assume-unchanged", SOURCE)
    begun.declare(COLORED)
    assert codes(begun) == []


def test_resources_that_a_sparse_checkout_leaves_out_are_those_of_the_index(begun):
    begun.git("update-index", "--skip-worktree", SOURCE)
    (begun.root / SOURCE).unlink()
    assert codes(begun) == []


def test_a_project_behind_a_link_is_judged_as_any_other(begun, tmp_path):
    (tmp_path / "link").symlink_to(begun.root)
    behind = replace(begun, project=replace(begun.project, root=tmp_path / "link"))
    begun.declare(COLORED)
    assert (codes(behind), behind.codes()) == ([], ["stale-snapshot"])
    add(begun, SOURCE)
    begun.declare(POSTS)
    assert (codes(behind), behind.codes()) == (["stale-snapshot"], [])


def test_before_the_first_commit_what_is_staged_is_judged(begun):
    begun.git("checkout", "--quiet", "--orphan", "fresh")
    assert codes(begun) == []
    begun.git("rm", "--quiet", "-r", "--cached", "priv/resource_snapshots")
    assert codes(begun) == ["not-staged"]
    begun.git("rm", "--quiet", "-r", "--cached", "priv")
    assert codes(begun) == ["stale-snapshot"]


def test_a_merge_that_left_conflicts_cannot_be_judged(begun):
    begun.git("switch", "--quiet", "--create", "other")
    begun.codegen("color", COLORED)
    begun.git.commit("color")
    begun.git("switch", "--quiet", "main")
    begun.codegen("size", POSTS + "    size: int | None\n")
    begun.git.commit("size")
    begun.git("switch", "--quiet", "other")
    begun.git("merge", "main", code=1)
    with pytest.raises(GitError, match=r"a merge left shop/resources\.py in conflict"):
        codes(begun)
    begun.declare(SIZED)
    add(begun, SOURCE)
    assert codes(begun) == []


def test_a_git_that_has_an_index_of_its_own_for_a_commit_is_asked_for_that(begun, monkeypatch):
    begun.declare(COLORED)
    own = begun.root / ".git/next-index-1.lock"
    own.write_bytes((begun.root / ".git/index").read_bytes())
    add(begun, SOURCE)
    assert codes(begun) == ["stale-snapshot"]
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(own))
    assert codes(begun) == []


def test_an_index_of_another_git_repository_does_not_count(begun, monkeypatch, tmp_path):
    begun.declare(COLORED)
    add(begun, SOURCE)
    other = tmp_path / "index"
    other.write_bytes(b"")
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(other))
    assert codes(begun) == ["stale-snapshot"]


@pytest.mark.parametrize(
    "setting",
    [
        "core.quotePath=true",
        "status.showUntrackedFiles=no",
        "status.short=true",
        "core.autocrlf=true",
        "status.branch=true",
        "status.relativePaths=true",
        "core.untrackedCache=true",
        "index.version=4",
        "diff.noprefix=true",
    ],
)
def test_settings_of_the_users_git_change_nothing(begun, setting):
    begun.git("config", *setting.split("="))
    begun.codegen("color", COLORED)
    begun.declare(TAG, "shop/überraschung.py")
    add(begun, "shop")
    begun.declare(POSTS)
    assert codes(begun) == ["stale-snapshot"]
    add(begun, "priv")
    assert codes(begun) == []


def test_line_ends_of_windows_are_no_difference(begun):
    begun.project.write(".gitattributes", "* text eol=crlf\n")
    begun.git.commit("ends")
    for path in [*begun.root.rglob("priv/**/*.py"), *begun.root.rglob("priv/**/*.json")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert codes(begun) == begun.codes() == begun.codes(since="main") == []


def test_nothing_is_written(begun, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    begun.codegen("color", COLORED)
    add(begun, SOURCE)
    begun.declare(POSTS)
    index = begun.root / ".git/index"
    before = {path: path.stat().st_mtime_ns for path in begun.root.rglob("*")}
    os.utime(begun.root / "pyproject.toml")  # git would like to write down that it looked
    before[begun.root / "pyproject.toml"] = (begun.root / "pyproject.toml").stat().st_mtime_ns
    assert codes(begun) == ["stale-snapshot"]
    assert {path: path.stat().st_mtime_ns for path in begun.root.rglob("*")} == before
    assert index in before
