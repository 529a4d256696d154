from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest

from ashflow.adapters.connect import connect
from ashflow.change.operations import (
    AddColumn,
    AddIndex,
    AlterColumn,
    CreateTable,
    Execute,
    Fill,
    Run,
)
from ashflow.errors import (
    DatabaseError,
    FileError,
    LedgerError,
    LockedError,
    MigrationFailed,
    NotADatabaseError,
    RowsForbid,
)
from ashflow.history.ledger import Applied
from ashflow.schema.datatypes import utc_now
from ashflow.schema.table import Column

T = CreateTable("t", [Column("id", "integer", primary_key=True), Column("a", "text")])


def row(version="20261123061000"):
    return Applied(0, version, "add_t", "c" * 64, "{}", "2026-11-23T06:10:00.000Z")


def raw(base):
    return closing(sqlite3.connect(base.path, isolation_level=None, timeout=0))


# The file


def test_a_path_that_can_not_be_looked_at_is_told(tmp_path):
    database = connect(f"sqlite:///{'x' * 300}.db", root=tmp_path)
    for look in (database.exists, database.create, database.drop):
        with pytest.raises(DatabaseError, match="cannot be reached: File name too long") as caught:
            look()
        assert "folders above it" in caught.value.hint


def test_an_empty_database_is_made_once_with_the_folders_above(tmp_path):
    database = connect("sqlite:///a/b/c.db", root=tmp_path)
    assert database.create()
    assert (tmp_path / "a/b/c.db").read_bytes().startswith(b"SQLite format 3\0")
    assert not database.create()


def test_a_dropped_database_takes_what_lies_beside_it_along(base):
    with raw(base) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (a)")
        for suffix in ("-wal", "-shm", "-journal", ".ashflow.lock"):
            base.path.with_name(base.path.name + suffix).touch()
        assert base.database.drop()
    assert list(base.path.parent.iterdir()) == []
    assert not base.database.drop()


def test_what_is_no_database_is_neither_opened_nor_dropped(base):
    base.path.write_text("my novel, chapter one " * 100)
    for work in (base.database.drop, base.database.create):
        with pytest.raises(NotADatabaseError, match=r"base\.db is no SQLite database"):
            work()
    for session in (base.database.read, base.database.locked, base.database.rehearsal):
        with pytest.raises(NotADatabaseError, match=r"base\.db is no SQLite database"), session():
            pass
    assert base.path.read_text().startswith("my novel")


def test_a_missing_file_is_not_made_by_who_reads_or_migrates(tmp_path):
    database = connect("sqlite:///a.db", root=tmp_path)
    for session in (database.read, database.locked, database.unlocked):
        with pytest.raises(NotADatabaseError, match="is not there") as caught, session():
            pass
        assert "ashflow migrate" in caught.value.hint
    assert not (tmp_path / "a.db").exists()


def test_a_folder_is_no_database(tmp_path):
    database = connect("sqlite:///.", root=tmp_path)
    for session in (database.read, database.locked):
        with pytest.raises(NotADatabaseError, match="is a folder"), session():
            pass
    with pytest.raises(NotADatabaseError, match="is a folder"):
        database.create()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="file cannot be made"):
        connect("sqlite:///file/a.db", root=tmp_path).create()


def test_a_file_that_another_process_made_anew_is_opened_anew(base):
    base.run(T)
    other = connect("sqlite:///base.db", root=base.path.parent)
    other.drop()
    other.create()
    assert list(base.schema()) == []
    base.run(T)
    assert list(base.schema()) == ["t"]


# Reading


def test_who_reads_cannot_write(base):
    base.run(T)
    with base.database.read() as session, pytest.raises(DatabaseError, match="read-only"):
        session.execute("INSERT INTO t VALUES (1, 'x')")


def test_who_reads_sees_one_state(base):
    with raw(base) as db:
        db.execute("PRAGMA journal_mode = WAL")
    base.run(T)
    with base.database.read() as session:
        base.do("INSERT INTO t VALUES (1, 'x')")
        assert session.count("t") == 0
    assert base.ask("SELECT count(*) FROM t") == [(1,)]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_database_in_a_folder_that_is_read_only_can_be_read(base, mode, reachable):
    base.run(T)
    with raw(base) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    base.database.close()
    with ReadOnly(base.path.parent, base.path) as python:
        found = python("with db.read() as s: print(s.count('t'), list(s.introspect()))")
        assert found == "0 ['t']"
        found = python(
            """
            try:
                with db.locked() as s: s.execute("INSERT INTO t VALUES (1, 'x')")
            except ashflow.errors.DatabaseError as e: print(type(e).__name__, e.message)
            """
        )
        assert found.startswith("DatabaseError")
        assert "base.db" in found


