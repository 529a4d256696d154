"""List what codegen found in a repo: what happens to which table, and which line asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.change.operations import Operation
    from ashflow.cli.output import Output
    from ashflow.plan.codegen import Generated
    from ashflow.project.codegen import Found

_WIDEST = 64
"""The column that the places in the source begin in at the latest, where nobody looks."""
_TWIGS = ("\u251c\u2500", "\u2514\u2500")
"""What ties a line to its table where a person looks; the second one ties the last line."""

_COLOURS = {"+": "green", "~": "yellow", "-": "yellow", "!": "red", "#": "bright_black"}


class Line(NamedTuple):
    """A line of the listing.

    Args:
        mark: `+`, `~`, `-`, `!` (values go) or `#` (nothing is done); empty for a table.
        text: What is done.
        origin: The line of code that asks for it; empty where none does.
    """

    mark: str
    text: str
    origin: str = ""


def warn(output: Output, found: Sequence[Found], *, rows: bool) -> None:
    """Print what is odd in the resources, and what rows that stand may not be able to follow.

    Args:
        output: Where to.
        found: What was found.
        rows: Whether there will be a migration that rows may stop.
    """
    for one in found:
        for warning in (*one.warnings, *(_gaps(one) if rows else ())):
            output.message(click.style("warning: ", fg="yellow") + warning)


def _gaps(found: Found) -> Iterator[str]:
    if not found.change:
        return
    from ashflow.plan.fills import gaps

    for gap in gaps(found.change.operations):
        came = "is new, NOT NULL and" if gap.sure else "becomes NOT NULL and"
        where = f"{gap.table} has rows" if gap.sure else "a row has NULL there"
        yield (
            f"{gap.name} {came} has no default; where {where}, the migration will stop. "
            f"--fill {gap.name}=SQL gives them a value"
        )


def show_change(output: Output, found: Found, *, named: bool = False) -> None:
    """Print what was found in a repo: its operations, by table.

    Args:
        output: Where to.
        found: What was found; nothing is printed where nothing was.
        named: Whether the repo is named above it.
    """
    if not found.change or output.as_json or output.quiet:
        return
    blocks = [list(block) for block in _blocks(found)]
    placed = [line for block in blocks for line in block if line.origin]
    column = _column(placed, on_terminal=output.on_terminal)
    told = [click.style(f"[{found.repo}]", bold=True)] if named else []
    for block in blocks:
        if output.on_terminal:
            told += [_spread_in_colour(line, column, last=line is block[-1]) for line in block]
        else:
            told += [_spread(line, column) for line in block]
    output.result("\n".join(told))


def _column(told: Sequence[Line], *, on_terminal: bool) -> int:
    """Return where the places in the source begin: on a terminal, so that they end at its edge."""
    wanted = max((len(line.text) for line in told), default=0) + 6
    if not on_terminal:
        return min(wanted, _WIDEST)
    from shutil import get_terminal_size

    longest = max((len(line.origin) for line in told), default=0)
    return min(wanted, get_terminal_size().columns - longest)


def _spread(line: Line, column: int) -> str:
    """Return a line as a program reads it, its place in the source at a column."""
    text = f"  {line.mark} {line.text}" if line.mark else line.text
    return f"{text:<{column - 2}}  {line.origin}" if line.origin else text


def _spread_in_colour(line: Line, column: int, *, last: bool) -> str:
    """Return a line as a person reads it: in colour, and tied to its table by a twig."""
    text, width = click.style(line.text, bold=True), len(line.text)
    if line.mark:
        text = f"{_TWIGS[last]}{click.style(line.mark, fg=_COLOURS[line.mark])} "
        text += click.style(line.text, dim=True) if line.mark == "#" else line.text
        width += 4
    if not line.origin:
        return text
    return f"{text}{' ' * max(2, column - width)}{click.style(line.origin, dim=True)}"


def _blocks(found: Found) -> Iterator[Iterator[Line]]:
    """Yield each table with what happens to it, then what is only noted."""
    from ashflow.change.describe import place, summary

    by_table = summary(found.change.operations)
    notes: dict[str, list[Line]] = {}
    for kept in found.change.kept:
        notes.setdefault(kept.table, []).append(Line("#", kept.note))
    for one in found.change.resolved:
        notes.setdefault(one.table, []).append(Line("#", "two branches go on from here as one"))
    for table in dict.fromkeys((*by_table, *notes)):
        head = Line("", place(table), found.origins.get(table, ""))
        done = _done(found, by_table, table)
        yield iter((head, *done, *notes.get(table, ())))


def _done(found: Found, by_table: dict[str, list[Operation]], table: str) -> Iterator[Line]:
    from ashflow.change.describe import describe, sign

    for operation in by_table.get(table, ()):
        yield Line(sign(operation), describe(operation), origin_of(found, operation))
        yield from _elsewhere(found, operation)


def _elsewhere(found: Found, operation: Operation) -> Iterator[Line]:
    """Yield a note for each new column that refers to a table which no foreign key reaches."""
    from ashflow.change.operations import AddColumn, CreateTable

    match operation:
        case CreateTable(table, columns=columns):
            names = [column.name for column in columns]
        case AddColumn(table, column):
            names = [column.name]
        case _:
            return
    for name in names:
        there = found.elsewhere.get(f"{table}.{name}")
        if there is not None:
            yield Line("#", f"{name} refers to {there}: a column and no foreign key")


def origin_of(found: Found, operation: Operation) -> str:
    """Return the line of code that asks for an operation, as `file:line`; empty where none does.

    Args:
        found: What was found.
        operation: One of its operations.
    """
    from ashflow.change.describe import member_of, table_of

    table, member = table_of(operation), member_of(operation)
    return found.origins.get(f"{table}.{member}", "") if member else ""


def show_files(output: Output, generated: Generated, *, texts: bool) -> None:
    """Print the files that were written, or with their texts those that would be."""
    if not texts:
        output.result("\n".join(f"wrote {path}" for path in generated.files))
        return
    for path, text in generated.files.items():
        output.result(f"\n{click.style(f'--- would write {path}', bold=True)}\n{text}")
