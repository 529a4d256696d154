"""`release.migrate`: what is applied, what is left where one fails, and what is refused."""

from __future__ import annotations

import logging
import sys

import pytest
from production import execute, table, version

from ashflow import release
from ashflow.errors import (
    ConfigError,
    DuplicateVersionError,
    EditedError,
    LedgerError,
    MigrationFailed,
    MigrationFileError,
    NotADatabaseError,
    OutOfOrderError,
    RowsForbid,
    UsageError,
)


@pytest.fixture
def two(shop):
    """A shop with two migrations that are applied, and a row."""
    shop.adds(1, "a", table("a", "x"))
    shop.adds(2, "b", table("b"))
    shop.migrate()
    shop.ask("INSERT INTO a (x) VALUES ('row')")
    return shop


def names(done):
    return [one.name for one in done.migrations]


def refused(shop, kind, match, **more):
    """Migrate, which has to be refused before anything is touched; returns the error."""
    before = shop.dump()
    with pytest.raises(kind, match=match) as caught:
        shop.migrate(**more)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert shop.dump() == before
    return caught.value


# What is applied


def test_pending_ones_are_applied_and_a_second_time_nothing_is_done(shop):
    shop.adds(1, "a", table("a"))
    assert names(shop.migrate()) == ["a"]
    shop.adds(2, "b", table("b"))
    assert names(shop.migrate()) == ["b"]
    done = shop.migrate()
    assert (done.migrations, done.warnings) == ((), ())
    assert shop.applied() == ["a", "b"]


def test_step_and_to_apply_a_part(shop):
    for number, name in enumerate("abcd", 1):
        shop.adds(number, name, table(name))
    assert names(shop.migrate(step=1)) == ["a"]
    assert names(shop.migrate(to=version(3))) == ["b", "c"]
    refused(shop, UsageError, "there is no migration 20260101000009", to=version(9))
    assert names(shop.migrate(step=9)) == ["d"]


# What fails


def test_all_are_loaded_before_the_first_is_run(shop):
    shop.adds(1, "a", table("a"))
    shop.adds(2, "b", table("b"))
    path = shop.adds(3, "c", "nonsense(")
    error = refused(shop, MigrationFileError, "this is no Python")
    assert (error.version, error.path) == (version(3), f"migrations/{path.name}")
    assert not shop.path.exists()


def test_all_repos_are_planned_before_the_first_is_run(shop, tmp_path):
    shop.adds(1, "a", table("a"))
    (tmp_path / "other").mkdir()
    (tmp_path / f"other/{version(1)}_x.py").write_text("nonsense(")
    other = release.Repo("other", url="sqlite:///other.db", migrations=tmp_path / "other")
    with pytest.raises(MigrationFileError):
        release.migrate([shop.repo(), other])
    assert not shop.path.exists()


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("rows", [True, False])
def test_a_failing_one_leaves_those_before_it_also_where_they_share_a_commit(shop, rows, fold):
    if rows:
        shop.adds(0, "first", table("first"), execute("INSERT INTO first VALUES (1)"))
        shop.migrate()
    shop.adds(1, "a", table("a"))
    shop.adds(2, "b", table("b"))
    shop.adds(3, "c", table("c"), execute("INSERT INTO nowhere VALUES (1)"))
    shop.adds(4, "d", table("d"))
    with pytest.raises(MigrationFailed, match="no such table: nowhere") as caught:
        shop.migrate(fold=fold)
    path = f"migrations/{version(3)}_c.py"
    assert (caught.value.version, caught.value.path) == (version(3), path)
    assert path in caught.value.message
    assert caught.value.exit_code == 1
    assert shop.tables() == ["a", "b", *["first"] * rows]
    assert shop.applied() == [*["first"] * rows, "a", "b"]
    shop.adds(3, "c", table("c"))
    assert names(shop.migrate()) == ["c", "d"]


def test_what_undoes_the_whole_transaction_takes_nobody_along(shop):
    shop.adds(1, "log", table("log", "x"))
    shop.migrate()
    trap = "CREATE TRIGGER trap BEFORE INSERT ON log BEGIN SELECT RAISE(ROLLBACK, 'trapped'); END"
    shop.adds(2, "a", table("a"))
    shop.adds(3, "b", table("b"), execute(trap))
    shop.adds(4, "c", table("c"), execute("INSERT INTO log (x) VALUES (1)"))
    shop.adds(5, "d", table("d"))
    with pytest.raises(RowsForbid, match="trapped") as caught:
        shop.migrate()
    assert caught.value.version == version(4)
    assert shop.applied() == ["log", "a", "b"]
    assert shop.tables() == ["a", "b", "log", "trap"]
    shop.ask("DROP TRIGGER trap")
    assert names(shop.migrate()) == ["c", "d"]


