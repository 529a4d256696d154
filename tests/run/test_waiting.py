"""Rows that wait in the store for a migration."""

from __future__ import annotations

import pytest

from ashflow.change.operations import AddColumn, RenameColumn, RenameTable
from ashflow.run.bringing import Parcel, at_home, columns_of, followed
from ashflow.run.journal import run_folder, write_record
from ashflow.run.record import Kept, Record
from ashflow.run.waiting import (
    forget_applied,
    hand_on,
    is_waited,
    let_wait,
    no_more,
    still_wanted,
    waiting,
)
from ashflow.schema.table import Column

COLOR = Kept("posts", "color", 2, 2, "posts")
TAGS = Kept("tags", None, 2, 2, "tags")


@pytest.fixture
def kept(tmp_path):
    """Write down that a run kept something aside: `kept("1", COLOR)`."""

    def kept(run, *values, database_id="one"):
        folder = run_folder(tmp_path, run, "repo")
        folder.mkdir(parents=True)
        record = Record(
            run, "regen", "repo", "/", database_id=database_id, kept=values, parked="rows"
        )
        write_record(folder, record)
        return Parcel(folder / "rows", values, run)

    return kept


def found(store, *versions, database_id="one"):
    return [parcel.run for parcel in waiting(store, "repo", versions, database_id)]


def test_what_waits_comes_in_the_order_in_which_it_was_kept(tmp_path, kept):
    newer, older = kept("2", TAGS), kept("1", COLOR)
    for parcel in (newer, older):
        let_wait(tmp_path, "repo", parcel.run, "V1")
        let_wait(tmp_path, "repo", parcel.run, "V1")
    assert waiting(tmp_path, "repo", ["V0", "V1"], "one") == (older, newer)
    assert found(tmp_path, "V0") == []
    assert still_wanted(tmp_path) == {"1", "2"}


def test_nothing_waits_where_there_is_no_store(tmp_path):
    store = tmp_path / "store"
    assert found(store, "V1") == []
    no_more(store, "repo", ["1"])
    hand_on(store, "repo", ["V1"], "V2", ())
    forget_applied(store, "repo", ["V1"], "one")
    assert (is_waited(store, "repo"), still_wanted(store), store.exists()) == (
        False,
        frozenset(),
        False,
    )


def test_rows_of_another_database_are_not_for_this_one(tmp_path, kept):
    kept("1", COLOR, database_id="other")
    let_wait(tmp_path, "repo", "1", "V1")
    assert found(tmp_path, "V1") == []
    assert found(tmp_path, "V1", database_id="other") == ["1"]
    forget_applied(tmp_path, "repo", ["V1"], "one")
    assert found(tmp_path, "V1", database_id="other") == ["1"]


def test_what_came_back_already_does_not_wait(tmp_path, kept):
    kept("1", Kept("posts", "color", 2, 1, "posts"), TAGS)
    let_wait(tmp_path, "repo", "1", "V1")
    (parcel,) = waiting(tmp_path, "repo", ["V1"], "one")
    assert parcel.kept == (TAGS,)


def test_a_run_that_is_gone_is_waited_for_no_more(tmp_path):
    let_wait(tmp_path, "repo", "1", "V1")
    assert found(tmp_path, "V1") == []


def test_what_is_handed_on_waits_for_both_until_it_is_back(tmp_path, kept):
    kept("1", COLOR)
    let_wait(tmp_path, "repo", "1", "V1")
    hand_on(tmp_path, "repo", ["V1"], "V2", ())
    assert (found(tmp_path, "V1"), found(tmp_path, "V2")) == (["1"], ["1"])
    no_more(tmp_path, "repo", ["1"])
    assert (found(tmp_path, "V1", "V2"), is_waited(tmp_path, "repo")) == ([], False)


def test_nothing_waits_for_what_is_applied(tmp_path, kept):
    kept("1", COLOR)
    kept("2", TAGS)
    let_wait(tmp_path, "repo", "1", "V1")
    let_wait(tmp_path, "repo", "2", "V2")
    forget_applied(tmp_path, "repo", ["V0", "V1"], "one")
    assert found(tmp_path, "V1", "V2") == ["2"]


def test_a_parcel_follows_the_names_that_operations_give(tmp_path):
    parcel = Parcel(tmp_path, (COLOR, TAGS))
    operations = (
        RenameTable("posts", "articles"),
        AddColumn("articles", Column("color", "text")),
        RenameColumn("articles", "color", "colour"),
        RenameColumn("articles", "colour", "hue"),
    )
    there = followed(parcel, operations)
    assert [one.to for one in there.kept] == ["articles", "tags"]
    assert there.kept[0].columns == (("color", "hue"),)
    assert columns_of([there]) == {("articles", "hue")}
    assert at_home(there).kept == parcel.kept
    assert followed(at_home(parcel), operations).kept == parcel.kept
