"""What a regen takes for new, asked of git, and what leaves the index with it."""

from __future__ import annotations

import time
from itertools import count

import pytest

from ashflow.errors import GitError, LockedError, UsageError
from ashflow.plan.regen import replaced
from ashflow.project import asking
from ashflow.project.asking import asking_git
from ashflow.project.checkout import open_project
from ashflow.project.untracked import Ground, Scope, _ask_git, _gone
from ashflow.worktree import files

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
NOTES = "priv/repo/migrations/notes.md"


@pytest.fixture
def begun(checkout):
    """A table that is committed, and a column that is not."""
    checkout.codegen("posts", POSTS)
    checkout.git.commit("posts")
    checkout.codegen("color", COLORED)
    return checkout


def ask(begun, scope: Scope) -> Ground:
    project = open_project(begun.root, {})
    repos = project.repos(["repo"])
    with asking_git(project, repos) as git:
        return _ask_git(project, repos, scope, git)[1]


def going(begun, scope: Scope = Scope(staged=True)) -> set[str]:  # noqa: B008 - frozen
    """The files on disk that go."""
    project = open_project(begun.root, {})
    ground = ask(begun, scope)
    [repo] = project.repos(["repo"])
    return set(replaced(project.history("repo"), ground.new, _gone(project, repo, ground)).paths)


def leaving(begun, scope: Scope = Scope(staged=True)) -> dict[str, str]:  # noqa: B008 - frozen
    """What leaves the index with them."""
    folders = open_project(begun.root, {}).folders("repo")
    entries = ask(begun, scope).entries_of(folders, going(begun, scope))
    return {path: entry.kind for path, entry in entries.items()}


def pair(begun) -> set[str]:
    return {begun.path("color"), begun.snapshot("color")}


def test_what_is_staged_is_new_where_that_is_asked_for_and_tracked_where_not(begun):
    begun.git("add", "priv")
    assert going(begun, Scope()) == set()
    assert leaving(begun, Scope()) == {}
    assert going(begun) == pair(begun)
    assert leaving(begun) == dict.fromkeys(pair(begun), "staged")


def test_what_was_edited_after_it_was_staged_is_new_too(begun):
    begun.git("add", "priv")
    (begun.root / begun.path("color")).write_text("# edited\n")
    assert going(begun) == pair(begun)


def test_what_is_untracked_is_new_in_each_scope_and_nothing_leaves_the_index(begun):
    for scope in (Scope(), Scope(staged=True)):
        assert going(begun, scope) == pair(begun)
        assert leaving(begun, scope) == {}


def test_what_is_intended_is_new_in_each_scope_and_leaves_the_index(begun):
    begun.git("add", "--intent-to-add", "priv")
    for scope in (Scope(), Scope(staged=True)):
        assert leaving(begun, scope) == dict.fromkeys(pair(begun), "intent")


def test_one_half_may_be_staged_and_the_other_untracked(begun):
    begun.git("add", begun.path("color"))
    assert going(begun, Scope()) == set()
    assert going(begun) == pair(begun)
    assert leaving(begun) == {begun.path("color"): "staged"}


@pytest.mark.parametrize("half", ["path", "snapshot"])
def test_an_intended_half_that_is_gone_counts_as_not_there_in_each_scope(begun, half):
    gone, paths = getattr(begun, half)("color"), pair(begun)
    begun.git("add", "--intent-to-add", gone)
    (begun.root / gone).unlink()
    for scope in (Scope(), Scope(staged=True)):
        assert going(begun, scope) == paths - {gone}
        assert leaving(begun, scope) == {gone: "intent"}


@pytest.mark.parametrize("half", ["path", "snapshot"])
def test_a_staged_half_that_is_gone_counts_as_not_there_and_leaves_the_index(begun, half):
    gone, paths = getattr(begun, half)("color"), pair(begun)
    begun.git("add", gone)
    (begun.root / gone).unlink()
    with pytest.raises(UsageError, match="its other half"):
        going(begun, Scope())
    assert going(begun) == paths - {gone}
    assert leaving(begun) == {gone: "staged"}


def test_what_is_no_migration_stays_in_the_index_also_where_it_is_gone(begun):
    begun.project.write(NOTES, "read me")
    begun.project.write(f"{NOTES}.old", "read me")
    begun.git("add", "priv")
    (begun.root / NOTES).unlink()
    assert leaving(begun) == dict.fromkeys(pair(begun), "staged")


