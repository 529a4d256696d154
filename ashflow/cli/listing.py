"""List what codegen found in a repo: what happens to which table, and which line asks for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.change.operations import Operation
    from ashflow.cli.output import Output
    from ashflow.plan.codegen import Generated
    from ashflow.project.codegen import Found

_WIDEST = 64
"""The column that the places in the source begin in at the latest."""
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


def warn(output: Output, found: Sequence[Found]) -> None:
    """Print what is odd in the resources, and what rows that stand may not be able to follow."""
    for one in found:
        for warning in (*one.warnings, *_gaps(one)):
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
    if named:
        output.result(click.style(f"[{found.repo}]", bold=True))
    blocks = [list(block) for block in _blocks(found)]
    told = (line for block in blocks for line in block if line.origin)
    wide = max((len(line.text) for line in told), default=0) + 4
    for head, *lines in blocks:
        output.result(_spread(click.style(head.text, bold=True), len(head.text), head, wide))
        for i, line in enumerate(lines, 1):
            stem = _stem(last=i == len(lines))
            text = f"{stem}{click.style(line.mark, fg=_COLOURS[line.mark])} "
            text += click.style(line.text, dim=line.mark == "#")
            output.result(_spread(text, len(stem) + 2 + len(line.text), line, wide))


def _stem(*, last: bool) -> str:
    """Return what ties a line to its table: a twig where a person looks."""
    if not sys.stdout.isatty():
        return "  "
    return "\u2514\u2500" if last else "\u251c\u2500"


def _spread(text: str, width: int, line: Line, wide: int) -> str:
    if not line.origin:
        return text
    blanks = max(2, min(wide, _WIDEST) + 2 - width)
    return f"{text}{' ' * blanks}{click.style(line.origin, dim=True)}"


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
    from ashflow.change.describe import describe, member_of, sign

    for operation in by_table.get(table, ()):
        member = member_of(operation)
        origin = found.origins.get(f"{table}.{member}", "") if member else ""
        yield Line(sign(operation), describe(operation), origin)


def show_files(output: Output, generated: Generated, *, texts: bool) -> None:
    """Print the files that were written, or with their texts those that would be."""
    for path, text in generated.files.items():
        if texts:
            output.result(f"\n{click.style(f'--- would write {path}', bold=True)}\n{text}")
        else:
            output.result(f"wrote {path}")
