"""Where a user declares tables: `Resource`, and `Domain` that gathers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ashflow.sources.members import Declaration
from ashflow.sources.words import here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Never

    from ashflow.schema.datatypes import Sql


class Resource:
    """A class whose annotated names are the columns of a table.

    Keywords of the class statement:
        table: The table's name; required unless the class is abstract.
        repo: The configured repo; by default the domain's, else the first.
        migrate: False leaves the table out: somebody else makes it.
        strict: The table is STRICT (https://www.sqlite.org/stricttables.html).
        without_rowid: The table is WITHOUT ROWID (https://www.sqlite.org/withoutrowid.html).
        base_filter: SQL that is added to the condition of every identity.
        abstract: The class has no table; its subclasses inherit the members and these keywords.
    """

    __ashflow__: ClassVar[Declaration]

    def __init_subclass__(
        cls,
        *,
        table: str | None = None,
        repo: str | None = None,
        migrate: bool | None = None,
        strict: bool | None = None,
        without_rowid: bool | None = None,
        base_filter: str | Sql | None = None,
        abstract: bool = False,
        **_unknown: Never,
    ) -> None:
        super().__init_subclass__()
        if "__ashflow__" in cls.__dict__:  # a copy, as @dataclass(slots=True) makes one
            return
        cls.__ashflow__ = Declaration(
            here(),
            "Resource",
            _unknown,
            table=table,
            repo=repo,
            migrate=migrate,
            strict=strict,
            without_rowid=without_rowid,
            base_filter=base_filter,
            abstract=abstract,
        )


class Domain:
    """A group of resources that are migrated together.

    Args:
        resources: The resources, in the order in which their tables are told.
        repo: The configured repo of those that name none.
        statements: SQL that belongs to no table, made with `statement`.
    """

    __slots__ = ("call", "repo", "resources", "statements", "unknown")

    def __init__(
        self,
        *resources: type[Resource],
        repo: str | None = None,
        statements: Iterable[Any] = (),
        **_unknown: Never,
    ) -> None:
        self.call = here()
        self.resources = resources
        self.repo = repo
        self.statements = tuple(statements)
        self.unknown: Mapping[str, object] = _unknown
