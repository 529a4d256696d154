"""`python -m ashflow.release`: its exit codes, and what it says where."""

from __future__ import annotations

import json
import re
import signal

import pytest
from production import Said, execute, said, table, version, wait_for

from ashflow.release.__main__ import main

NOTHING = Said("", "")


@pytest.fixture
def three(shop):
    """A shop of three migrations."""
    for number, name in ((1, "a"), (2, "b"), (3, "c")):
        shop.adds(number, name, table(name))
    return shop


def brief(told):
    return [[one["version"][-1], one["name"], one["direction"]] for one in told["migrations"]]


def test_what_is_done_is_told_on_stdout_and_what_happens_on_stderr(three):
    done = three.run("migrate")
    assert done.out == "repo: applied 3 migrations\n"
    assert "INFO repo: made the database sqlite:///app.db, which was not there" in done.err
    assert re.search(rf"INFO repo: applied {version(3)}_c \(\d+\.\d ms\)", done.err)
    again = three.run("migrate")
    assert (again.out, again.err) == ("repo: nothing to do\n", "")
    back = three.run("rollback", "--repo", "repo", "--step", "1")
    assert back.out == "repo: rolled back 1 migration\n"
    assert f"INFO repo: rolled back {version(3)}_c" in back.err
    shown = three.run("status")
    assert shown.out.splitlines() == [
        "repo  sqlite:///app.db",
        f"  up      {version(1)}  a",
        f"  up      {version(2)}  b",
        f"  down    {version(3)}  c",
    ]


def test_json_is_one_object_of_the_shape_of_ashflow_migrate(three):
    """The same migrations, with this command and with that one."""
    mine = three.run("migrate", "--json").json()
    back = three.run("rollback", "--repo", "repo", "--to", version(1), "--json").json()
    theirs = three.ashflow("migrate", "--json").json()
    assert shape(mine) == shape(theirs)
    (repo,) = mine["repos"]
    assert brief(repo) == [["1", "a", "up"], ["2", "b", "up"], ["3", "c", "up"]]
    assert brief(back["repos"][0]) == [["3", "c", "down"], ["2", "b", "down"], ["1", "a", "down"]]
    assert shape(back) == shape(three.ashflow("rollback", "--all", "--json").json())


def test_json_of_status_is_that_of_ashflow_status(three):
    three.run("migrate", "--step", "2", "--repo", "repo")
    (three.folder / f"{version(1)}_a.py").unlink()
    three.adds(2, "b", table("other"))
    three.adds(4, "d_dev", table("d"))
    mine = three.run("status", "--json").json()
    assert mine == three.ashflow("status", "--json").json()
    assert [
        (one["name"], one["state"], one["edited"], one["dev"])
        for one in mine["repos"][0]["migrations"]
    ] == [
        ("a", "missing", False, False),
        ("b", "up", True, False),
        ("c", "down", False, False),
        ("d_dev", "down", False, True),
    ]


def shape(told):
    """What keys there are, and of which kind."""
    if isinstance(told, dict):
        return {key: shape(value) for key, value in told.items()}
    if isinstance(told, list):
        return [shape(one) for one in told]
    return type(told).__name__


def test_quiet_says_nothing_but_errors(three):
    (three.folder / "20260101_misnamed.py").touch()
    assert three.run("migrate", "--quiet") == NOTHING
    assert three.run("rollback", "-q", "--repo", "repo", "-n", "1") == NOTHING
    assert three.run("status", "--quiet") == NOTHING
    three.adds(3, "c", execute("nonsense"))
    failed = three.run("migrate", "--quiet", code=1)
    assert failed.out == ""
    assert failed.err.startswith("error: can't apply")


def test_json_stays_one_object_whatever_a_migration_prints(shop):
    shop.runs(1, "a", "print('loud')", table("a"))
    path = shop.folder / f"{version(1)}_a.py"
    path.write_text("print('loaded')\n" + path.read_text())
    done = shop.run("migrate", "--json", "--log-sql")
    assert brief(done.json()["repos"][0]) == [["1", "a", "up"]]
    assert "loud" in done.err
    assert "loaded" in done.err


def test_log_sql_tells_each_statement_with_its_time(three):
    done = three.run("migrate", "--log-sql", "--no-fold")
    assert re.search(r'DEBUG CREATE TABLE "a" .*?-- \d+\.\d ms', done.err, re.DOTALL)
    assert done.out == "repo: applied 3 migrations\n"
    assert "DEBUG" not in three.run("rollback", "--repo", "repo", "-n", "1").err


