from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

import faults
import pytest
from faults import SCENARIOS, Plan, change, contents, faulty, make

from ashflow.errors import AshflowError, DatabaseError, LockedError

MODES = ["DELETE", "WAL"]


@pytest.fixture(params=SCENARIOS)
def scenario(request):
    return SCENARIOS[request.param]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("deed", ["error", "ctrl-c"])
def test_a_change_that_fails_at_any_statement_is_done_or_not_begun(tmp_path, scenario, deed, mode):
    fresh = make(tmp_path, scenario, mode)
    before = contents(fresh)
    work = tmp_path / "work"
    for at in count(1):
        work.mkdir()
        path = Path(shutil.copy(fresh, work))
        failed = False
        with faulty(Plan(at, deed)) as plan:
            try:
                change(path, scenario)
            except (AshflowError, KeyboardInterrupt):
                failed = True
        assert (contents(path) == before) == failed
        shutil.rmtree(work)
        if not plan.happened:
            break
    assert not failed
    assert at > 10


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("where", ["between", "inside"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_change_that_is_killed_anywhere_is_done_or_not_begun(
    tmp_path, unmeasured, name, where, mode
):
    program = Path(faults.__file__)
    done = subprocess.run(
        [sys.executable, program, tmp_path, name, mode, where],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    points, was_done = json.loads(done.stdout)
    assert was_done
    assert points > 10


@pytest.mark.parametrize("mode", MODES)
def test_a_change_for_which_the_disk_is_too_small_is_not_begun(tmp_path, scenario, mode):
    fresh = make(tmp_path, scenario, mode)
    before = contents(fresh)
    with closing(sqlite3.connect(fresh)) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
    work, refused = tmp_path / "work", 0
    for more in count():
        work.mkdir()
        path = Path(shutil.copy(fresh, work))
        told = ""
        with faulty(Plan(pages=pages + more)):
            try:
                change(path, scenario)
            except DatabaseError as error:
                told = error.message
        assert (contents(path) == before) == ("the disk is full" in told)
        if not told:
            break
        refused += 1
        shutil.rmtree(work)
    assert refused == more


@pytest.mark.parametrize("mode", MODES)
def test_a_reader_keeps_a_change_waiting_only_where_its_journal_asks_for_it(tmp_path, mode):
    scenario = SCENARIOS["made anew"]
    path = make(tmp_path, scenario, mode)
    before = contents(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        rows = reader.execute("SELECT * FROM t").fetchall()
        if mode == "WAL":
            change(path, scenario)
            assert reader.execute("SELECT * FROM t").fetchall() == rows
        else:
            with pytest.raises(LockedError, match=r"base\.db is locked"):
                change(path, scenario)
        reader.execute("ROLLBACK")
    assert (contents(path) != before) == (mode == "WAL")
