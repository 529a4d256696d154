"""The cases of `scripts/matrix`: what a table may have, and how one sees that it still has it.

In each of them the table `t` has a column `note TEXT` in which no row has NULL, and the change is
that it becomes NOT NULL.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

KEPT, REFUSED, STUCK, LOST = "kept", "refused", "stuck", "lost"
LEDGERS = ("ashflow_migrations", "ashflow_meta", "django_migrations", "alembic_version")
COMMON = (
    "SELECT count(*) FROM t",
    "SELECT name FROM pragma_table_xinfo('t') ORDER BY name",
    "PRAGMA foreign_key_check",
    "PRAGMA integrity_check",
)
"""What is asked in every case, before its own probe."""


class Case(NamedTuple):
    """One thing that a change of a table may lose.

    Args:
        name: What it is, as the README calls it.
        setup: The statements that make the tables and their rows.
        probe: Statements, run one after the other on a copy; what they return must stay the same.
            One that fails returns its error.
        django: How Django would describe the tables: the operations of its first migration, in
            the words of `matrix_peers.DJANGO_INITIAL`.
        refused: Whether ashflow has to refuse the change, and not to make it.
    """

    name: str
    setup: tuple[str, ...]
    probe: tuple[str, ...]
    django: str
    refused: bool = False

    @property
    def slug(self) -> str:
        """The name as a word for a folder, or for the id of a test."""
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")


class Seen(NamedTuple):
    """A database as it was found.

    Args:
        answers: What each probe returned.
        changed: Whether the column is NOT NULL.
        dump: The definitions and the rows of all tables but the ledgers of the tools.
    """

    answers: tuple[tuple[str, str], ...]
    changed: bool
    dump: tuple[str, ...]


class Answer(NamedTuple):
    """What became of a case.

    Args:
        word: `KEPT`, `REFUSED`, `STUCK` (it failed, and what it left is in the way of the next try)
            or `LOST`.
        detail: What differs, or why it was refused; a line each.
    """

    word: str
    detail: tuple[str, ...] = ()


# ------------------------------------------------------------------ looking
def make(case: Case, path: Path) -> None:
    """Make the database of a case."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for sql in case.setup:
            connection.execute(sql)


