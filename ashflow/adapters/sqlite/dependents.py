"""What still names a column that is to go: parts of its table's definition, indexes, triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.adapters.sqlite.clauses import Reference, expression, key_columns, reference
from ashflow.errors import SchemaError
from ashflow.schema.sqltext import Token, fold, reads, significant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ashflow.adapters.sqlite.catalog import TableFacts
    from ashflow.adapters.sqlite.definition import Definition


def mentions_in(definition: Definition, column: str) -> str | None:
    """Return what of a definition still names a column that is to go; None: nothing.

    Args:
        definition: The table without the column.
        column: The column.
    """
    wanted = fold(column)
    for clause in definition.constraints:
        called = f"{clause.kind.replace('_', ' ')} {clause.name or clause.text}"
        match clause.kind:
            case "check" if reads(expression(clause), column):
                return called
            case "primary_key" | "unique" if wanted in _small(key_columns(clause)):
                return called
            case "foreign_key" if wanted in _small(_own_columns(definition, reference(clause))):
                return called
    for item in definition.columns:
        for kind in ("check", "generated"):
            for clause in item.all(kind):
                if reads(expression(clause), column):
                    return f"column {item.name}, in {clause.text}"
        for clause in item.all("references"):
            if wanted in _small(_own_columns(definition, reference(clause, (item.name,)))):
                return f"column {item.name}, in {clause.text}"
    return None


def _small(names: Iterable[str]) -> set[str]:
    return {fold(name) for name in names}


def _own_columns(definition: Definition, key: Reference) -> tuple[str, ...]:
    """Return the columns of its own table that a foreign key names."""
    to_itself = fold(key.table) == fold(definition.name)
    return key.columns + (key.keys if to_itself else ())


def refuse_dependents(facts: TableFacts, went: Iterable[str]) -> None:
    """Refuse to take columns from an index or a trigger that is made again.

    Args:
        facts: The table, without the indexes that go.
        went: The columns that go.

    Raises:
        SchemaError: One of them is named.
    """
    for name in went:
        for index in facts.indexes:
            behind = index.sql[index.sql.find("(") :]
            if reads(behind, name):
                raise _used(facts, name, f"index {index.name}", "DropIndex")
        for trigger in facts.triggers:
            if fold(name) in update_columns(trigger.sql):
                raise _used(facts, name, f"UPDATE OF of the trigger {trigger.name}", "Execute")


def update_columns(trigger: str) -> frozenset[str]:
    """Return the columns of a trigger's UPDATE OF, in small letters.

    SQLite does not look whether they are there: without one of them the trigger would be silent.

    Args:
        trigger: The CREATE TRIGGER.
    """
    found = significant(trigger)
    for at, token in enumerate(found[:-1]):
        if token.is_word("BEGIN"):
            break
        if token.is_word("UPDATE") and found[at + 1].is_word("OF"):
            end = next(i for i, t in enumerate(found) if i > at and t.is_word("ON"))
            named = (t.name for t in found[at + 2 : end] if t != Token("punct", ","))
            return frozenset(fold(name) for name in named if name is not None)
    return frozenset()


def _used(facts: TableFacts, column: str, what: str, mend: str) -> SchemaError:
    return SchemaError(
        f"column {facts.name}.{column} cannot be dropped: it is used by {what}",
        hint=f"Take it away first, with {mend} in the same migration.",
    )
