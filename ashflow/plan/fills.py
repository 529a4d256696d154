"""What new and tightened columns hold in the rows that stand: the answers of `--fill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ashflow.change.operations import AddColumn, AlterColumn, ChangePrimaryKey, CreateTable, Fill
from ashflow.errors import UsageError
from ashflow.schema.sqltext import significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.change.operations import Operation


class Gap(NamedTuple):
    """A column that rows which stand may have no value for.

    Args:
        table: The table, as it will be called.
        column: The column.
        sure: Whether every row that stands lacks one; else those that have NULL there.
    """

    table: str
    column: str
    sure: bool

    @property
    def name(self) -> str:
        """The column, as `--fill` names it."""
        return f"{self.table}.{self.column}"


def filled(
    operations: Sequence[Operation], fills: Iterable[str], *, new_tables: bool = False
) -> tuple[tuple[Operation, ...], frozenset[str]]:
    """Put a `Fill` where a column needs one.

    Args:
        operations: What is done, in order.
        fills: The values of `--fill`: `table.column=SQL` each.
        new_tables: Whether a table that is made here may have rows: those of a migration that this
            one replaces.

    Returns:
        The operations with the fills among them: behind the column that is new, before the one that
        becomes NOT NULL; and those of the values that had a place.

    Raises:
        UsageError: Two of them fill one column, or the SQL is no expression.
    """
    places = [list(_places(op, operations, new_tables=new_tables)) for op in operations]
    answers = dict(_answers([gap for found in places for gap in found], fills))
    done: list[Operation] = []
    for operation, found in zip(operations, places, strict=True):
        wanted = [gap for gap in found if gap.name in answers]
        made = [Fill(gap.table, gap.column, answers[gap.name][1]) for gap in wanted]
        done += [*made, operation] if isinstance(operation, AlterColumn) else [operation, *made]
    return tuple(done), frozenset(flag for flag, _ in answers.values())


def held(operations: Iterable[Operation], given: Sequence[str]) -> tuple[str, ...]:
    """Return the fills of migrations that are replaced, as answers, where none is given.

    Args:
        operations: What the replaced migrations do.
        given: The values of `--fill` that the user gave.
    """
    found = {f"{op.table}.{op.column}": op.sql for op in operations if isinstance(op, Fill)}
    return tuple(
        f"{name}={sql}"
        for name, sql in found.items()
        if not any(flag.startswith(f"{name}=") for flag in given)
    )


def _places(
    operation: Operation, operations: Sequence[Operation], *, new_tables: bool
) -> Iterator[Gap]:
    """Yield the columns that may be filled at an operation."""
    if isinstance(operation, CreateTable) and new_tables:
        for column in operation.columns:
            if column.generated_as is None and column.default is None:
                yield Gap(operation.table, column.name, True)
    elif (gap := _fillable(operation, operations)) is not None:
        yield gap


def gaps(operations: Sequence[Operation]) -> tuple[Gap, ...]:
    """Return the columns that are NOT NULL from now on, and that nothing gives a value.

    Args:
        operations: What is done, with the fills.
    """
    filling = {(op.table, op.column) for op in operations if isinstance(op, Fill)}
    found = (_fillable(operation, operations, tight=True) for operation in operations)
    return tuple(gap for gap in found if gap and (gap.table, gap.column) not in filling)


def refuse_unused(
    fills: Iterable[str], used: Iterable[str], operations: Sequence[Operation]
) -> None:
    """Refuse a `--fill` that has no place.

    Args:
        fills: The values that were given.
        used: Those that had a place.
        operations: What is done, in all repos.

    Raises:
        UsageError: One of them is about no column that is new or becomes NOT NULL.
    """
    known = frozenset(used)
    for flag in fills:
        column = _column_in(flag)
        if flag not in known:
            raise UsageError(
                f"--fill {flag}: {_why_not(column, operations)}",
                hint="A fill gives rows that stand a value in a new column without a default, or "
                "in one that was nullable: --fill TABLE.COLUMN=SQL, with the names as declared.",
            )


def _why_not(name: str, operations: Sequence[Operation]) -> str:
    """Return why no row has to be filled in a column, given as `table.column`."""
    for operation in operations:
        match operation:
            case CreateTable(table) if name.startswith(f"{table}."):
                return f"table {table} is new, and has no rows"
            case AddColumn(table, column) if name == f"{table}.{column.name}":
                computed = column.generated_as is not None
                return f"{name} is {'computed' if computed else 'new, and has a default'}"
            case AlterColumn(table, new=new) if name == f"{table}.{new.name}" and new.generated_as:
                return f"{name} is computed"
            case _:
                pass
    return f"this change neither adds {name} to a table that stands, nor makes it NOT NULL"


def _answers(places: Iterable[Gap], fills: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what is given for which column; names may have dots and equals signs in them."""
    names = sorted({gap.name for gap in places}, key=len, reverse=True)
    taken: set[str] = set()
    for flag in fills:
        _column_in(flag)
        name = next((name for name in names if flag.startswith(f"{name}=")), None)
        if name is None:
            continue
        if name in taken:
            raise UsageError(
                f"--fill {flag}: another --fill is about {name} too", hint="Say one of them."
            )
        taken.add(name)
        yield name, (flag, _expression(flag, flag[len(name) + 1 :]))


def _column_in(flag: str) -> str:
    left, equals, sql = flag.partition("=")
    table, _, column = left.rpartition(".")
    if not (equals and table and column and sql.strip()):
        raise UsageError(
            f"--fill {flag}: say TABLE.COLUMN=SQL",
            hint='For example: --fill posts.rank=0, or --fill "posts.slug=lower(title)"',
        )
    return left


def _expression(flag: str, sql: str) -> str:
    """Return the SQL of a fill, sure that it can stand in parentheses."""
    depth = 0
    for token in significant(sql):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "punct" else 0
        if depth < 0 or token.text == ";" or token.text in {"'", '"', "`"}:
            depth = -1
            break
    if depth:
        raise UsageError(
            f"--fill {flag}: {sql.strip()} is no expression",
            hint="Say one value, or one expression over the columns of the row, without a "
            "semicolon; texts stand in single quotes.",
        )
    return sql.strip()


def _fillable(
    operation: Operation, operations: Sequence[Operation], *, tight: bool = False
) -> Gap | None:
    """Return the column that an operation leaves without values, where its table has rows.

    Args:
        operation: What is done.
        operations: All that is done: a table that is new has no rows.
        tight: Whether only what is NOT NULL and has no default counts.
    """
    match operation:
        case AddColumn(table, column) if column.generated_as is None and column.default is None:
            made = any(isinstance(op, CreateTable) and op.table == table for op in operations)
            numbered = column.type == "integer" and _is_new_key(table, column.name, operations)
            free = tight and (column.nullable or numbered)
            return None if made or free else Gap(table, column.name, True)
        case AlterColumn(table, old=old, new=new) if old.nullable and not new.nullable:
            written = new.generated_as is None and not (tight and new.default is not None)
            return Gap(table, new.name, False) if written else None
        case _:
            return None


def _is_new_key(table: str, column: str, operations: Iterable[Operation]) -> bool:
    """Whether a column becomes the key of its table by itself: SQLite numbers the rows then."""
    return any(
        isinstance(op, ChangePrimaryKey) and op.table == table and tuple(op.new) == (column,)
        for op in operations
    )
