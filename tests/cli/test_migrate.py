"""`ashflow migrate`: what is applied, what is refused, and what stays when it fails."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.real

TWO_TABLES = """
    from ashflow import Resource, belongs_to, integer_primary_key

    class Team(Resource, table="teams"):
        id: int = integer_primary_key()
        name: str

    class Post(Resource, table="posts"):
        id: int = integer_primary_key()
        title: str
        team = belongs_to(Team, index=True)
"""


def migration(project, version, name, body, repo="repo", more=""):
    """Write a migration by hand."""
    project.write(
        f"priv/{repo}/migrations/{version}_{name}.py",
        f"from ashflow.migration import *\n\nmigration = Migration(operations=[{body}]{more})\n",
    )


def table(name):
    return f'CreateTable("{name}", columns=[Column("id", "integer", primary_key=True)])'


def tables(project, **more):
    with project.sqlite(**more) as db:
        rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows if not name.startswith(("sqlite_", "ashflow_"))]


def test_pending_migrations_are_applied_and_recorded(project, ashflow):
    project.resources(TWO_TABLES)
    generated = ashflow("codegen", "create_posts", "--json").json()["repos"][0]["migration"]
    done = ashflow("migrate", "--json")
    assert done.code == 0
    (repo,) = done.json()["repos"]
    (one,) = repo["migrations"]
    assert (repo["name"], one["version"], one["name"], one["direction"]) == (
        "repo",
        generated["version"],
        "create_posts",
        "up",
    )
    assert one["ms"] > 0
    assert "made the database sqlite:///priv/repo/dev.sqlite3" in done.err
    assert tables(project) == ["posts", "teams"]
    with project.sqlite() as db:
        (row,) = db.execute("SELECT * FROM ashflow_migrations").fetchall()
        meta = dict(db.execute("SELECT key, value FROM ashflow_meta"))
    text = project.read(generated["path"])
    assert row[:4] == (
        1,
        generated["version"],
        "create_posts",
        hashlib.sha256(text.encode()).hexdigest(),
    )
    stored = json.loads(row[4])
    assert (stored["format"], stored["transaction"]) == (1, True)
    assert [operation["op"] for operation in stored["operations"]] == [
        "CreateTable",
        "CreateTable",
        "AddIndex",
    ]
    assert row[5].endswith("Z")
    assert meta["format"] == "1"
    assert meta["environment"] == "development"
    assert len(meta["database_id"]) == 36


def test_nothing_to_do_is_said_and_is_no_error(project, ashflow):
    project.resources(TWO_TABLES)
    ashflow("codegen", "create_posts")
    ashflow("migrate")
    again = ashflow("migrate")
    assert (again.code, again.out) == (0, "repo: nothing to do\n")


def test_step_and_to_apply_a_part(project, ashflow):
    for version, name in (
        ("20260101000001", "a"),
        ("20260101000002", "b"),
        ("20260101000003", "c"),
    ):
        migration(project, version, name, table(name))
    assert ashflow("migrate", "--step", "1").code == 0
    assert tables(project) == ["a"]
    assert ashflow("migrate", "--to", "20260101000002").code == 0
    assert tables(project) == ["a", "b"]
    unknown = ashflow("migrate", "--to", "20260101000009")
    assert unknown.code == 2
    assert "there is no migration 20260101000009" in unknown.err
    assert ashflow("migrate", "-n", "0").code == 2
    both = ashflow("migrate", "-n", "1", "--to", "20260101000003")
    assert (both.code, "can't be said together" in both.err) == (2, True)


def test_mark_records_and_runs_nothing(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    done = ashflow("migrate", "--mark", "20260101000001")
    assert (done.code, done.out) == (0, "repo: marked as applied 1 migration\n")
    assert tables(project) == []
    assert ashflow("migrate").out == "repo: nothing to do\n"
    again = ashflow("migrate", "--mark", "20260101000001")
    assert (again.code, "is applied already" in again.err) == (2, True)


def test_a_dry_run_prints_the_sql_and_makes_no_database(project, ashflow):
    project.resources(TWO_TABLES)
    ashflow("codegen", "create_posts")
    done = ashflow("migrate", "--dry-run")
    assert done.code == 0
    assert 'CREATE TABLE "teams"' in done.out
    assert 'CREATE INDEX "posts_team_id_index"' in done.out
    assert not list((project.root / "priv/repo").glob("*.sqlite3*"))
    as_json = ashflow("migrate", "--dry-run", "--json").json()
    assert as_json["repos"][0]["migrations"][0]["direction"] == "up"


def test_a_dry_run_prints_what_is_run(project, ashflow):
    project.resources(TWO_TABLES)
    ashflow("codegen", "create_posts")
    ashflow("migrate")
    project.resources(TWO_TABLES.replace("title: str", "title: str | None"))
    ashflow("codegen", "loosen")
    dry = ashflow("migrate", "--dry-run")
    real = ashflow("migrate", "--log-sql")
    logged = [line for line in real.err.splitlines() if not line.startswith(("  up", "-- "))]
    assert dry.out.splitlines() == logged
    times = [line for line in real.err.splitlines() if re.fullmatch(r"-- \d+\.\d ms", line)]
    assert len(times) == len([line for line in logged if line.endswith(";")])
    assert any("UPDATE sqlite_schema" in line for line in logged)


def test_a_dry_run_shows_what_runs_outside_a_transaction_too(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    sql = 'Execute(up=["PRAGMA journal_mode = WAL", "VACUUM"], down=[])'
    migration(project, "20260101000002", "b", sql, more=", transaction=False")
    migration(project, "20260101000003", "c", table("c"))
    dry = ashflow("migrate", "--dry-run")
    assert dry.code == 0
    assert not (project.root / "priv/repo/dev.sqlite3").exists()
    real = ashflow("migrate", "--log-sql")
    ignored = ("  up", "-- ", "made the database")
    logged = [line for line in real.err.splitlines() if not line.startswith(ignored)]
    assert dry.out.splitlines() == logged
    assert "VACUUM;" in logged


@pytest.mark.parametrize("flags", [[], ["--no-fold"]])
def test_a_dry_run_prints_what_is_run_on_an_empty_database(project, ashflow, flags):
    for i in range(4):
        more = ', AddColumn("t0", Column("c", "text", nullable=True))' if i == 2 else ""
        migration(project, f"2026010100000{i}", f"m{i}", table(f"t{i}") + more)
    dry = ashflow("migrate", "--dry-run", *flags)
    real = ashflow("migrate", "--log-sql", *flags)
    ignored = ("  up", "-- ", "made the database")
    logged = [line for line in real.err.splitlines() if not line.startswith(ignored)]
    assert dry.out.splitlines() == logged
    assert any("ALTER TABLE" in line for line in logged) == bool(flags)


def test_a_migration_older_than_an_applied_one_is_applied_and_said(project, ashflow):
    migration(project, "20260101000002", "b", table("b"))
    ashflow("migrate")
    migration(project, "20260101000001", "a", table("a"))
    strict = ashflow("migrate", "--strict")
    assert strict.code == 2
    assert "20260101000001_a.py is older than a migration that is applied" in strict.err
    assert tables(project) == ["b"]
    done = ashflow("migrate")
    assert done.code == 0
    assert "warning: repo: priv/repo/migrations/20260101000001_a.py is older" in done.err
    assert tables(project) == ["a", "b"]


def test_a_failing_migration_leaves_those_before_it_and_nothing_of_itself(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    migration(
        project,
        "20260101000002",
        "b",
        table("b") + ', Execute(up="INSERT INTO nowhere VALUES (1)")',
    )
    migration(project, "20260101000003", "c", table("c"))
    failed = ashflow("migrate")
    assert failed.code == 1
    assert "can't apply 20260101000002_b (priv/repo/migrations/20260101000002_b.py)" in failed.err
    assert "no such table: nowhere" in failed.err
    assert "Traceback" not in failed.err
    assert tables(project) == ["a"]


def test_the_exception_of_a_users_function_is_shown_from_the_users_frame(project, ashflow):
    project.write(
        "priv/repo/migrations/20260101000001_f.py",
        """
        from ashflow.migration import Migration, Run


        def fill(db):
            db.execute("CREATE TABLE half (id)")
            raise KeyError("my mistake")


        migration = Migration(operations=[Run(up=fill)])
        """,
    )
    failed = ashflow("migrate")
    assert failed.code == 1
    assert 'raise KeyError("my mistake")' in failed.err
    assert "20260101000001_f.py" in failed.err
    assert "session.py" not in failed.err
    assert tables(project) == []


def test_a_function_reads_and_writes_rows(project, ashflow):
    project.write(
        "priv/repo/migrations/20260101000001_f.py",
        """
        from ashflow.migration import Column, CreateTable, Database, Migration, Run


        def fill(db: Database) -> None:
            db.executemany("INSERT INTO t (id) VALUES (?)", [(1,), (2,)])
            assert db.execute("SELECT count(*) FROM t") == [(2,)]


        def empty(db: Database) -> None:
            db.execute("DELETE FROM t WHERE id > ?", (0,))


        migration = Migration(
            operations=[
                CreateTable("t", columns=[Column("id", "integer", primary_key=True)]),
                Run(up=fill, down=empty),
            ],
        )
        """,
    )
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT id FROM t").fetchall() == [(1,), (2,)]
    assert ashflow("rollback").code == 0
    assert tables(project) == []


BROKEN = {
    "empty": b"",
    "no_migration": b"x = 1\n",
    "wrong_kind": b"migration = 7\n",
    "cut_off": b"from ashflow.migration import Migration\nmigration = Migration(operations=[",
    "not_utf8": b"# caf\xe9\nmigration = None\n",
    "raises": b"raise RuntimeError('no')\n",
    "exits": b"import sys\nsys.exit(0)\n",
    "wrong_argument": b"from ashflow.migration import Column\nColumn('a', 'nonsense')\n",
    "unknown_word": b"from ashflow.migration import CreateTabel\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_migration_stops_before_anything(project, ashflow, kind):
    migration(project, "20260101000001", "good", table("good"))
    path = f"priv/repo/migrations/20260101000002_{kind}.py"
    (project.root / path).write_bytes(BROKEN[kind])
    failed = ashflow("migrate")
    assert (failed.code, path in failed.err) == (2, True), failed.err
    assert not (project.root / "priv/repo/dev.sqlite3").exists()
    as_json = ashflow("migrate", "--json")
    assert as_json.code == 2
    assert path in as_json.json()["error"]["message"]


def test_two_files_of_one_version_are_refused(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    migration(project, "20260101000001", "b", table("b"))
    failed = ashflow("migrate", "--json")
    assert failed.code == 2
    error = failed.json()["error"]
    assert error["code"] == "duplicate-version"
    assert "20260101000001_a.py" in error["message"]
    assert "20260101000001_b.py" in error["message"]


def test_other_files_in_the_folder_are_not_looked_at(project, ashflow):
    for name in (".gitkeep", "notes.md", "20260101_short.py", "20260101000001_Upper.py", "x.py~"):
        project.write(f"priv/repo/migrations/{name}", "not python at all (")
    done = ashflow("migrate")
    assert (done.code, done.out) == (0, "repo: nothing to do\n")
    assert "20260101_short.py is no migration by its name" in done.err
    assert "20260101000001_Upper.py is no migration by its name" in done.err
    assert "x.py~" not in done.err


def test_a_ledger_of_another_tool_is_left_alone(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    (project.root / "priv/repo").mkdir(exist_ok=True)
    with project.sqlite() as db:
        db.execute("CREATE TABLE ashflow_migrations (id INTEGER, hash TEXT)")
    failed = ashflow("migrate")
    assert failed.code == 2
    assert "ashflow_migrations" in failed.err
    assert 'ledger = "' in failed.err
    assert tables(project) == []
    project.write(
        "pyproject.toml",
        project.read("pyproject.toml") + 'ledger = "our_migrations"\n',
    )
    assert ashflow("migrate").code == 0
    assert tables(project) == ["a", "our_migrations"]


def test_a_file_that_is_no_database_is_named(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    project.write(
        "priv/repo/dev.sqlite3", "this is a letter, not a database, and it is long enough"
    )
    before = project.read("priv/repo/dev.sqlite3")
    for command in ("migrate", "status", "rollback"):
        failed = ashflow(command)
        assert failed.code == 2
        assert "priv/repo/dev.sqlite3" in failed.err
        assert "Traceback" not in failed.err
    assert project.read("priv/repo/dev.sqlite3") == before


def test_a_locked_database_is_waited_for_and_then_named(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    project.write("pyproject.toml", project.read("pyproject.toml") + "lock_timeout = 0.2\n")
    ashflow("create")
    with project.sqlite() as db:
        db.execute("BEGIN IMMEDIATE")
        failed = ashflow("migrate")
    assert failed.code == 1
    assert "priv/repo/dev.sqlite3" in failed.err
    assert "lock" in failed.err
    assert tables(project) == []
    assert ashflow("migrate").code == 0


@pytest.mark.parametrize(
    "url",
    ["postgres://me:secret@host/db", "sqlite://", "sqlite:///:memory:", "nonsense", "mysql://x"],
)
def test_a_url_that_can_not_be_used_is_exit_2_without_its_password(project, ashflow, url):
    migration(project, "20260101000001", "a", table("a"))
    failed = ashflow("migrate", env={"ASHFLOW_REPO_URL": url})
    assert failed.code == 2
    assert "secret" not in failed.err + failed.out
    assert "Traceback" not in failed.err


def test_a_variable_that_is_not_set_is_named(project, ashflow):
    text = project.read("pyproject.toml").replace(
        "sqlite:///priv/repo/dev", "sqlite:///${WHERE}/dev"
    )
    project.write("pyproject.toml", text)
    failed = ashflow("migrate")
    assert (failed.code, "WHERE" in failed.err) == (2, True)
    (project.root / "elsewhere").mkdir()
    assert ashflow("migrate", env={"WHERE": "elsewhere"}).code == 0
    assert (project.root / "elsewhere/dev.sqlite3").exists()


def test_the_environment_overrides_the_url(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    assert ashflow("migrate", env={"ASHFLOW_REPO_URL": "sqlite:///test.sqlite3"}).code == 0
    assert tables(project, path="test.sqlite3") == ["a"]
    assert not (project.root / "priv/repo/dev.sqlite3").exists()


def test_several_repos_go_in_order_and_a_failure_stops_before_the_next(project, ashflow):
    project.write(
        "pyproject.toml",
        """
        [tool.ashflow]
        domains = []
        [tool.ashflow.repos.one]
        url = "sqlite:///one.sqlite3"
        [tool.ashflow.repos.two]
        url = "sqlite:///two.sqlite3"
        [tool.ashflow.repos.three]
        url = "sqlite:///three.sqlite3"
        """,
    )
    migration(project, "20260101000001", "a", table("a"), repo="one")
    migration(project, "20260101000001", "b", 'Execute(up="nonsense")', repo="two")
    migration(project, "20260101000001", "c", table("c"), repo="three")
    failed = ashflow("migrate")
    assert failed.code == 1
    assert "20260101000001_b" in failed.err
    assert tables(project, path="one.sqlite3") == ["a"]
    assert not (project.root / "three.sqlite3").exists()
    counted = ashflow("migrate", "-n", "1")
    assert counted.code == 2
    assert "--repo one" in counted.err
    only = ashflow("migrate", "--repo", "three", "--repo", "one", "--json")
    assert [repo["name"] for repo in only.json()["repos"]] == ["one", "three"]
    unknown = ashflow("migrate", "--repo", "four")
    assert unknown.code == 2
    assert "one, two, three" in unknown.err


def test_processes_at_once_apply_each_migration_once(project, ashflow):
    for i in range(6):
        migration(project, f"2026010100000{i}", f"m{i}", table(f"t{i}"))
    command = [sys.executable, "-m", "ashflow", "migrate", "--json"]
    running = [
        subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0], outputs
    done = [m["version"] for out in outputs for m in json.loads(out)["repos"][0]["migrations"]]
    assert sorted(done) == [f"2026010100000{i}" for i in range(6)]
    assert tables(project) == [f"t{i}" for i in range(6)]


def test_a_migration_outside_a_transaction_runs_what_a_transaction_refuses(project, ashflow):
    project.write(
        "priv/repo/migrations/20260101000001_v.py",
        """
        from ashflow.migration import Execute, Migration

        migration = Migration(operations=[Execute(up="VACUUM", down=[])], transaction=False)
        """,
    )
    assert ashflow("migrate").code == 0
    assert ashflow("rollback").code == 0


def test_deletes_cascade_only_where_foreign_keys_are_asked_for(project, ashflow):
    project.resources(TWO_TABLES.replace("belongs_to(Team", 'belongs_to(Team, on_delete="cascade"'))
    ashflow("codegen", "create_posts")
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams (id, name) VALUES (1, 'a')")
        db.execute("INSERT INTO posts (id, title, team_id) VALUES (1, 'p', 1)")
    path = project.write(
        "priv/repo/migrations/20990101000000_d.py",
        """
        from ashflow.migration import Execute, Migration

        migration = Migration(operations=[Execute(up="DELETE FROM teams", down=[])])
        """,
    )
    orphan = ashflow("migrate")
    assert orphan.code == 1
    assert "posts" in orphan.err
    path.write_text(path.read_text().replace("down=[])]", "down=[])], foreign_keys=True"))
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM posts").fetchone() == (0,)


def test_what_a_migration_prints_does_not_spoil_the_json(project, ashflow):
    project.write(
        "priv/repo/migrations/20260101000001_p.py",
        """
        from ashflow.migration import Database, Migration, Run

        print("while it is loaded")


        def up(db: Database) -> None:
            print("while it runs")


        migration = Migration(operations=[Run(up=up)])
        """,
    )
    done = ashflow("migrate", "--json")
    assert done.json()["repos"][0]["migrations"][0]["name"] == "p"
    assert "while it is loaded" in done.err
    assert "while it runs" in done.err


def test_a_column_that_is_there_already_comes_with_a_way_out(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("ALTER TABLE a ADD COLUMN note TEXT")
    migration(
        project, "20260101000002", "b", 'AddColumn("a", Column("note", "text", nullable=True))'
    )
    failed = ashflow("migrate")
    assert failed.code == 2
    assert "a has a column note already" in failed.err
    assert "--mark" in failed.err


def test_another_migration_of_the_same_version_is_not_taken_for_applied(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    ashflow("migrate")
    (project.root / "priv/repo/migrations/20260101000001_a.py").unlink()
    migration(project, "20260101000001", "b", table("b"))
    failed = ashflow("migrate", "--json")
    assert failed.code == 2
    error = failed.json()["error"]
    assert error["code"] == "duplicate-version"
    assert "what is applied as 20260101000001 is a, another migration" in error["message"]
    assert ashflow("rollback", "--to", "20260101000001").code == 0
    assert ashflow("migrate").code == 0
    assert tables(project) == ["b"]


def test_a_file_that_only_got_another_name_is_still_applied(project, ashflow):
    migration(project, "20260101000001", "a", table("a"))
    ashflow("migrate")
    folder = project.root / "priv/repo/migrations"
    (folder / "20260101000001_a.py").rename(folder / "20260101000001_b.py")
    assert ashflow("migrate").out == "repo: nothing to do\n"


@pytest.mark.parametrize(
    "operation",
    [
        'CreateTable("z", columns=[Column("id", "integer", nullable="yes")])',
        'AddColumn("t", Column("d", "decimal", default=__import__("decimal").Decimal("1.5")))',
        'AddIndex("t", ["id"], name=None)',
    ],
)
def test_what_the_ledger_could_not_give_back_is_refused(project, ashflow, operation):
    migration(project, "20260101000001", "t", operation)
    failed = ashflow("migrate")
    assert failed.code == 2
    assert "20260101000001_t.py" in failed.err
    assert not (project.root / "priv/repo/dev.sqlite3").exists()


@pytest.mark.parametrize(
    "operation",
    [
        'DropTable("ashflow_migrations", columns=[Column("version", "text")])',
        'AddColumn("ashflow_meta", Column("x", "text", nullable=True))',
        'CreateTable("@domain", columns=[Column("x", "text")])',
    ],
)
def test_a_migration_keeps_away_from_ashflows_own_tables(project, ashflow, operation):
    migration(project, "20260101000001", "a", table("a"))
    ashflow("migrate")
    migration(project, "20260101000002", "b", operation)
    failed = ashflow("migrate")
    assert failed.code == 2
    assert "ashflow's own" in failed.err
    with project.sqlite() as db:
        assert db.execute("SELECT name FROM ashflow_migrations").fetchall() == [("a",)]


def test_foreign_keys_are_enforced_also_outside_a_transaction(project, ashflow):
    project.resources(TWO_TABLES.replace("belongs_to(Team", 'belongs_to(Team, on_delete="cascade"'))
    ashflow("codegen", "create_posts")
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams (id, name) VALUES (1, 'a')")
        db.execute("INSERT INTO posts (id, title, team_id) VALUES (1, 'p', 1)")
    project.write(
        "priv/repo/migrations/20990101000000_d.py",
        """
        from ashflow.migration import Execute, Migration

        migration = Migration(
            operations=[Execute(up="DELETE FROM teams", down=[])],
            transaction=False,
            foreign_keys=True,
        )
        """,
    )
    assert ashflow("migrate").code == 0
    with project.sqlite() as db:
        assert db.execute("SELECT count(*) FROM posts").fetchone() == (0,)


@pytest.mark.parametrize("name", ["ashflow_meta", "Ashflow_Meta", "sqlite_x", "__ashflow_x"])
def test_a_ledger_can_not_have_a_name_that_is_taken(project, ashflow, name):
    project.write("pyproject.toml", project.read("pyproject.toml") + f'ledger = "{name}"\n')
    failed = ashflow("migrate")
    assert failed.code == 2
    assert name in failed.err
    assert not (project.root / "priv/repo/dev.sqlite3").exists()


@pytest.mark.parametrize("other", ["one.sqlite3", "./one.sqlite3", "link.sqlite3"])
def test_two_repos_in_one_database_are_refused_whatever_way_leads_there(project, ashflow, other):
    (project.root / "link.sqlite3").symlink_to("one.sqlite3")
    project.write(
        "pyproject.toml",
        f"""
        [tool.ashflow]
        [tool.ashflow.repos.one]
        url = "sqlite:///one.sqlite3"
        [tool.ashflow.repos.two]
        url = "sqlite:///{other}"
        """,
    )
    text = project.read("pyproject.toml")
    for more in ("", 'ledger = "Ashflow_Migrations"\n'):  # SQLite takes both for one name
        project.write("pyproject.toml", text + more)
        failed = ashflow("migrate", "--repo", "one")
        assert failed.code == 2
        assert "the repos one and two have one database" in failed.err
    project.write("pyproject.toml", text + 'ledger = "two_migrations"\n')
    assert ashflow("migrate").code == 0


def test_a_repo_whose_url_can_not_be_used_is_no_hindrance_to_another(project, ashflow):
    project.write(
        "pyproject.toml",
        """
        [tool.ashflow]
        [tool.ashflow.repos.one]
        url = "sqlite:///one.sqlite3"
        [tool.ashflow.repos.two]
        url = "oracle://two"
        """,
    )
    assert ashflow("migrate", "--repo", "one").code == 0
    assert "oracle" in ashflow("migrate", "--repo", "two").err


def test_a_migration_that_is_moved_away_while_the_lock_is_waited_for_is_not_applied(
    project, ashflow
):
    migration(project, "20260101000001", "a", table("a"))
    ashflow("migrate")
    migration(project, "20260101000002", "b", table("b"))
    with project.sqlite() as db:
        db.execute("BEGIN IMMEDIATE")
        waiting = subprocess.Popen(
            [sys.executable, "-m", "ashflow", "migrate"],
            cwd=project.root,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.5)
        (project.root / "priv/repo/migrations/20260101000002_b.py").unlink()
        db.execute("ROLLBACK")
    (_, err) = waiting.communicate()
    assert waiting.returncode == 1
    assert "20260101000002_b.py is not there any more" in err
    assert tables(project) == ["a"]


def test_what_the_system_refuses_is_no_traceback(project, ashflow):
    url = "sqlite:///" + "x" * 300 + ".sqlite3"
    for command in ("migrate", "status"):
        failed = ashflow(command, env={"ASHFLOW_REPO_URL": url})
        assert failed.code in {1, 2}
        assert "Traceback" not in failed.err
        assert "error:" in failed.err