def test_what_undoes_the_whole_transaction_calls_no_function_twice(shop):
    trap = "CREATE TRIGGER trap BEFORE INSERT ON a BEGIN SELECT RAISE(ROLLBACK, 'trapped'); END"
    shop.adds(1, "a", table("a"))
    called = "with open('called', 'a') as file:\n    file.write({!r})"
    shop.runs(2, "f", f"{called.format('f')}\ndb.execute('INSERT INTO a VALUES (7)')")
    shop.adds(3, "b", table("b"))
    shop.runs(4, "g", called.format("g"))
    shop.adds(5, "c", table("c"), execute(trap))
    shop.adds(6, "d", execute("INSERT INTO a VALUES (8)"))
    with pytest.raises(RowsForbid, match="trapped"):
        shop.migrate()
    assert (shop.root / "called").read_text() == "fg"
    assert shop.ask("SELECT id FROM a") == [(7,)]
    assert shop.applied() == ["a", "f", "b", "g", "c"]


def test_a_function_that_hides_that_the_transaction_is_lost_is_found_out(shop):
    trap = "CREATE TRIGGER trap BEFORE INSERT ON a BEGIN SELECT RAISE(ROLLBACK, 'trapped'); END"
    shop.adds(1, "a", table("a"), execute(trap))
    body = """
        try:
            db.execute("INSERT INTO a VALUES (1)")
        except Exception:
            pass
    """
    shop.runs(2, "hides", body, table("half"))
    with pytest.raises(MigrationFailed, match="hides"):
        shop.migrate()
    assert shop.tables() == ["a", "trap"]
    assert shop.applied() == ["a"]


@pytest.mark.parametrize("raised", ["KeyError('mine')", "SystemExit(0)", "GeneratorExit"])
def test_the_users_exception_undoes_the_migration(shop, raised):
    shop.adds(1, "a", table("a"))
    shop.runs(2, "f", f"db.execute('INSERT INTO a VALUES (1)')\nraise {raised}", table("half"))
    kind = GeneratorExit if raised == "GeneratorExit" else MigrationFailed
    with pytest.raises(kind) as caught:
        shop.migrate()
    if kind is MigrationFailed:
        assert caught.value.version == version(2)
        assert type(caught.value.__cause__).__name__ == raised.partition("(")[0]
    assert (shop.tables(), shop.applied()) == (["a"], ["a"])
    assert shop.ask("SELECT * FROM a") == []
    assert sys.stdout is not sys.stderr


def test_ctrl_c_undoes_the_migration_and_passes_on(shop):
    shop.adds(1, "a", table("a"))
    shop.runs(2, "f", "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)", table("half"))
    with pytest.raises(KeyboardInterrupt):
        shop.migrate()
    assert (shop.tables(), shop.applied()) == (["a"], ["a"])
    (shop.folder / f"{version(2)}_f.py").unlink()
    shop.adds(3, "c", table("c"))
    assert names(shop.migrate()) == ["c"]


# What files and ledger say of each other


def test_a_database_that_is_ahead_is_a_warning_and_nothing_is_touched(two, caplog):
    (two.folder / f"{version(2)}_b.py").unlink()
    two.adds(0, "never", table("never"))  # an old image has one that nobody ever applied
    before = two.dump()
    done = two.migrate()
    assert done.migrations == ()
    (warning,) = done.warnings
    assert "ahead of the files" in warning
    assert f"{version(2)}_b" in warning
    assert ("ashflow", logging.WARNING, f"repo: {warning}") in caplog.record_tuples
    assert two.dump() == before
    assert warning in two.run("migrate", "--json").err


def test_one_that_is_missing_in_the_middle_is_a_warning(two):
    two.adds(3, "c", table("c"))
    two.migrate()
    two.adds(4, "d", table("d"))
    (two.folder / f"{version(2)}_b.py").unlink()
    done = two.migrate()
    assert names(done) == ["d"]
    assert [f"{version(2)}_b" in warning for warning in done.warnings] == [True]


