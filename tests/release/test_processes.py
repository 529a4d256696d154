"""Several at once: processes, threads, forks; who is killed, who reads, who holds the lock."""

from __future__ import annotations

import signal
import sqlite3
import sys
import textwrap
import threading
import time
from collections import Counter
from contextlib import closing

import pytest
from production import execute, said, table, wait_for

from ashflow import release
from ashflow.errors import LockedError, MigrationFailed

WORKER = """
    import os, sys, time
    from pathlib import Path

    Path("go").parent.joinpath(f"ready{sys.argv[1]}").touch()
    if sys.argv[2] == "release":
        import ashflow.adapters.sqlite.database
        from ashflow import release
    else:
        from ashflow.cli import main
    while not Path("go").exists():
        time.sleep(0.001)
    if sys.argv[2] == "release":
        (done,) = release.migrate()
        print(*(one.name for one in done.migrations))
    else:
        sys.argv[1:] = ["migrate", "--quiet"]
        sys.exit(main())
"""


def log(number):
    """What a function does that must be done once: a row, and a line outside of the database."""
    return f"""
        db.execute("INSERT INTO log (x) VALUES (?)", ("{number}",))
        file = os.open("outside", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, b"{number}\\n")
        os.close(file)
        time.sleep(0.02)
    """


def outside(shop):
    return (shop.root / "outside").read_text().split()


def at_once(shop, kinds):
    """Begin as many processes as there are kinds, let them go together, and wait for all."""
    workers = [shop.start(WORKER, str(number), kind) for number, kind in enumerate(kinds)]
    for number, _ in enumerate(kinds):
        wait_for(shop.root / f"ready{number}")
    (shop.root / "go").touch()
    return [said(worker).out.split() for worker in workers]


@pytest.fixture
def busy(shop):
    """A shop with migrations of all kinds, of which each leaves a trace."""
    shop.adds(1, "log", table("log", "x"))
    shop.adds(2, "rows", execute("INSERT INTO log (x) VALUES ('2')"), table("t"))
    for number in (3, 4, 6):
        shop.runs(number, f"f{number}", log(number), table(f"t{number}"))
    shop.adds(5, "more", execute("INSERT INTO log (x) VALUES ('5')"))
    return shop


NAMES = ["log", "rows", "f3", "f4", "more", "f6"]


def each_once(shop):
    """See to it that each migration was applied once, and in order."""
    assert shop.applied() == NAMES
    assert shop.ask("SELECT x FROM log WHERE x < 'a' ORDER BY id") == [(n,) for n in "23456"]
    assert outside(shop) == ["3", "4", "6"]


@pytest.mark.parametrize("place", ["WAL", "DELETE", "not there"])
@pytest.mark.parametrize("count", [2, 5, 12])
def test_processes_that_come_at_once_apply_each_migration_once(busy, place, count):
    if place != "not there":
        busy.migrate(step=1)
        busy.ask(f"PRAGMA journal_mode = {place}")
        busy.ask("INSERT INTO log (x) VALUES ('a row'), ('another')")
    kinds = ["command" if number % 3 == 2 else "release" for number in range(count)]
    told = at_once(busy, kinds)
    each_once(busy)
    if count == 2:  # all of them tell what they did
        expected = NAMES if place == "not there" else NAMES[1:]
        assert sorted(name for names in told for name in names) == sorted(expected)


HEAD = f"""\
import os, time
def up(db):
{textwrap.indent(textwrap.dedent(log(7)), "    ")}
"""


@pytest.mark.parametrize("body", ["VACUUM", "INSERT INTO log (x) VALUES ('7')"])
def test_what_runs_outside_a_transaction_is_run_once_too(busy, body):
    busy.adds(7, "apart", execute(body), "Run(up=up)", head=HEAD, end="transaction=False")
    told = at_once(busy, ["release"] * 5)
    assert sorted(name for names in told for name in names) == sorted([*NAMES, "apart"])
    assert Counter(outside(busy)) == Counter("3467")
    counted = busy.ask("SELECT count(*) FROM log WHERE x = '7'")
    assert counted == [(1 + body.startswith("INSERT"),)]
    assert [path.name for path in busy.root.glob("app.db*")] == ["app.db"]


# Who is killed