# What fails


def test_a_failing_migration_is_exit_1_and_those_before_it_stay(three):
    three.adds(3, "c", table("c"), execute("INSERT INTO nowhere VALUES (1)"))
    failed = three.run("migrate", code=1)
    assert failed.out == ""
    assert f"error: can't apply {version(3)}_c" in failed.err
    assert "Traceback" not in failed.err
    assert three.applied() == ["a", "b"]
    told = three.run("migrate", "--json", code=1)
    assert told.json()["error"]["code"] == "migration-failed"
    assert "no such table: nowhere" in told.json()["error"]["message"]
    assert "error:" not in told.err


def test_the_users_exception_is_shown_from_the_users_frame(shop):
    shop.runs(1, "a", "raise KeyError('my mistake')")
    failed = shop.run("migrate", code=1)
    assert failed.err.count("Traceback") == 1
    assert "raise KeyError('my mistake')" in failed.err
    assert "session.py" not in failed.err
    told = shop.run("migrate", "--json", code=1).json()["error"]
    assert told["code"] == "migration-failed"
    assert told["traceback"].startswith("Traceback")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["migrate", "--url", "sqlite:///x.db"], "--url and --migrations go together"),
        (["migrate", "--migrations", "m"], "--url and --migrations go together"),
        (["migrate", "--url", "mysql://x", "--migrations", "shop"], "names no kind of database"),
        (["migrate", "--repo", "other"], "no repo 'other'"),
        (["migrate", "--to", "20260101000009", "--repo", "repo"], "there is no migration"),
        (["rollback", "--step", "1", "--repo", "repo", "--repo", "b"], "works on one database"),
        (["rollback", "--repo", "repo"], "says how far it goes"),
        (["rollback", "--repo", "repo", "--step", "0"], "says how far it goes"),
        (["rollback", "--repo", "repo", "--step", "1", "--to", version(1)], "says how far it goes"),
        (["rollback", "--repo", "repo", "--step", "1"], "is not there"),
        (["migrate", "--lock-timeout", "soon"], "invalid float"),
        (["migrate", "--nonsense"], "unrecognized"),
        (["dance"], "invalid choice"),
        ([], "required"),
    ],
)
def test_what_is_asked_wrongly_is_exit_2_and_touches_nothing(three, words, expected):
    failed = three.run(*words, code=2)
    assert expected in failed.err
    assert "Traceback" not in failed.err
    assert failed.out == ""
    assert not three.path.exists()


def test_errors_of_arguments_are_json_too(three):
    failed = three.run("rollback", "--repo", "repo", "--json", code=2)
    assert failed.json()["error"]["code"] == "usage"
    assert set(failed.json()["error"]) == {"code", "message", "hint"}
    assert failed.err == ""


@pytest.mark.parametrize("words", [["--help"], ["migrate", "--help"], ["rollback", "--help"]])
def test_help_says_what_there_is(shop, words):
    shown = shop.run(*words)
    assert "usage: python -m ashflow.release" in shown.out
    assert shown.err == ""


# What is interrupted

WORK = {
    "python": "time.sleep(60)",
    "sql": "db.execute('WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
    "SELECT count(*) FROM r')",
}


@pytest.mark.parametrize(
    ("number", "work", "more"),
    [
        (signal.SIGTERM, "python", []),
        (signal.SIGTERM, "sql", ["--json"]),
        (signal.SIGINT, "python", ["--json"]),
        (signal.SIGINT, "sql", []),
    ],
)
def test_a_signal_undoes_the_migration_that_is_under_way(three, number, work, more):
    body = f"db.execute('INSERT INTO c VALUES (1)')\nopen('begun', 'w').close()\n{WORK[work]}"
    three.runs(4, "long", body, table("half"))
    three.adds(5, "after", table("after"))
    process = three.start("migrate", *more)
    wait_for(three.root / "begun")
    process.send_signal(number)
    ended = said(process, code=130)
    assert "interrupted" in ended.err
    assert "Traceback" not in ended.err
    assert three.tables() == ["a", "b", "c"]
    assert three.applied() == ["a", "b", "c"]
    assert three.ask("SELECT count(*) FROM c") == [(0,)]
    (three.folder / f"{version(4)}_long.py").unlink()
    three.run("migrate")
    assert three.applied() == ["a", "b", "c", "after"]


def test_main_can_be_called_and_gives_the_code(three, capsys):
    assert main(["migrate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["repos"][0]["name"] == "repo"