def test_an_edited_one_is_refused_or_told(two):
    path = two.adds(2, "b", table("b", "more"))
    two.adds(3, "c", table("c"))
    error = refused(two, EditedError, "was edited after it was applied")
    assert (error.version, error.path) == (version(2), f"migrations/{path.name}")
    done = two.migrate(allow_edited=True)
    assert names(done) == ["c"]
    assert ["was edited" in warning for warning in done.warnings] == [True]


def test_another_layout_is_no_edit(two):
    path = two.folder / f"{version(1)}_a.py"
    text = path.read_text()
    remark = f"# a remark\n\n\n{text}"
    for other in (remark, text.replace("\n", "\r\n"), text.replace(", ", ",\n ")):
        path.write_bytes(other.encode())
        assert two.migrate() == release.Migrated("repo", f"sqlite:///{two.path}")


def test_a_file_with_functions_is_edited_with_any_other_text_but_not_with_other_line_ends(shop):
    path = shop.runs(1, "f", "pass")
    shop.migrate()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert shop.migrate().warnings == ()
    path.write_text(path.read_text() + "# a remark\n")
    refused(shop, EditedError, "was edited")


def test_an_applied_one_that_does_not_load_any_more_is_edited(two):
    (two.folder / f"{version(1)}_a.py").write_text("nonsense(")
    refused(two, EditedError, "was edited")


def test_one_out_of_order_is_refused_or_applied_and_told(two):
    path = two.adds(0, "late", table("late"))
    error = refused(two, OutOfOrderError, "is older than a migration that is applied")
    assert (error.version, error.path) == (version(0), f"migrations/{path.name}")
    done = two.migrate(allow_out_of_order=True)
    assert names(done) == ["late"]
    assert ["is older than" in warning for warning in done.warnings] == [True]
    assert two.applied() == ["a", "b", "late"]


def test_two_files_of_one_version_are_refused(two):
    two.adds(3, "c", table("c"))
    path = two.adds(3, "d", table("d"))
    error = refused(two, DuplicateVersionError, "carry one version")
    assert (error.version, error.path) == (version(3), f"migrations/{path.name}")


def test_another_migration_under_an_applied_version_is_refused(two):
    (two.folder / f"{version(2)}_b.py").unlink()
    path = two.adds(2, "other", table("other"))
    error = refused(two, DuplicateVersionError, "another migration", allow_edited=True)
    assert (error.version, error.path) == (version(2), f"migrations/{path.name}")


TAMPERED = {
    "a version that is none": "UPDATE ashflow_migrations SET version = '2026' WHERE position = 1",
    "a version in other digits": "UPDATE ashflow_migrations SET version = "
    "'٢٠٢٦٠١٠١٠٠٠٠٠١' WHERE position = 1",
    "a version that is a blob": "UPDATE ashflow_migrations SET version = "
    "CAST('20260101000001' AS BLOB) WHERE position = 1",
    "a name that is a blob": "UPDATE ashflow_migrations SET name = x'ff'",
    "a newer format": "UPDATE ashflow_meta SET value = '2' WHERE key = 'format'",
    "a format that is none": "UPDATE ashflow_meta SET value = 'x' WHERE key = 'format'",
    "a format of other digits": "UPDATE ashflow_meta SET value = '²' WHERE key = 'format'",
    "a format that is a blob": "UPDATE ashflow_meta SET value = x'00' WHERE key = 'format'",
    "a column lacks": "ALTER TABLE ashflow_migrations DROP COLUMN checksum",
    "a column of meta lacks": "ALTER TABLE ashflow_meta RENAME COLUMN value TO other",
    "a view in its place": "ALTER TABLE ashflow_migrations RENAME TO hidden;"
    "CREATE VIEW ashflow_migrations AS SELECT * FROM hidden",
    "a view in the place of meta": "ALTER TABLE ashflow_meta RENAME TO hidden;"
    "CREATE VIEW ashflow_meta AS SELECT * FROM hidden",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_ledger_that_was_tampered_with_is_refused(two, how):
    for sql in TAMPERED[how].split(";"):
        two.ask(sql)
    two.adds(3, "c", table("c"))
    refused(two, LedgerError, "ashflow_|row 1 of the ledger")
    before = two.dump()
    with pytest.raises(LedgerError) as caught:
        two.rollback(to=version(2))
    assert caught.value.exit_code == 2
    assert two.dump() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        '{"format": 2, "transaction": true, "operations": []}',
        '{"format": 1, "transaction": true, "operations": [{"op": "Dance"}]}',
        '{"format": 1, "transaction": true, "operations": 7}',
        "[" * 9999,
    ],
)
def test_operations_in_the_ledger_that_are_none_are_refused(two, text):
    two.ask("UPDATE ashflow_migrations SET operations = ? WHERE position = 1", text)
    two.adds(1, "a", table("a", "x"), execute("SELECT 1"))  # so that it has to be looked at
    two.adds(3, "c", table("c"))
    refused(two, LedgerError, f"row of migration {version(1)}_a can't be read")
    before = two.dump()
    with pytest.raises(LedgerError, match="can't be read") as caught:
        two.rollback(to=version(1))  # the newer one, which could go, stays too
    assert caught.value.exit_code == 2
    assert two.dump() == before