class ReadOnly:
    """A folder and a file that may not be written, and a Python that root's rights do not help."""

    def __init__(self, folder, path):
        self.places = (path, folder)

    def __enter__(self):
        for place in self.places:
            place.chmod(0o555)
        return self.python

    def __exit__(self, *_):
        for place in self.places:
            place.chmod(0o755)

    def python(self, program):
        setup = f"""
            import os, sys, ctypes, random
            import ashflow.errors
            from pathlib import Path
            from ashflow.adapters.connect import connect
            root = Path({str(self.places[1])!r})
            first = connect("sqlite:///base.db", root=root)
            with first.read() as s: s.introspect()  # so that all modules are there later
            first.close()
            if os.getuid() == 0:
                ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # CAP_DAC_OVERRIDE out of the bounding set
                os.setgroups([]); os.setgid(65534); os.setuid(65534)
            db = connect("sqlite:///base.db", root=root)
        """
        source = textwrap.dedent(setup) + textwrap.dedent(program)
        done = subprocess.run(
            [sys.executable, "-c", source], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def reachable(tmp_path):
    """Let another user pass through the folders above: some tests give root's rights away."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)


# The lock


def test_an_error_inside_undoes_everything(base):
    base.run(T)
    before = base.dump()

    def interrupted(db):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), base.database.locked() as session:
        session.run([AddColumn("t", Column("n", "text", default=utc_now)), Run(up=interrupted)])
    assert base.dump() == before
    base.run(AddColumn("t", Column("n", "text", nullable=True)))


def test_a_rename_follows_also_after_a_rebuild_that_failed_half_way(base):
    base.run(T)
    base.do("CREATE TABLE child (t_id REFERENCES t(id))", "CREATE VIEW v AS SELECT 1 AS a FROM t")
    with pytest.raises(MigrationFailed), base.database.locked() as session:
        session.run([AddColumn("t", Column("n", "text", default=utc_now)), Execute(up="nonsense")])
    base.do("ALTER TABLE t RENAME TO u")
    assert base.schema()["child"].foreign_keys[0].table == "u"


def test_who_waits_too_long_for_the_lock_is_told_for_which_file(base):
    with raw(base) as db:
        db.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(LockedError, match=r"base\.db is locked"), base.database.locked():
            pass
        assert 0.25 < time.monotonic() - started < 5


def test_a_reader_that_keeps_the_commit_waiting_undoes_it_in_the_end(base):
    base.run(T)
    with raw(base) as db:
        db.execute("BEGIN")
        db.execute("SELECT * FROM t").fetchall()
        with pytest.raises(LockedError), base.database.locked() as session:
            session.execute("INSERT INTO t VALUES (1, 'x')")
        db.execute("ROLLBACK")
    assert base.ask("SELECT * FROM t") == []


def test_processes_that_migrate_at_once_apply_everything_once(base):
    program = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from ashflow.adapters.connect import connect
        from ashflow.change.operations import AddColumn, CreateTable
        from ashflow.history.ledger import Applied
        from ashflow.schema.datatypes import utc_now
        from ashflow.schema.table import Column
        db = connect("sqlite:///base.db", root=Path({str(base.path.parent)!r}))
        for n in range(6):
            version = f"2026112306100{{n}}"
            with db.locked() as session:
                if version in session.ledger():
                    continue
                if n == 0:
                    session.run([CreateTable("t", [Column("id", "integer", primary_key=True)])])
                session.run([AddColumn("t", Column(f"c{{n}}", "text", default=utc_now))])
                time.sleep(0.01)
                session.record(Applied(0, version, "x", "", "", ""))
                print(version)
        """
    )
    ran = [
        subprocess.Popen([sys.executable, "-O", "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [process.communicate(timeout=60)[0].split() for process in ran]
    assert [process.returncode for process in ran] == [0, 0, 0]
    assert sorted(version for part in told for version in part) == [
        f"2026112306100{n}" for n in range(6)
    ]
    with base.database.read() as session:
        assert [(r.position, r.version) for r in session.ledger()] == [
            (n + 1, f"2026112306100{n}") for n in range(6)
        ]
    assert len(base.schema()["t"].columns) == 7


def test_a_killed_process_leaves_nothing_behind(base):
    base.run(T)
    base.do("INSERT INTO t VALUES (1, 'x')")
    program = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from ashflow.adapters.connect import connect
        from ashflow.change.operations import AddColumn
        from ashflow.schema.datatypes import utc_now
        from ashflow.schema.table import Column
        db = connect("sqlite:///base.db", root=Path({str(base.path.parent)!r}))
        with db.locked() as session:
            session.execute("PRAGMA integrity_check")
            session.connection.execute("PRAGMA cache_size = 1")
            session.execute("INSERT INTO t SELECT value, hex(randomblob(999)) FROM "
                            "(WITH RECURSIVE n(value) AS (SELECT 2 UNION ALL SELECT value + 1 "
                            "FROM n WHERE value < 3000) SELECT value FROM n)")
            session.run([AddColumn("t", Column("n", "text", default=utc_now))])
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    assert base.path.with_name("base.db-journal").exists()  # half-written pages are in the file
    assert base.ask("SELECT * FROM t") == [(1, "x")]
    base.run(AddColumn("t", Column("n", "text", default=utc_now)))


def test_foreign_keys_are_enforced_where_that_is_asked_for(base):
    base.do("CREATE TABLE p (id PRIMARY KEY)", "CREATE TABLE c (p REFERENCES p ON DELETE CASCADE)")
    base.do("INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1)")
    with base.database.locked(foreign_keys=True) as session:
        session.run([Execute(up="DELETE FROM p"), Fill("c", "p", "1")])
    assert base.ask("SELECT * FROM c") == []
    with (
        pytest.raises(MigrationFailed, match="may change no tables"),
        base.database.locked(foreign_keys=True) as session,
    ):
        session.run([AddIndex("c", "p", name="i")])
    with pytest.raises(RowsForbid), base.database.locked(foreign_keys=True) as session:
        session.execute("INSERT INTO c VALUES (2)")


# The user's SQL and Python


@pytest.mark.parametrize(
    "sql",
    [
        *("COMMIT", "BEGIN", "ROLLBACK", "END", "SAVEPOINT s", "ATTACH ':memory:' AS x"),
        *("PRAGMA foreign_keys = ON", "PRAGMA writable_schema = 1", "PRAGMA legacy_alter_table=1"),
        "PRAGMA journal_mode = WAL",
    ],
)
def test_what_would_end_the_transaction_is_not_allowed(base, sql):
    with pytest.raises(MigrationFailed, match="a migration may not run") as caught:
        base.run(T, Execute(up=sql))
    assert caught.value.hint
    assert list(base.schema()) == []


def test_pragmas_that_tell_are_allowed(base):
    base.run(
        T, Execute(up=["PRAGMA table_info(t)", "PRAGMA user_version = 7", "PRAGMA quick_check"])
    )
    assert base.ask("PRAGMA user_version") == [(7,)]


def test_several_statements_in_one_text_are_refused_with_the_way_out(base):
    with pytest.raises(MigrationFailed, match="one statement at a time") as caught:
        base.run(T, Execute(up="INSERT INTO t VALUES (1, 'x'); DELETE FROM t"))
    assert "as a list" in caught.value.hint
    assert list(base.schema()) == []


def test_a_statement_that_is_refused_is_shown(base):
    with pytest.raises(MigrationFailed, match="no such table: nope\n  in: DELETE FROM nope"):
        base.run(Execute(up="DELETE FROM nope"))


def test_a_function_speaks_through_statements_only(base):
    seen = []

    def fill(db):
        db.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, "y")])
        seen.extend(db.execute("SELECT a FROM t WHERE id > ?", (1,)))
        assert not hasattr(db, "run")

    log = base.run(T, Run(up=fill))
    assert seen == [("y",)]
    assert log[1] == "INSERT INTO t VALUES (?, ?)"


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), SystemExit(0)])
def test_what_a_function_raises_is_the_cause(base, error):
    def broken(db):
        db.execute("INSERT INTO t VALUES (1, 'x')")
        raise error

    with pytest.raises(MigrationFailed, match=r"broken\(\) raised") as caught:
        base.run(T, Run(up=broken))
    assert caught.value.__cause__ is error
    assert list(base.schema()) == []


