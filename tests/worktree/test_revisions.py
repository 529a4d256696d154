"""What git has under its names, asked with real git."""

from __future__ import annotations

import subprocess

import pytest

from ashflow.errors import GitError, UnreadableError
from ashflow.worktree.git import Objects, locate
from ashflow.worktree.gittree import GitTree
from ashflow.worktree.revisions import (
    INTENDED,
    UNMERGED,
    UNTRACKED,
    changed_since,
    committed,
    first_known,
    letters,
    merge_base,
    named_in_index,
    names_in_index,
    staged,
    unwatched,
)

FOLDERS = ("priv/repo/migrations", "priv/resource_snapshots/repo")
FILE = "priv/repo/migrations/20260101000000_a.py"
ODD = "priv/repo/migrations/a b\n\"ü'.py"


def put(root, path=FILE, text="text\n"):
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


@pytest.fixture(params=["", "apps/web shop", "sha256"])
def where(request, tmp_path, git):
    """A project at the top of a git repository, in a folder of it, or in one of another format."""
    if request.param == "sha256":
        git = git.at(tmp_path / "sha256")
        git.root.mkdir()
        git("init", "--quiet", "--initial-branch", "main", "--object-format=sha256")
        return git
    if request.param:
        put(git.root, "elsewhere/priv/repo/migrations/20260101000000_a.py")
    root = git.root / request.param
    root.mkdir(parents=True, exist_ok=True)
    return git.at(root)


def read(located, name):
    with Objects(located) as objects:
        return objects.read(name)


def test_the_index_and_commits_list_the_files_of_a_project_by_its_own_paths(where):
    for path in (FILE, ODD, "priv/other/x.py", "shop/a.py"):
        put(where.root, path)
    where("add", "--all", ".")
    located = locate(where.root)
    assert sorted(staged(located, FOLDERS)) == sorted([FILE, ODD])
    assert sorted(staged(located)) == sorted([FILE, ODD, "priv/other/x.py", "shop/a.py"])
    where.commit()
    put(where.root, FILE, "index\n")
    where("add", "--all", ".")
    put(where.root, FILE, "disk\n")
    assert read(located, staged(located, FOLDERS)[FILE]) == b"index\n"
    assert read(located, committed(located, "HEAD", FOLDERS)[FILE]) == b"text\n"
    assert sorted(committed(located, "HEAD", FOLDERS)) == sorted([FILE, ODD])
    assert changed_since(located, "HEAD", FOLDERS) == {FILE}


def test_a_link_is_no_file(where):
    put(where.root)
    (where.root / "priv/repo/migrations/link.py").symlink_to("20260101000000_a.py")
    where.commit()
    located = locate(where.root)
    assert [*staged(located, FOLDERS)] == [*committed(located, "HEAD", FOLDERS)] == [FILE]


def test_two_letters_say_of_each_file_how_it_differs(where):
    names = ["same", "edited", "staged", "both", "gone", "removed", "kept"]
    for name in names:
        put(where.root, f"{name}.py")
    where.commit()
    for name in ("staged", "both"):
        put(where.root, f"{name}.py", "index")
    where("add", "--update", ".")
    for name in ("edited", "both"):
        put(where.root, f"{name}.py", "disk!")
    (where.root / "gone.py").unlink()
    where("rm", "--quiet", "removed.py")
    where("rm", "--quiet", "--cached", "kept.py")
    put(where.root, "new.py")
    put(where.root, "meant.py")
    where("add", "--intent-to-add", "meant.py")
    said = letters(locate(where.root), [where.root])
    assert said == {
        where.root / f"{name}.py": two
        for name, two in {
            "edited": " M",
            "staged": "M ",
            "both": "MM",
            "gone": " D",
            "removed": "D ",
            "kept": UNTRACKED,
            "new": UNTRACKED,
            "meant": INTENDED,
        }.items()
    }


def test_files_at_which_git_does_not_look_are_told(where, tmp_path):
    for name in ("seen", "assumed", "left out"):
        put(where.root, f"{name}.py")
    where.commit()
    where("update-index", "--assume-unchanged", "assumed.py")
    where("update-index", "--skip-worktree", "left out.py")
    located = locate(where.root)
    assert unwatched(located, [where.root]) == {
        where.root / "assumed.py",
        where.root / "left out.py",
    }
    assert unwatched(located, [tmp_path / "none"]) == frozenset()