def test_a_file_with_another_name_in_the_folder_is_told(shop):
    shop.adds(1, "a", table("a"))
    (shop.folder / "20260101_short.py").touch()
    (shop.folder / "notes.md").touch()
    done = shop.migrate()
    assert names(done) == ["a"]
    (warning,) = done.warnings
    assert warning.startswith("migrations/20260101_short.py is no migration by its name")


def test_a_file_that_is_no_database_is_refused(shop):
    shop.adds(1, "a", table("a"))
    shop.path.write_text("a letter and no database, which is long enough to be one " * 5)
    before = shop.path.read_bytes()
    with pytest.raises(NotADatabaseError):
        shop.migrate()
    assert shop.path.read_bytes() == before


# What is logged, and what never is

SECRET = "hunter2"


def test_what_is_done_is_logged_as_information_and_statements_only_for_who_debugs(shop, caplog):
    caplog.set_level(logging.DEBUG, "ashflow")
    shop.adds(1, "a", table("a"))
    shop.adds(2, "b", table("b"), execute("SELECT 1"))
    shop.migrate()
    shop.rollback(step=1)
    told = [(level, text) for name, level, text in caplog.record_tuples if name == "ashflow"]
    informed = [text for level, text in told if level == logging.INFO]
    assert informed[0] == f"repo: made the database sqlite:///{shop.path}, which was not there"
    assert [text.partition(" (")[0] for text in informed[1:]] == [
        f"repo: applied {version(1)}_a",
        f"repo: applied {version(2)}_b",
        f"repo: rolled back {version(2)}_b",
    ]
    debugged = [text for level, text in told if level == logging.DEBUG]
    assert any(text.startswith('CREATE TABLE "a"') and " ms" in text for text in debugged)
    assert {level for level, _ in told} == {logging.DEBUG, logging.INFO}


ROWS = {
    "unique": "INSERT INTO a (x) VALUES (?)",
    "check": "UPDATE a SET n = -1",
    "not null": "UPDATE a SET must = NULL",
    "kind": "UPDATE a SET n = x",
    "statement": "SELECT x FROM a WHERE nonsense(x)",
    "bytes": "SELECT CAST(x || x'ff' AS TEXT) FROM a",
    "json": "SELECT json_extract(x, '$') FROM a",
    "parameters": "INSERT INTO a (x) VALUES (?, ?)",
    "foreign key": "INSERT INTO child VALUES (99, ?)",
}


@pytest.mark.parametrize("kind", ROWS)
def test_no_value_of_a_row_is_in_the_log_or_in_an_error(shop, caplog, kind):
    caplog.set_level(logging.DEBUG, "ashflow")
    columns = "id INTEGER PRIMARY KEY, x TEXT UNIQUE, n INT CHECK (n >= 0)"
    made = f"CREATE TABLE a ({columns}, must TEXT NOT NULL DEFAULT '') STRICT"
    shop.adds(1, "a", execute(made, "CREATE TABLE child (a INT REFERENCES a, x TEXT)"))
    shop.migrate()
    shop.ask("INSERT INTO a (x) VALUES (?)", SECRET)
    sql = ROWS[kind]
    values = f"('{SECRET[:3]}' + '{SECRET[3:]}',)" if "?" in sql else "()"
    shop.runs(2, "f", f"db.execute({sql!r}, {values})")
    with pytest.raises((MigrationFailed, RowsForbid)) as caught:
        shop.migrate()
    error = caught.value
    assert error.version == version(2)
    for text in (str(error), error.message, error.hint, repr(error), caplog.text):
        assert SECRET not in text