@pytest.mark.parametrize("end", ["", "transaction=False"])
@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_holder_that_is_killed_blocks_nobody_and_leaves_nothing(shop, journal, end):
    shop.adds(1, "log", table("log", "x"))
    shop.migrate()
    shop.ask(f"PRAGMA journal_mode = {journal}")
    body = """
        if not os.path.exists("begun"):
            if outside:
                db.execute("BEGIN IMMEDIATE")
            # more than SQLite keeps in memory: it is in the file already when it is killed
            db.execute("INSERT INTO log (x) SELECT hex(randomblob(3000)) FROM "
                "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 800) "
                "SELECT n FROM r)")
            open("begun", "w").close()
            time.sleep(20)
        db.execute("INSERT INTO log (x) VALUES ('once')")
    """
    shop.runs(2, "slow", body.replace("if outside", f"if {bool(end)}"), end=end)
    holder = shop.start("migrate")
    wait_for(shop.root / "begun")
    waiting = [shop.start("migrate", "--json") for _ in range(3)]
    time.sleep(0.3)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    told = [said(process).json()["repos"][0]["migrations"] for process in waiting]
    assert sorted(map(len, told)) == [0, 0, 1]
    assert shop.applied() == ["log", "slow"]
    assert shop.ask("SELECT x FROM log") == [("once",)]
    assert shop.dump() is not None


def test_one_that_works_outside_a_transaction_is_waited_for_and_then_named(shop):
    shop.adds(1, "log", table("log", "x"))
    shop.adds(3, "after", table("after"))
    shop.migrate()
    body = """
        open("begun", "w").close()
        end = time.monotonic() + 20
        while not os.path.exists("end") and time.monotonic() < end:
            time.sleep(0.01)
    """
    shop.runs(4, "slow", body, end="transaction=False")
    shop.adds(5, "last", table("last"))
    holder = shop.start("migrate")
    wait_for(shop.root / "begun")
    before = shop.dump()
    for work in (lambda: shop.migrate(lock_timeout=0.2), rollback_of(shop)):
        with pytest.raises(LockedError, match=r"app\.db is locked by another process"):
            work()
    assert shop.dump() == before
    (shop.root / "end").touch()
    said(holder)
    assert shop.applied() == ["log", "after", "slow", "last"]


def rollback_of(shop):
    return lambda: release.rollback(shop.repo(lock_timeout=0.2), step=1)


# Who reads, and who holds the lock


@pytest.fixture
def pair(shop):
    """A shop with one migration to come; and a table with a row."""
    shop.adds(1, "a", table("a", "x"))
    shop.migrate()
    shop.ask("INSERT INTO a (x) VALUES ('row')")
    shop.adds(2, "b", table("b"), execute("UPDATE a SET x = 'new'"))
    return shop


def hold(shop, *statements):
    """Open a connection on which something is held: `with hold(shop, "BEGIN") as db`."""
    db = sqlite3.connect(shop.path, isolation_level=None, check_same_thread=False)
    for sql in statements:
        db.execute(sql).fetchall()
    return closing(db)


READS = ("BEGIN", "SELECT * FROM a")
WRITES = ("BEGIN IMMEDIATE", "INSERT INTO a (x) VALUES ('theirs')")
ALONE = ("BEGIN EXCLUSIVE",)


def test_a_reader_is_no_hindrance_where_there_is_a_wal(pair):
    pair.ask("PRAGMA journal_mode = WAL")
    with hold(pair, *READS) as db:
        assert len(pair.migrate(lock_timeout=0.2).migrations) == 1
        assert db.execute("SELECT x FROM a").fetchall() == [("row",)]


@pytest.mark.parametrize(
    ("journal", "statements"),
    [("DELETE", READS), ("DELETE", WRITES), ("DELETE", ALONE), ("WAL", WRITES)],
)
def test_who_holds_the_lock_is_waited_for_and_then_named(pair, journal, statements):
    pair.ask(f"PRAGMA journal_mode = {journal}")
    with hold(pair, *statements) as db:
        begun = time.monotonic()
        with pytest.raises(LockedError, match=r"app\.db is locked by another process") as caught:
            pair.migrate(lock_timeout=0.3)
        assert 0.25 < time.monotonic() - begun < 5
        assert (caught.value.exit_code, caught.value.code) == (1, "locked")
        assert caught.value.hint
        failed = pair.run("migrate", "--json", "--lock-timeout", "0.1", code=1)
        assert failed.json()["error"]["code"] == "locked"
        db.execute("ROLLBACK")
    assert pair.applied() == ["a"]
    assert pair.ask("SELECT x FROM a") == [("row",)]
    assert pair.tables() == ["a"]


@pytest.mark.parametrize(
    ("journal", "statements"),
    [("DELETE", READS), ("DELETE", WRITES), ("DELETE", ALONE), ("WAL", WRITES)],
)
def test_when_they_let_go_it_goes_through(pair, journal, statements):
    pair.ask(f"PRAGMA journal_mode = {journal}")
    with hold(pair, *statements) as db:
        timer = threading.Timer(0.3, lambda: db.execute("COMMIT"))
        timer.start()
        assert [one.name for one in pair.migrate(lock_timeout=20).migrations] == ["b"]
        timer.join()
    assert pair.applied() == ["a", "b"]
    assert set(pair.ask("SELECT x FROM a")) == {("new",)}


