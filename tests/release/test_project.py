"""A project whose migrations regen rewrites: what it left half done, and the rows that it kept."""

from __future__ import annotations

import shutil

import pytest
from forge import Forked

from ashflow import release
from ashflow.errors import CutOffError

POSTS = """
    from ashflow import Resource, integer_primary_key

    class Post(Resource, table="posts"):
        id: int = integer_primary_key()
        title: str
"""
COLORED = POSTS + "        color: str | None\n"
MORE = COLORED + "        extra: int = 3\n"


@pytest.fixture
def written(project, forge, monkeypatch):
    """A project with a tracked migration and an untracked one, both applied, and two rows."""
    run = Forked(project.root, forge, project.ashflow)
    for number, source in enumerate((POSTS, COLORED)):
        project.resources(source)
        assert run("codegen", f"change_{number}").code == 0
        if number == 0:
            project.git.commit()
    assert run("migrate").code == 0
    with project.sqlite() as db:
        db.execute("INSERT INTO posts (title, color) VALUES ('A', 'red'), ('B', NULL)")
    project.resources(MORE)
    monkeypatch.chdir(project.root)
    return project


def rows(project):
    with project.sqlite() as db:
        return db.execute("SELECT title, color FROM posts ORDER BY id").fetchall()


def test_rows_that_wait_come_in(written, forge):
    assert forge.run(written.root, "regen", "again", "--yes").code == 0
    with written.sqlite() as db:
        assert db.execute("SELECT * FROM posts").fetchall() == [(1, "A"), (2, "B")]
    (done,) = release.migrate()
    (one,) = done.migrations
    assert any("is back from run" in note for note in one.notes)
    assert rows(written) == [("A", "red"), ("B", None)]
    assert list(written.root.glob(".git/ashflow/*/waiting/*")) == []
    assert release.migrate()[0].migrations == ()


def test_rows_that_came_in_before_a_kill_do_not_wait_for_another_time(written, forge):
    assert forge.run(written.root, "regen", "again", "--yes").code == 0
    (waiting,) = written.root.glob(".git/ashflow/*/waiting")
    kept = written.root.parent / "waiting"
    shutil.copytree(waiting, kept)
    release.migrate()
    shutil.copytree(
        kept, waiting, dirs_exist_ok=True
    )  # as if it had been killed right after its COMMIT
    assert release.migrate()[0].migrations == ()
    assert list(waiting.iterdir()) == []
    with written.sqlite() as db:
        db.execute("UPDATE posts SET color = 'new' WHERE title = 'A'")
    release.rollback("repo", step=1)
    release.migrate()
    assert rows(written) == [("A", None), ("B", None)]


@pytest.mark.parametrize("deed", [release.migrate, release.status])
def test_a_regen_that_was_cut_off_is_to_be_ended_first(written, forge, deed):
    for at in range(1, 20):  # the first moment at which its journal stands
        forge.run(written.root, "regen", "again", "--yes", "-m", at=at)
        if list(written.root.glob(".git/ashflow/*/journal.json")):
            break
    with pytest.raises(CutOffError, match="was cut off") as caught:
        deed()
    assert caught.value.exit_code == 2
    assert "ashflow recover" in caught.value.hint
    with pytest.raises(CutOffError):
        release.rollback("repo", step=1)
    assert forge.run(written.root, "recover").code == 0
    assert release.status()[0].migrations
    assert rows(written) == [("A", "red"), ("B", None)]


def test_a_repo_that_needs_no_project_does_not_look_at_one(written):
    (written.root / "pyproject.toml").write_text("[tool.ashflow]\nnonsense = 1\n")
    folder = written.root / "priv/repo/migrations"
    (done,) = release.migrate(release.Repo("x", url="sqlite:///x.db", migrations=folder))
    assert len(done.migrations) == 2
