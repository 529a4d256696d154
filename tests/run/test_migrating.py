"""What is planned is run as it was planned, or planned anew: others may be at work meanwhile."""

from __future__ import annotations

import sqlite3
import textwrap
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ashflow.adapters.connect import connect
from ashflow.adapters.sqlite import database as databases
from ashflow.errors import DatabaseError, LockedError, OutOfOrderError
from ashflow.plan.migrate import Asked, Rules
from ashflow.run.events import Ended, Warned
from ashflow.run.migrating import Target, planned_down, planned_up, run

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "migrations"
HEAD = "from ashflow.migration import *\n\n"
ALL = Asked()
NOW = datetime(2026, 11, 29, tzinfo=UTC)
COLUMN = 'Column("{}", "integer", nullable=True)'


@dataclass(frozen=True)
class Place:
    """A folder with migrations and a database."""

    root: Path

    def write(self, number, operations, head="", **more):
        path = self.root / FOLDER / f"{20260101000000 + number}_m{number}.py"
        path.parent.mkdir(exist_ok=True)
        rest = "".join(f", {name}={value}" for name, value in more.items())
        text = f"{HEAD}{textwrap.dedent(head)}\n\nmigration = Migration([{operations}]{rest})\n"
        path.write_text(text)

    def target(self):
        """The database, as another process sees it."""
        database = connect("sqlite:///a.db", root=self.root, lock_timeout=5)
        database.create()
        return Target("repo", database, self.root, FOLDER)

    def up(self, asked=ALL):
        return planned_up(self.target(), asked)

    def go(self, planned, events=None):
        told = [] if events is None else events
        try:
            return numbers(run(planned, now=lambda: NOW, tell=told.append))
        finally:
            planned.database.close()

    def back(self, step):
        return self.go(planned_down(self.target(), step=step))

    def applied(self):
        return numbers(self.target().ledger())

    def ask(self, sql):
        with closing(sqlite3.connect(self.root / "a.db")) as db:
            return db.execute(sql).fetchall()


def numbers(rows):
    return [int(row.version[-3:]) for row in rows]


@pytest.fixture
def place(tmp_path):
    """Five migrations, each a column more for the table of the first one; three are applied."""
    place = Place(tmp_path)
    place.write(1, 'CreateTable("a", [Column("id", "integer", primary_key=True)])')
    for number in range(2, 6):
        place.write(number, f'AddColumn("a", {COLUMN.format(f"c{number}")})')
    assert place.go(place.up(Asked(step=3))) == [1, 2, 3]
    return place


def test_what_another_one_has_applied_is_not_applied_again(place):
    planned = place.up()
    place.go(place.up(Asked(step=1)))
    assert place.go(planned) == [5]
    assert place.applied() == [1, 2, 3, 4, 5]


def test_what_another_one_has_rolled_back_is_applied_too(place):
    planned = place.up()
    assert place.back(2) == [3, 2]
    assert place.go(planned) == [2, 3, 4, 5]
    assert place.applied() == [1, 2, 3, 4, 5]


def test_a_database_that_was_made_anew_gets_all(place):
    planned = place.up()
    (place.root / "a.db").unlink()
    place.target()
    assert place.go(planned) == [1, 2, 3, 4, 5]


def test_of_so_many_only_those_that_were_chosen_are_applied(place):
    planned = place.up(Asked(step=2))
    place.go(place.up(Asked(step=1)))
    place.write(6, f'AddColumn("a", {COLUMN.format("c6")})')
    assert place.go(planned) == [5]


def test_of_so_many_none_is_applied_where_what_is_below_was_rolled_back(place):
    planned = place.up(Asked(step=1))
    place.back(1)
    with pytest.raises(LockedError, match="20260101000003_m3 was rolled back by another process"):
        place.go(planned)
    assert place.applied() == [1, 2]


def test_up_to_a_version_all_that_is_below_is_applied(place):
    planned = place.up(Asked(to="20260101000004"))
    place.back(1)
    assert place.go(planned) == [3, 4]


