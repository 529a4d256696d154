"""Resources as source, with rows, that tests of changes begin with."""

from __future__ import annotations

import json

TITLED = ("id: int = integer_primary_key()", "title: str")
ROWS = """
    INSERT INTO posts (title) VALUES ('one')
    INSERT INTO posts (title) VALUES ('two')
"""
TITLES = [(1, "one"), (2, "two")]


def posts(*lines, head="", columns=TITLED, name="Post", table="posts"):
    """Return a resource of some columns and lines."""
    body = "".join(f"    {line}\n" for line in (*columns, *lines))
    quoted = json.dumps(table, ensure_ascii=False)
    return f"class {name}(Resource, table={quoted}{head}):\n{body}"


def teams(*lines, name="Team", table="teams"):
    """Return another resource, for others to refer to."""
    columns = ("id: int = integer_primary_key()", "n: int = 1")
    return posts(*lines, columns=columns, name=name, table=table)


def circle(count, *lines, extra="", table="t{}"):
    """Return resources each of which refers to the next, and the last one to the first."""
    return "".join(
        posts(
            f"next = belongs_to('T{(i + 1) % count}', nullable=True{extra})",
            *lines,
            columns=("id: int = integer_primary_key()", "n: int = 1"),
            name=f"T{i}",
            table=table.format(i),
        )
        for i in range(count)
    )


TEAMS = teams()
CLUBS = teams(name="Club", table="clubs")
TEAM = "team = belongs_to('Team', nullable=True{})".format
PLAIN = "team_id: int | None"
TEAM_ROWS = """
    INSERT INTO teams (id) VALUES (1)
    INSERT INTO teams (id) VALUES (2)
    INSERT INTO posts (title, team_id) VALUES ('one', 1)
"""