# Threads and forks


def test_threads_that_come_at_once_apply_each_migration_once(busy):
    path, real = busy.path, sys.stdout
    barrier, told = threading.Barrier(8), []

    def work():
        barrier.wait()
        told.extend(one.name for one in release.migrate([busy.repo()])[0].migrations)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert path.exists()
    assert told == NAMES
    each_once(busy)
    assert sys.stdout is real


def test_a_thread_that_fails_lets_the_others_work(shop):
    shop.adds(1, "a", table("a"))
    shop.runs(2, "f", "raise KeyError('mine')")
    failures = []

    def work():
        try:
            shop.migrate()
        except MigrationFailed as error:
            failures.append(type(error).__name__)

    real = sys.stdout
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == ["MigrationFailed"] * 4
    assert sys.stdout is real
    assert shop.applied() == ["a"]


def test_workers_that_are_forked_after_the_parent_looked_apply_each_migration_once(busy):
    program = """
        import os, sys
        from ashflow import release

        release.status()
        release.migrate("repo", step=1)
        children = []
        for _ in range(5):
            child = os.fork()
            if child == 0:
                release.migrate()
                assert len(release.status()[0].migrations) == 6
                sys.exit(0)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(codes, len(release.migrate()[0].migrations))
    """
    assert busy.run(program).out == "[0, 0, 0, 0, 0] 0\n"
    each_once(busy)


SLOW = """
    db.execute("INSERT INTO log (x) VALUES ('once')")
    open("begun", "w").close()
    end = time.monotonic() + 20
    while not os.path.exists("end") and time.monotonic() < end:
        time.sleep(0.01)
"""
FORKS = """
    import os, sys, threading, time
    from pathlib import Path
    from ashflow import release
    from ashflow.errors import LockedError

    def work():
        global done
        done = [one.name for one in release.migrate()[0].migrations]

    def forked(deed):
        child = os.fork()
        if child == 0:
            sys.exit(deed())  # it ends as a program does, with all that it has inherited
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    thread = threading.Thread(target=work)
    thread.start()
    while not os.path.exists("begun"):
        time.sleep(0.01)
    assert forked(lambda: len(release.status()[0].migrations)) == 3
"""


@pytest.fixture
def slow(shop):
    """A shop with a migration that lasts until it is told to end."""

    def slow(end):
        shop.adds(1, "log", table("log", "x"))
        shop.runs(2, "slow", SLOW, end=end)
        shop.adds(3, "last", table("last"))
        return shop

    return slow


def test_a_worker_forked_while_a_thread_migrates_outside_a_transaction_finds_it_done(slow):
    program = """
        def worker():
            Path("end").touch()
            return 10 + len(release.migrate()[0].migrations)

        code = forked(worker)
        thread.join()
        print(len(done) + code - 10, sys.stdout is sys.__stdout__)
    """
    shop = slow("transaction=False")
    assert shop.run(textwrap.dedent(FORKS) + textwrap.dedent(program)).out == "3 True\n"
    assert shop.applied() == ["log", "slow", "last"]
    assert shop.ask("SELECT x FROM log") == [("once",)]


def test_a_worker_forked_in_the_middle_of_a_transaction_is_refused_and_disturbs_nothing(slow):
    # SQLite in the worker takes the lock of its parent for one of its own, and does not see it go:
    # https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
    program = """
        def worker():
            try:
                release.migrate(lock_timeout=0.3)
            except LockedError:
                return 7

        code = forked(worker)
        Path("end").touch()
        thread.join()
        print(code, len(done), len(release.status()[0].migrations))
    """
    shop = slow("")
    assert shop.run(textwrap.dedent(FORKS) + textwrap.dedent(program)).out == "7 3 3\n"
    assert shop.applied() == ["log", "slow", "last"]
    assert shop.ask("SELECT x FROM log") == [("once",)]
    assert shop.dump() is not None


def test_the_locks_of_the_application_stay_when_it_migrates_in_its_own_process(pair):
    with hold(pair, *WRITES) as db:
        with pytest.raises(LockedError):
            pair.migrate(lock_timeout=0.1)
        pair.states()
        pair.run(
            "\nimport sqlite3\nsqlite3.connect('app.db', timeout=0.1).execute('BEGIN IMMEDIATE')\n",
            code=1,
        )
        db.execute("COMMIT")