@pytest.mark.parametrize("allowed", [True, False])
def test_what_has_become_late_meanwhile_is_told_or_refused(place, allowed):
    planned = place.up(Asked(rules=Rules(allow_out_of_order=allowed)))
    place.write(9, f'AddColumn("a", {COLUMN.format("c9")})')
    newest = place.up()
    assert place.go(newest._replace(steps=newest.steps[-1:])) == [9]
    if allowed:
        events = []
        assert place.go(planned, events) == [4, 5]
        assert any(isinstance(event, Warned) and "is older" in event.text for event in events)
    else:
        with pytest.raises(OutOfOrderError, match=r"m4\.py is older than a migration"):
            place.go(planned)
        assert place.applied() == [1, 2, 3, 9]


def test_a_rollback_takes_back_only_what_it_has_seen(place):
    planned = planned_down(place.target())
    place.back(1)
    place.write(3, f'AddColumn("a", {COLUMN.format("x")})')
    place.go(place.up(Asked(step=1)))
    with pytest.raises(LockedError, match=r"20260101000003 was applied .* anew, as another"):
        place.go(planned)
    assert place.applied() == [1, 2, 3]


def test_a_rollback_that_was_done_is_not_done_again(place):
    planned = planned_down(place.target(), step=2)
    place.back(1)
    assert place.go(planned) == [2]
    assert place.applied() == [1]


def test_a_rollback_does_not_go_below_what_was_applied_meanwhile(place):
    planned = planned_down(place.target())
    place.go(place.up(Asked(step=1)))
    with pytest.raises(LockedError, match="20260101000004 was applied to"):
        place.go(planned)
    assert place.applied() == [1, 2, 3, 4]


# Several in one transaction


def test_a_temporary_table_does_not_stand_before_the_real_one_for_the_next(place):
    place.write(4, 'Execute(up="CREATE TEMP TABLE a AS SELECT 1 AS id", down=[])')
    place.write(5, f'AddColumn("a", {COLUMN.format("c5")}), AddIndex("a", ["c5"], name="i")')
    assert place.go(place.up()) == [4, 5]
    columns = [row[1] for row in place.ask("PRAGMA table_info(a)")]
    assert columns == ["id", "c2", "c3", "c5"]
    assert place.ask("SELECT tbl_name FROM sqlite_master WHERE name = 'i'") == [("a",)]


def test_where_a_commit_fails_for_all_they_are_tried_one_by_one(place, monkeypatch):
    """As where the disk has room for some of them only."""
    place.back(3)
    real, tried = databases.commit, []

    def commit(connection, *rest):
        (rows,) = connection.execute("SELECT count(*) FROM ashflow_migrations").fetchone()
        tried.append(rows)
        if rows > 2:
            connection.execute("ROLLBACK")
            raise DatabaseError("the disk is full")
        real(connection, *rest)

    planned = place.up()
    monkeypatch.setattr(databases, "commit", commit)
    events = []
    with pytest.raises(DatabaseError, match=r"can't apply 20260101000003_m3 .*: the disk is full"):
        place.go(planned, events)
    monkeypatch.undo()
    assert tried == [5, 1, 2, 3]
    assert place.applied() == [1, 2]
    assert numbers(event.done for event in events if isinstance(event, Ended)) == [1, 2]


def test_those_before_one_that_fails_stay_and_are_told_once(place):
    place.back(3)
    place.write(4, 'Execute(up="nonsense")')
    events = []
    with pytest.raises(Exception, match="can't apply 20260101000004_m4"):
        place.go(place.up(), events)
    assert place.applied() == [1, 2, 3]
    assert numbers(event.done for event in events if isinstance(event, Ended)) == [1, 2, 3]


def test_a_function_is_not_called_twice_where_another_one_undoes_the_transaction(place):
    place.back(3)
    place.write(
        3,
        "Run(up=note)",
        head="""
        def note(db):
            with open("noted", "a") as file:
                file.write("x")
        """,
    )
    trigger = "CREATE TRIGGER t BEFORE INSERT ON a BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
    place.write(4, f'Execute(up=["{trigger}", "INSERT INTO a DEFAULT VALUES"])')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.root)
        with pytest.raises(Exception, match="can't apply 20260101000004_m4"):
            place.go(place.up())
    assert place.applied() == [1, 2, 3]
    assert (place.root / "noted").read_text() == "x"
