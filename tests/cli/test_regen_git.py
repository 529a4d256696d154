"""Git situations and regen: what is new, what only looks so, and when git can't say."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace

import pytest

POSTS = """
class Post(Resource, table="posts"):
    id: int = integer_primary_key()
    title: str
"""
COLORED = POSTS + "    color: str | None\n"
PAINTED = COLORED + "    weight: float = 1.5\n"


@pytest.fixture
def day(begin):
    """An untracked, applied migration with a row, and resources that have changed since."""
    day = begin(rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.declare(PAINTED)
    return day


def refused(day, *flags, **more):
    before = day.everything()
    error = day.regen("-m", *flags, code=2, **more)
    assert day.everything() == before
    return error


def rows(day):
    return day.query("SELECT title, color, weight FROM posts")


def test_files_that_are_no_migrations_stay_where_they_are(day):
    folder = "priv/repo/migrations"
    version = day.path("second").split("/")[-1][:14]
    others = [
        f"{folder}/.DS_Store",
        f"{folder}/.gitkeep",
        f"{folder}/.{version}_second.py.swp",
        f"{folder}/{version}_second notes.md",
        f"{folder}/{version}_Second.py",
        f"{folder}/{version}_it's.py",
        f"{folder}/{version}_añadir.py",
        f"{folder}/{version}_second.py.orig",
        f"{folder}/__pycache__/{version}_second.cpython-311.pyc",
        f"{folder}/old/{version}_second.py",
        f"priv/resource_snapshots/repo/posts/{version}.json~",
        f"priv/resource_snapshots/repo/posts/deep/{version}.json",
        f"priv/resource_snapshots/repo/{version}.json",
        "notes.md",
    ]
    for other in others:
        day.project.write(other, "mine")
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert len(told["removed"]) == 2
    assert [day.project.read(other) for other in others] == ["mine"] * len(others)
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_one_call_of_git_status_is_enough(day, logged_git):
    env, log = logged_git
    day.regen("-m", env=env)
    calls = log.read_text().splitlines()
    assert len([call for call in calls if " status " in call]) == 1
    assert len(calls) <= 2
    assert all("priv" in call for call in calls if " status " in call)


def test_intent_to_add_is_as_untracked(day):
    day.project.git("add", "--intent-to-add", "priv")
    assert len(day.regen("-m")["removed"]) == 2
    assert rows(day) == [("A", "red", 1.5)]
    day.project.git("add", "--all")
    assert "second" not in day.project.git("ls-files")
    day.whole()


def test_what_is_staged_is_tracked_for_now(day):
    day.project.git("add", "priv")
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.migrations() == day.applied() == ["first", "second", "again"]
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_what_was_removed_from_the_index_is_tracked(day):
    day.project.git("add", "--all")
    day.project.git.commit("second")
    day.project.git("rm", "--quiet", "-r", "--cached", "priv")
    told = day.regen("-m")
    assert (told["rolled_back"], told["removed"]) == ([], [])
    assert day.migrations() == ["first", "second", "again"]
    assert rows(day) == [("A", "red", 1.5)]


def test_half_a_pair_that_git_tracks_is_refused(day):
    (snapshot,) = day.snapshots_of("second")
    day.project.git("add", snapshot)
    error = refused(day)
    assert snapshot in error["message"]
    assert day.path("second") in error["message"]


def test_a_tracked_migration_without_its_tracked_snapshot_is_warned_of(day):
    day.project.git("add", day.path("second"))
    result = day.run("regen", "again", "-m")
    (snapshot,) = day.snapshots_of("second")
    assert snapshot in result.err
    assert "warning" in result.err
    assert day.migrations() == ["first", "second", "again"]
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_a_tracked_migration_that_was_built_on_an_untracked_one_is_refused(day):
    day.run("codegen", "third")
    day.run("migrate")
    day.project.git("add", day.path("third"), *day.snapshots_of("third"))
    (below,), (above,) = day.snapshots_of("second"), day.snapshots_of("third")
    error = refused(day)
    assert below in error["message"]
    assert above in error["message"]


@pytest.mark.parametrize("half", ["migration", "snapshot"])
def test_a_tracked_file_that_is_not_on_disk_while_its_half_is_stops_everything(day, half):
    (snapshot,) = day.snapshots_of("first")
    gone = day.path("first") if half == "migration" else snapshot
    if half == "migration":
        day.project.git("rm", "--quiet", "--cached", snapshot)
        day.project.git("commit", "--quiet", "--message", "half")
    (day.root / gone).unlink()
    error = refused(day)
    assert gone in error["message"]
    assert "git restore" in error["hint"]


def test_a_tracked_pair_that_is_removed_together_may_go(begin):
    day = begin(POSTS, None)
    day.change(COLORED, "second")
    day.project.git.commit("second")
    day.run("rollback")
    day.project.git("rm", "--quiet", day.path("second"), *day.snapshots_of("second"))
    day.declare(PAINTED)
    day.regen("-m")
    assert day.applied() == ["first", "again"]
    day.whole()


@pytest.mark.parametrize("rule", ["*.json", "priv/", "migrations/", "*_second.py"])
def test_an_ignored_migration_or_snapshot_is_refused(day, rule):
    day.project.write(".git/info/exclude", f"{rule}\n")
    if rule in {"priv/", "migrations/", "*.json"}:
        day.project.git("rm", "--quiet", "-r", "--cached", "priv")
        day.project.git("commit", "--quiet", "--message", "hidden")
    error = refused(day)
    assert "git ignores" in error["message"]
    assert "git check-ignore -v priv/" in error["hint"]


def test_ignored_files_of_other_names_do_not_matter(day):
    day.project.write(".git/info/exclude", "*.swp\n.DS_Store\n")
    day.project.write("priv/repo/migrations/.DS_Store", "x")
    day.regen("-m")
    assert (day.root / "priv/repo/migrations/.DS_Store").exists()


def test_unmerged_files_are_refused(day):
    git = day.project.git
    git("stash", "--quiet", "--include-untracked")
    (snapshot,) = day.snapshots_of("first")
    for branch, text in (("other", "x"), ("main", "y")):
        git("checkout", "--quiet", "-B", branch, "main")
        day.project.write(snapshot, text)
        git.commit(branch)
        if branch == "other":
            git("checkout", "--quiet", "main")
    git("merge", "--quiet", "other", code=1)
    error = refused(day)
    assert error["code"] == "git"
    assert "unmerged" in error["message"]


@pytest.mark.parametrize("deed", ["rebase", "cherry-pick", "revert"])
def test_a_rebase_or_the_like_under_way_is_refused(day, deed):
    git = day.project.git
    git("stash", "--quiet", "--include-untracked")
    for branch in ("other", "main"):
        git("checkout", "--quiet", "-B", branch, "main")
        day.project.write("notes.md", branch)
        git.commit(branch)
        if branch == "other":
            git("checkout", "--quiet", "main")
    start = {"rebase": ["rebase", "other"], "cherry-pick": ["cherry-pick", "other"]}
    day.project.write("notes.md", "later")
    git.commit("later")
    git(*start.get(deed, ["revert", "HEAD~1"]), code=1)
    git("stash", "pop", "--quiet", code=1)
    git("checkout", "--quiet", "stash@{0}^3", "--", "priv")
    error = refused(day)
    assert f"a {deed} is under way" in error["message"]


def test_a_merge_under_way_without_conflicts_is_no_hindrance(day):
    git = day.project.git
    git("branch", "other")
    git("stash", "--quiet", "--include-untracked")
    day.project.write("notes.md", "main")
    git.commit("main")
    git("checkout", "--quiet", "other")
    day.project.write("other.md", "other")
    git.commit("other")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-commit", "--no-ff", "other")
    git("stash", "pop", "--quiet")
    day.regen("-m")
    assert rows(day) == [("A", "red", 1.5)]


def test_a_git_repository_of_its_own_in_priv_is_refused(day):
    git = day.project.git
    git("rm", "--quiet", "-r", "--cached", "priv")
    git("commit", "--quiet", "--message", "apart")
    git.at(day.root / "priv")("init", "--quiet")
    assert "does not look into priv/" in refused(day)["message"]


@pytest.mark.parametrize("link", ["priv", "priv/repo/migrations", "priv/resource_snapshots/repo"])
def test_a_link_in_the_place_of_a_folder_is_refused(day, link, tmp_path):
    shutil.move(day.root / link, tmp_path / "elsewhere")
    (day.root / link).symlink_to(tmp_path / "elsewhere")
    before = {p: p.read_bytes() for p in (tmp_path / "elsewhere").rglob("*") if p.is_file()}
    error = day.regen("-m", code=2)
    assert error["code"] == "git"
    assert "does not look into priv" in error["message"]
    assert {p: p.read_bytes() for p in before} == before
    assert (day.root / link).is_symlink()


def test_a_link_in_the_place_of_a_migration_is_not_followed(day, tmp_path):
    place = day.root / day.path("second")
    shutil.move(place, tmp_path / "real.py")
    place.symlink_to(tmp_path / "real.py")
    error = day.regen("-m", code=1)
    assert day.path("second") in error["message"]
    assert place.is_symlink()
    assert (tmp_path / "real.py").exists()
    assert day.query("SELECT title, color FROM posts") == [("A", "red")]
    assert day.applied() == ["first", "second"]


def test_without_a_git_repository_it_says_so(day):
    shutil.rmtree(day.root / ".git")
    before = {p: day.project.read(p) for p in day.project.files()}
    error = day.regen("-m", code=2)
    assert error["code"] == "git"
    assert "this is no git repository" in error["message"]
    assert "git init" in error["hint"]
    assert {p: day.project.read(p) for p in day.project.files()} == before


def test_without_git_it_says_so(day, tmp_path):
    (tmp_path / "empty").mkdir()
    error = refused(day, env={"PATH": str(tmp_path / "empty")})
    assert "git is not installed" in error["message"]


def test_before_the_first_commit_all_is_new(begin):
    day = begin(POSTS, COLORED, rows="INSERT INTO posts (title, color) VALUES ('A', 'red')")
    day.project.git("update-ref", "-d", "HEAD")
    day.project.git("rm", "--quiet", "-r", "-f", "--cached", ".")
    day.declare(PAINTED)
    told = day.regen("-m")
    assert len(told["rolled_back"]) == 2
    assert day.migrations() == day.applied() == ["again"]
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_on_a_detached_head(day):
    day.project.git("checkout", "--quiet", "--detach")
    day.regen("-m")
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_in_a_linked_worktree_with_a_database_of_its_own(day):
    git = day.project.git
    place = day.root.parent / "linked"
    git("worktree", "add", "--quiet", str(place))
    there = type(day)(
        type(day.project)(place, git.at(place), replace(day.project.ashflow, root=place))
    )
    there.change(COLORED, "second")
    there.query("INSERT INTO posts (title, color) VALUES ('L', 'blue')")
    there.declare(PAINTED)
    before = day.everything()
    told = there.regen("-m", "--json")
    assert len(told["rolled_back"]) == 1
    assert rows(there) == [("L", "blue", 1.5)]
    assert day.query("SELECT title, color FROM posts") == [("A", "red")]
    assert day.everything()["databases"] == before["databases"]
    assert (day.root / ".git/ashflow").is_dir()
    there.whole()


def test_in_a_subfolder_of_a_monorepo(day):
    git = day.project.git
    place = day.root / "apps" / "our shop"
    place.mkdir(parents=True)
    for name in ("pyproject.toml", "shop", "priv", ".gitignore"):
        shutil.move(day.root / name, place / name)
    git("add", "--all")
    (second,) = place.glob("priv/repo/migrations/*_second.py")
    version = second.name[:14]
    git("reset", "--quiet", "--", *(str(p) for p in place.glob(f"priv/**/{version}*")))
    git("commit", "--quiet", "--message", "moved")
    there = type(day)(
        type(day.project)(place, git.at(place), replace(day.project.ashflow, root=place))
    )
    told = there.regen("-m")
    assert len(told["rolled_back"]) == 1
    assert all(path.startswith("priv/") for path in told["removed"])
    assert rows(there) == [("A", "red", 1.5)]
    assert stat.S_IMODE(day.store().stat().st_mode) == 0o700
    there.whole()
    there.declare(POSTS)
    parked = there.regen("-m", "--yes")["parked"]
    assert parked.startswith("../../.git/ashflow/")
    assert (place / parked).is_file()


def test_what_a_hook_sets_is_not_heard(day, tmp_path):
    env = {
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_PREFIX": "x/",
    }
    told = day.regen("-m", env=env)
    assert len(told["rolled_back"]) == 1
    assert rows(day) == [("A", "red", 1.5)]
    assert not (tmp_path / "index").exists()


def test_settings_that_change_what_status_says_do_not_matter(day):
    git = day.project.git
    for name, value in (
        ("status.showUntrackedFiles", "no"),
        ("status.relativePaths", "false"),
        ("core.quotePath", "true"),
        ("core.fsmonitor", "/nowhere/at/all"),
        ("core.autocrlf", "true"),
    ):
        git("config", name, value)
    day.regen("-m")
    assert rows(day) == [("A", "red", 1.5)]
    day.whole()


def test_a_folder_with_an_odd_name(day):
    place = day.root.parent / "odd \"ñ' * folder"
    day.root.rename(place)
    git = day.project.git.at(place)
    there = type(day)(type(day.project)(place, git, replace(day.project.ashflow, root=place)))
    there.regen("-m")
    assert rows(there) == [("A", "red", 1.5)]


def test_a_table_with_an_odd_name(begin):
    odd = POSTS + (
        '\nclass Odd(Resource, table="a/../b*\\"c d"):\n'
        "    id: int = integer_primary_key()\n    word: str\n"
    )
    day = begin(POSTS, odd)
    day.query('INSERT INTO "a/../b*""c d" (word) VALUES (?)', "w")
    day.declare(odd + "    n: int = 1\n")
    told = day.regen("-m")
    assert told["rows_carried"] == 1
    assert day.query('SELECT word, n FROM "a/../b*""c d"') == [("w", 1)]
    day.whole()


def test_the_index_is_left_alone(day):
    index = (day.root / ".git/index").read_bytes()
    day.regen("-m")
    assert (day.root / ".git/index").read_bytes() == index
    lock = day.root / ".git/index.lock"
    lock.touch()
    day.declare(COLORED)
    day.run("regen", "once_more", "-m", "--yes")
    lock.unlink()
    day.whole()
