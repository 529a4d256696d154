"""The journal of a run that is under way, and the records of those that are done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ashflow.errors import FileError
from ashflow.run.journal import (
    begin,
    end,
    next_run,
    prune,
    records,
    run_folder,
    run_names,
    standing,
    write_record,
)
from ashflow.run.record import Record


def record(run, repo="repo"):
    return Record(run, "regen", repo, "/")


def done(store, run, repo="repo"):
    folder = run_folder(store, run, repo)
    folder.mkdir(parents=True)
    write_record(folder, record(run, repo))


def test_a_journal_stands_from_its_begin_to_its_end(tmp_path):
    assert (standing(tmp_path) is not None, standing(tmp_path)) == (False, None)
    assert standing(tmp_path) is None
    begin(tmp_path, record("2"))
    assert (standing(tmp_path) is not None, standing(tmp_path)) == (True, record("2"))
    assert standing(tmp_path) == record("2")
    end(tmp_path)
    end(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_was_half_written_goes_with_the_next_one(tmp_path):
    (tmp_path / ".journal.json-00000000.new").write_text("{")
    begin(tmp_path, record("1"))
    assert [path.name for path in tmp_path.iterdir()] == ["journal.json"]


@pytest.mark.parametrize("text", [b"{", b"\xff", b""])
def test_a_journal_that_cannot_be_read_is_no_reason_to_go_on(tmp_path, text):
    (tmp_path / "journal.json").write_bytes(text)
    with pytest.raises(FileError, match=r"journal\.json can't be read"):
        standing(tmp_path)


def test_records_come_the_newest_first_without_the_one_that_is_under_way(tmp_path):
    for run, repo in (("1", "b"), ("1", "a"), ("3", "a"), ("2", "a")):
        done(tmp_path, run, repo)
    begin(tmp_path, record("3", "a"))
    found = [(one.id, one.repo) for one in records(tmp_path)]
    assert found == [("2", "a"), ("1", "a"), ("1", "b")]


def test_what_is_no_run_is_left_alone(tmp_path):
    done(tmp_path, "1")
    (tmp_path / "runs/2/repo").mkdir(parents=True)
    (tmp_path / "runs/.DS_Store").touch()
    (tmp_path / "runs/1/.DS_Store").touch()
    assert [one.id for one in records(tmp_path)] == ["1"]
    prune(tmp_path, 0, ())
    assert run_names(tmp_path) == []
    assert (tmp_path / "runs/.DS_Store").exists()


def test_so_many_runs_are_kept_and_those_that_are_wanted(tmp_path):
    for run in "12345":
        done(tmp_path, run)
    prune(tmp_path, 2, {"2"})
    assert run_names(tmp_path) == ["5", "4", "2"]


def test_the_next_run_comes_after_all_others_whatever_the_clock_says(tmp_path):
    now = datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert next_run(tmp_path, now) == "20260101020304000005"
    done(tmp_path, "20270101020304000005")
    assert next_run(tmp_path, now) == "20270101020304000006"
