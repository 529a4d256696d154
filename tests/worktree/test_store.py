"""Where the store lies, and who may be at work in it."""

from __future__ import annotations

import stat

import pytest

from ashflow.errors import LockedError
from ashflow.worktree.git import locate
from ashflow.worktree.store import held, is_held, open_store, store_folder


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_lies_in_the_common_folder_for_its_owner_only(git, tmp_path):
    folder = open_store(git.root)
    assert folder == store_folder(git.root)
    assert folder.parent == git.root / ".git/ashflow"
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
    link = tmp_path / "link"
    link.symlink_to(git.root)
    assert open_store(link) == folder


def test_two_projects_of_one_git_repository_have_two_stores(git):
    assert store_folder(git.root / "a") != store_folder(git.root / "b")


def test_without_git_it_lies_in_the_project_and_ignores_itself(tmp_path):
    folder = open_store(tmp_path)
    assert folder == tmp_path / ".ashflow"
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_called_git_that_is_no_git_repository_is_passed_by(git):
    (git.root / "inner/.git").mkdir(parents=True)
    assert store_folder(git.root / "inner").parent == git.root / ".git/ashflow"


def linked(git, tmp_path):
    git.commit()
    git("worktree", "add", "-q", str(tmp_path / "linked"))
    return tmp_path / "linked"


def submodule(git, tmp_path):
    git.commit()
    other = tmp_path / "other"
    git("clone", "-q", str(git.root), str(other))
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    return git.root / "sub"


def separate(git, tmp_path):
    git("init", "-q", f"--separate-git-dir={tmp_path / 'elsewhere'}")
    return git.root


@pytest.mark.parametrize("place", [linked, submodule, separate])
def test_it_lies_where_git_says_that_its_common_folder_is(git, tmp_path, place):
    root = place(git, tmp_path)
    assert store_folder(root).parent == locate(root).common_dir / "ashflow"


def test_one_process_is_at_work_in_it_at_a_time(tmp_path):
    store = open_store(tmp_path)
    assert not is_held(store)
    with held(store):
        assert is_held(store)
        with pytest.raises(LockedError, match="at work"), held(store):
            pass
    assert not is_held(store)
