"""The tools that `scripts/matrix` compares, and the projects in which it drives them.

Each of them is driven as its users do it: a folder with its configuration and a migration, and its
command. The programs are texts, because they run in an environment that has the tool.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matrix_cases import Case

PINNED = (
    "Django==5.2.19",
    "alembic==1.20.1",
    "SQLAlchemy==2.1.9",
    "sqlite-utils==4.2.1",
)
DATABASE = "db.sqlite3"

# ------------------------------------------------------------------ ashflow
ASHFLOW = {
    "pyproject.toml": f"""\
[tool.ashflow]
domains = []

[tool.ashflow.repos.repo]
url = "sqlite:///{DATABASE}"
""",
    "priv/repo/migrations/20260101000001_note.py": """\
from ashflow.migration import AlterColumn, Column, Migration

migration = Migration(
    operations=[
        AlterColumn("t", old=Column("note", "text", nullable=True), new=Column("note", "text")),
    ],
)
""",
}

# ------------------------------------------------------------------ Django
DJANGO_INITIAL = """\
from django.db import migrations, models
from django.db.models import functions

operations = []


def key():
    return models.IntegerField(primary_key=True)


def text():
    return models.TextField(null=True)


def refers(to, column):
    to = to if to == "self" else "app." + to
    return models.ForeignKey(
        to, models.DO_NOTHING, null=True, db_column=column, db_index=False, related_name="+"
    )


def table(name, options=None, /, **fields):
    options = {"db_table": name, **(options or {})}
    operations.append(migrations.CreateModel(name, list(fields.items()), options=options))


def add(model, name, field):
    # A model that two others wait for is made first, as makemigrations does it.
    operations.append(migrations.AddField(model, name, field))


"""
DJANGO_CLASS = """


class Migration(migrations.Migration):
    initial = True


Migration.operations = operations
"""
DJANGO = {
    "settings.py": f"""\
from pathlib import Path

SECRET_KEY = "none"
USE_TZ = True
INSTALLED_APPS = ["app"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(__file__).parent / "{DATABASE}",
    }}
}}
""",
    "app/__init__.py": "",
    "app/migrations/__init__.py": "",
    "app/migrations/0002_note.py": """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("app", "0001_initial")]
    operations = [migrations.AlterField("t", "note", models.TextField())]
""",
}

# ------------------------------------------------------------------ Alembic
ALEMBIC = {
    "alembic.ini": f"""\
[alembic]
script_location = %(here)s/migrations
sqlalchemy.url = sqlite:///{DATABASE}
""",
    "migrations/env.py": """\
from alembic import context
from sqlalchemy import engine_from_config, event

engine = engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.")


@event.listens_for(engine, "connect")
def enforce(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")


with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
""",
    "migrations/versions/0001_note.py": """\
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    with op.batch_alter_table("t") as batch:
        batch.alter_column("note", existing_type=sa.Text(), nullable=False)
""",
}
ENV = ALEMBIC["migrations/env.py"]
ALEMBIC_OFF = {
    **ALEMBIC,
    "migrations/env.py": ENV.replace("foreign_keys = ON", "foreign_keys = OFF"),
}

# ------------------------------------------------------------------ sqlite-utils
SQLITE_UTILS = {
    "change.py": f"""\
import sqlite_utils

db = sqlite_utils.Database("{DATABASE}")
db.execute("PRAGMA foreign_keys = ON")
db["t"].transform(not_null={{"note"}})
db.close()
""",
}


class Tool(NamedTuple):
    """One of the tools.

    Args:
        name: Its name, as a column of the table.
        files: The files of its project, by their paths.
        change: The command that makes the change.
        prepare: The command that tells the tool what is there already, where it wants to know.
        peer: Whether it is one of those that `PINNED` installs.
    """

    name: str
    files: Mapping[str, str]
    change: Sequence[str]
    prepare: Sequence[str] = ()
    peer: bool = False

    def lay_out(self, case: Case, folder: Path) -> None:
        """Write the project of a case, but for its database."""
        files = dict(self.files)
        if self.files is DJANGO:
            initial = DJANGO_INITIAL + case.django + DJANGO_CLASS
            files["app/migrations/0001_initial.py"] = initial
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")


def tools(ashflow: Sequence[str], python: Path) -> tuple[Tool, ...]:
    """Return the tools.

    Args:
        ashflow: How ashflow is called.
        python: The Python of the environment that has the others.
    """
    django = [str(python), "-m", "django", "migrate", "--settings", "settings", "app"]
    alembic = [str(python), "-m", "alembic", "upgrade", "head"]
    return (
        Tool("ashflow", ASHFLOW, [*ashflow, "migrate"]),
        Tool("ashflow --rebuild", ASHFLOW, [*ashflow, "migrate", "--rebuild"]),
        Tool("Django", DJANGO, django, [*django, "0001", "--fake"], peer=True),
        Tool("Alembic", ALEMBIC, alembic, peer=True),
        Tool("Alembic, keys off", ALEMBIC_OFF, alembic, peer=True),
        Tool("sqlite-utils", SQLITE_UTILS, [str(python), "change.py"], peer=True),
    )


def run(words: Sequence[str], folder: Path) -> str | None:
    """Run a command in a folder; return the last error that it named where it failed, else None."""
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if not done.returncode:
        return None
    lines = (done.stderr or done.stdout).strip().splitlines()
    named = [line for line in lines if re.match(r"(error|[\w.]+(Error|Exception)): ", line)]
    return (named or lines or [f"exit {done.returncode}"])[-1]