def look(case: Case, path: Path) -> Seen:
    """Look at a database; the probes run on a copy of it, so they may write."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        copy.isolation_level = None
        dump = _dump(copy)
        changed = _ask(copy, "SELECT \"notnull\" FROM pragma_table_info('t') WHERE name = 'note'")
        answers = tuple((sql, _ask(copy, sql)) for sql in (*COMMON, *case.probe))
    return Seen(answers, changed == "[(1,)]", dump)


def judge(before: Seen, after: Seen, error: str | None) -> Answer:
    """Return what became of a case.

    Args:
        before: The database before the change.
        after: The database after it.
        error: What the tool said when it failed; None: it did not.
    """
    if error is not None:
        new = tuple(line for line in after.dump if line not in before.dump)
        if set(before.dump) <= set(after.dump):
            return Answer(STUCK if new else REFUSED, (error, *new))
        return Answer(LOST, (f"it failed half way: {error}", *_differences(before, after)))
    if not after.changed:
        return Answer(LOST, ("the change is not made", *_differences(before, after)))
    differences = _differences(before, after)
    return Answer(LOST if differences else KEPT, differences)


def _differences(before: Seen, after: Seen) -> tuple[str, ...]:
    pairs = zip(before.answers, after.answers, strict=True)
    return tuple(f"{sql}: {was}, now {now}" for (sql, was), (_, now) in pairs if was != now)


def _ask(connection: sqlite3.Connection, sql: str) -> str:
    """Return what a statement says, as text: that tells -0.0 from 0.0, and 1 from 1.0."""
    try:
        return repr(connection.execute(sql).fetchall())
    except sqlite3.Error as error:
        return f"{type(error).__name__}: {error}"


def _dump(connection: sqlite3.Connection) -> tuple[str, ...]:
    definitions = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    )
    kept = [row for row in definitions if row[2] not in LEDGERS]
    tables = [name for kind, name, _, _ in kept if kind == "table" and name != "sqlite_sequence"]
    rows = (f'{name}: {_ask(connection, f"""SELECT * FROM "{name}" """)}' for name in tables)
    return (*map(repr, kept), *rows)


# ------------------------------------------------------------------ the parts of a case
PLAIN = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)",
    "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')",
)
LOG = "CREATE TABLE log (id INTEGER PRIMARY KEY, said TEXT)"
DJANGO_PLAIN = 'table("t", id=key(), note=text())'
DJANGO_CHECK = 'constraints=[models.CheckConstraint(condition=models.Q(size__gt=0), name="t_size")]'
DJANGO_LOG = 'table("log", id=key(), said=text())'
DEFINITION = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
INDEXES = (
    "SELECT name, \"unique\", origin, partial FROM pragma_index_list('t') ORDER BY name",
    (
        "SELECT i.name, k.name, k.\"desc\", k.coll FROM pragma_index_list('t') i, "
        "pragma_index_xinfo(i.name) k WHERE k.key ORDER BY i.name, k.seqno"
    ),
)
ENFORCED = "PRAGMA foreign_keys = ON"


def _text(*parts: str) -> str:
    """Return a probe that asks which parts are in the definition of `t`, whatever the quoting."""
    plain = "replace(replace(upper(sql), '\"', ''), '[', '')"
    found = ", ".join(f"instr({plain}, '{part.upper()}') > 0" for part in parts)
    return f"SELECT {found} FROM sqlite_master WHERE name = 't'"


def _child(name: str, action: str, default: str = "") -> Case:
    """Return the case of rows in another table that refer to those of `t`."""
    return Case(
        name,
        (
            *PLAIN,
            (
                f"CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER {default} "
                f"REFERENCES t(id) ON DELETE {action})"
            ),
            "INSERT INTO child VALUES (10, 1), (11, 1), (12, 2), (13, NULL)",
        ),
        (
            "SELECT * FROM child ORDER BY id",
            "PRAGMA foreign_key_list(child)",
            ENFORCED,
            "DELETE FROM t WHERE id = 1",
            "SELECT * FROM child ORDER BY id",
            "INSERT INTO child VALUES (14, 99)",
        ),
        f'{DJANGO_PLAIN}\ntable("child", id=key(), t=refers("t", "t"))',
    )


def _size(
    name: str,
    column: str,
    probe: tuple[str, ...],
    django: str = "size=models.IntegerField(null=True)",
    *,
    more: tuple[str, ...] = (),
    behind: str = "",
    options: str = "",
) -> Case:
    """Return a case with one more column `size`, which has 1, 2, 3 in its rows.

    Args:
        name: What the README calls it.
        column: The definition of the column, or columns.
        probe: Its probe.
        django: The fields that Django would have for the column.
        more: Statements that follow.
        behind: What stands behind the last parenthesis of the table.
        options: The `Meta` of the model.
    """
    return Case(
        name,
        (
            f"CREATE TABLE t (id INTEGER PRIMARY KEY, {column}, note TEXT) {behind}",
            "INSERT INTO t (id, size, note) VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three')",
            *more,
        ),
        probe,
        f'table("t", dict({options}), id=key(), {django}, note=text())',
    )


def _name(
    name: str,
    column: str,
    probe: tuple[str, ...],
    django: str = "name=text()",
    *,
    more: tuple[str, ...] = (),
    options: str = "",
) -> Case:
    """Return a case with one more column `name`; its arguments are those of `_size`."""
    return Case(
        name,
        (
            f"CREATE TABLE t (id INTEGER PRIMARY KEY, {column}, note TEXT)",
            (
                "INSERT INTO t (id, name, note) VALUES "
                "(1, 'anna', 'one'), (2, 'Bert', 'two'), (3, 'Carl', 'three')"
            ),
            *more,
        ),
        probe,
        f'table("t", dict({options}), id=key(), {django}, note=text())',
    )


def _counted(name: str, *more: str) -> Case:
    """Return a case of AUTOINCREMENT."""
    return Case(
        name,
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT)",
            "INSERT INTO t (note) VALUES ('one'), ('two'), ('three'), ('four')",
            *more,
        ),
        (
            "SELECT * FROM t ORDER BY id",
            "SELECT seq FROM sqlite_sequence WHERE name = 't'",
            "INSERT INTO t (note) VALUES ('new') RETURNING id",
            "DELETE FROM t",
            "INSERT INTO t (note) VALUES ('newer') RETURNING id",
        ),
        'table("t", id=models.AutoField(primary_key=True), note=text())',
    )


# ------------------------------------------------------------------ the cases
ROWS = (
    Case(
        "values and their storage classes",
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, b BLOB, note TEXT)",
            (
                "INSERT INTO t VALUES "
                "(1, 9223372036854775807, 0.1, 'a' || char(0) || 'b', x'00ff', ''), "
                "(2, -9223372036854775808, 0.0 * -1, char(128512), x'', 'two'), "
                "(9007199254740993, NULL, 9e999, NULL, NULL, '2'), "
                "(-4, 0.5, 5e-324, x'80', 'text', x'ff')"
            ),
        ),
        (
            "SELECT * FROM t ORDER BY id",
            "SELECT typeof(i), typeof(r), typeof(s), typeof(b), typeof(note) FROM t ORDER BY id",
        ),
        """table("t", id=key(), i=models.BigIntegerField(null=True), r=models.FloatField(null=True),
    s=text(), b=models.BinaryField(null=True), note=text())""",
    ),
    Case(
        "numbers in a column without a type",
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, any, note TEXT)",
            (
                "INSERT INTO t VALUES (1, 1, ''), (2, 1.0, ''), (3, '1', ''), (4, x'31', ''), "
                "(5, '01.50', ''), (6, 0.0 * -1, ''), (7, NULL, '')"
            ),
        ),
        (
            "SELECT id, any, typeof(any) FROM t ORDER BY id",
            "SELECT type FROM pragma_table_info('t') WHERE name = 'any'",
        ),
        'table("t", id=key(), any=text(), note=text())',
    ),
    Case(
        "rowids without an INTEGER PRIMARY KEY",
        (
            "CREATE TABLE t (code TEXT PRIMARY KEY, note TEXT)",
            (
                "INSERT INTO t (rowid, code, note) VALUES "
                "(7, 'c', 'one'), (10, 'a', 'two'), (-3, 'b', 'three')"
            ),
        ),
        ("SELECT rowid, code, note FROM t ORDER BY rowid",),
        'table("t", code=models.TextField(primary_key=True), note=text())',
    ),
    Case(
        "the order of the columns",
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT, size INTEGER)",
            "INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)",
        ),
        ("SELECT * FROM t ORDER BY id", "SELECT name FROM pragma_table_info('t') ORDER BY cid"),
        'table("t", id=key(), note=text(), size=models.IntegerField(null=True))',
    ),
    Case(
        "a column that somebody added by hand",
        (*PLAIN, "ALTER TABLE t ADD COLUMN color TEXT DEFAULT 'red'"),
        (
            "SELECT id, color FROM t ORDER BY id",
            "INSERT INTO t (note) VALUES ('new') RETURNING color",
        ),
        DJANGO_PLAIN,
    ),
)
KEYS = (
    _child("rows that refer to it, ON DELETE CASCADE", "CASCADE"),
    _child("rows that refer to it, ON DELETE SET NULL", "SET NULL"),
    _child("rows that refer to it, ON DELETE SET DEFAULT", "SET DEFAULT", "DEFAULT 3"),
    _child("rows that refer to it, ON DELETE RESTRICT", "RESTRICT"),
    Case(
        "a reference to itself",
        (
            (
                "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER, note TEXT, "
                "FOREIGN KEY (up) REFERENCES t(id))"
            ),
            "INSERT INTO t VALUES (1, NULL, 'one'), (2, 1, 'two'), (3, 2, 'three')",
        ),
        (
            "SELECT id, up, note FROM t ORDER BY id",
            'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'t\')',
            ENFORCED,
            "DELETE FROM t WHERE id = 2",
            "INSERT INTO t (id, up, note) VALUES (4, 99, 'new')",
        ),
        'table("t", id=key(), up=refers("self", "up"), note=text())',
    ),
    Case(
        "a reference to itself, ON DELETE CASCADE",
        (
            (
                "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER, note TEXT, "
                "FOREIGN KEY (up) REFERENCES t(id) ON DELETE CASCADE)"
            ),
            "INSERT INTO t VALUES (1, NULL, 'one'), (2, 1, 'two'), (3, 2, 'three')",
        ),
        (
            "SELECT id, up, note FROM t ORDER BY id",
            "SELECT on_delete FROM pragma_foreign_key_list('t')",
            ENFORCED,
            "DELETE FROM t WHERE id = 2",
            "SELECT id, up, note FROM t ORDER BY id",
        ),
        'table("t", id=key(), up=refers("self", "up"), note=text())',
    ),
    Case(
        "two tables that refer to each other",
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, best INTEGER REFERENCES child(id), note TEXT)",
            "CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t(id))",
            "INSERT INTO t VALUES (1, 10, 'one'), (2, 11, 'two'), (3, NULL, 'three')",
            "INSERT INTO child VALUES (10, 1), (11, 2), (12, 1)",
        ),
        (
            "SELECT id, best, note FROM t ORDER BY id",
            "SELECT * FROM child ORDER BY id",
            'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'t\')',
            'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'child\')',
            ENFORCED,
            "INSERT INTO child VALUES (13, 99)",
            "UPDATE t SET best = 99 WHERE id = 1",
        ),
        """table("t", id=key(), note=text())