def test_what_is_committed_stays_though_it_is_edited_and_staged(begun):
    begun.git("add", "priv")
    (begun.root / begun.path("posts")).write_text("# edited\n")
    begun.git("add", "priv")
    assert going(begun) == pair(begun)


def test_what_a_merge_brings_is_not_taken_for_new(begun):
    begun.git("switch", "--quiet", "--create", "theirs")
    begun.git.commit("color")
    begun.git("switch", "--quiet", "main")
    begun.git.commit("more")
    begun.git("merge", "--quiet", "--no-commit", "--no-ff", "theirs")
    assert going(begun, Scope()) == set()
    with pytest.raises(GitError, match="a merge is under way"):
        going(begun)


def test_what_came_from_a_branch_of_a_remote_is_refused(begun, tmp_path):
    """`git merge --squash` and `git checkout BRANCH -- FILE` stage what others have."""
    begun.git("switch", "--quiet", "--create", "theirs")
    begun.git.commit("color")
    begun.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    begun.git("remote", "add", "origin", str(tmp_path / "remote"))
    begun.git("push", "--quiet", "origin", "theirs")
    begun.git("switch", "--quiet", "main")
    begun.git("merge", "--quiet", "--squash", "theirs")
    with pytest.raises(UsageError, match="is on origin/theirs already"):
        going(begun)
    assert going(begun, Scope(staged=True, published=True)) == pair(begun)


def told_late(begun, monkeypatch, deed, *, times=1):
    """Ask git, where files come or go after it has looked and before they are listed."""
    project = open_project(begun.root, {})
    repos = project.repos(["repo"])
    listed, left = project.history, [deed] * times

    def history(repo):
        if left:
            left.pop()()
        return listed(repo)

    with asking_git(project, repos) as git:
        time.sleep(0.3)  # git has long answered
        monkeypatch.setattr(type(project), "history", lambda self, repo: history(repo))
        return _ask_git(project, repos, Scope(), git)


def test_what_came_after_git_had_looked_is_no_tracked_file(begun, monkeypatch):
    late = f"priv/repo/migrations/{'9' * 14}_late.py"
    histories, ground = told_late(begun, monkeypatch, (begun.root / late).touch)
    assert late in histories["repo"].paths
    assert late in ground.new


def test_what_came_into_a_folder_that_stands_is_no_tracked_file(begun, monkeypatch):
    late = f"{begun.snapshot('color').rpartition('/')[0]}/{'9' * 14}.json"
    _, ground = told_late(begun, monkeypatch, (begun.root / late).touch)
    assert late in ground.new


def test_where_a_file_system_counts_seconds_what_came_is_no_tracked_file(begun, monkeypatch):
    def coarse(folder, exact=files._changed_at):
        return exact(folder) // 2_000_000_000 * 2_000_000_000

    monkeypatch.setattr(files, "_changed_at", coarse)
    late = f"priv/repo/migrations/{'9' * 14}_late.py"
    _, ground = told_late(begun, monkeypatch, (begun.root / late).touch)
    assert late in ground.new


def test_git_is_asked_again_after_a_question(begun):
    project = open_project(begun.root, {})
    repos = project.repos(["repo"])
    with asking_git(project, repos) as git:
        assert _ask_git(project, repos, Scope(), git)[1].new == pair(begun)
        begun.git.commit("while the question stood")
        assert _ask_git(project, repos, Scope(), git)[1].new == set()


def test_what_went_after_git_had_looked_is_neither_there_nor_new(begun, monkeypatch):
    path = begun.path("color")
    histories, ground = told_late(begun, monkeypatch, (begun.root / path).unlink)
    assert path not in histories["repo"].paths
    assert path not in ground.new


def test_who_never_stops_changing_the_files_is_told_of(begun, monkeypatch):
    names, real = count(), asking.status

    def deed():
        (begun.root / f"priv/repo/migrations/{next(names)}.txt").touch()

    def status(located, folders):
        told = real(located, folders)
        deed()
        return told

    monkeypatch.setattr(asking, "status", status)
    with pytest.raises(LockedError, match="of repo were changed by another process") as caught:
        told_late(begun, monkeypatch, deed)
    assert "again" in caught.value.hint
    assert next(names) == 4  # one before the first answer was waited for, one after each later one
