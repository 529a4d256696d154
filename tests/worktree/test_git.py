"""What git says of a project, asked of real git repositories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ashflow.errors import GitError
from ashflow.worktree.git import Nowhere, branches_with, locate, status
from ashflow.worktree.porcelain import FileState, Located
from ashflow.worktree.revisions import added_since

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("priv/repo/migrations", "priv/resource_snapshots/repo")
FILE = "priv/repo/migrations/20261123061000_add_posts.py"


def put(root: Path, path: str | bytes = FILE, text: str = "one\n") -> Path:
    place = root / os.fsdecode(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def ask(root: Path, folders: tuple[str, ...] = FOLDERS):
    located = locate(root)
    assert isinstance(located, Located)
    return status(located, folders)


def state(root: Path, path: str = FILE) -> FileState:
    return ask(root).state_of(path)


# -- the state of a file


def test_a_file_that_nobody_added_is_untracked(git):
    git.commit()
    put(git.root)
    assert state(git.root) is FileState.UNTRACKED


def test_a_committed_file_is_not_listed(git):
    put(git.root)
    git.commit()
    assert ask(git.root).files == {}
    assert state(git.root) is FileState.COMMITTED


def test_a_file_ignored_by_name_is_ignored(git):
    put(git.root, ".gitignore", "*.py\n")
    put(git.root)
    assert state(git.root) is FileState.IGNORED


def test_a_file_in_an_ignored_folder_is_ignored(git):
    put(git.root, ".gitignore", "priv/\n")
    put(git.root)
    assert ask(git.root).ignored == ("priv/",)
    assert state(git.root) is FileState.IGNORED


def test_a_committed_file_in_an_ignored_folder_is_committed(git):
    put(git.root)
    git.commit()
    put(git.root, ".gitignore", "priv/\n")
    put(git.root, "priv/repo/migrations/other.py")
    assert state(git.root) is FileState.COMMITTED
    assert state(git.root, "priv/repo/migrations/other.py") is FileState.IGNORED


def test_a_project_in_an_ignored_folder_is_ignored_as_a_whole(git):
    put(git.root, ".gitignore", "shop/\n")
    put(git.root / "shop")
    assert state(git.root / "shop") is FileState.IGNORED


def test_a_file_that_is_only_intended_to_be_added_(git):
    put(git.root)
    git("add", "--intent-to-add", ".")
    assert state(git.root) is FileState.INTENT_TO_ADD


def test_a_staged_file_(git):
    put(git.root)
    git("add", ".")
    assert state(git.root) is FileState.STAGED


def test_a_file_staged_and_then_edited_(git):
    place = put(git.root)
    git("add", ".")
    place.write_text("two\n")
    assert state(git.root) is FileState.STAGED_MODIFIED


def test_a_file_staged_and_then_deleted_(git):
    place = put(git.root)
    git("add", ".")
    place.unlink()
    assert state(git.root) is FileState.STAGED_DELETED


@pytest.mark.parametrize("stage", [False, True])
def test_an_edited_file_is_modified(git, stage):
    place = put(git.root)
    git.commit()
    place.write_text("two and more\n")
    if stage:
        git("add", ".")
    assert state(git.root) is FileState.MODIFIED


@pytest.mark.parametrize("stage", [False, True])
def test_a_committed_file_that_is_gone_is_deleted(git, stage):
    place = put(git.root)
    git.commit()
    place.unlink()
    if stage:
        git("add", ".")
    assert state(git.root) is FileState.DELETED


@pytest.mark.parametrize("ignore", ["", "priv/\n", "*.py\n"])
def test_a_file_taken_out_of_the_index_only_is_tracked(git, ignore):
    put(git.root)
    git.commit()
    git("rm", "--quiet", "--cached", FILE)
    put(git.root, ".gitignore", ignore)
    assert state(git.root) is FileState.REMOVED_FROM_INDEX


def test_a_renamed_file_is_a_deleted_and_a_new_one(git):
    place = put(git.root, text="a line\n" * 20)
    git.commit()
    git("mv", FILE, f"{FILE}.old.py")
    assert not place.exists()
    assert state(git.root) is FileState.DELETED
    assert state(git.root, f"{FILE}.old.py") is FileState.STAGED


def test_a_file_in_conflict_is_unmerged(git):
    diverge(git)
    git("merge", "other", code=1)
    found = ask(git.root)
    assert found.state_of(FILE) is FileState.UNMERGED
    assert found.unmerged == (FILE,)
    assert found.busy == "merge"


@pytest.mark.parametrize(
    "name",
    [
        "two words.py",
        'it\'s "quoted".py',
        "line\nbreak.py",
        "tab\tand back\\slash.py",
        "é日本.py",
        "-leading.py",
        "[a-z]*?.py",
        ":(top)x.py",
    ],
)
@pytest.mark.parametrize("quote", ["true", "false"])
def test_any_name_comes_back_as_it_is(git, name, quote):
    git("config", "core.quotePath", quote)
    put(git.root, f"priv/repo/migrations/{name}")
    assert ask(git.root).files == {f"priv/repo/migrations/{name}": FileState.UNTRACKED}


def test_a_name_that_is_not_utf_8_is_the_one_that_python_opens(git):
    place = put(git.root, b"priv/repo/migrations/\xff\xfe.py")
    (path,) = ask(git.root).files
    assert (git.root / path).samefile(place)


def test_only_the_folders_asked_for_are_told(git):
    put(git.root)
    put(git.root, "elsewhere.py")
    put(git.root, "priv/notes.md")
    assert list(ask(git.root).files) == [FILE]


def test_a_folder_that_reads_like_a_pattern_is_taken_as_it_is(git):
    put(git.root, "priv/x/a.py")
    assert ask(git.root, ("priv/*",)).files == {}


@pytest.mark.parametrize("variable", ["GIT_LITERAL_PATHSPECS", "GIT_ICASE_PATHSPECS"])
def test_how_the_environment_reads_paths_is_not_asked(git, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    put(git.root)
    assert state(git.root) is FileState.UNTRACKED


def test_untracked_files_are_shown_whatever_is_configured(git):
    git("config", "status.showUntrackedFiles", "no")
    git("config", "status.relativePaths", "true")
    put(git.root)
    assert state(git.root) is FileState.UNTRACKED


def test_a_git_repository_inside_is_not_looked_into(git):
    put(git.root)
    nested = git.root / "priv/repo/migrations"
    git.at(nested)("init", "--quiet", "--initial-branch", "main")
    found = ask(git.root)
    assert found.nested == ("priv/repo/migrations/",)
    assert found.state_of(FILE) is FileState.UNTRACKED


def test_a_git_repository_above_the_folders_is_told_too(git):
    git("init", "--quiet", "priv")
    assert ask(git.root).nested == ("priv/",)


def test_a_link_is_not_looked_through(git, tmp_path):
    put(tmp_path / "outside", "migrations/a.py")
    (git.root / "priv").mkdir()
    (git.root / "priv/repo").symlink_to(tmp_path / "outside")
    found = ask(git.root, ("priv/repo/migrations", "priv/other"))
    assert found.links == ("priv/repo/",)
    assert found.state_of("priv/repo/migrations/a.py") is FileState.UNTRACKED
    assert found.nested == ()


# -- where a project lies


def test_a_project_in_a_subfolder_speaks_of_its_own_paths(git):
    root = git.root / "apps/my shop"
    put(root)
    put(git.root)
    located = locate(root)
    assert located == Located(git.root, git.root / ".git", git.root / ".git", "apps/my shop/")
    assert status(located, FOLDERS).files == {FILE: FileState.UNTRACKED}


def test_a_project_reached_through_a_link_is_the_same(git, tmp_path):
    put(git.root)
    link = tmp_path / "link"
    link.symlink_to(git.root)
    assert locate(link) == locate(git.root)
    assert state(link) is FileState.UNTRACKED


def test_a_folder_with_a_line_break_in_its_name_is_found(git):
    root = git.root / "a\nb"
    put(root)
    assert locate(root).prefix == "a\nb/"
    assert state(root) is FileState.UNTRACKED


def test_a_linked_worktree_has_its_own_folder_and_shares_the_common_one(git, tmp_path):
    git.commit()
    git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    put(tmp_path / "linked")
    located = locate(tmp_path / "linked")
    assert located.top == tmp_path / "linked"
    assert located.git_dir == git.root / ".git/worktrees/linked"
    assert located.common_dir == git.root / ".git"
    assert state(tmp_path / "linked") is FileState.UNTRACKED
    assert ask(tmp_path / "linked").branch == "other"
    assert ask(git.root).files == {}


def test_before_the_first_commit_there_is_no_head(git):
    found = ask(git.root)
    assert found.head is None
    assert (found.head, found.branch) == (None, "main")


def test_the_head_and_the_branch_are_told(git):
    head = git.commit()
    git("switch", "--quiet", "--create", "feature/é")
    found = ask(git.root)
    assert (found.head, found.branch) == (head, "feature/é")


def test_a_detached_head_has_no_branch(git):
    head = git.commit()
    git("switch", "--quiet", "--detach")
    found = ask(git.root)
    assert (found.head, found.branch) == (head, None)


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"])
def test_what_a_hook_of_another_git_repository_has_set_is_not_heard(
    git, tmp_path, monkeypatch, variable
):
    put(git.root)
    git.commit()
    other = tmp_path / "other"
    other.mkdir()
    git.at(other)("init", "--quiet")
    values = {"GIT_DIR": other / ".git", "GIT_INDEX_FILE": other / "index", "GIT_WORK_TREE": other}
    monkeypatch.setenv(variable, str(values[variable]))
    assert locate(git.root).top == git.root
    assert state(git.root) is FileState.COMMITTED


def test_configuration_in_the_environment_is_heard(git, monkeypatch):
    put(git.root, "ignored", "*.py\n")
    put(git.root)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(git.root / "ignored"))
    assert state(git.root) is FileState.IGNORED


def test_without_git_on_the_path_there_is_no_git(git, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert locate(git.root) is Nowhere.NO_GIT


def test_a_folder_outside_is_in_no_git_repository(tmp_path):
    assert locate(tmp_path) is Nowhere.NO_REPOSITORY


def test_a_worktree_whose_git_folder_is_gone_is_an_error(tmp_path):
    put(tmp_path, ".git", "gitdir: /gone/away\n")
    with pytest.raises(GitError, match="/gone/away"):
        locate(tmp_path)


def test_files_of_another_user_need_an_exception_and_the_error_has_it(git, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match="another user") as caught:
        locate(git.root)
    assert f"git config --global --add safe.directory {git.root}" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("bare", [True, False])
def test_a_git_repository_without_a_work_tree_is_an_error(git, tmp_path, bare):
    bare_root = tmp_path / "bare.git"
    git("init", "--quiet", "--bare", str(bare_root))
    with pytest.raises(GitError, match="without a work tree"):
        locate(bare_root if bare else git.root / ".git")


def test_a_git_that_is_too_old_is_told_with_both_numbers(git, tmp_path, monkeypatch):
    old = put(
        tmp_path,
        "bin/git",
        '#!/bin/sh\ncase "$*" in *--version) echo "git version 2.25.1";;'
        " *) echo --path-format=absolute; echo /top;; esac\n",
    )
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    with pytest.raises(GitError, match=r"2\.25\.1.*2\.31"):
        locate(git.root)


def test_a_broken_index_is_an_error_in_the_words_of_git(git):
    git.commit()
    put(git.root, ".git/index", "this is no index, and long enough")
    located = locate(git.root)
    with pytest.raises(GitError, match="index"):
        status(located, FOLDERS)


def test_no_monitor_is_started_and_nothing_is_written(git, tmp_path):
    place = put(git.root)
    git.commit()
    monitor = put(tmp_path, "monitor", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    monitor.chmod(0o755)
    git("config", "core.fsmonitor", str(monitor))
    os.utime(place, (1, 1))  # git would note the new time in the index
    before = (git.root / ".git/index").read_bytes()
    assert state(git.root) is FileState.COMMITTED
    assert not (tmp_path / "ran").exists()
    assert (git.root / ".git/index").read_bytes() == before


def test_a_locked_index_can_be_read(git):
    put(git.root)
    put(git.root, ".git/index.lock", "")
    assert state(git.root) is FileState.UNTRACKED


# -- what is under way


def diverge(git) -> None:
    """Two branches that changed one file, and a third commit for each to stand on."""
    put(git.root, text="base\n")
    git.commit("base")
    git("switch", "--quiet", "--create", "other")
    put(git.root, text="theirs\n")
    git.commit("theirs")
    git("switch", "--quiet", "main")
    put(git.root, text="ours\n")
    git.commit("ours")


@pytest.mark.parametrize(
    ("arguments", "busy"),
    [
        (("merge", "other"), "merge"),
        (("rebase", "other"), "rebase"),
        (("rebase", "--apply", "other"), "rebase"),
        (("cherry-pick", "other"), "cherry-pick"),
        (("revert", "HEAD~1"), "revert"),
    ],
)
def test_what_git_has_under_way_is_told(git, arguments, busy):
    diverge(git)
    git(*arguments, code=1)
    assert ask(git.root).busy == busy
    git(arguments[0], "--abort")
    assert ask(git.root).busy is None


def test_a_bisect_is_under_way(git):
    git.commit()
    git("bisect", "start")
    assert ask(git.root).busy == "bisect"


def test_a_rebase_in_a_linked_worktree_is_of_that_worktree(git, tmp_path):
    diverge(git)
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), "other")
    git.at(tmp_path / "linked")("rebase", "main", code=1)
    assert ask(tmp_path / "linked").busy == "rebase"
    assert ask(git.root).busy is None


# -- branches


def test_the_branches_that_have_a_file_are_told(git, tmp_path):
    git.commit("begin")
    git("switch", "--quiet", "--create", "feature/posts")
    put(git.root)
    git.commit("posts")
    git("switch", "--quiet", "main")
    git.at(tmp_path)("clone", "--quiet", str(git.root), "clone")
    clone = git.at(tmp_path / "clone")
    clone("branch", "--no-track", "mine", "origin/feature/posts")
    found = branches_with(locate(clone.root), [FILE, "priv/none.py"])
    assert found == {FILE: ("mine", "origin/feature/posts"), "priv/none.py": ()}


def test_branches_are_found_from_a_subfolder_and_in_a_linked_worktree(git, tmp_path):
    put(git.root / "shop")
    git.commit()
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "$HOME"))
    located = locate(tmp_path / "$HOME/shop")
    assert branches_with(located, [FILE]) == {FILE: ("main",)}


def test_branches_are_those_of_the_project_whatever_a_hook_has_set(git, tmp_path, monkeypatch):
    put(git.root)
    git.commit()
    git("init", "--quiet", "-b", "main", str(tmp_path / "other"))
    git.at(tmp_path / "other").commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other/.git/index"))
    assert branches_with(locate(git.root), [FILE]) == {FILE: ("main",)}


def test_before_the_first_commit_no_branch_has_a_file(git):
    assert branches_with(locate(git.root), [FILE]) == {FILE: ()}


def test_where_objects_have_other_names_no_branch_is_told(git, tmp_path):
    git("init", "--quiet", "--object-format=sha256", "-b", "main", str(tmp_path / "sha256"))
    put(tmp_path / "sha256")
    git.at(tmp_path / "sha256").commit()
    assert branches_with(locate(tmp_path / "sha256"), [FILE]) == {FILE: ()}
    assert state(tmp_path / "sha256") is FileState.COMMITTED


# -- the store


def test_what_a_branch_has_committed_since_it_left_another_is_told(git):
    """Paths are relative to the project, also in a subfolder; what is modified is not new."""
    old, odd = "priv/repo/migrations/old.py", 'priv/repo/migrations/a "b"\né.py'
    project = git.root / "shop"
    put(project, old)
    git.commit()
    git("switch", "--quiet", "--create", "work")
    put(project)
    put(project, odd)
    put(project, old, "two\n")
    put(project, "elsewhere.py")
    put(git.root, FILE)
    git.commit()
    git("switch", "--quiet", "main")
    put(project, "priv/repo/migrations/theirs.py")
    git.commit()
    git("switch", "--quiet", "work")
    assert added_since(locate(project), "main", FOLDERS) == {FILE, odd}
    git("merge", "--quiet", "main")
    assert added_since(locate(project), "main", FOLDERS) == {FILE, odd}
    assert added_since(locate(project), "HEAD", FOLDERS) == frozenset()


def test_a_shallow_clone_says_what_may_be_missing(git, tmp_path):
    put(git.root)
    git.commit()
    git("branch", "work")
    git.commit("more")
    git("switch", "--quiet", "work")
    git.commit("other")
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{git.root}", str(clone))
    with pytest.raises(GitError, match="no commit in common") as caught:
        added_since(locate(clone), "origin/main", FOLDERS)
    assert "git fetch --unshallow" in caught.value.hint