table("child", id=key(), t=refers("t", "t"))
add("t", "best", refers("child", "best"))""",
    ),
    Case(
        "a foreign key that is INITIALLY DEFERRED",
        (
            "CREATE TABLE owner (id INTEGER PRIMARY KEY)",
            (
                "CREATE TABLE t (id INTEGER PRIMARY KEY, owner INTEGER, note TEXT, "
                "FOREIGN KEY (owner) REFERENCES owner(id) DEFERRABLE INITIALLY DEFERRED)"
            ),
            "INSERT INTO owner VALUES (1), (2)",
            "INSERT INTO t VALUES (1, 1, 'one'), (2, 2, 'two')",
        ),
        (
            "SELECT id, owner, note FROM t ORDER BY id",
            ENFORCED,
            "BEGIN",
            "INSERT INTO t (id, owner, note) VALUES (3, 3, 'early')",
            "INSERT INTO owner VALUES (3)",
            "COMMIT",
            "INSERT INTO t (id, owner, note) VALUES (4, 99, 'nobody')",
        ),
        'table("owner", id=key())\n'
        'table("t", id=key(), owner=refers("owner", "owner"), note=text())',
    ),
    Case(
        "the name of a foreign key",
        (
            "CREATE TABLE owner (id INTEGER PRIMARY KEY)",
            (
                "CREATE TABLE t (id INTEGER PRIMARY KEY, owner INTEGER, note TEXT, "
                "CONSTRAINT t_owner FOREIGN KEY (owner) REFERENCES owner(id))"
            ),
            "INSERT INTO owner VALUES (1), (2)",
            "INSERT INTO t VALUES (1, 1, 'one'), (2, 2, 'two')",
        ),
        (
            "SELECT id, owner, note FROM t ORDER BY id",
            _text("CONSTRAINT t_owner FOREIGN KEY"),
            ENFORCED,
            "INSERT INTO t (id, owner, note) VALUES (4, 99, 'nobody')",
        ),
        'table("owner", id=key())\n'
        'table("t", id=key(), owner=refers("owner", "owner"), note=text())',
    ),
)
TRIGGERS = (
    Case(
        "triggers",
        (
            *PLAIN,
            LOG,
            (
                "CREATE TRIGGER made AFTER INSERT ON t "
                "BEGIN INSERT INTO log (said) VALUES ('new ' || new.note); END"
            ),
            (
                "CREATE TRIGGER edited BEFORE UPDATE OF note ON t WHEN old.note <> new.note "
                "BEGIN INSERT INTO log (said) VALUES (old.note || ' was'); END"
            ),
            (
                "CREATE TRIGGER fixed BEFORE DELETE ON t WHEN old.id = 1 "
                "BEGIN SELECT RAISE(ABORT, 'the first row stays'); END"
            ),
        ),
        (
            f"{DEFINITION} ORDER BY name",
            "SELECT * FROM log ORDER BY id",
            "INSERT INTO t VALUES (4, 'four')",
            "UPDATE t SET note = 'five' WHERE id = 4",
            "DELETE FROM t WHERE id = 1",
            "SELECT * FROM log ORDER BY id",
        ),
        f"{DJANGO_PLAIN}\n{DJANGO_LOG}",
    ),
    Case(
        "the order of triggers",
        (
            *PLAIN,
            LOG,
            *(
                f"CREATE TRIGGER {name} AFTER INSERT ON t "
                f"BEGIN INSERT INTO log (said) VALUES ('{name}'); END"
                for name in ("second", "first", "third")
            ),
        ),
        ("INSERT INTO t VALUES (4, 'four')", "SELECT said FROM log ORDER BY id"),
        f"{DJANGO_PLAIN}\n{DJANGO_LOG}",
    ),
    Case(
        "a trigger of another table that writes into it",
        (
            *PLAIN,
            LOG,
            (
                "CREATE TRIGGER heard AFTER INSERT ON log BEGIN "
                "UPDATE t SET note = new.said WHERE id = 1; "
                "INSERT INTO t (note) VALUES (new.said); END"
            ),
        ),
        (
            DEFINITION,
            "INSERT INTO log (said) VALUES ('heard')",
            "SELECT * FROM t ORDER BY id",
        ),
        f"{DJANGO_PLAIN}\n{DJANGO_LOG}",
    ),
    Case(
        "an INSTEAD OF trigger of a view on it",
        (
            *PLAIN,
            "CREATE VIEW v AS SELECT id, upper(note) AS loud FROM t",
            (
                "CREATE TRIGGER spoken INSTEAD OF INSERT ON v "
                "BEGIN INSERT INTO t (note) VALUES (lower(new.loud)); END"
            ),
        ),
        (
            f"{DEFINITION} ORDER BY name",
            "SELECT * FROM v ORDER BY id",
            "INSERT INTO v (loud) VALUES ('HEARD')",
            "SELECT * FROM v ORDER BY id",
        ),
        DJANGO_PLAIN,
    ),
    Case(
        "a full-text index (FTS5) over its rows",
        (
            *PLAIN,
            "CREATE VIRTUAL TABLE search USING fts5(note, content='t', content_rowid='id')",
            "INSERT INTO search(search) VALUES ('rebuild')",
            (
                "CREATE TRIGGER t_ai AFTER INSERT ON t BEGIN "
                "INSERT INTO search(rowid, note) VALUES (new.id, new.note); END"
            ),
            (
                "CREATE TRIGGER t_ad AFTER DELETE ON t BEGIN "
                "INSERT INTO search(search, rowid, note) VALUES ('delete', old.id, old.note); END"
            ),
            (
                "CREATE TRIGGER t_au AFTER UPDATE ON t BEGIN "
                "INSERT INTO search(search, rowid, note) VALUES ('delete', old.id, old.note); "
                "INSERT INTO search(rowid, note) VALUES (new.id, new.note); END"
            ),
        ),
        (
            "INSERT INTO search(search, rank) VALUES ('integrity-check', 1)",
            "SELECT rowid, note FROM search WHERE search MATCH 'two'",
            "INSERT INTO t VALUES (4, 'four')",
            "UPDATE t SET note = 'deux' WHERE id = 2",
            "DELETE FROM t WHERE id = 3",
            "SELECT rowid FROM search WHERE search MATCH 'four OR deux OR two OR three' ORDER BY 1",
            "INSERT INTO search(search, rank) VALUES ('integrity-check', 1)",
        ),
        DJANGO_PLAIN,
    ),
)
VIEWS = (
    Case(
        "a view on it",
        (*PLAIN, "CREATE VIEW v AS SELECT id, note FROM t WHERE id > 1"),
        (DEFINITION, "SELECT * FROM v ORDER BY id"),
        DJANGO_PLAIN,
    ),
    Case(
        "a view on a view on it",
        (
            *PLAIN,
            "CREATE VIEW v AS SELECT id, note FROM t WHERE id > 1",
            "CREATE VIEW w AS SELECT max(id) AS last FROM v",
        ),
        (f"{DEFINITION} ORDER BY name", "SELECT * FROM w"),
        DJANGO_PLAIN,
    ),
    Case(
        "a broken view that has nothing to do with it",
        (*PLAIN, "CREATE VIEW broken AS SELECT a FROM nowhere"),
        ("SELECT * FROM t ORDER BY id", DEFINITION),
        DJANGO_PLAIN,
    ),
)
DEFINITIONS = (
    _counted("the counter of AUTOINCREMENT"),
    _counted("the counter of AUTOINCREMENT, the last rows deleted", "DELETE FROM t WHERE id > 2"),
    _counted("the counter of AUTOINCREMENT, all rows deleted", "DELETE FROM t"),
    _size(
        "STRICT",
        "size INTEGER",
        (
            "SELECT strict FROM pragma_table_list('t')",
            "INSERT INTO t (size, note) VALUES ('many', 'n')",
        ),
        behind="STRICT",
    ),
    Case(
        "WITHOUT ROWID",
        (
            "CREATE TABLE t (code TEXT PRIMARY KEY, note TEXT) WITHOUT ROWID",
            "INSERT INTO t VALUES ('b', 'one'), ('a', 'two')",
        ),
        (
            "SELECT wr FROM pragma_table_list('t')",
            "SELECT code, note FROM t",
            "SELECT rowid FROM t",
        ),
        'table("t", code=models.TextField(primary_key=True), note=text())',
    ),
    *(
        _size(
            f"a generated column, {kind}",
            f"size INTEGER, twice INTEGER GENERATED ALWAYS AS (size * 2) {kind}",
            (
                "SELECT id, twice FROM t ORDER BY id",
                "SELECT hidden FROM pragma_table_xinfo('t') WHERE name = 'twice'",
                "UPDATE t SET size = 50 WHERE id = 1 RETURNING twice",
                "UPDATE t SET twice = 1",
            ),
            "size=models.IntegerField(null=True), twice=models.GeneratedField("
            'expression=models.F("size") * 2, output_field=models.IntegerField(null=True), '
            f"db_persist={kind == 'STORED'})",
        )
        for kind in ("VIRTUAL", "STORED")
    ),
    _name(
        "the collation of a column",
        "name TEXT COLLATE NOCASE",
        (
            "SELECT id FROM t WHERE name = 'ANNA'",
            "INSERT INTO t (name, note) VALUES ('BERT', 'four'), ('bart', 'five')",
            "SELECT name FROM t ORDER BY name, id",
            "SELECT count(DISTINCT name) FROM t",
        ),
        'name=models.TextField(null=True, db_collation="NOCASE")',
    ),
    _size(
        "a check with a name",
        "size INTEGER CONSTRAINT t_size CHECK (size > 0)",
        (
            "INSERT INTO t (size, note) VALUES (-1, 'n')",
            "INSERT INTO t (size, note) VALUES (7, 'n') RETURNING size",
        ),
        options=DJANGO_CHECK,
    ),
    _size(
        "a check without a name",
        "size INTEGER CHECK (size > 0)",
        (
            "INSERT OR IGNORE INTO t (size, note) VALUES (-1, 'n') RETURNING size",
            "INSERT OR IGNORE INTO t (size, note) VALUES (7, 'n') RETURNING size",
        ),
        options=DJANGO_CHECK,
    ),
    *(
        _name(
            f"UNIQUE ON CONFLICT {word}",
            f"name TEXT UNIQUE ON CONFLICT {word}",
            (
                "SELECT id, name, note FROM t ORDER BY id",
                _text(f"ON CONFLICT {word}"),
                "INSERT INTO t (id, name, note) VALUES (9, 'anna', 'again')",
                "SELECT id, name, note FROM t ORDER BY id",
            ),
            "name=models.TextField(null=True, unique=True)",
        )
        for word in ("IGNORE", "REPLACE")
    ),
    _size(
        "defaults that are expressions",
        "size INTEGER DEFAULT (3 * 4), label TEXT DEFAULT (lower('NEW')), "
        "made TEXT DEFAULT CURRENT_TIMESTAMP",
        (
            "SELECT id, size, label FROM t ORDER BY id",
            (
                "INSERT INTO t (note) VALUES ('new') "
                "RETURNING size, label, made GLOB '????-??-?? ??:??:??'"
            ),
        ),
        "size=models.IntegerField(null=True, "
        "db_default=functions.Cast(3, models.IntegerField()) * 4), "
        'label=models.TextField(null=True, db_default=functions.Lower(models.Value("NEW"))), '
        "made=models.TextField(null=True, "
        'db_default=models.Func(function="CURRENT_TIMESTAMP", template="%(function)s"))',
    ),
    _size(
        "declared types",
        "size DECIMAL(10,2), code VARCHAR(20), place GEO_POINT",
        (
            (
                "SELECT name, upper(replace(type, ' ', '')) FROM pragma_table_info('t') "
                "WHERE name <> 'id' ORDER BY name"
            ),
            "SELECT id, size FROM t ORDER BY id",
        ),
        "size=models.DecimalField(null=True, max_digits=10, decimal_places=2), "
        "code=models.CharField(null=True, max_length=20), place=text()",
    ),
    Case(
        "comments in the definition",
        (
            (
                "CREATE TABLE t (\n"
                "    id INTEGER PRIMARY KEY, -- counts the guests\n"
                "    /* in metres */ size INTEGER,\n"
                "    note TEXT -- what they said\n"
                ")"
            ),
            "INSERT INTO t VALUES (1, 1, 'one'), (2, 2, 'two')",
        ),
        (_text("-- counts the guests", "/* in metres */", "-- what they said"),),
        'table("t", id=key(), size=models.IntegerField(null=True), note=text())',
    ),
)
BY_INDEX = (
    _size(
        "a partial index",
        "size INTEGER",
        (
            *INDEXES,
            "INSERT INTO t (size, note) VALUES (2, 'n')",
            "INSERT INTO t (size, note) VALUES (1, 'n') RETURNING size",
        ),
        more=("CREATE UNIQUE INDEX t_i ON t (size) WHERE size > 1",),
        options='constraints=[models.UniqueConstraint(fields=["size"], name="t_i", '
        "condition=models.Q(size__gt=1))]",
    ),
    _name(
        "an index on an expression",
        "name TEXT",
        (
            "SELECT name, \"unique\" FROM pragma_index_list('t')",
            "INSERT INTO t (name, note) VALUES ('ANNA', 'n')",
        ),
        more=("CREATE UNIQUE INDEX t_i ON t (lower(name))",),
        options='constraints=[models.UniqueConstraint(functions.Lower("name"), name="t_i")]',
    ),
    _size(
        "a DESC index",
        "size INTEGER",
        INDEXES,
        more=("CREATE INDEX t_i ON t (size DESC, id)",),
        options='indexes=[models.Index(fields=["-size", "id"], name="t_i")]',
    ),
    _name(
        "an index with a collation of its own",
        "name TEXT",
        (*INDEXES, "INSERT OR IGNORE INTO t (name, note) VALUES ('ANNA', 'n') RETURNING name"),
        more=("CREATE UNIQUE INDEX t_i ON t (name COLLATE NOCASE)",),
        options="constraints=[models.UniqueConstraint("
        'functions.Collate("name", "NOCASE"), name="t_i")]',
    ),
    _size(
        "what ANALYZE found",
        "size INTEGER",
        ("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2",),
        more=("CREATE INDEX t_i ON t (size)", "ANALYZE"),
        options='indexes=[models.Index(fields=["size"], name="t_i")]',
    ),
)
CASES = (*ROWS, *KEYS, *TRIGGERS, *VIEWS, *DEFINITIONS, *BY_INDEX)
"""All cases, as the README lists them."""
