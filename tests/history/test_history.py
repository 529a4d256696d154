from __future__ import annotations

import pytest

from ashflow.errors import DuplicateVersionError, MigrationFileError, SnapshotError, UsageError
from ashflow.history.files import MigrationFile, SnapshotFile
from ashflow.history.history import check_new_name, read_history
from ashflow.history.snapshot import new_snapshot, text_of
from ashflow.schema.table import Column, Table

MIGRATIONS = "priv/repo/migrations"
SNAPSHOTS = "priv/resource_snapshots/repo"
EMPTY = "from ashflow.migration import Migration\n\nmigration = Migration(operations=[])\n"


def snapshot(table, version, **more):
    data = new_snapshot(
        Table(table, [Column("a", "text")]), version=version, repo="repo", migration="m", **more
    )
    return text_of(data)


def history(**files):
    return read_history(files.get("tree", files), migrations=MIGRATIONS, snapshots=SNAPSHOTS)


TREE = {
    f"{SNAPSHOTS}/posts/20260102000000.json": snapshot("posts", "20260102000000"),
    f"{MIGRATIONS}/20260102000000_b.py": EMPTY,
    f"{MIGRATIONS}/20260101000000_a.py": EMPTY,
    f"{SNAPSHOTS}/%55sers/20260103000000.json": snapshot("Users", "20260103000000"),
    f"{SNAPSHOTS}/@domain/20260103000000.json": snapshot("@domain", "20260103000000"),
}


def test_migrations_and_snapshots_are_found_by_their_names_oldest_first():
    found = history(tree=TREE)
    assert found.migrations == (
        MigrationFile(f"{MIGRATIONS}/20260101000000_a.py", "20260101000000", "a"),
        MigrationFile(f"{MIGRATIONS}/20260102000000_b.py", "20260102000000", "b"),
    )
    assert set(found.snapshots) == {"posts", "%55sers", "@domain"}
    assert found.newest == "20260103000000"
    assert found.migration("20260102000000").name == "b"
    assert found.migration("20260103000000") is None
    (one,) = found.snapshots["posts"]
    assert one == SnapshotFile(f"{SNAPSHOTS}/posts/20260102000000.json", "posts", "20260102000000")
    assert set(found.leaves()) == {"posts", "Users", "@domain"}


@pytest.mark.parametrize(
    "path",
    [
        f"{MIGRATIONS}/.gitkeep",
        f"{MIGRATIONS}/__init__.py",
        f"{MIGRATIONS}/20260101000000_a.pyc",
        f"{MIGRATIONS}/20260101000000_a.py~",
        f"{MIGRATIONS}/.20260101000000_a.py.swp",
        f"{MIGRATIONS}/2026010100000_a.py",
        f"{MIGRATIONS}/20260101000000.py",
        f"{MIGRATIONS}/20260101000000_A.py",
        f"{MIGRATIONS}/٢٠٢٦٠١٠١٠٠٠٠٠٠_a.py",
        f"{MIGRATIONS}/old/20260101000000_a.py",
        "priv/other/migrations/20260101000000_a.py",
        f"{SNAPSHOTS}/20260101000000.json",
        f"{SNAPSHOTS}/posts/notes.json",
        f"{SNAPSHOTS}/posts/20260101000000.json.orig",
        f"{SNAPSHOTS}/posts/old/20260101000000.json",
        f"{SNAPSHOTS}_of_another/posts/20260101000000.json",
    ],
)
def test_files_of_other_names_are_not_looked_at(path):
    found = history(tree={path: "anything"})
    assert (found.migrations, dict(found.snapshots), found.newest) == ((), {}, "")


def test_no_text_is_read_before_it_is_asked_for():
    class Sealed(dict):
        def __getitem__(self, path):
            raise AssertionError(path)

    assert len(history(tree=Sealed(TREE)).migrations) == 2


def test_a_history_without_some_versions_has_neither_their_migrations_nor_their_snapshots():
    less = history(tree=TREE).without(["20260102000000", "20990101000000"])
    assert [migration.name for migration in less.migrations] == ["a"]
    assert set(less.snapshots) == {"%55sers", "@domain"}


def test_two_migrations_of_one_version_are_told():
    one, other = f"{MIGRATIONS}/20260101000000_a.py", f"{MIGRATIONS}/20260101000000_b.py"
    with pytest.raises(DuplicateVersionError) as caught:
        history(tree={one: EMPTY, other: EMPTY})
    assert one in caught.value.message
    assert other in caught.value.message
    assert "20260101000000" in caught.value.message
    assert caught.value.hint


def test_a_snapshot_in_the_folder_of_another_table_is_told():
    path = f"{SNAPSHOTS}/articles/20260102000000.json"
    with pytest.raises(SnapshotError, match=f"{path} is of table posts") as caught:
        history(tree={path: snapshot("posts", "20260102000000")}).leaves()
    assert "posts/" in caught.value.hint


def test_a_name_that_stands_is_refused():
    found = history(tree=TREE)
    check_new_name(found, "c")
    with pytest.raises(UsageError, match=f"is called a already: {MIGRATIONS}/20260101000000_a.py"):
        check_new_name(found, "a")


def test_a_migration_is_loaded_and_known_by_its_text():
    found = history(tree=TREE)
    first, second = found.migrations
    assert found.load(first, "/nowhere").operations == ()
    assert found.checksum(first) == found.checksum(second)
    assert len(found.checksum(first)) == 64
    broken = history(tree={first.path: "migration = 1 / 0\n"})
    with pytest.raises(MigrationFileError, match="20260101000000_a"):
        broken.load(broken.migrations[0], "/nowhere")


def test_a_snapshot_under_another_name_is_refused():
    (path,) = [p for p in TREE if "/posts/" in p]
    moved = {**{p: t for p, t in TREE.items() if p != path}}
    moved[path.rpartition("/")[0] + "/20300101000000.json"] = TREE[path]
    with pytest.raises(SnapshotError, match="is of version 20260102000000: it was renamed"):
        history(tree=moved).leaves()
