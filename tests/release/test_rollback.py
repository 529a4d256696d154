"""`release.rollback`: from the operations in the database, with files and without."""

from __future__ import annotations

import pytest
from production import execute, table, version

from ashflow import release
from ashflow.errors import IrreversibleError, MigrationFailed, RowsForbid, UsageError


@pytest.fixture
def four(shop):
    """A shop with four migrations that are applied; the third one runs functions."""
    shop.adds(1, "a", table("a", "x"))
    shop.adds(2, "b", table("b"))
    shop.runs(3, "f", "db.execute('INSERT INTO b VALUES (5)')", down="db.execute('DELETE FROM b')")
    shop.adds(4, "c", table("c"), execute("INSERT INTO a (x) VALUES ('c')", down="'DELETE FROM a'"))
    shop.migrate()
    return shop


def gone(shop, *numbers):
    for number in numbers:
        (path,) = shop.folder.glob(f"{version(number)}_*.py")
        path.unlink()


def names(done):
    return [(one.name, one.direction) for one in done.migrations]


def test_it_goes_back_to_and_including_a_version(four):
    assert names(four.rollback(to=version(2))) == [("c", "down"), ("f", "down"), ("b", "down")]
    assert four.states() == [("a", "up"), ("b", "down"), ("f", "down"), ("c", "down")]
    assert four.tables() == ["a"]


def test_it_goes_by_the_order_of_application(four):
    four.adds(0, "late", table("late"))
    four.migrate(allow_out_of_order=True)
    assert names(four.rollback(step=1)) == [("late", "down")]
    four.migrate(allow_out_of_order=True)
    assert names(four.rollback(to=version(4))) == [("late", "down"), ("c", "down")]


def test_it_needs_no_file_as_in_an_older_release(four):
    gone(four, 4)
    done = four.migrate()
    assert (done.migrations, len(done.warnings)) == ((), 1)
    assert names(four.rollback(to=version(4))) == [("c", "down")]
    assert four.tables() == ["a", "b"]
    assert four.ask("SELECT count(*) FROM a") == [(0,)]
    assert four.migrate().warnings == ()


def test_it_needs_no_file_also_where_no_folder_of_them_is_left(four):
    four.rollback(step=2)
    gone(four, 1, 2, 3, 4)
    assert names(four.rollback(to=version(1))) == [("b", "down"), ("a", "down")]
    assert four.tables() == []


def test_it_takes_what_was_applied_and_not_what_the_file_says_now(four):
    four.adds(4, "c", table("other"))
    four.rollback(step=1)
    assert four.tables() == ["a", "b"]


def test_functions_come_from_the_file(four):
    four.rollback(step=2)
    assert four.ask("SELECT * FROM b") == []


@pytest.mark.parametrize("step", [2, 3])
def test_functions_whose_file_is_gone_stop_before_anything(four, step):
    gone(four, 3)
    before = four.dump()
    with pytest.raises(IrreversibleError, match="its file is not here") as caught:
        four.rollback(step=step)
    assert f"{version(3)}_f" in caught.value.message
    assert caught.value.version == version(3)
    assert caught.value.exit_code == 2
    assert four.dump() == before
    assert names(four.rollback(step=1)) == [("c", "down")]


def test_what_has_no_way_back_stops_before_anything(four):
    four.runs(5, "oneway", "pass")
    four.adds(6, "d", table("d"))
    four.migrate()
    before = four.dump()
    with pytest.raises(IrreversibleError, match="can't be rolled back") as caught:
        four.rollback(step=3)
    assert (caught.value.version, caught.value.path) == (
        version(5),
        f"migrations/{version(5)}_oneway.py",
    )
    assert four.dump() == before


def test_a_way_back_that_fails_leaves_what_went_before_it(four):
    four.adds(5, "e", table("e"), execute("SELECT 1", down="'DELETE FROM nowhere'"))
    four.adds(6, "g", table("g"))
    four.migrate()
    with pytest.raises(MigrationFailed, match="can't roll back") as caught:
        four.rollback(step=3)
    assert caught.value.version == version(5)
    assert four.applied() == ["a", "b", "f", "c", "e"]
    assert four.tables() == ["a", "b", "c", "e"]


def test_rows_that_forbid_a_way_back_are_counted_and_not_shown(four, caplog):
    more = 'AlterColumn("a", old=Column("x", "text"), new=Column("x", "text", nullable=True))'
    four.rollback(step=1)
    four.ask("UPDATE a SET x = 'there'")
    four.ask("DROP TABLE a")
    four.ask('CREATE TABLE "a" ("id" INTEGER PRIMARY KEY, "x" TEXT NOT NULL)')
    gone(four, 4)
    four.adds(5, "loose", more)
    four.migrate()
    four.ask("INSERT INTO a (x) VALUES (NULL)")
    with pytest.raises(RowsForbid, match=r"1 row would have NULL in a\.x") as caught:
        four.rollback(step=1)
    assert caught.value.version == version(5)
    assert four.ask("SELECT count(*) FROM a") == [(1,)]


@pytest.mark.parametrize(
    "asked", [{}, {"step": 1, "to": version(1)}, {"step": 0}, {"step": -1}, {"to": version(9)}]
)
def test_it_has_to_be_said_how_far(four, asked):
    before = four.dump()
    with pytest.raises(UsageError):
        four.rollback(**asked)
    assert four.dump() == before


def test_a_version_that_is_not_applied_is_refused(four):
    four.adds(5, "e", table("e"))
    with pytest.raises(UsageError, match="is not applied"):
        four.rollback(to=version(5))


def test_a_repo_of_the_project_is_named(four):
    assert names(release.rollback("repo", step=1)) == [("c", "down")]
    assert four.tables() == ["a", "b"]


def test_the_command_rolls_back_without_the_file_too(four):
    gone(four, 4)
    words = ("rollback", "--repo", "repo", "--to", version(4), "--json")
    told = four.run(*words).json()["repos"][0]["migrations"]
    assert [(one["name"], one["direction"]) for one in told] == [("c", "down")]
    gone(four, 3)
    failed = four.run("rollback", "--repo", "repo", "--step", "2", "--json", code=2)
    assert failed.json()["error"]["code"] == "irreversible"