def test_no_value_of_a_row_is_in_what_the_command_prints(shop):
    shop.adds(1, "a", table("a", "x"))
    shop.migrate()
    shop.ask("INSERT INTO a (x) VALUES (CAST(? || x'ff' AS TEXT))", SECRET)
    shop.runs(2, "f", "db.execute('SELECT x FROM a')")
    for words in (["migrate", "--log-sql"], ["migrate", "--json"]):
        failed = shop.run(*words, code=1)
        assert "Could not decode" in failed.out + failed.err
        assert SECRET not in failed.out + failed.err


URLS = [
    f"postgres://me:{SECRET}@host/db",
    f"postgres://me:p@{SECRET}/x@host:5432/db",
    f"mysql+pymysql://me:{SECRET}@host/db?x=1",
    f"mysql://host/db?user=me&password={SECRET}",
    f"sqlite:///app.db?password={SECRET}",
    f"sqlite:///app.db?cipher=aes&key={SECRET}",
    f"sqlite:///app.db?pwd={SECRET}&mode=ro",
    f"sqlite:///:memory:?token={SECRET}",
    f"sqlite://me:{SECRET}@host/app.db",
    f"sqlite+pysqlcipher://:{SECRET}@/app.db",
    f"sqlite+pysqlcipher:///:{SECRET}@/app.db",
    f"me:{SECRET}@host/db",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_in_a_url_is_in_no_error_and_not_in_the_log(shop, caplog, url):
    caplog.set_level(logging.DEBUG, "ashflow")
    repo = shop.repo(url=url)
    with pytest.raises(ConfigError) as caught:
        release.migrate([repo])
    for text in (str(caught.value), caught.value.hint, repr(repo), caplog.text):
        assert SECRET not in text


@pytest.mark.parametrize("url", URLS[:5])
def test_a_password_in_the_environment_is_in_nothing_that_is_printed(shop, url):
    failed = shop.run("migrate", "--json", code=2, ASHFLOW_REPO_URL=url)
    assert failed.json()["error"]["code"] == "configuration"
    assert SECRET not in failed.out + failed.err


# Repos


def test_repos_are_named_in_several_ways(shop):
    shop.adds(1, "a", table("a"))
    for given in ("repo", ["repo"], ("repo",), None):
        (done,) = release.migrate(given)
        assert (done.name, done.url) == ("repo", "sqlite:///app.db")
    assert release.migrate([]) == ()
    with pytest.raises(ConfigError, match="no repo 'other'"):
        release.migrate("other")
    with pytest.raises(ConfigError, match="no repo 'other'"):
        release.migrate(["repo", "other"])


def test_where_the_second_of_several_fails_the_first_stays(shop, tmp_path):
    shop.adds(1, "a", table("a"))
    (tmp_path / "bad").mkdir()
    bad = tmp_path / f"bad/{version(1)}_x.py"
    body = execute("INSERT INTO nowhere VALUES (1)")
    bad.write_text(f"from ashflow.migration import *\nmigration = Migration(operations=[{body}])\n")
    one, three = (
        release.Repo(name, url=f"sqlite:///{name}.db", migrations=shop.folder)
        for name in ("one", "three")
    )
    two = release.Repo("two", url="sqlite:///two.db", migrations=bad.parent)
    with pytest.raises(MigrationFailed) as caught:
        release.migrate([one, two, three])
    message = caught.value.message
    assert message.startswith("repo two: can't apply")
    assert message.endswith("Done before it: one. Not begun: three.")
    assert (caught.value.version, caught.value.path) == (version(1), f"bad/{bad.name}")
    assert [found.exists for found in release.status([one, two, three])] == [True, True, False]
    assert release.status(one)[0].migrations[0].state == "up"


def test_one_count_is_for_one_repo(shop):
    shop.adds(1, "a", table("a"))
    repos = [shop.repo(), release.Repo("b", url="sqlite:///b.db", migrations=shop.folder)]
    for asked in ({"step": 1}, {"to": version(1)}):
        with pytest.raises(UsageError, match="counts in the history of one database") as caught:
            release.migrate(repos, **asked)
        assert "--repo repo" in caught.value.hint
    assert not shop.path.exists()


def test_a_ledger_of_another_name_is_used(shop):
    shop.adds(1, "a", table("a"))
    release.migrate([shop.repo(ledger="my_migrations")])
    assert shop.ask("SELECT name FROM my_migrations") == [("a",)]


def test_a_migration_may_be_a_link_or_stand_where_nobody_may_write(shop, tmp_path):
    path = shop.adds(1, "a", table("a"))
    real = tmp_path / "elsewhere.py"
    path.rename(real)
    path.symlink_to(real)
    shop.folder.chmod(0o555)
    try:
        assert names(shop.migrate()) == ["a"]
    finally:
        shop.folder.chmod(0o755)


def test_a_copy_is_kept_before_values_go(shop, tmp_path):
    shop.adds(1, "a", table("a", "x"))
    shop.migrate()
    shop.ask("INSERT INTO a (x) VALUES ('precious')")
    shop.adds(2, "drop", 'DropColumn("a", Column("x", "text", nullable=True))')
    done = shop.migrate(copies=tmp_path / "copies")
    (copy,) = (tmp_path / "copies").iterdir()
    assert str(copy) in " ".join(done.warnings)
    assert b"precious" in copy.read_bytes()
    assert copy.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("step", [0, -1])
def test_a_step_that_is_no_number_of_migrations_is_refused(shop, step):
    with pytest.raises(UsageError, match=f"step={step} is no number of migrations"):
        release.migrate("repo", step=step)


@pytest.mark.parametrize("counted", [{"step": 1}, {"to": version(1)}])
def test_a_count_for_no_repo_at_all_is_refused(shop, counted):
    with pytest.raises(UsageError, match="one database, and none is named") as told:
        release.migrate([], **counted)
    assert "Name a repo" in told.value.hint
    assert release.migrate([]) == ()


def test_where_the_current_folder_is_gone_what_is_absolute_is_migrated(shop, tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    shop.adds(1, "a", table("a"))
    url = f"sqlite:///{shop.root / 'absolute.db'}"
    given = release.Repo("repo", url=url, migrations=shop.root / "priv/repo/migrations")
    release.migrate(given)
    assert (shop.root / "absolute.db").is_file()
    with pytest.raises(ConfigError, match="the current folder is not there any more"):
        release.migrate(release.Repo("repo", url="sqlite:///a.db", migrations=given.migrations))


def test_a_database_that_is_made_has_the_environment_that_is_said(shop, monkeypatch):
    monkeypatch.setenv("ASHFLOW_ENV", "staging")
    shop.adds(1, "a", table("a"))
    assert shop.migrate().warnings == ()
    assert shop.migrate().warnings == ()
    assert shop.ask("SELECT value FROM ashflow_meta WHERE key = 'environment'") == [("staging",)]


def test_two_repos_with_one_ledger_are_refused_whatever_link_leads_there(shop, tmp_path):
    shop.adds(1, "a", table("a"))
    shop.migrate()
    (tmp_path / "link.db").symlink_to(shop.path)
    folder = shop.root / "priv/repo/migrations"
    urls = (f"sqlite:///{shop.path}", f"sqlite:///{tmp_path / 'link.db'}")
    repos = [release.Repo(f"r{n}", url=url, migrations=folder) for n, url in enumerate(urls)]
    with pytest.raises(ConfigError, match="the repos r0 and r1 have one database and one ledger"):
        release.migrate(repos)
    apart = release.Repo("r1", url=urls[1], migrations=tmp_path, ledger="another")
    assert len(release.migrate([repos[0], apart])) == 2


def test_a_project_whose_migrations_were_not_packed_along_is_refused(shop):
    shop.folder.rmdir()
    with pytest.raises(ConfigError, match="there is no folder priv/repo/migrations"):
        release.migrate()
    assert not shop.path.exists()


def test_values_that_go_are_counted_without_a_copy_too(two):
    two.adds(3, "c", 'DropColumn("a", Column("x", "text", nullable=True))')
    (warning,) = two.migrate().warnings
    assert warning == "column a.x (a value in 1 row) will be dropped; no copy is kept"


def test_where_database_and_variable_disagree_is_told(two, monkeypatch):
    assert two.migrate().warnings == ()
    monkeypatch.setenv("ASHFLOW_ENV", "Production")
    (warning,) = two.migrate().warnings
    assert warning == "the database is marked development, and ASHFLOW_ENV says production"


def test_the_only_repo_needs_no_name(two):
    two.adds(3, "c", table("c"))
    (done,) = release.migrate(step=1)
    assert names(done) == ["c"]
    assert names(release.rollback(step=2)) == ["c", "b"]


def test_an_error_that_nobody_catches_tells_its_hint(shop):
    shop.folder.rmdir()
    with pytest.raises(ConfigError) as caught:
        release.migrate()
    assert caught.value.__notes__ == [f"hint: {caught.value.hint}"]
