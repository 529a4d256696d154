"""Turn resources into schemas: what each configured repo is to look like."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from ashflow.schema.keys import is_key
from ashflow.schema.sqltext import significant
from ashflow.schema.table import DOMAIN, Schema, Statement, Table
from ashflow.sources.annotations import annotations_of
from ashflow.sources.linking import Readings
from ashflow.sources.members import Stated
from ashflow.sources.merging import table_of
from ashflow.sources.options import folded, judge, judge_domain
from ashflow.sources.places import Origins, Spot, Wrong, locate
from ashflow.sources.reader import option_of, statement_of
from ashflow.sources.reading import Reading, claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ashflow.schema.table import Column
    from ashflow.sources.resource import Domain, Resource


class Declared(NamedTuple):
    """What the resources of one repo declare.

    Args:
        schema: The tables by name, in the order of declaration; the statements of domains stand
            under `table.DOMAIN`.
        origins: Where each was declared, as `path/to/file.py:LINE`: by `table`, `table.column` and
            `table.<index, check, key or statement>`.
        unmanaged: The tables of resources with `migrate=False`, which are not in the schema.
        warnings: What could not be said in SQL.
        elsewhere: What refers to a table of another repo, by `table.column`: that table in words.
    """

    schema: Schema
    origins: Origins
    unmanaged: frozenset[str]
    warnings: tuple[str, ...]
    elsewhere: Mapping[str, str]

    def in_order(self, table: Table) -> Table:
        """Return one of the tables with its columns in the order of the source.

        Python does not keep the order of a bare `name: str` and a `team = belongs_to(…)`; their
        lines tell it, and are looked up only for a table that is written, and only where they must.

        Args:
            table: A table of the schema.
        """
        own = self.origins.spots(table.name)
        spots = {column.name: own[column.name] for column in table.columns}
        if _is_kept([*spots.values()]):
            return table
        return replace(table, columns=tuple(_sorted(table.columns, spots)))


def _is_kept(spots: Sequence[Spot]) -> bool:
    """Whether Python has kept the order of members: see `bodies.in_order`."""
    homes = [home for home in {spot.home for spot in spots} if home is not None]
    if len(homes) > 1:
        return False
    annotated = annotations_of(homes[0]) if homes else {}
    bare = False  # whether a bare one came since the last that is both annotated and assigned
    for spot in spots:
        if spot.call is None:
            bare = True
        elif spot.member in annotated:
            bare = False
        elif bare:
            return False
    return True


def _sorted(columns: Sequence[Column], spots: Mapping[str, Spot]) -> Iterator[Column]:
    """Yield columns by their lines, those of one file that stand together."""
    places = {column.name: locate(spots[column.name]) for column in columns}
    for _, group in groupby(columns, key=lambda column: places[column.name][0]):
        yield from sorted(group, key=lambda column: places[column.name][1])


class Gathered:
    """The resources and domains that a project names.

    Attributes:
        resources: The resources in order, each with the domains that it was found in.
        domains: The domains.
    """

    def __init__(self) -> None:
        self.resources: dict[type[Resource], list[Domain]] = {}
        self.domains: list[Domain] = []


def declared_by(gathered: Gathered, *, repos: Sequence[str], root: Path) -> dict[str, Declared]:
    """Return what resources declare, by repo.

    Args:
        gathered: The resources.
        repos: The configured repos, in order; each has an entry in what comes back.
        root: The project's root; files in it are named relative to it.

    Raises:
        ResourceError: They declare something that is no schema.
    """
    try:
        readings = Readings(
            {cls: _repo_of(cls, domains, repos) for cls, domains in gathered.resources.items()},
            repos[0],
        )
        readings.link()
        return {repo: _declared(repo, readings, gathered, repos, root) for repo in repos}
    except Wrong as wrong:
        raise wrong.told(root) from wrong.__cause__


def _repo_of(cls: type[Resource], domains: Sequence[Domain], repos: Sequence[str]) -> str:
    """Return the repo of a resource: what it says, else its domain, else the first."""
    own = option_of(cls, "repo")
    if own is not None:
        return _configured(own, repos, Spot(cls))
    said = list(dict.fromkeys(domain.repo for domain in domains if domain.repo is not None))
    if len(said) > 1:
        raise Spot(cls).wrong(
            f"is in domains of several repos: {', '.join(map(str, said))}",
            hint=f'Say which: class {cls.__name__}(Resource, table=..., repo="{said[0]}").',
        )
    return said[0] if said else repos[0]


def _configured(repo: str, repos: Sequence[str], spot: Spot) -> str:
    if repo not in repos:
        raise spot.wrong(
            f"has repo={repo!r}, which is not configured",
            hint=f"The repos in pyproject.toml: {', '.join(repos)}.",
        )
    return repo


def _declared(
    repo: str, readings: Readings, gathered: Gathered, repos: Sequence[str], root: Path
) -> Declared:
    ours: dict[str, list[Reading]] = {}
    theirs: dict[str, list[Reading]] = {}
    for reading in readings.by_class.values():
        if reading.repo == repo:
            side = ours if reading.migrate else theirs
            side.setdefault(reading.table, []).append(reading)
    theirs = {name: group for name, group in theirs.items() if name not in ours}
    tables = {name: table_of(group) for name, group in (ours | theirs).items()}
    _judge_names(ours, theirs, tables)
    _judge_keys(ours, tables)
    made = [tables[name] for name in ours]
    stated: dict[str | None, Spot] = {}
    statements = _statements(repo, gathered.domains, repos, stated)
    if statements:
        made.append(Table(DOMAIN, statements=statements))
    warnings = [text for group in ours.values() for reading in group for text in reading.warnings]
    origins = Origins(lambda table: _spots(table, ours) or stated, [*ours, DOMAIN], root)
    elsewhere = {
        f"{table}.{column}": where
        for table, group in ours.items()
        for reading in group
        for column, where in reading.elsewhere.items()
    }
    return Declared(Schema(made), origins, frozenset(theirs), tuple(warnings), elsewhere)


def _judge_names(
    ours: Mapping[str, Sequence[Reading]],
    theirs: Mapping[str, Sequence[Reading]],
    tables: Mapping[str, Table],
) -> None:
    """See that no two tables, and no two indexes, have one name in the database."""
    seen: dict[str, Spot] = {}
    for name, group in (*ours.items(), *theirs.items()):
        _judge_name(name, "a table", Spot(group[0].cls), seen)
    for name, group in ours.items():
        for index in tables[name].indexes:
            spots = (reading.name_spots.get(folded(index.name)) for reading in group)
            _judge_name(index.name, "an index", next(filter(None, spots)), seen)


def _judge_name(name: str, what: str, spot: Spot, seen: dict[str, Spot]) -> None:
    other = seen.setdefault(folded(name), spot)
    if other is not spot:
        raise spot.wrong(
            f"has {what} called {name!r}, and {other.label} has one of that name in the same repo",
            hint="A database has each name once, for a table or for an index, in any case.",
        )


def _judge_keys(groups: Mapping[str, Sequence[Reading]], tables: Mapping[str, Table]) -> None:
    """See that every foreign key refers to a key."""
    for group in groups.values():
        for reading in group:
            for key, spot in reading.foreign_keys:
                if not is_key(tables[key.table], key.keys):
                    raise spot.wrong(
                        f"refers to {', '.join(key.keys)} of {key.table}, which is neither its "
                        "primary key nor an identity",
                        hint=f"The primary key of {key.table}: "
                        f"{', '.join(tables[key.table].primary_key) or 'none'}. An identity with "
                        "a condition does not count.",
                    )


def _spots(table: str, groups: Mapping[str, Sequence[Reading]]) -> dict[str | None, Spot]:
    """Return what declares a table and what is in it, by name; nothing where no resource does."""
    spots: dict[str | None, Spot] = {}
    for reading in groups.get(table, ()):
        spots.setdefault(None, Spot(reading.cls))
        for name in reading.columns:
            spots.setdefault(name, reading.spot(name))
        for name, spot in reading.names:
            spots.setdefault(name, spot)
    return spots


def _statements(
    repo: str, domains: Sequence[Domain], repos: Sequence[str], spots: dict[str | None, Spot]
) -> list[Statement]:
    """Return the statements of the domains of a repo, each with a name of its own."""
    found: list[Statement] = []
    names: dict[str, Spot] = {}
    for domain in domains:
        spot = Spot(None, call=domain.call)
        judge_domain(domain, spot)
        if (repos[0] if domain.repo is None else _configured(domain.repo, repos, spot)) != repo:
            continue
        for member in domain.statements:
            if not isinstance(member, Stated):
                raise spot.wrong(f"has {member!r} among its statements", hint="Use statement().")
            here = Spot(None, "statement", member.call)
            judge(member, here)
            statement = statement_of(member, member.name or _name_of(member), here)
            claim(names, statement.name, here)
            spots[statement.name] = here
            found.append(statement)
    return found


_KINDS: Final = (
    "TABLE INDEX VIEW TRIGGER FUNCTION PROCEDURE AGGREGATE SEQUENCE TYPE DOMAIN EXTENSION SCHEMA "
    "ROLE POLICY RULE PUBLICATION"
).split()
_BETWEEN: Final = ("IF", "NOT", "EXISTS", "CONCURRENTLY")


def _name_of(member: Stated) -> str:
    """Return the name of what a statement creates, else one that is made of its text."""
    first = member.up if isinstance(member.up, str) else "".join(member.up[:1])
    found = list(significant(first))
    if found and found[0].is_word("CREATE"):
        kinds = (i for i, token in enumerate(found) if token.is_word(*_KINDS))
        rest = [t for t in found[next(kinds, len(found)) + 1 :] if not t.is_word(*_BETWEEN)]
        if len(rest) > 2 and rest[1].text == ".":
            rest = rest[2:]
        if rest and rest[0].name is not None:
            return rest[0].name
    from hashlib import sha256

    up = member.up if isinstance(member.up, str) else "\n".join(member.up)
    return f"statement_{sha256(up.encode()).hexdigest()[:8]}"
