"""`ashflow rollback`: from the ledger, as it was applied, or not at all."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.real("rollback")

ONE = """
    from datetime import datetime

    from ashflow import Resource, attribute, belongs_to, check, create_timestamp
    from ashflow import desc, identity, index, integer_primary_key, sql, uuid_primary_key
    from uuid import UUID

    class Team(Resource, table="teams"):
        id: UUID = uuid_primary_key()
        name: str

    class Machine(Resource, table="machines"):
        id: int = integer_primary_key()
        name: str
        rpm: int = 0
        settings: dict = attribute(default=dict)
        team = belongs_to(Team, on_delete="cascade", index=True)
        inserted_at: datetime = create_timestamp()
        unique_name = identity("team_id", "name", where="rpm > 0")
        by_name = index(desc("name"), sql("lower(name)"))
        positive = check("rpm >= 0")
"""


def schema(project):
    with project.sqlite() as db:
        return db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master "
            "WHERE name NOT LIKE 'ashflow_%' AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
        ).fetchall()


def test_up_down_and_up_again_is_the_same_database(project, ashflow):
    project.resources(ONE)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    first = schema(project)
    assert len(first) == 5
    down = ashflow("rollback", "--json")
    assert down.json()["repos"][0]["migrations"][0]["direction"] == "down"
    assert schema(project) == []
    assert ashflow("migrate").code == 0
    assert schema(project) == first


CHANGES = {
    "foreign_key_added": (
        "    name: str\n        rpm",
        "    name: str\n        boss = belongs_to(Team, nullable=True)\n        rpm",
    ),
    "foreign_key_changed": ('on_delete="cascade"', 'on_delete="restrict"'),
    "type": (
        "name: str\n        rpm: int = 0",
        'name: str = attribute(type="binary")\n        rpm: int = 0',
    ),
    "nullable": ("name: str\n        rpm", "name: str | None\n        rpm"),
    "not_nullable": ("note: str | None = None", "note: str = 'none'"),
    "default": ("rpm: int = 0", "rpm: int = 5"),
    "check": ("rpm >= 0", "rpm >= -1"),
    "check_added": ("positive =", 'short = check("length(name) < 99")\n        positive ='),
    "primary_key": (
        "id: int = integer_primary_key()",
        "id: int = integer_primary_key(autoincrement=False)",
    ),
    "composite_key": (
        "        positive =",
        '        key = primary_key("id", "name")\n        positive =',
    ),
    "strict": ('table="machines"', 'table="machines", strict=True'),
    "without_rowid": ('table="machines"', 'table="machines", without_rowid=True'),
    "generated": (
        "rpm: int = 0",
        "rpm: int = 0\n        label: str = attribute(generated_as='upper(name)', stored=True)",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_of_a_table_with_rows_goes_up_and_down(project, ashflow, kind):
    source = ONE.replace("rpm: int = 0", "rpm: int = 0\n        note: str | None = None").replace(
        "import desc", "import primary_key, desc"
    )
    if kind in {"without_rowid", "composite_key"}:
        source = source.replace("integer_primary_key()", "integer_primary_key(autoincrement=False)")
    project.resources(source)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams VALUES ('t', 'core')")
        db.execute("INSERT INTO machines (name, rpm, team_id) VALUES ('a', 1, 't'), ('b', 2, 't')")
        db.execute("DELETE FROM machines WHERE name = 'zzz'")
        db.execute("CREATE TRIGGER keep AFTER DELETE ON machines BEGIN SELECT 1; END")
        db.execute("CREATE VIEW fast AS SELECT name FROM machines WHERE rpm > 1")
    before = schema(project), rows(project)
    old, new = CHANGES[kind]
    changed = source.replace(old, new)
    assert changed != source
    project.resources(changed)
    generated = ashflow("codegen", "change")
    assert generated.code == 0, generated.err
    up = ashflow("migrate")
    assert up.code == 0, up.err
    assert schema(project) != before[0]
    assert rows(project) == before[1]
    assert ashflow("codegen", "--check").code == 0
    down = ashflow("rollback")
    assert down.code == 0, down.err
    assert rows(project) == before[1]
    assert [row[:3] for row in schema(project)] == [row[:3] for row in before[0]]
    with project.sqlite() as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT * FROM fast").fetchall() == [("b",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def rows(project):
    columns = "id, name, rpm, settings, team_id, inserted_at"
    with project.sqlite() as db:
        return db.execute(f"SELECT {columns} FROM machines ORDER BY id").fetchall()


def table(name):
    return f'CreateTable("{name}", columns=[Column("id", "integer", primary_key=True)])'


def three(project, ashflow):
    for i, name in enumerate("abc", 1):
        project.write(
            f"priv/repo/migrations/2026010100000{i}_{name}.py",
            f"from ashflow.migration import *\nmigration = Migration(operations=[{table(name)}])\n",
        )
    ashflow("migrate")


def applied(project):
    with project.sqlite() as db:
        return [
            v for (v,) in db.execute("SELECT version FROM ashflow_migrations ORDER BY position")
        ]


def test_step_to_and_all_choose_what_goes_down(project, ashflow):
    three(project, ashflow)
    assert ashflow("rollback").code == 0
    assert applied(project) == ["20260101000001", "20260101000002"]
    ashflow("migrate")
    assert ashflow("rollback", "-n", "2").code == 0
    assert applied(project) == ["20260101000001"]
    ashflow("migrate")
    assert ashflow("rollback", "--to", "20260101000002").code == 0
    assert applied(project) == ["20260101000001"]
    not_applied = ashflow("rollback", "--to", "20260101000003")
    assert (not_applied.code, "is not applied" in not_applied.err) == (2, True)
    ashflow("migrate")
    assert ashflow("rollback", "--all").code == 0
    assert applied(project) == []
    nothing = ashflow("rollback")
    assert (nothing.code, nothing.out) == (0, "repo: nothing to do\n")


def test_order_is_that_of_application_not_of_version(project, ashflow):
    three(project, ashflow)
    project.write(
        "priv/repo/migrations/20260101000000_late.py",
        f"from ashflow.migration import *\nmigration = Migration(operations=[{table('late')}])\n",
    )
    ashflow("migrate")
    down = ashflow("rollback", "--json").json()["repos"][0]["migrations"]
    assert [m["version"] for m in down] == ["20260101000000"]


def test_mark_forgets_and_runs_nothing(project, ashflow):
    three(project, ashflow)
    before = schema(project)
    done = ashflow("rollback", "--mark", "20260101000003")
    assert (done.code, done.out) == (0, "repo: forgot 1 migration\n")
    assert applied(project) == ["20260101000001", "20260101000002"]
    assert schema(project) == before
    again = ashflow("rollback", "--mark", "20260101000003")
    assert again.code == 2


def test_a_dry_run_prints_the_sql_and_changes_nothing(project, ashflow):
    three(project, ashflow)
    done = ashflow("rollback", "--dry-run")
    assert (done.code, done.out) == (0, 'DROP TABLE "c";\n')
    assert applied(project)[-1] == "20260101000003"


def test_a_migration_without_its_file_goes_down_from_the_ledger(project, ashflow):
    three(project, ashflow)
    (project.root / "priv/repo/migrations/20260101000003_c.py").unlink()
    assert ashflow("rollback").code == 0
    assert [row[1] for row in schema(project)] == ["a", "b"]


def test_a_migration_edited_after_it_was_applied_goes_down_as_it_was_applied(project, ashflow):
    three(project, ashflow)
    path = "priv/repo/migrations/20260101000003_c.py"
    project.write(path, project.read(path).replace('"c"', '"other"'))
    assert ashflow("rollback").code == 0
    assert [row[1] for row in schema(project)] == ["a", "b"]


def test_what_has_no_reverse_stops_before_anything(project, ashflow):
    three(project, ashflow)
    project.write(
        "priv/repo/migrations/20260101000004_x.py",
        "from ashflow.migration import *\n"
        'migration = Migration(operations=[Execute(up="INSERT INTO a VALUES (1)")])\n',
    )
    project.write(
        "priv/repo/migrations/20260101000005_y.py",
        f"from ashflow.migration import *\nmigration = Migration(operations=[{table('y')}])\n",
    )
    ashflow("migrate")
    failed = ashflow("rollback", "-n", "2")
    assert failed.code == 2
    assert "20260101000004_x can't be rolled back" in failed.err
    assert "Execute without down" in failed.err
    assert applied(project)[-1] == "20260101000005"


def test_a_function_whose_file_is_gone_can_not_be_undone_and_says_so(project, ashflow):
    path = project.write(
        "priv/repo/migrations/20260101000001_f.py",
        """
        from ashflow.migration import Migration, Run

        def up(db): ...
        def down(db): ...

        migration = Migration(operations=[Run(up=up, down=down)])
        """,
    )
    ashflow("migrate")
    path.unlink()
    failed = ashflow("rollback")
    assert failed.code == 2
    assert "its file is not here" in failed.err
    assert applied(project) == ["20260101000001"]


def test_rows_that_forbid_the_way_down_are_counted_and_nothing_changes(project, ashflow):
    project.resources(ONE)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    project.resources(ONE.replace("name: str\n        rpm", "name: str | None\n        rpm"))
    ashflow("codegen", "loosen")
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams VALUES ('t', 'core')")
        db.execute("INSERT INTO machines (name, team_id) VALUES (NULL, 't'), (NULL, 't')")
    before = schema(project)
    failed = ashflow("rollback")
    assert failed.code == 1
    assert "2 rows" in failed.err
    assert "machines" in failed.err
    assert "name" in failed.err
    assert schema(project) == before


def test_several_repos_need_a_name_unless_all_goes_down(project, ashflow):
    project.write(
        "pyproject.toml",
        """
        [tool.ashflow]
        [tool.ashflow.repos.one]
        url = "sqlite:///one.sqlite3"
        [tool.ashflow.repos.two]
        url = "sqlite:///two.sqlite3"
        """,
    )
    ashflow("create")
    failed = ashflow("rollback")
    assert failed.code == 2
    assert "--repo one" in failed.err
    assert ashflow("rollback", "--repo", "two").code == 0
    assert ashflow("rollback", "--all").code == 0


def test_a_database_that_is_not_there_is_not_made(project, ashflow):
    three(project, ashflow)
    (project.root / "priv/repo/dev.sqlite3").unlink()
    failed = ashflow("rollback")
    assert failed.code == 2
    assert "priv/repo/dev.sqlite3" in failed.err
    assert not (project.root / "priv/repo/dev.sqlite3").exists()


def test_values_that_go_are_counted_and_a_copy_of_the_database_is_kept(project, ashflow):
    project.resources(ONE)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams VALUES ('t', 'core')")
        db.execute("INSERT INTO machines (name, team_id) VALUES ('a', 't'), ('b', 't')")
    done = ashflow("rollback")
    assert done.code == 0
    assert "table machines (2 rows), table teams (1 row) will be dropped" in done.err
    (copy,) = (project.root / ".git/ashflow").glob("*/parked/*-repo.sqlite3")
    assert str(copy) in done.err
    assert copy.stat().st_mode & 0o777 == 0o600
    with project.sqlite(str(copy)) as db:
        assert db.execute("SELECT name FROM machines ORDER BY name").fetchall() == [("a",), ("b",)]
    ashflow("migrate")
    empty = ashflow("rollback")
    assert "will be dropped" not in empty.err
    ashflow("migrate")
    with project.sqlite() as db:
        db.execute("INSERT INTO teams VALUES ('t', 'core')")
    unkept = ashflow("rollback", "--no-backup")
    assert unkept.code == 0
    assert "table teams (1 row) will be dropped; no copy is kept" in unkept.err
    assert len(list((project.root / ".git/ashflow").glob("*/parked/*"))) == 1


def test_without_git_the_copy_is_kept_beside_the_project(project, ashflow, tmp_path):
    three(project, ashflow)
    with project.sqlite() as db:
        db.execute("INSERT INTO c VALUES (1)")
    (project.root / ".git").rename(tmp_path / "git")
    done = ashflow("rollback")
    assert done.code == 0, done.err
    assert "table c (1 row) will be dropped" in done.err
    assert len(list((project.root / ".ashflow/parked").iterdir())) == 1
    assert (project.root / ".ashflow/.gitignore").read_text() == "*\n"


def test_several_columns_of_a_table_go_in_one_rebuild(project, ashflow):
    columns = "".join(f"        c{i}: str | None\n" for i in range(5))
    source = ONE.replace("        rpm: int = 0\n", "        rpm: int = 0\n" + columns)
    project.resources(ONE)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    project.resources(source)
    ashflow("codegen", "add_columns")
    ashflow("migrate")
    done = ashflow("rollback", "--dry-run")
    assert "DROP COLUMN" not in done.out
    assert done.out.count('CREATE TABLE "__ashflow_new_machines"') == 1
    assert ashflow("rollback").code == 0


def test_a_table_whose_name_changes_only_its_case(project, ashflow):
    project.resources(ONE)
    ashflow("codegen", "create_machines")
    ashflow("migrate")
    project.resources(ONE.replace('table="machines"', 'table="Machines"'))
    assert ashflow("codegen", "case", "--rename", "machines=Machines").code == 0
    up = ashflow("migrate")
    assert up.code == 0, up.err
    assert "Machines" in [row[1] for row in schema(project)]
    assert ashflow("rollback").code == 0
    assert "machines" in [row[1] for row in schema(project)]
