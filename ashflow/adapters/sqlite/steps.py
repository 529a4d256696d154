"""What is done to a SQLite database: statements, and guards that no row may stand in the way of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashflow.values import value

if TYPE_CHECKING:
    from ashflow.adapters.sqlite.definition import Definition
    from ashflow.change.operations import Function
    from ashflow.errors import SchemaError


@value
class Do:
    """Run a statement of ours.

    Args:
        sql: The statement.
        why: What is run where rows forbid it: guards, and what they need, that say which.
    """

    sql: str
    why: tuple[Step, ...] = ()


@value
class Theirs:
    """Run a statement of the user, who must not end the transaction with it.

    Args:
        sql: The statement.
    """

    sql: str


@value
class Call:
    """Call a function of the user with the session.

    Args:
        function: The function.
    """

    function: Function


@value
class Guard:
    """See to it that no row forbids what comes next.

    Args:
        select: A query of one number, which has to be 0.
        rows: What the rows are that it counts, as `would have NULL in posts.title`; no values.
        hint: What the user does about them.
    """

    select: str
    rows: str
    hint: str


@value
class Tally:
    """Count rows whose values are about to change though no operation says so.

    Args:
        select: A query of one number.
        rows: What happens to them, as `with NULL in posts.rank got its default`; no values.
    """

    select: str
    rows: str


@value
class Copy:
    """Copy all rows of a table into another one, in the order of their row ids.

    Args:
        source: The table.
        target: The table that takes them.
        columns: The columns of the target, and the expressions over the source that they take.
        order: A name of the source's rowid, by which a large table is copied part by part; None:
            no name reaches it, or it has none.
        why: What is run where rows forbid it; see `Do`.
    """

    source: str
    target: str
    columns: tuple[tuple[str, str], ...]
    order: str | None
    why: tuple[Step, ...] = ()


@value
class Pair:
    """A value before and after, which have to be the same.

    Args:
        name: The column, for messages.
        before: The value, as an expression over the source.
        after: The column of the copy that holds it, in quotes.
        typed: Whether the storage class has to be compared too: where the comparison of SQLite
            takes an integer and a float, or a number and its text, for equal.
        filled: Whether NULL may have become something else.
    """

    name: str
    before: str
    after: str
    typed: bool
    filled: bool = False


@value
class Compare:
    """See to it that a copy holds the rows of its source, value for value.

    Args:
        table: What the table is called, for messages.
        source: The table that was copied.
        copy: The copy.
        on: What finds the row of the copy: its columns, each with an expression over the source.
            Empty: nothing does, and the rows are compared as a set.
        pairs: The values.
        order: As in `Copy`.
    """

    table: str
    source: str
    copy: str
    on: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]
    order: str | None


@value
class Room:
    """See to it that the disk has room for a table some more times.

    Args:
        table: The table.
        times: How often.
    """

    table: str
    times: int


@value
class Edit:
    """Write another definition of a table where SQLite keeps it; no row is touched.

    Args:
        table: The table.
        sql: Its new CREATE TABLE.
        probe: A definition by which it is found out whether a row is made of a default that
            changes; None: none does.
        otherwise: What is run instead where one is, or where SQLite lets nobody write there; or why
            nothing can be.
    """

    table: str
    sql: str
    probe: Probe | None
    otherwise: tuple[Step, ...] | SchemaError


@value
class Probe:
    """A definition in which some columns have a default that no row has as its value.

    Args:
        sql: The CREATE TABLE.
        columns: These columns.
        value: The default, as SQL.
    """

    sql: str
    columns: tuple[str, ...]
    value: str


@value
class Remake:
    """Give a table another definition, and prove that nothing else became another.

    Args:
        table: The table.
        new: The definition that it has afterwards, as far as it is known to the letter.
        steps: What does it.
        counted: Whether AUTOINCREMENT, where it counts, goes on counting.
    """

    table: str
    new: Definition | None
    steps: tuple[Step, ...]
    counted: bool = True


Step = Do | Theirs | Call | Guard | Tally | Copy | Compare | Room | Edit | Remake


def rows_text(count: int) -> str:
    """Return a number of rows in words."""
    return "1 row" if count == 1 else f"{count} rows"