def test_a_function_that_is_not_here_is_an_error(base):
    with pytest.raises(MigrationFailed, match="the function fill cannot be run"):
        base.run(Run(up="fill"))


def test_a_transaction_that_a_trigger_rolled_back_is_not_gone_on_with(base):
    base.run(T)
    base.do("CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    base.do("INSERT INTO t VALUES (1, 'x')")

    def stubborn(db):
        db.execute("INSERT INTO t VALUES (2, 'y')")
        with pytest.raises(RowsForbid):
            db.execute("DELETE FROM t")
        db.execute("INSERT INTO t VALUES (3, 'z')")

    with pytest.raises(MigrationFailed, match="the transaction was ended before its time"):
        base.run(Run(up=stubborn))
    assert base.ask("SELECT * FROM t") == [(1, "x")]


def test_without_a_transaction_a_statement_stands_by_itself_and_a_rebuild_does_not(base):
    with base.database.unlocked() as session:
        session.run([T, Execute(up=["INSERT INTO t VALUES (1, 'x')", "VACUUM"])])
    before = base.dump()
    n, m = Column("n", "text", default=utc_now), Column("m", "text")
    with pytest.raises(RowsForbid), base.database.unlocked() as session:
        session.run([AddColumn("t", n), AddColumn("t", m)])
    assert base.dump() == before


def test_a_transaction_left_open_without_ashflows_is_undone(base):
    with (
        pytest.raises(MigrationFailed, match="left a transaction of its own open"),
        base.database.unlocked() as session,
    ):
        session.run([Execute(up=["BEGIN", "CREATE TABLE x (a)"])])
    assert list(base.schema()) == []


# The ledger


def test_the_ledger_is_made_with_its_first_row(base, monkeypatch):
    monkeypatch.setenv("ASHFLOW_ENV", "production")  # nobody reads that here
    with base.database.locked() as session:
        assert len(session.ledger()) == 0
        assert session.meta() == {}
        session.record(row())
        session.record(row("20261123061001"))
        session.forget("20261123061001")
        session.record(row("20261123061002"))
        session.set_meta("run", "r")
    with base.database.read() as session:
        assert [(r.position, r.version) for r in session.ledger()] == [
            (1, "20261123061000"),
            (3, "20261123061002"),
        ]
        meta = session.meta()
        assert (meta["format"], meta["environment"], meta["run"]) == ("1", "development", "r")
        assert len(meta["database_id"]) == 36
        assert list(session.introspect()) == []


def test_the_environment_that_it_is_first_changed_under_is_remembered(base):
    for environment in ("staging", "production"):
        database = connect("sqlite:///base.db", root=base.path.parent, environment=environment)
        with closing(database), database.locked() as session:
            session.set_meta("run", environment)
    with base.database.read() as session:
        assert session.meta()["environment"] == "staging"


def test_its_target_is_the_real_path_of_the_file(base):
    root = base.path.parent
    (root / "link.db").symlink_to("base.db")
    (root / "folder").symlink_to(".", target_is_directory=True)
    database = connect("sqlite:///folder/link.db", root=root)
    assert database.target == str(base.path.resolve())


def test_a_version_is_recorded_once(base):
    with base.database.locked() as session:
        session.record(row())
    with pytest.raises(RowsForbid), base.database.locked() as session:
        session.record(row())


def test_two_states_of_the_ledger_never_have_one_mark(base):
    marks = []
    with base.database.locked() as session:

        def mark():
            assert session.mark() == session.ledger().mark
            marks.append(session.mark())

        mark()
        for version in ("20261123061000", "20261123061001", "20261123061002"):
            session.record(row(version))
            mark()
        for version in ("20261123061000", "20261123061001"):
            session.forget(version)
            mark()
        session.record(row("20261123061000"))
        mark()
        session.forget("20261123061002")
        mark()
    assert len(set(marks)) == len(marks)  # no position is given twice


def test_a_ledger_of_another_tool_is_left_alone(base, tmp_path):
    base.do("CREATE TABLE ashflow_migrations (id, hash)")
    with (
        pytest.raises(LedgerError, match=r"columns \(id, hash\)") as caught,
        base.database.read() as session,
    ):
        session.ledger()
    assert "ledger =" in caught.value.hint
    other = connect("sqlite:///base.db", root=tmp_path, ledger="ours")
    with other.locked() as session:
        session.record(row())
        assert len(session.ledger()) == 1
        assert list(session.introspect()) == ["ashflow_migrations"]
    other.close()


@pytest.mark.parametrize("found", ["2", "0", "-1", "x", "1.0", ""])
def test_a_ledger_of_a_format_that_is_not_known_is_left_alone(base, found):
    with base.database.locked() as session:
        session.record(row())
        session.set_meta("format", found)
    with pytest.raises(LedgerError, match=f"format {found}, and"), base.database.read() as session:
        session.ledger()


# Counting, rehearsing, copying


def test_rows_are_counted(base):
    base.run(T, AddColumn("t", Column("n", "text", nullable=True)))
    base.do("INSERT INTO t VALUES (1, 'x', 'n'), (2, 'y', NULL)")
    with base.database.read() as session:
        assert session.count("t") == 2
        assert session.count("T", where_not_null="n") == 1
        assert session.count("t", where_not_null="gone") == 0
        assert session.count("nope") == 0


def test_a_rehearsal_has_the_tables_and_the_ledger_and_no_row(base):
    base.run(T)
    base.do(
        "CREATE VIRTUAL TABLE s USING fts5(a)",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO t VALUES (1, 'x')",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO s VALUES (NEW.a); END",
        "CREATE VIEW v AS SELECT a FROM t",
        "ANALYZE",
    )
    with base.database.locked() as session:
        session.record(row())
    before = base.dump()
    with base.database.rehearsal() as session:
        assert session.ledger().versions == ("20261123061000",)
        assert session.meta()["format"] == "1"
        assert session.count("t") == 0
        assert session.introspect() == base.schema()
        base.log.clear()
        session.run([AddColumn("t", Column("n", "integer"))])
        assert any(sql.startswith("DROP TABLE") for sql in base.log)
        session.forget("20261123061000")
    assert base.dump() == before


def test_a_rehearsal_needs_no_database(tmp_path):
    database = connect("sqlite:///a.db", root=tmp_path)
    with database.rehearsal() as session:
        assert len(session.ledger()) == 0
        session.run([T])
        session.record(row())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_backup_is_whole_and_only_its_owners(base, tmp_path, mode):
    base.run(T)
    with raw(base) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.execute("INSERT INTO t VALUES (1, 'in the write-ahead log')")
        base.database.backup(tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT a FROM t").fetchall() == [("in the write-ahead log",)]
    with pytest.raises(FileError, match=r"copy\.db cannot be made"):
        base.database.backup(tmp_path / "copy.db")


def test_a_backup_of_nothing_leaves_no_file(tmp_path):
    with pytest.raises(NotADatabaseError):
        connect("sqlite:///a.db", root=tmp_path).backup(tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_undoes_everything(base):
    base.run(T)
    before = base.dump()
    with base.database.locked() as session:
        session.connection.execute("PRAGMA max_page_count = 4")
    with pytest.raises(DatabaseError, match="the disk is full"), base.database.locked() as session:
        session.run([Execute(up="INSERT INTO t VALUES (1, hex(zeroblob(99999)))")])
    assert base.dump() == before


def test_a_text_becomes_a_number_and_a_text_again(base):
    base.run(T)
    base.do("INSERT INTO t VALUES (1, '12'), (2, 'twelve')")
    old, new = Column("a", "text"), Column("a", "integer")
    base.run(AlterColumn("t", old=old, new=new))
    assert base.ask("SELECT a FROM t") == [(12,), ("twelve",)]
    base.run(AlterColumn("t", old=new, new=old))
    assert base.ask("SELECT a FROM t") == [("12",), ("twelve",)]


# Without a transaction


def test_two_sessions_without_a_transaction_are_never_open_at_once(base):
    other = connect("sqlite:///base.db", root=base.path.parent, lock_timeout=0.1)
    with base.database.unlocked():
        for session in (other.unlocked, other.locked):
            with pytest.raises(LockedError, match=r"base\.db is locked"), session():
                pass
        with other.read() as session:
            assert session.ledger().versions == ()
    with other.unlocked():
        pass
    assert [path.name for path in base.path.parent.iterdir()] == ["base.db"]


def test_a_session_without_a_transaction_waits_for_who_writes(base):
    other = connect("sqlite:///base.db", root=base.path.parent, lock_timeout=0.1)
    with base.database.locked(), pytest.raises(LockedError), other.unlocked():
        pass
    with other.unlocked() as session:
        session.execute("VACUUM")


def test_a_lock_file_that_a_killed_process_left_is_in_nobodys_way(base):
    base.path.with_name("base.db.ashflow.lock").touch()
    base.run(T)
    assert list(base.schema()) == ["t"]
    assert [path.name for path in base.path.parent.iterdir()] == ["base.db"]