def test_only_some_folders_are_looked_at_and_none_outside(where, tmp_path):
    put(where.root, "a/x.py")
    put(where.root, "b/x.py")
    located = locate(where.root)
    assert [*letters(located, [where.root / "a", tmp_path, where.root / "none"])] == [
        where.root / "a/x.py"
    ]


def test_where_all_folders_are_outside_nothing_is_said(where, tmp_path):
    put(where.root, "a.py")
    assert letters(locate(where.root), [tmp_path]) == {}


def test_a_conflict_has_letters_of_its_own(git):
    put(git.root)
    git.commit()
    git("switch", "--quiet", "--create", "other")
    put(git.root, FILE, "theirs")
    git.commit()
    git("switch", "--quiet", "main")
    put(git.root, FILE, "ours")
    git.commit()
    git("merge", "other", code=1)
    (two,) = letters(locate(git.root), [git.root]).values()
    assert two in UNMERGED


def test_names_of_some_files_are_asked_for_at_once(where):
    put(where.root, "a.py", "a")
    put(where.root, ODD, "odd")
    where.commit()
    located = locate(where.root)
    files = [where.root / "a.py", where.root / ODD, where.root / "none.py"]
    names = names_in_index(located, files)
    assert {path: read(located, name) for path, name in names.items()} == {
        where.root / "a.py": b"a",
        where.root / ODD: b"odd",
    }
    assert names_in_index(located, []) == {}


def test_files_of_a_name_are_found_wherever_they_are(git):
    for path in ("pyproject.toml", "apps/a/pyproject.toml", "apps/b/not_pyproject.toml"):
        put(git.root, path, path)
    git("add", ".")
    located = locate(git.root)
    found = named_in_index(located, "pyproject.toml")
    assert {path: read(located, name) for path, name in found.items()} == {
        git.root / "pyproject.toml": b"pyproject.toml",
        git.root / "apps/a/pyproject.toml": b"apps/a/pyproject.toml",
    }


def test_the_commit_at_which_a_branch_left_another_one(where):
    base = where.commit()
    where("switch", "--quiet", "--create", "work")
    where.commit("on work")
    where("switch", "--quiet", "main")
    where.commit("on main")
    where("switch", "--quiet", "work")
    located = locate(where.root)
    assert merge_base(located, "main") == merge_base(located, base) == base
    assert first_known(located, ["none", "-x", "", "main", "work"]) == "main"
    assert first_known(located, ["none"]) is None
    where("tag", "--annotate", "--message", "one", "v1")
    assert merge_base(located, "v1") == where("rev-parse", "HEAD").strip()


def test_an_object_that_is_not_there_is_told(where):
    located = locate(where.root)
    with Objects(located) as objects:
        with pytest.raises(GitError, match="git has no object 0000"):
            objects.read("0" * 40)
        where.commit()


def test_a_tree_of_git_reads_what_is_asked_for_and_only_once():
    asked = []

    def content(name):
        asked.append(name)
        return b"one\r\ntwo\rthree\n" if name == "1" else b"caf\xe9"

    tree = GitTree({"b": "2", "a": "1"}, content, "the index")
    assert ([*tree], len(tree), "a" in tree, "c" in tree) == (["a", "b"], 2, True, False)
    assert (tree.name("a"), tree.name("c")) == ("1", None)
    assert asked == []
    assert tree["a"] == tree["a"] == "one\ntwo\nthree\n"
    assert asked == ["1"]
    with pytest.raises(UnreadableError, match=r"b in the index is not UTF-8 \(byte 4\)"):
        tree["b"]
    with pytest.raises(KeyError):
        tree["c"]


def test_a_shallow_clone_says_where_it_ends(git, tmp_path):
    git.commit()
    git("branch", "work")
    git.commit()
    place = tmp_path / "clone"
    depth = ["--depth=1", "--no-single-branch"]
    subprocess.run(["git", "clone", "--quiet", *depth, f"file://{git.root}", place], check=True)
    with pytest.raises(GitError, match="in this clone, which is shallow") as caught:
        merge_base(locate(place), "origin/work")
    assert "fetch-depth: 0" in caught.value.hint
