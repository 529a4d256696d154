"""Find what resources refer to: the types of their keys, and their foreign keys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ashflow.schema.table import ForeignKey, foreign_key_name
from ashflow.sources.columns import shared_column
from ashflow.sources.members import BelongsTo
from ashflow.sources.reader import option_of, read
from ashflow.sources.reading import Reading, claim, columns_there
from ashflow.sources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.schema.table import Column
    from ashflow.sources.members import Reference
    from ashflow.sources.places import Spot


class Readings:
    """All resources of a project, each read once.

    Args:
        repo_of: The resources, each with the configured repo of its table.
        first: The repo of a resource that nobody says anything about.

    Raises:
        Wrong: A resource says something that is no table.
    """

    __slots__ = ("_by_name", "_first", "by_class")

    def __init__(self, repo_of: Mapping[type[Resource], str], first: str) -> None:
        self._first = first
        self._by_name: dict[str, list[type[Resource]]] = {}
        self.by_class: dict[type[Resource], Reading] = {}
        for cls, repo in repo_of.items():
            self._add(cls, repo)

    def _add(self, cls: type[Resource], repo: str) -> Reading:
        reading = self.by_class[cls] = read(cls, repo)
        for name in {cls.__name__, _full_name(cls)}:
            self._by_name.setdefault(name, []).append(cls)
        return reading

    def link(self) -> None:
        """Give every column its type, and every resource its foreign keys.

        Raises:
            Wrong: A target does not resolve, or cannot be referred to in that way.
        """
        for reading in list(self.by_class.values()):
            for name, link in reading.links.items():
                self._column(reading, name, ())
                self._refer(reading, link.member, (name,), (link.member.to,), reading.spot(name))
            for member, spot in reading.references:
                columns_there(reading, member.columns, spot)
                self._refer(reading, member, member.columns, member.keys, spot)

    def _column(
        self, reading: Reading, name: str, trail: tuple[tuple[Reading, str], ...]
    ) -> Column:
        """Return a column, with the type of the key that it refers to where it does."""
        known = reading.columns[name]
        if known is not None:
            return known
        spot, link, nullable = reading.spot(name), *reading.links[name]
        if (reading, name) in trail:
            raise spot.wrong("takes its type from itself, by way of what it belongs to")
        target = self._target(reading, link.target, spot)
        columns_there(target, (link.to,), spot)
        key = self._column(target, link.to, (*trail, (reading, name)))
        column = shared_column(
            name,
            key.type,
            nullable and name not in reading.primary_key,
            max_length=key.max_length,
            precision=key.precision,
            scale=key.scale,
            collate=key.collate,
            comment=link.comment,
        )
        reading.columns[name] = column
        return column

    def _refer(
        self,
        reading: Reading,
        member: Reference,
        columns: Sequence[str],
        keys: Sequence[str],
        spot: Spot,
    ) -> None:
        """Add a foreign key, which can only stand between tables of one database."""
        target = self._target(reading, member.target, spot)
        columns_there(target, keys, spot)
        if not columns or len(columns) != len(keys):
            raise spot.wrong(f"refers from {len(columns)} columns to {len(keys)} keys")
        if target.repo != reading.repo:
            _across(reading, target, member, spot)
            reading.elsewhere |= dict.fromkeys(columns, f"{target.table} in the repo {target.repo}")
            return
        _judge_set_null(reading, member, columns, spot)
        key = ForeignKey(
            target.table,
            keys,
            columns=columns,
            name=member.name or foreign_key_name(reading.table, columns),
            on_delete=member.on_delete,
            on_update=member.on_update,
            deferrable=member.deferrable,
        )
        claim(reading.name_spots, key.name, spot)
        reading.foreign_keys.append((key, spot))

    def _target(self, reading: Reading, target: object, spot: Spot) -> Reading:
        """Return the reading of what a member refers to, given as a class or as a name."""
        if isinstance(target, type) and (known := self.by_class.get(target)) is not None:
            return known
        cls = self._named(reading.cls, target, spot) if isinstance(target, str) else target
        if not (isinstance(cls, type) and issubclass(cls, Resource) and cls is not Resource):
            raise spot.wrong(f"refers to {target!r}, which is no resource", hint=self._choices())
        known = self.by_class.get(cls)
        if known is not None:
            return known
        if cls.__ashflow__.abstract:
            raise spot.wrong(f"refers to {cls.__name__}, which is abstract and has no table")
        if option_of(cls, "migrate") is not False:
            raise spot.wrong(
                f"refers to {cls.__name__}, which is in no domain, so nobody makes its table",
                hint=f"Put {cls.__name__} into a Domain, or give it migrate=False.",
            )
        return self._add(cls, option_of(cls, "repo") or self._first)

    def _named(self, asking: type[Resource], name: str, spot: Spot) -> type[Resource]:
        """Return the resource of a name, one of the same module before all others."""
        module = sys.modules.get(asking.__module__)
        near = getattr(module, name, None)
        if isinstance(near, type) and issubclass(near, Resource):
            return near
        found = self._by_name.get(name, [])
        found = [cls for cls in found if cls.__module__ == asking.__module__] or found
        if not found:
            raise spot.wrong(f"refers to {name!r}, which is no resource", hint=self._choices())
        if len(found) > 1:
            raise spot.wrong(
                f"refers to {name!r}, and there are {' and '.join(map(_full_name, found))}",
                hint="Give the class instead of its name, or the name with its module.",
            )
        return found[0]

    def _choices(self) -> str:
        return f"The resources: {', '.join(cls.__name__ for cls in self.by_class)}."


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _across(reading: Reading, target: Reading, member: Reference, spot: Spot) -> None:
    """Say what a reference to another database cannot do."""
    where = f"{target.cls.__name__}, which is in the repo {target.repo}"
    if not isinstance(member, BelongsTo):
        raise spot.wrong(
            f"refers to {where}: a foreign key cannot leave its database",
            hint=f"Move one of the resources, or leave the key out ({reading.cls.__name__} is in "
            f"the repo {reading.repo}).",
        )
    if member.on_delete or member.on_update:
        reading.warnings.append(
            f"{spot.label} refers to {where}: on_delete and on_update have no effect there."
        )


def _judge_set_null(
    reading: Reading, member: Reference, columns: Sequence[str], spot: Spot
) -> None:
    if "set_null" not in (member.on_delete, member.on_update):
        return
    for name in columns:
        column = reading.columns[name]
        if column is not None and not column.nullable:
            raise spot.wrong(
                f"sets {name} to NULL, which may not be NULL",
                hint="Write nullable=True, or another action.",
            )
